"""What a verdict takes as given: what neither trees, rows nor policies can tell. Dry.

In: what the gate knew when it judged. Out: `Given` and its one JSON text, in which numbers are
decimal strings; reading is strict. Whoever derives a verdict again starts from a `Given`, the two
trees, and the first `log_size` entries of the log, and from nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from llmops.attest.plain import number, plain

T = TypeVar("T")
_HEX = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"0|[1-9]\d{0,15}")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Named:
    """A tree: for people (`label`), by git object, with its commit where it is a commit's."""

    label: str
    tree: str
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The evidence of a closure: digest (64 hex) of the run's payload, and its place in the log."""

    sha256: str
    entry: int


@dataclass(frozen=True, slots=True)
class Approved:
    """Somebody of a team said yes; `source` says how we know."""

    team: str
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of a git blob that are not given to everybody."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a job without evidence was expected to take, in the units that policies budget."""

    usd: float | None = None
    gpu_hours: float | None = None
    cpu_hours: float | None = None


@dataclass(frozen=True, slots=True)
class LedgerEnd:
    """How many entries of the ledger counted, and the digest of the last; "" for none."""

    entries: int
    last: str


@dataclass(frozen=True, slots=True)
class Given:
    """All that a verdict takes as given.

    `root`: digest of the trust root in force at base. `log_size`, `log_root` (64 hex): runs and
    ledger entries among so many first entries count, nothing else. `repository`: where it is, as
    a URI. `authors`: those of whoever wrote the change whose name matters: who approved it too,
    and machines; nobody else is named. `runs`: the evidence that the plan uses, by closure;
    `missing`: artifacts of it that could not be had; `to_run`: estimates of jobs without evidence,
    where a policy budgets. `files`: files of Datasets, by git object.
    """

    root: str
    log_size: int
    log_root: str
    repository: str
    judged_at: str
    tool_version: str
    environment: str
    change: str
    base: Named | None
    head: Named
    ledger: LedgerEnd
    approvals: tuple[Approved, ...] = ()
    authors: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    runs: Mapping[str, Run] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    to_run: Mapping[str, Estimated] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the eval report has it."""
        found: dict[str, Any] = plain(self)
        return found


def decode(data: Any) -> Given:
    """The `Given` that `to_json` wrote. Raises ValueError naming the first thing that is not."""
    read = _object(data, Given, "given")
    return Given(
        root=_text(read["root"]),
        log_size=_count(read["log_size"]),
        log_root=_hex(read["log_root"]),
        repository=_text(read["repository"]),
        judged_at=_text(read["judged_at"]),
        tool_version=_text(read["tool_version"]),
        environment=_text(read["environment"]),
        change=_text(read["change"]),
        base=None if read["base"] is None else _named(read["base"]),
        head=_named(read["head"]),
        ledger=_ledger(read["ledger"]),
        approvals=_each(read["approvals"], _approved),
        authors=_each(read["authors"], _text),
        left_out=_each(read["left_out"], _text),
        runs=_mapped(read["runs"], _run),
        missing=_mapped(read["missing"], lambda names: _each(names, _text)),
        to_run=_mapped(read["to_run"], _estimated),
        files=_mapped(read["files"], _file),
    )


# ---- parts ---------------------------------------------------------------------------------------


def _named(data: Any) -> Named:
    read = _object(data, Named, "a tree")
    commit = read["commit"]
    return Named(
        _text(read["label"]), _text(read["tree"]), None if commit is None else _text(commit)
    )


def _ledger(data: Any) -> LedgerEnd:
    read = _object(data, LedgerEnd, "ledger")
    return LedgerEnd(_count(read["entries"]), _text(read["last"]))


def _approved(data: Any) -> Approved:
    read = _object(data, Approved, "an approval")
    return Approved(_text(read["team"]), _text(read["by"]), _text(read["source"]))


def _run(data: Any) -> Run:
    read = _object(data, Run, "a run")
    return Run(_hex(read["sha256"]), _count(read["entry"]))


def _file(data: Any) -> File:
    read = _object(data, File, "a file")
    return File(_hex(read["sha256"]), _count(read["size"]))


def _estimated(data: Any) -> Estimated:
    read = _object(data, Estimated, "an estimate")
    found = {name: None if read[name] is None else _float(read[name]) for name in read}
    return Estimated(**found)


# ---- values --------------------------------------------------------------------------------------


def _object(data: Any, kind: type, what: str) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    if type(data) is not dict or data.keys() != names:
        raise ValueError(f"{what} has not exactly the keys {', '.join(sorted(names))}")
    return data


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected text, got {str(value)[:60]}")
    return value


def _hex(value: Any) -> str:
    if not _HEX.fullmatch(_text(value)):
        raise ValueError(f'"{value[:80]}" is not 64 hex digits')
    return str(value)


def _count(value: Any) -> int:
    if not _COUNT.fullmatch(_text(value)):
        raise ValueError(f'"{value[:40]}" is no count')
    return int(value)


def _float(value: Any) -> float:
    if not _NUMBER.fullmatch(_text(value)) or number(float(value)) != value:
        raise ValueError(f'"{value[:40]}" is no number as statements have it')
    return float(value)


def _each(data: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
    if type(data) is not list:
        raise ValueError("expected a list")
    return tuple(read(one) for one in data)


def _mapped(data: Any, read: Callable[[Any], T]) -> dict[str, T]:
    if type(data) is not dict:
        raise ValueError("expected an object")
    return {key: read(one) for key, one in data.items()}
