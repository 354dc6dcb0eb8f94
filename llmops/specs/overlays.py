"""Overlays of an Environment against the kinds that they are put over: paths, roles, types.

In: the raw `overlays` of one document. Out: problems at their places. A path is written as in
YAML, `sources[name].uri` in a list of named things. Only fields with role placement may be set:
any other would let an environment run what was never judged. What the target says is not needed,
so a document is checked by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from llmops.diagnostics import did_you_mean
from llmops.specs import not_yet, upstream
from llmops.specs.fields import Block
from llmops.specs.mistakes import Part, translate
from llmops.specs.problem import Loc, Problem, items, listed, quoted
from llmops.specs.shape import blocks_of

TARGETS = ("Recipe", "Model", "Dataset")
Check = Callable[[Mapping[str, Any]], Iterator[Problem]]
Roles = Callable[[str], Mapping[str, str]]


def check(
    part: Part, kinds: Mapping[str, type[Block]], checks: Mapping[str, Check], roles: Roles
) -> Iterator[Problem]:
    """Every wrong path and value; `part` is the Environment's `spec`."""
    for i, overlay in items(part.value.get("spec"), "overlays"):
        target, given = overlay.get("target"), overlay.get("set")
        kind = target.partition("/")[0] if isinstance(target, str) else ""
        if kind not in TARGETS or not isinstance(given, dict):
            continue
        for path, value in given.items():
            loc: Loc = ("spec", "overlays", i, "set", path)
            wrong = _path(kind, path, roles(kind), loc)
            if wrong is not None:
                yield wrong
                continue
            yield from _value(part, kinds[kind], path, value, loc)
            yield from _beyond_types(checks[kind], path, value, loc)


def pattern(path: str) -> str:
    """`sources[helpdesk].uri` -> `sources[].uri`."""
    return re.sub(r"\[[^\]]*\]", "[]", path)


def _path(kind: str, path: str, roles: Mapping[str, str], loc: Loc) -> Problem | None:
    known = pattern(path)
    if known == path and "[]" in path:
        what = f"{quoted(path)} names no item of the list"
        return Problem(loc, "unknown-path", what, "write its name, as in sources[name].uri", True)
    role = roles.get(known) or _around(kind, known, roles)
    if role == "placement":
        return None
    if role:
        what = f"{quoted(path)} of a {kind} has role {role}; an overlay sets placement fields only"
        hint = f"change it in the {kind} itself, where it is judged"
        return Problem(loc, "not-placement", what, hint, key=True)
    if feature := not_yet.key(kind, known):
        return Problem(loc, "not-yet", not_yet.message(quoted(path), feature), key=True)
    placed = [name for name, of in roles.items() if of == "placement"]
    inside = [name for name in placed if name.startswith(f"{known}.")]
    if inside:
        what = f"{quoted(path)} holds several fields"
        return Problem(loc, "unknown-path", what, f"set one of them: {listed(inside)}", key=True)
    hint = did_you_mean(path, placed, otherwise=f"known are {listed(placed, 12)}")
    return Problem(loc, "unknown-path", f"{kind} has no field {quoted(path)}", hint, key=True)


def _around(kind: str, path: str, roles: Mapping[str, str]) -> str:
    """The role of the verbatim block that a path leads into, "" if there is none."""
    if kind == "Recipe" and path not in upstream.paths():
        return ""
    first = path.partition(".")[0]
    return roles.get(first, "")


def _value(part: Part, kind: type[Block], path: str, value: Any, loc: Loc) -> Iterator[Problem]:
    info = _field(kind, pattern(path).replace("[]", "").split("."))
    if value is None:
        yield Problem(loc, "wrong-type", f"{quoted(path)} is set to nothing", "give it a value")
        return
    form: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(form, config=ConfigDict(strict=True))
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        told = [{**one, "loc": (*loc, *one["loc"])} for one in error.errors(include_url=False)]
        yield from translate(Part(part.kind, (), part.shape, part.value, part.raw), told)


def _field(kind: type[Block], steps: list[str]) -> FieldInfo:
    """The declaration of a field that is known to be there."""
    *outer, last = steps
    for step in outer:
        (kind,) = blocks_of(_declared(kind, step).annotation)
    return _declared(kind, last)


def _declared(kind: type[Block], name: str) -> FieldInfo:
    return next(i for n, i in kind.model_fields.items() if (i.alias or n) == name)


def _beyond_types(check: Check, path: str, value: Any, loc: Loc) -> Iterator[Problem]:
    """What the kind's own check says about this one value."""
    if "[" in path or value is None:
        return
    steps = path.split(".")
    whole: Any = value
    for step in reversed(steps):
        whole = {step: whole}
    for problem in check(whole):
        if problem.loc == ("spec", *steps):
            yield Problem(loc, problem.rule, problem.message, problem.hint)
