"""`python -m tests.benchmarks.errors`: simulated error rates, written into RESULTS.md.

The figures come from fixed seeds, so a second run writes the same ones (a few minutes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from tests.statistics import simulations
from tests.statistics.simulations import Power, Rate

RESULTS = Path(__file__).parent / "RESULTS.md"
BEGIN, END = "<!-- made: errors -->", "<!-- end of errors -->"


def text() -> str:
    """The section, with all its figures."""
    rates = [
        ("Bounds of means", (*simulations.coverage(), simulations.coverage_of_t())),
        ("Bounds of shares", tuple(simulations.coverage_of_shares())),
        (
            "31 detect gates of 300 cases, each worse by exactly its margin",
            (*simulations.detect_gates(), simulations.detect_gates_beside_bad_ones()),
        ),
        (
            "Looking again at a system that is exactly at its threshold",
            tuple(chain(
                simulations.twenty_edits(), simulations.added_cases(),
                simulations.borderline_scores(),
            )),
        ),
    ]  # fmt: skip
    powers = chain(
        simulations.power_of_shares(), simulations.power_of_margins(), simulations.power_of_scores()
    )
    parts = [_head(), *(_rates(title, found) for title, found in rates), _powers(powers)]
    return "\n\n".join([BEGIN, *parts, END])


def _head() -> str:
    return (
        "## Error rates, simulated\n\n"
        "`python -m tests.benchmarks.errors`; `pytest -m slow tests/statistics` holds them to\n"
        "what is promised (a rate is too high when its 99 % lower bound is above the nominal one,\n"
        "or when it is above 1.2 times that). *Not promised* is a way that is not taken, beside\n"
        "the one that is."
    )


def _rates(title: str, found: Iterable[Rate]) -> str:
    rows = [
        f"| {r.what}{'' if r.promised else ' (*not promised*)'} | {_percent(r.share)} "
        f"| {_percent(r.nominal)} | {r.runs:,} |"
        for r in found
    ]
    return "\n".join([f"### {title}", "", "| wrong when | simulated | at most | runs |",
                      "|---|---|---|---|", *rows])  # fmt: skip


def _powers(found: Iterable[Power]) -> str:
    return "\n".join(["### Planned for nine times in ten", "",
                      "| what is true | planned cases | shown | exact | runs |",
                      "|---|---|---|---|---|", *_power_rows(found)])  # fmt: skip


def _power_rows(found: Iterable[Power]) -> Iterator[str]:
    for p in found:
        exact = "-" if p.exact is None else _percent(p.exact)
        yield f"| {p.what} | {p.n:,} | {_percent(p.share)} | {exact} | {p.runs:,} |"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def written(kept: str, section: str) -> str:
    """RESULTS.md with this section in place of the earlier one, or at its end."""
    if BEGIN not in kept:
        return f"{kept.rstrip()}\n\n{section}\n"
    before, _, rest = kept.partition(BEGIN)
    return before + section + rest.partition(END)[2]


if __name__ == "__main__":
    RESULTS.write_text(written(RESULTS.read_text("utf-8"), text()), encoding="utf-8")
