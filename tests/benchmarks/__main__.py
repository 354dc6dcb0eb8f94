"""`make bench`: whole-process times as ratios in one run, written to RESULTS.md.

Each figure is the median of several runs after a warm-up, beside a floor measured in the same
run, so that a noisy machine moves both. `python -m tests.benchmarks plan` measures one group, and
`peers` only so: it needs the package registry.
"""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import synthetic
from tests.benchmarks.auditing import per_audit
from tests.benchmarks.comment import GATES as OF_COMMENT
from tests.benchmarks.comment import per_comment
from tests.benchmarks.growing import per_append
from tests.benchmarks.guarding import per_message
from tests.benchmarks.judging import CASES, GATES, per_verdict
from tests.benchmarks.pages import per_page
from tests.benchmarks.process import median, run
from tests.benchmarks.scans import per_scan
from tests.benchmarks.sharing import per_plan_job
from tests.benchmarks.working import per_case, per_job

HERE = Path(__file__).parent
Row = tuple[str, str, str, str]


def startup() -> list[Row]:
    """`--version` and `--help` against a bare interpreter that imports argparse."""
    bare = median([sys.executable, "-c", "import argparse"], runs=9)
    rows = []
    for word in ("--version", "--help"):
        ours = median([sys.executable, "-m", "llmops", word], runs=9)
        ratio = f"{ours.wall / bare.wall:.2f} x import argparse ({ours.cpu / bare.cpu:.2f} CPU)"
        rows.append((word, f"{ours.wall * 1000:.0f} ms", ratio, "2.5 x"))
    return rows


def plans() -> list[Row]:
    """`plan` over synthetic repositories, cold, with nothing changed, with one spec changed."""
    rows: list[Row] = []
    for count, reach in ((1_000, Reach("0.6 s", "-", "0.25 s")), (10_000, Reach("5 s", "0.4 s"))):
        with tempfile.TemporaryDirectory() as name:
            root, cache = Path(name) / "repo", Path(name) / "cache"
            root.mkdir()
            synthetic.repository(root, count)
            rows += _plans(root, cache, count, reach)
    return rows


@dataclass(frozen=True)
class Reach:
    """What a plan may take."""

    cold: str
    same: str
    changed: str = "-"


def _plans(root: Path, cache: Path, count: int, reach: Reach) -> list[Row]:
    def forget() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    command = [sys.executable, "-m", "llmops", "plan", "-C", str(root), "--width", "100"]
    same = [*command, "--base", "main", "--head", "main"]
    env, fresh = {"LLMOPS_CACHE": str(cache)}, itertools.count()
    runs = 5 if count <= 1_000 else 3
    floor = median(["git", "-C", str(root), "ls-tree", "-r", "main"], env, runs=runs)
    cold = median(same, env, runs=runs, before=forget)
    again = median(same, env, runs=runs)
    one = median(
        [*command, "--base", "main", "--head", "one"], env, runs=runs,
        before=lambda: synthetic.change(root, next(fresh)),
    )  # fmt: skip
    label = f"plan, {count:,} specs"
    rows = [
        (f"{label}, cold", str(cold), f"{cold.wall / floor.wall:.0f} x git ls-tree", reach.cold),
        (f"{label}, cold, memory", f"{cold.mib:.0f} MiB", "-", "400 MB" if count > 1_000 else "-"),
        (f"{label}, nothing changed", str(again), f"{again.cpu / cold.cpu:.2f} x cold", reach.same),
        (f"{label}, one changed", str(one), f"{one.cpu / cold.cpu:.2f} x cold", reach.changed),
    ]
    if count <= 1_000:
        check = [sys.executable, "-m", "llmops", "validate", "-C", str(root)]
        for what, first in (("cold", forget), ("again", lambda: None)):
            took = median(check, env, runs=runs, before=first)
            ratio = f"{took.cpu / cold.cpu:.2f} x plan, cold"
            rows.append((f"validate, {count:,} specs, {what}", str(took), ratio, "0.8 s"))
    return rows


def sharing() -> list[Row]:
    """What the plan job of a workflow takes on a fresh runner, the checkout aside."""
    pulled, planned, statements = per_plan_job(1_000)
    both, told = pulled.wall + planned.wall, f"{statements:,} statements"
    return [
        (f"evidence pull, {told}", f"{pulled.wall:.2f} s", f"{pulled.cpu:.2f} s CPU", "-"),
        ("plan job of 1,000 specs, fresh runner", f"{both:.2f} s",
         f"{both / pulled.wall:.1f} x pull ({pulled.cpu + planned.cpu:.2f} s CPU)", "3 s"),
    ]  # fmt: skip


def audits() -> list[Row]:
    """`verify` of ten thousand entries and as many blobs, against hashing the bundle."""
    took, floor, size = per_audit(10_000)
    ratio = (
        f"{took.wall / floor.wall:.0f} x hashing its {size / 2**20:.0f} MiB "
        f"({took.cpu:.2f} s CPU, {took.mib:.0f} MiB)"
    )
    return [("verify, 10,000 entries and blobs", f"{took.wall:.2f} s", ratio, "5 s, 300 MB")]


def growing() -> list[Row]:
    """One more entry on a log of ten thousand with ten thousand blobs."""
    appended, proved, floor = per_append(10_000)
    rows = (("log append to 10,000 entries", appended), ("log prove, of 10,000", proved))
    return [
        (what, f"{took.wall:.2f} s", f"{took.wall / floor.wall:.1f} x git reading them "
         f"({took.cpu:.2f} s CPU, {took.mib:.0f} MiB)", "2 s")
        for what, took in rows
    ]  # fmt: skip


