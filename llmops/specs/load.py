"""Documents -> Specs: types, roles, references; every mistake at once, each with its place.

`load_one` is pure in one document, so that its outcome can be cached by the document's bytes;
`load` adds what only all documents together show: each name once per kind. References are not
resolved here, that is the graph's. To add a kind: one file with a model and a `check`, one line
in `_MODULES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from llmops.diagnostics import Diagnostic, Span, did_you_mean, has_errors
from llmops.source.document import Document
from llmops.specs import not_yet, overlays, secrets, upstream
from llmops.specs.base import API_VERSION, NAME_PATTERN, Ref, Spec, meaning
from llmops.specs.blocks import Metadata
from llmops.specs.fields import Block
from llmops.specs.mistakes import Part, translate
from llmops.specs.problem import Loc, Problem, block, first, items, listed, quoted, shown
from llmops.specs.references import Uses
from llmops.specs.secrets import redacted
from llmops.specs.shape import Shape, compile_shape, leaves, split, walk

V = TypeVar("V")
Check = Callable[[Mapping[str, Any]], Iterator[Problem]]

_MODULES: Mapping[str, str] = {
    "Model": "model",
    "Dataset": "dataset",
    "Recipe": "recipe",
    "Prompt": "prompt",
    "Evaluation": "evaluation",
    "SafetyTest": "safety_test",
    "Guardrail": "guardrail",
    "Application": "application",
    "Environment": "environment",
    "Release": "release",
    "Policy": "policy",
}


class _OfKinds(Mapping[str, V]):
    """What each kind's module has under a name.

    A module is imported when its kind is asked for: one changed file does not pay for eleven kinds.
    """

    def __init__(self, name: Callable[[str], str]) -> None:
        self._name = name

    def __getitem__(self, kind: str) -> V:
        found: V = getattr(import_module(f"llmops.specs.{_MODULES[kind]}"), self._name(kind))
        return found

    def __contains__(self, kind: object) -> bool:
        return kind in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


KINDS: Mapping[str, type[Block]] = _OfKinds(lambda kind: kind)
CHECKS: Mapping[str, Check] = _OfKinds(lambda _: "check")
ENVELOPE = ("apiVersion", "kind", "metadata", "spec")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Specs that are well formed, the mistakes of the others, and where things stand.

    `broken`: specs that are declared but not well formed, so that a reference to one of them is
    not told as a second mistake.
    """

    specs: Mapping[Ref, Spec]
    diagnostics: tuple[Diagnostic, ...]
    spans: Callable[[Ref, Loc], Span]
    broken: frozenset[Ref] = frozenset()


@cache
def shape_of(kind: str) -> Shape:
    """The compiled shape of a kind's `spec`. KeyError for a kind that is not known."""
    return compile_shape(KINDS[kind])


@cache
def metadata_shape() -> Shape:
    """The compiled shape of what every kind has under `metadata`."""
    return compile_shape(Metadata)


@cache
def roles(kind: str) -> Mapping[str, str]:
    """The role of each field of a kind by its path: `{"lora": "job: [train]", …}`.

    Paths as in YAML below `spec` (`checks[].require.min`) and below `metadata`. A verbatim block
    (`training`) is one field: what stands inside has its role.
    """
    own = {path: leaf.role for path, leaf in leaves(shape_of(kind))}
    return own | {f"metadata.{path}": leaf.role for path, leaf in leaves(metadata_shape())}


def load(documents: Iterable[Document]) -> Loaded:
    """All specs of a tree, by reference; never raises for what a user wrote."""
    by_path = sorted(documents, key=lambda document: document.path)
    specs: dict[Ref, Spec] = {}
    places: dict[Ref, Document] = {}
    problems: list[Diagnostic] = []
    broken: set[Ref] = set()
    for document in by_path:
        spec, found = load_one(document)
        problems += found
        ref = spec.ref if spec else _declared(document)
        if ref is None:
            continue
        if ref in places:
            problems.append(_twice(document, ref, places[ref]))
            continue
        places[ref] = document
        if spec is None:
            broken.add(ref)
        else:
            specs[ref] = spec

    def span(ref: Ref, loc: Loc) -> Span:
        return places[ref].span(loc)

    return Loaded(specs, tuple(problems), span, frozenset(broken))


