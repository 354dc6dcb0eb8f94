"""Two results of one job -> in which class they agree, and where they differ. Dry.

In: the job, the kept result and the one of a second run, their lines. Out: the class that the job's
type promises between the two machines, the strictest in which they agree, the differences in words.

- `bit`: all artifacts have the same bytes and all measurements the same value, but for measured
  times. Curating, testing a guardrail, and evaluating without a judge promise it everywhere.
- `step`: each step or case by itself: the loss of each step within 0.1 %, the same answer and the
  same cells in 95 % of the cases, each measurement within 2 % of its size or of 1. Training,
  generating, scanning and judging with weights of one's own promise it between machines of one
  kind (processor, accelerator, Python, versions of tools).
- `statistical`: only the whole: no column of cells, lengths or errors lies higher in one run than
  in the other (two-sided sign test, level 0.001 over all columns together), and the mean loss
  agrees within 5 %. Promised of another kind of machine, and of a judge behind an endpoint.

Measured on one CPU with the tiny example every type repeats to the bit; docs/explanation tells how.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llmops.jobs.audits import CLASSES, Repeats
from llmops.jobs.base import Job, Result

Lines = Callable[[str], Sequence[Any] | None]  # of an artifact by name; None where it is not there
TABLES = ("responses.jsonl", "rows.jsonl", "anchors.jsonl", "findings.jsonl")
LOG = "trainer_log.jsonl"
SAME_MACHINE = ("accelerator", "machine", "python", "tools")
EXACT = ("curate", "guard")
_STEP_LOSS, _MEAN_LOSS, _MEASURED = 1e-3, 0.05, 0.02
_CASES = 0.95
_LEVEL = 0.001
_MOST = 5  # differences that are told


def promised(job: Job, kept: Mapping[str, Any], again: Mapping[str, Any]) -> Repeats:
    """What a second run of a job may differ by; both are the environments of results."""
    judge = job.spec.get("judge") if job.type == "evaluate" else None
    if job.type in EXACT or (job.type == "evaluate" and not judge):
        return "bit"
    served = isinstance(judge, Mapping) and "endpoint" in judge
    alike = all(kept.get(key) == again.get(key) for key in SAME_MACHINE)
    return "step" if alike and not served else "statistical"


def compare(
    results: tuple[Result, Result], lines: tuple[Lines, Lines]
) -> tuple[Repeats | str, Mapping[Repeats, tuple[str, ...]]]:
    """The strictest class in which two results agree, "" for none; why not in stricter ones.

    The kept one comes first. `lines` raise nothing: an artifact that is away is None, and then
    two files agree only if their digests do.
    """
    why: dict[Repeats, tuple[str, ...]] = {}
    for name in CLASSES:
        why[name] = tuple(_first(_TESTS[name](results, lines)))
        if not why[name]:
            return name, why
    return "", why


def _first(found: Iterator[str]) -> Iterator[str]:
    for _, one in zip(range(_MOST), found, strict=False):
        yield one


def _whole(results: tuple[Result, Result]) -> Iterator[str]:
    """What no class lets differ: how it ended, and which artifacts and numbers there are."""
    kept, again = results
    if kept.status != again.status:
        yield f"it ended {again.status}, kept is {kept.status}"
        return
    for what, names in (
        ("artifacts", [{a.name for a in one.artifacts} for one in results]),
        ("measurements", [{m.metric for m in one.measurements} for one in results]),
    ):
        other = sorted(names[0] ^ names[1])
        if other:
            yield f"other {what}: {', '.join(other[:3])}"


def _bits(results: tuple[Result, Result], lines: tuple[Lines, Lines]) -> Iterator[str]:
    yield from _whole(results)
    kept, again = ({a.name: a.digest for a in one.artifacts} for one in results)
    for name in sorted(kept.keys() & again.keys()):
        if kept[name] != again[name] and not _same_but_times(name, lines):
            yield f"{name} has other bytes"
    for metric, before, after in _numbers(results):
        if before != after:
            yield f"{metric} is {after:.6g}, kept is {before:.6g}"


def _same_but_times(name: str, lines: tuple[Lines, Lines]) -> bool:
    kept, again = (one(name) if name in TABLES else None for one in lines)
    return kept is not None and again is not None and _timeless(kept) == _timeless(again)


def _steps(results: tuple[Result, Result], lines: tuple[Lines, Lines]) -> Iterator[str]:
    yield from _whole(results)
    yield from _other_files(results, lines)
    yield from _losses(lines)
    for name in TABLES:
        kept, again = (one(name) for one in lines)
        if kept is None or again is None:
            continue
        pairs = _paired(kept, again)
        if pairs is None:
            yield f"{name} is about other cases"
            continue
        off = sum(_timeless(a) != _timeless(b) and not _alike(a, b) for a, b in pairs)
        if off > (1 - _CASES) * len(pairs):
            yield f"{name} differs in {off} of {len(pairs)} cases"
    for metric, before, after in _numbers(results):
        if not math.isclose(before, after, rel_tol=_MEASURED, abs_tol=_MEASURED):
            yield f"{metric} is {after:.6g}, kept is {before:.6g}"


def _whole_only(results: tuple[Result, Result], lines: tuple[Lines, Lines]) -> Iterator[str]:
    yield from _whole(results)
    yield from _other_files(results, lines)
    kept, again = (_mean_loss(one) for one in lines)
    if kept is not None and again is not None and not math.isclose(kept, again, rel_tol=_MEAN_LOSS):
        yield f"the mean loss is {again:.6g}, kept is {kept:.6g}"
    columns: dict[str, list[float]] = {}
    for name in TABLES:
        pairs = _paired(*(one(name) for one in lines))
        if pairs is None:
            yield f"{name} is about other cases"
        for a, b in pairs or ():
            for column, before in _values(a).items():
                after = _values(b).get(column)
                if after is not None:
                    columns.setdefault(f"{name} {column}", []).append(after - before)
    for column, differences in sorted(columns.items()):
        more, less = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
        if _one_sided(max(more, less), more + less) * 2 <= _LEVEL / len(columns):
            yield f"{column} is higher in {more} cases and lower in {less}"


_TESTS: Mapping[Repeats, Callable[..., Iterator[str]]] = {
    "bit": _bits,
    "step": _steps,
    "statistical": _whole_only,
}


def _other_files(results: tuple[Result, Result], lines: tuple[Lines, Lines]) -> Iterator[str]:
    """Files that are compared in no other way than by their bytes: not tables, not weights."""
    kept, again = ({a.name: a.digest for a in one.artifacts} for one in results)
    for name in sorted(kept.keys() & again.keys()):
        compared = name in TABLES and all(one(name) is not None for one in lines)
        learned = name.split("/")[0] in ("model", "adapter") or name == LOG
        if kept[name] != again[name] and not compared and not learned:
            yield f"{name} has other bytes"


def _losses(lines: tuple[Lines, Lines]) -> Iterator[str]:
    kept, again = (one(LOG) for one in lines)
    if kept is None or again is None:
        return
    if len(kept) != len(again):
        yield f"{LOG} has {len(again)} steps, kept are {len(kept)}"
    for a, b in zip(kept, again, strict=False):
        before, after = _number(a.get("loss")), _number(b.get("loss"))
        if before is None or after is None or not math.isclose(before, after, rel_tol=_STEP_LOSS):
            yield f"the loss of step {b.get('step')} is {b.get('loss')}, kept is {a.get('loss')}"


def _mean_loss(lines: Lines) -> float | None:
    found = [loss for one in lines(LOG) or () if (loss := _number(one.get("loss"))) is not None]
    return math.fsum(found) / len(found) if found else None


def _paired(kept: Any, again: Any) -> list[tuple[Any, Any]] | None:
    """The lines of two tables side by side; None where they are not of the same cases."""
    if kept is None or again is None:
        return []
    if [_name(one) for one in kept] != [_name(one) for one in again]:
        return None
    return list(zip(kept, again, strict=True))


def _name(line: Any) -> Any:
    return [line.get(key) for key in ("id", "case", "detector")] if isinstance(line, dict) else None


def _alike(kept: Any, again: Any) -> bool:
    """Whether two lines agree in all but the last digits of their numbers."""
    if isinstance(kept, dict) and isinstance(again, dict):
        keys = {key for key in (*kept, *again) if not is_time(key)}
        return all(key in kept and key in again and _alike(kept[key], again[key]) for key in keys)
    if isinstance(kept, list) and isinstance(again, list):
        return len(kept) == len(again) and all(map(_alike, kept, again))
    before, after = _number(kept), _number(again)
    if before is not None and after is not None:
        return math.isclose(before, after, rel_tol=_STEP_LOSS, abs_tol=1e-6)
    return bool(kept == again)


def _values(line: Any) -> dict[str, float]:
    """What can be higher or lower in a line: cells, counts, the length of an answer, an error."""
    if not isinstance(line, dict):
        return {}
    found = {key: value for key, one in line.items() if (value := _number(one)) is not None}
    found |= {f"length of {k}": float(len(v)) for k in ("response",) if (v := line.get(k) or "")}
    found |= {f"has {k}": float(line[k] is not None) for k in ("error",) if k in line}
    cells = line.get("cells")
    for check, cell in cells.items() if isinstance(cells, dict) else ():
        value = _number(cell.get("value")) if isinstance(cell, dict) else None
        found |= {f"cell {check}": value} if value is not None else {}
        found[f"valid {check}"] = float(value is not None)
    return {key: value for key, value in found.items() if not is_time(key)}


def _numbers(results: tuple[Result, Result]) -> Iterator[tuple[str, float, float]]:
    kept, again = ({m.metric: m.value for m in one.measurements} for one in results)
    for metric in sorted(kept.keys() & again.keys()):
        if not is_time(metric):
            yield metric, kept[metric], again[metric]


def is_time(name: str) -> bool:
    """Whether a measurement or key says how long something took."""
    return name.endswith(("_seconds", "latency_ms"))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if not is_time(key)}
    return [_timeless(one) for one in value] if isinstance(value, list | tuple) else value


def _number(value: Any) -> float | None:
    whole = type(value) in (int, float, bool) and math.isfinite(value)
    return float(value) if whole else None


def _one_sided(count: int, of: int) -> float:
    """The chance of so many or more of `of` even coins, exactly."""
    return float(sum(math.comb(of, k) for k in range(count, of + 1)) / 2**of)