def formatting() -> list[Row]:
    """`fmt` over a synthetic repository, and `fmt --check` once it is in order."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "repo"
        root.mkdir()
        synthetic.repository(root, 1_000)
        floor = median(["git", "-C", str(root), "ls-tree", "-r", "main"])
        ours = [sys.executable, "-m", "llmops", "fmt", "-q", "-C", str(root)]

        def restore() -> None:
            run(["git", "-C", str(root), "checkout", "-q", "--", "."], {})

        first = median(ours, runs=3, before=restore)
        check = median([*ours, "--check"], runs=3)
    ratio = f"{check.wall / floor.wall:.0f} x git ls-tree"
    return [
        ("fmt, 1,000 specs, nearly all change", str(first), f"{first.cpu / check.cpu:.2f} x", "-"),
        ("fmt --check, 1,000 specs in order", str(check), ratio, "12 s"),
    ]


def peers() -> list[Row]:
    """llmops beside tools that do some of the same, by turns; they come from the registry."""
    from tests.benchmarks.peers import per_peer

    rows = []
    (_, cold, again), *others = per_peer()
    for name, theirs, unchanged in (("llmops plan", cold, again), *others):
        first = f"{theirs.wall / cold.wall:.1f} x plan ({theirs.cpu / cold.cpu:.1f} CPU)"
        second = f"{unchanged.wall / again.wall:.1f} x plan ({unchanged.cpu / again.cpu:.1f} CPU)"
        rows.append((f"{name}, cold", str(theirs), first, "peers: 5 x or more"))
        rows.append((f"{name}, unchanged", str(unchanged), second, "peers: 15 x or more"))
    return rows


def working() -> list[Row]:
    """What the local executor adds to a job, and `evaluate` to a case."""
    ours, bare = (
        statistics.median(times) for times in zip(*(per_job() for _ in range(3)), strict=True)
    )
    whole, metric = (
        statistics.median(t) for t in zip(*(per_case() for _ in range(3)), strict=True)
    )
    return [
        ("local executor, per job", f"{ours:.1f} ms", f"{ours - bare:.1f} ms over a bare start",
         "50 ms over"),
        ("evaluate, per case", f"{whole:.3f} ms", f"{whole - metric:.3f} ms over its metric",
         "1 ms over"),
    ]  # fmt: skip


def pages() -> list[Row]:
    """A page of 10,000 cases, beside escaping the same text once."""
    ours, floor = (
        statistics.median(times) for times in zip(*(per_page() for _ in range(3)), strict=True)
    )
    ratio = f"{ours / floor:.0f} x escaping its text"
    return [("HTML report, 10,000 cases", f"{ours:.2f} s", ratio, "5 s")]


def scans() -> list[Row]:
    """A scan of 200 rows by four detectors and five transformations, beside its imports."""
    ours, imports = (
        statistics.median(times) for times in zip(*(per_scan() for _ in range(3)), strict=True)
    )
    ratio = f"{ours / imports:.1f} x its imports"
    return [("scan, 200 rows", f"{ours:.1f} s over its imports", ratio, "15 s")]


def guarding() -> list[Row]:
    """One message of 2 KB through 1,000 words and 10 patterns."""
    return [
        (f"guard, 2 KB, {name}", f"{ours:.0f} microseconds", f"{ours / floor:.0f} x encoding it",
         "100 microseconds")
        for name, (ours, floor) in per_message().items()
    ]  # fmt: skip


def judging() -> list[Row]:
    """A verdict through the rules with all that is printed, beside the tests that decide it."""
    ours, tests = (
        statistics.median(times) for times in zip(*(per_verdict() for _ in range(3)), strict=True)
    )
    what = f"{GATES} gates of {CASES:,} cases"
    return [
        (f"verdict over {what}", f"{ours:.2f} s", f"{ours / tests:.1f} x its tests", "1.5 s"),
        (f"the tests of {what}", f"{tests:.2f} s", "-", "0.5 s"),
    ]


def comments() -> list[Row]:
    """What a pull request shows of 400 gates, beside escaping the same words once."""
    comment, whole, floor = per_comment()
    return [
        (f"comment, {OF_COMMENT} gates", f"{comment * 1000:.0f} ms",
         f"{comment / floor:.1f} x escaping its words", "50 ms"),
        (f"check, annotations, comment, SARIF, {OF_COMMENT} gates", f"{whole * 1000:.0f} ms",
         f"{whole / floor:.1f} x escaping its words", "-"),
    ]  # fmt: skip


GROUPS: dict[str, Callable[[], list[Row]]] = {
    "startup": startup,
    "plan": plans,
    "sharing": sharing,
    "log": growing,
    "verify": audits,
    "fmt": formatting,
    "working": working,
    "pages": pages,
    "scans": scans,
    "guard": guarding,
    "judging": judging,
    "comments": comments,
}
ONLINE: dict[str, Callable[[], list[Row]]] = {"peers": peers}  # only when they are named


def main(names: Sequence[str]) -> None:
    """Run the named groups (all by default); write the table when all ran."""
    rows = [row for name in names or GROUPS for row in {**GROUPS, **ONLINE}[name]()]
    head = "| what | median | ratio in the same run | reach |\n|---|---|---|---|"
    table = "\n".join([head, *(f"| {' | '.join(row)} |" for row in rows)])
    print(table)
    if not names:
        _write(table)


def _write(table: str) -> None:
    """Replace the generated part of RESULTS.md; what people wrote below it stays."""
    path = HERE / "RESULTS.md"
    mark = "<!-- end of the generated part -->"
    kept = path.read_text("utf-8").partition(mark)[2] if path.exists() else "\n"
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {when}"
    intro = f"# Measured\n\n`make bench` on {machine}; the machine is shared: read the ratios.\n\n"
    path.write_text(f"{intro}{table}\n\n{mark}{kept}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