def load_one(document: Document) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """One document's spec, or None beside its errors (warnings may stand beside a spec)."""
    problems: list[Problem] = list(first(_envelope(document.value)))
    kind = document.value.get("kind")
    spec = None
    if isinstance(kind, str) and kind in KINDS:
        spec, found = _spec(kind, document)
        problems += found
    told = first(_with_secrets(document, problems))
    diagnostics = tuple(_diagnostic(document, problem) for problem in told)
    return (None if has_errors(diagnostics) else spec), diagnostics


def _envelope(value: Mapping[str, Any]) -> Iterator[Problem]:
    missing = [key for key in ENVELOPE if key not in value]
    for key in value:
        if key not in ENVELOPE:
            near = did_you_mean(key, missing or ENVELOPE)
            missing = [name for name in missing if f'"{name}"' not in near]
            hint = near or f"known are {listed(ENVELOPE)}"
            what = f"a document has no field {quoted(key)}"
            yield Problem((key,), "unknown-field", what, hint, key=True)
    if missing:
        hint = f"a spec starts with apiVersion: {API_VERSION}, kind, metadata and spec"
        yield Problem((), "missing-field", f"the document has no {listed(missing)}", hint)
    if "apiVersion" in value and value["apiVersion"] != API_VERSION:
        what = f"apiVersion must be {API_VERSION}, not {shown(value['apiVersion'])}"
        yield Problem(("apiVersion",), "api-version", what, f"write apiVersion: {API_VERSION}")
    yield from _kind(value["kind"]) if "kind" in value else ()


def _kind(kind: Any) -> Iterator[Problem]:
    if not isinstance(kind, str):
        yield Problem(("kind",), "wrong-type", f'"kind" must be text, not {shown(kind)}')
    elif kind in not_yet.KINDS:
        what = not_yet.message(f"kind {kind}", not_yet.KINDS[kind])
        yield Problem(("kind",), "not-yet", what, f"known are {', '.join(KINDS)}")
    elif kind not in KINDS:
        known = f"known are {', '.join(KINDS)}"
        hint = did_you_mean(kind, (*KINDS, *not_yet.KINDS), otherwise=known)
        yield Problem(("kind",), "unknown-kind", f"there is no kind {quoted(kind)}", hint)


def _spec(kind: str, document: Document) -> tuple[Spec | None, list[Problem]]:
    value = document.value
    about = _read(Metadata, Part(kind, ("metadata",), metadata_shape(), value, document.raw))
    part = Part(kind, ("spec",), shape_of(kind), value, document.raw)
    body = _read(KINDS[kind], part)
    problems = [*about.problems, *body.problems, *_name(document)]
    given = value.get("spec")
    problems += first(CHECKS[kind](given)) if isinstance(given, dict) else ()
    problems += first(_ranges(given)) if kind == "Policy" else ()
    if kind == "Environment":
        problems += first(overlays.check(part, KINDS, CHECKS, roles))
    uses = Uses()
    if about.value is None or body.value is None:
        walk(shape_of(kind), given, uses.visit)
        return None, problems + uses.problems
    projections = split(shape_of(kind), body.value, uses.visit)
    if labels := about.value.get("labels"):
        projections.setdefault("gate", {})["metadata"] = {"labels": labels}
    spec = Spec(
        ref=Ref(kind, about.value["name"]),
        path=document.path,
        value={"metadata": about.value, "spec": body.value},
        references=tuple(uses.references),
        files=tuple(uses.files),
        projections=projections,
        digest=meaning(projections),
    )
    return spec, problems + uses.problems


