"""A drill told: as text, Markdown or JSON. Pure: the same drill gives the same words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import printable
from llmops.drills.base import Tried
from llmops.drills.run import Drilled
from llmops.reports.escape import code, text
from llmops.statistics.binomial import interval

FORMAT_VERSION = 1
SHOWN = 3  # gates told of a plant in words; JSON has all
_RANK = {"failed": 0, "inconclusive": 1}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a drill must reach: share of bad models caught; rate at which twins should pass."""

    min_caught: float = 0.95
    promised: float = 0.95

    def missed(self, drilled: Drilled) -> bool:
        """Whether too many bad models passed, or none was tried."""
        bad = len(drilled.bad)
        return not bad or drilled.caught < self.min_caught * bad - 1e-9

    def blocks(self, drilled: Drilled) -> bool:
        """Whether twins are shown to pass less often than promised."""
        twins = len(drilled.twins)
        return bool(twins) and interval(drilled.passed, twins)[1] < self.promised


def share(k: int, n: int) -> str:
    """`9 of 10 (90 %, 95 % interval 55.5 % to 99.7 %)`."""
    if not n:
        return "none was tried"
    low, high = interval(k, n)
    return f"{k} of {n} ({_percent(k / n)}, 95 % interval {_percent(low)} to {_percent(high)})"


def _percent(value: float) -> str:
    """`95 %`, `58.3 %`."""
    return f"{round(100 * value, 1):g} %"


def as_text(drilled: Drilled, bar: Bar) -> str:
    """The table for a terminal; the last line is the total."""
    lines = [f"Drill of {printable(drilled.main)} (tree {drilled.tree[:8]}), {_took(drilled)}"]
    for title, harmless in (("Bad models", False), ("Good twins", True)):
        lines += ["", title, *_table([t for t in drilled.tried if t.plant.harmless is harmless])]
    if drilled.broken:
        lines += ["", "Gates that do not hold on main, so they can stop nothing"]
        lines += [f"  {s.gate}: {s.outcome}, {printable(s.message, 200)}" for s in drilled.broken]
    lines += ["", f"Idle gates: {len(drilled.idle)} of {len(drilled.gates)} stopped no bad model"]
    lines += [f"  {gate}" for gate in drilled.idle]
    return "\n".join([*lines, "", *_totals(drilled, bar)])


def _table(tried: list[Tried]) -> Iterator[str]:
    if not tried:
        yield "  none"
    for one in tried:
        yield f"  {one.state:<10}  {one.name:<22} {printable(one.plant.told)}{_after(one)}"
        for stop in _worst(one)[:SHOWN]:
            yield f"{'':14}{stop.outcome}: {stop.gate}: {printable(stop.message, 160)}"
        if len(one.stops) > SHOWN:
            rest = ", ".join(stop.gate for stop in _worst(one)[SHOWN:])
            yield f"{'':14}and by {len(one.stops) - SHOWN} more: {rest}"


def _after(one: Tried) -> str:
    if one.why:
        return f": {printable(one.why, 300)}"
    return f" ({one.subject}, verdict {one.outcome}, {one.seconds:.0f} s)"


def _worst(one: Tried) -> list[Any]:
    return sorted(one.stops, key=lambda s: (_RANK.get(s.outcome, 2), s.gate))


def _took(drilled: Drilled) -> str:
    minutes, seconds = divmod(round(drilled.seconds), 60)
    return f"{minutes} min {seconds} s"


def _totals(drilled: Drilled, bar: Bar) -> list[str]:
    twins = f"Good twins passed: {share(drilled.passed, len(drilled.twins))}"
    promise = f"at least {_percent(bar.promised)} is promised"
    if drilled.twins:
        twins += f"; {promise}{', and this is less' if bar.blocks(drilled) else ''}"
    asked = f"at least {_percent(bar.min_caught)} is asked"
    less = ", and this is less" if bar.missed(drilled) else ""
    bad = f"Bad models caught: {share(drilled.caught, len(drilled.bad))}; {asked}{less}"
    others = {s: sum(t.state == s for t in drilled.tried) for s in ("not tried", "not judged")}
    left = "; ".join(f"{count} {word}" for word, count in others.items() if count)
    return [twins, bad + (f" ({left})" if left else "")]


def as_markdown(drilled: Drilled, bar: Bar) -> str:
    """The same for a page or a comment."""
    head = "| | planted | seed | verdict | stopped by |\n|---|---|---|---|---|"
    title = f"### Drill of {text(drilled.main)} (tree {drilled.tree[:8]})"
    rows = [_row(one) for one in drilled.tried]
    idle = ", ".join(code(gate) for gate in drilled.idle) or "none"
    totals = [f"* {line}" for line in _totals(drilled, bar)]
    broken = [f"* does not hold on main: {code(s.gate)}, {s.outcome}" for s in drilled.broken]
    return "\n".join([title, "", head, *rows, "", f"Idle gates: {idle}", "", *broken, *totals])


def _row(one: Tried) -> str:
    by = ", ".join(f"{code(s.gate)} ({s.outcome})" for s in _worst(one)[:SHOWN])
    more = len(one.stops) - SHOWN
    by += f" and {more} more" if more > 0 else ""
    told = f"{one.plant.name}: {one.plant.told}"
    cells = (one.state, text(told), str(one.seed), one.outcome, by or text(one.why))
    return f"| {' | '.join(cells)} |"


def as_json(drilled: Drilled, bar: Bar) -> str:
    """All of it, for programs."""
    value = {
        "format_version": FORMAT_VERSION,
        "main": drilled.main,
        "tree": drilled.tree,
        "seconds": round(drilled.seconds, 1),
        "bad": _counted(drilled.caught, len(drilled.bad), "caught", bar.min_caught),
        "twins": _counted(drilled.passed, len(drilled.twins), "passed", bar.promised),
        "gates": list(drilled.gates),
        "idle": list(drilled.idle),
        "broken": [_stop(stop) for stop in drilled.broken],
        "plants": [_plant(one) for one in drilled.tried],
    }
    return json.dumps(value, ensure_ascii=False, indent=1)


def _counted(k: int, n: int, word: str, wanted: float) -> Mapping[str, Any]:
    low, high = interval(k, n) if n else (None, None)
    return {word: k, "judged": n, "interval": [low, high], "asked": wanted}


def _plant(one: Tried) -> Mapping[str, Any]:
    return {
        "name": one.plant.name, "told": one.plant.told, "harmless": one.plant.harmless,
        "subject": str(one.subject), "seed": one.seed, "state": one.state, "why": one.why,
        "verdict": one.outcome, "commit": one.commit, "seconds": round(one.seconds, 1),
        "stopped_by": [_stop(stop) for stop in one.stops],
    }  # fmt: skip


def _stop(stop: Any) -> Mapping[str, str]:
    return {
        "gate": stop.gate, "rule": stop.rule, "outcome": stop.outcome, "message": stop.message
    }  # fmt: skip


FORMATS: Mapping[str, Callable[[Drilled, Bar], str]] = {
    "text": as_text,
    "json": as_json,
    "md": as_markdown,
}
