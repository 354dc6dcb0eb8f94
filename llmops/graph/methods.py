"""What stands before the colon of a selector: `kind:`, `state:`, `path:`, and the rest.

In: one graph with what is known of it, a method and its value. Out: the refs it names there. Values
of `kind`, `state`, `job` and `result` are words from a list, so that another is a mistake; the
others are looked up, so that one that nothing has is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from llmops.diagnostics import did_you_mean
from llmops.graph.base import JOB_TYPES, Change
from llmops.graph.build import Graph
from llmops.graph.diff import job_types, leaves
from llmops.specs.base import KIND_NAMES, Ref, Spec

STATES = ("modified", "new", "old", "unmodified", "changed", "follows")
PARTS = ("job", *JOB_TYPES, "gate", "static", "placement", "descriptive")  # of state:modified
RESULTS = ("passed", "warned", "inconclusive", "failed")
HINT = "write Kind, name, Kind/name, state:modified, label:k=v; + before or after it"
# Methods whose values depend on what changed or was measured: that none is there is an answer.
OPEN = frozenset({"state", "job", "result"})
# dbt's methods that are called otherwise here.
_DBT = {
    "tag": "label:{0}",
    "resource_type": "kind:{0}",
    "fqn": "{0}",
    "group": "owner:{0}",
    "exposure": "Application/{0}",
    "test_name": "Evaluation/{0}",
    "test_type": "kind:Evaluation or kind:SafetyTest",
    "package": "path:specs/{0}",
}


class SelectorError(ValueError):
    """A selector that means nothing; the text says why, `hint` what to write."""

    def __init__(self, message: str, hint: str = HINT) -> None:
        """As an LlmopsError has it."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Look:
    """One graph, what changed, the jobs about each spec, and what was measured of it."""

    graph: Graph
    changes: Sequence[Change]
    jobs: Mapping[Ref, frozenset[str]]
    results: Mapping[Ref, str]


def named(look: Look, method: str, more: str, value: str) -> set[Ref]:
    """What a term names in one graph, without the steps around it."""
    if method in _GRAPH:
        return _GRAPH[method](look, value)
    return {ref for ref, spec in look.graph.specs.items() if _fits(spec, method, more, value)}


def expect(method: str, more: str, value: str) -> None:
    """Raises SelectorError for a method that there is not, or a value that it cannot have."""
    if not method:
        return
    if method not in METHODS:
        raise _unknown(method, value)
    if more and method != "config":
        raise SelectorError(f'"{method}:" has no part ".{more}"', f"write {method}:{value}")
    if not value:
        raise SelectorError(f'"{method}:" needs a value', HINT)
    word, point, part = value.partition(".")
    if method == "state" and word == "modified" and point:
        _expect(part, PARTS, "part of state:modified")
    elif method == "kind" and any(fnmatchcase(kind, value.lower()) for kind in _LOWER):
        return
    elif method in _WORDS:
        _expect(value, *_WORDS[method])


def _unknown(method: str, value: str) -> SelectorError:
    otherwise = f"known are {', '.join(f'{name}:' for name in METHODS)}"
    hint = did_you_mean(method, METHODS, otherwise=otherwise)
    if method in _DBT:
        hint = f"dbt's {method}: is here {_DBT[method].format(value)}"
    return SelectorError(f'there is no selector "{method}:"', hint)


def _expect(word: str, known: Sequence[str], what: str) -> None:
    if word not in known:
        hint = did_you_mean(word, known, otherwise=f"known are {', '.join(known)}")
        raise SelectorError(f'there is no {what} "{word}"', hint)


def expect_some(looks: Sequence[Look], method: str, more: str, value: str) -> None:
    """Raises SelectorError for a word that nothing is called in any of the graphs."""
    if method in OPEN or method == "kind" or value.lower() in _LOWER:
        return
    method = "path" if method == "" and _is_path(value) else method
    specs = [spec for look in looks for spec in look.graph.specs.values()]
    known = list(dict.fromkeys(text for spec in specs for text in _texts(spec, method, more)))
    if method == "config" and not known:
        return _no_path(specs, more)
    known += KIND_NAMES if method == "" else ()
    some = f"known are {', '.join(known[:6])}{', …' if len(known) > 6 else ''}" if known else ""
    hint = did_you_mean(value, known, otherwise=some if method else "llmops ls shows all there is")
    what = f'no spec has {_SAID[method].format(more)} "{value}"' if method else ""
    raise SelectorError(what or f'nothing is called "{value}"', hint)


def _no_path(specs: Sequence[Spec], path: str) -> None:
    known = dict.fromkeys(path for spec in specs for path in leaves(spec.value))
    hint = did_you_mean(path, known, otherwise="llmops explain KIND shows its fields")
    raise SelectorError(f'no spec has a field "{path}"', hint)


# ---- one spec -------------------------------------------------------------------------------