def _ranges(given: Any) -> Iterator[Problem]:
    """Rule `range` names a field of another kind, so only here can its path be known."""
    for i, rule in items(given, "rules"):
        path = block(rule, "with").get("field")
        if rule.get("rule") == "range" and isinstance(path, str):
            yield from _field_path(path, ("spec", "rules", i, "with", "field"))


def _field_path(path: str, loc: Loc) -> Iterator[Problem]:
    kind, _, inner = path.partition(".")
    if kind not in KINDS:
        hint = did_you_mean(
            kind, KINDS, otherwise="write Kind.path, as in Recipe.training.max_steps"
        )
        yield Problem(loc, "unknown-path", f"{quoted(path)} starts with no kind", hint)
        return
    if feature := not_yet.key(kind, inner.partition(".")[0]):
        yield Problem(loc, "not-yet", not_yet.message(quoted(path), feature))
        return
    known = list(roles(kind)) + (upstream.paths() if kind == "Recipe" else [])
    if inner not in known:
        hint = did_you_mean(inner, known, otherwise="write the path of one number, as in YAML")
        hint = hint.replace('mean "', f'mean "{kind}.')
        yield Problem(loc, "unknown-path", f"{kind} has no field {quoted(inner)}", hint)


class _Read(NamedTuple):
    value: dict[str, Any] | None  # normalised; None when it is not well formed
    problems: list[Problem]


def _read(form: type[Block], part: Part) -> _Read:
    (root,) = part.root
    given = part.value.get(root)
    if not isinstance(given, dict):
        what = f'"{root}" must be a map, not {shown(given)}'
        absent = root not in part.value  # which the envelope told
        return _Read(None, [] if absent else [Problem((root,), "wrong-type", what)])
    try:
        valid = form.model_validate(given)
    except ValidationError as error:
        return _Read(None, list(first(translate(part, error.errors(include_url=False)))))
    return _Read(valid.model_dump(mode="json", by_alias=True, exclude_none=True), [])


def _name(document: Document) -> Iterator[Problem]:
    """The name is the file's: whoever reads a reference knows where to look."""
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    stem = document.path.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    if isinstance(name, str) and name != stem and re.fullmatch(NAME_PATTERN, name):
        what = f"the name {quoted(name)} is not the file's name {quoted(stem)}"
        hint = f"rename the file to {quoted(name + '.yaml')}, or the {document.value.get('kind')}"
        yield Problem(("metadata", "name"), "name-mismatch", what, hint)


def _declared(document: Document) -> Ref | None:
    """What a document declares, as far as that can be read."""
    kind, metadata = document.value.get("kind"), document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    known = isinstance(kind, str) and kind in KINDS and isinstance(name, str)
    return Ref(str(kind), str(name)) if known else None


def _twice(document: Document, ref: Ref, first: Document) -> Diagnostic:
    what = f"{ref} is declared twice, first in {first.path}"
    hint = "a name is unique per kind; rename one of them"
    return Diagnostic(document.span(("metadata", "name")), "duplicate-spec", what, hint)


def _with_secrets(document: Document, problems: list[Problem]) -> list[Problem]:
    """The problems with literal secrets; what one of those explains is dropped."""
    found = list(secrets.find(document.value)) if secrets.suspicious(document.text) else []
    if not found:
        return problems
    hidden = {loc for loc, _ in found}
    kept = [p for p in problems if not any(p.loc[:n] in hidden for n in range(len(p.loc) + 1))]
    clean = [replace(p, message=redacted(p.message), hint=redacted(p.hint)) for p in kept]
    return [_secret(loc, form) for loc, form in found] + clean


def _secret(loc: Loc, form: str) -> Problem:
    what = f"{form} stands here as text"
    hint = "write {secret: NAME}, and make the one that was committed invalid"
    return Problem(loc, "literal-secret", what, hint, key=bool(loc) and isinstance(loc[-1], str))


def _diagnostic(document: Document, problem: Problem) -> Diagnostic:
    span = document.span(problem.loc, key=problem.key)
    return Diagnostic(span, problem.rule, problem.message, problem.hint, problem.severity)