def _fits(spec: Spec, method: str, more: str, value: str) -> bool:
    if method == "path":
        return _under(spec.path, value)
    if method == "" and _is_path(value):
        return _under(spec.path, value)
    if method == "":
        return _called(spec.ref, value)
    return any(fnmatchcase(text, value) for text in _texts(spec, method, more))


def _is_path(value: str) -> bool:
    return value.startswith(("specs/", "policies/", "./")) or value.endswith((".yaml", ".yml"))


def _under(path: str, value: str) -> bool:
    """Whether a file is at or below a path; a file by its name alone where no folder is named."""
    wanted = value.removeprefix("./").rstrip("/")
    if wanted in ("", "."):
        return True
    if "/" not in wanted and wanted.endswith((".yaml", ".yml")):
        return fnmatchcase(PurePosixPath(path).name, wanted)
    places = (path, *(str(folder) for folder in PurePosixPath(path).parents))
    return wanted in places or any(fnmatchcase(place, wanted) for place in places)


def _called(ref: Ref, pattern: str) -> bool:
    kind, slash, name = pattern.partition("/")
    if slash:
        return fnmatchcase(ref.kind.lower(), kind.lower()) and fnmatchcase(ref.name, name)
    return fnmatchcase(ref.name, pattern) or ref.kind.lower() == pattern.lower()


def _texts(spec: Spec, method: str, more: str) -> Iterator[str]:
    """The texts of a spec that a method compares with its value."""
    if method == "label":
        for key, value in spec.labels.items():
            yield from (key, f"{key}={value}")
    elif method == "owner":
        yield from filter(None, [str(spec.value["metadata"].get("owner", ""))])
    elif method == "file":
        yield PurePosixPath(spec.path).name
    elif method == "source":
        yield from _sources(spec)
    elif method == "config":
        yield from _values(spec, more)
    elif method == "path":
        yield from (spec.path, *(str(folder) for folder in PurePosixPath(spec.path).parents))
    else:
        yield from (str(spec.ref), spec.ref.name)


def _sources(spec: Spec) -> Iterator[str]:
    """What a spec reads from outside: files, addresses, and the names it gives them."""
    yield from (use.path for use in spec.files)
    for source in spec.spec.get("sources", ()):
        yield from (str(source[key]) for key in ("name", "uri") if source.get(key) is not None)


def _values(spec: Spec, path: str) -> Iterator[str]:
    """The value of a field as it is written, each of a list."""
    found = leaves(spec.value)
    if path not in found:
        return
    value = found[path]
    for one in value if isinstance(value, list | tuple) else [value]:
        yield str(one).lower() if isinstance(one, bool) else str(one)


# ---- one graph ------------------------------------------------------------------------------


def _kind(look: Look, value: str) -> set[Ref]:
    return {ref for ref in look.graph.specs if fnmatchcase(ref.kind.lower(), value.lower())}


def _state(look: Look, value: str) -> set[Ref]:
    word, _, part = value.partition(".")
    changes = {one.ref: one for one in look.changes if one.ref in look.graph.specs}
    if word == "old":
        return {r for r in look.graph.specs if r not in changes or changes[r].action != "added"}
    touched = {ref for ref, one in changes.items() if one.action != "follows"}
    if word == "unmodified":
        return set(look.graph.specs) - touched
    if word == "modified":
        return {r for r in touched if not part or part in _parts(look, changes[r])}
    action = {"new": "added"}.get(word, word)
    return {ref for ref, one in changes.items() if one.action == action}


def _parts(look: Look, change: Change) -> set[str]:
    """The roles of what changed: of every field that there is for a spec that came or went."""
    roles = [word for one in change.fields for word in (job_types(one.role) or [one.role])]
    if change.action in ("added", "removed"):
        roles = list(look.graph.specs[change.ref].projections)
    found = set(roles)
    return found | {"job"} if found & set(JOB_TYPES) else found


def _job(look: Look, value: str) -> set[Ref]:
    return {ref for ref in look.graph.specs if value in look.jobs.get(ref, ())}


def _result(look: Look, value: str) -> set[Ref]:
    return {ref for ref in look.graph.specs if look.results.get(ref) == value}


_GRAPH: Mapping[str, Callable[[Look, str], set[Ref]]] = {
    "kind": _kind,
    "state": _state,
    "job": _job,
    "result": _result,
}
_WORDS: Mapping[str, tuple[Sequence[str], str]] = {
    "kind": (KIND_NAMES, "kind"),
    "state": (STATES, "state"),
    "job": (JOB_TYPES, "job type"),
    "result": (RESULTS, "result"),
}
_SAID: Mapping[str, str] = {
    "label": "a label",
    "owner": "the owner",
    "path": "the path",
    "file": "a file",
    "source": "a source",
    "config": "{0}",
}
_LOWER = frozenset(kind.lower() for kind in KIND_NAMES)
METHODS = ("kind", "state", "label", "owner", "path", "file", "source", "config", "job", "result")
