"""What the kept artifacts say, as sections of a report: each has a drawing or says why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmops.reports import charts, words
from llmops.reports.content import Absent, Block, Cell, Figure, Para, Section, Table
from llmops.reports.report import Confusion, Curve, Funnel, GuardTest, Lost, Scan, Weakness
from llmops.reports.teller import Teller, absent, grid
from llmops.statistics import binomial

_MOST_POINTS = 12  # rows of the table below a curve
_MOST_LABELS = 30  # rows of the table of labels
_MOST_PAIRS = 15
_MOST_FINDINGS = 60
_DRAWN_LABELS = 100
_SEVERITIES = ("high", "medium", "low")


def _of_type(told: Teller, job_type: str) -> bool:
    return any(step.job.type == job_type for step in told.report.verdict.plan.steps)


def _gaps(told: Teller, *artifacts: str) -> list[Block]:
    """What of some artifacts could not be read."""
    return [
        absent(told, told.say("gap_artifact", artifact=g.artifact, job=g.job), told.say(g.why))
        for g in told.report.gaps
        if g.artifact in artifacts
    ]


def training(told: Teller) -> Section:
    """The loss of each training by step."""
    say = told.say
    blocks = [block for curve in told.report.curves for block in _curve(told, curve)]
    blocks += _gaps(told, "trainer_log.jsonl")
    if not blocks:
        why = say("no_curve" if _of_type(told, "train") else "no_training")
        blocks = [Absent(say("s_training"), why)]
    return Section("training", say("s_training"), tuple(blocks))


def _curve(told: Teller, curve: Curve) -> Iterator[Block]:
    say, ref = told.say, told.ref(curve.source)
    job = told.job(curve.source.closure, curve.source.job)
    points = [(float(x), y) for x, y in curve.points]
    first, last, low = points[0][1], points[-1][1], min(y for _, y in points)
    title = say("loss_chart", job=job)
    yield Figure(charts.curve(title, points, say("loss_axis"), say("loss_name")))
    every = _evenly(len(points), _MOST_POINTS)
    rows = [(told.count(curve.points[i][0]), told.number(curve.points[i][1], ref)) for i in every]
    key = "loss_table" if last < first else "loss_table_up"
    numbers = {"first": words.number(first), "last": words.number(last), "low": words.number(low)}
    caption = say(key, job=job, n=words.count(len(points)), **numbers)
    left = told.more(len(points) - len(rows))
    yield from grid((say("c_at_step"), say("c_loss")), rows, caption, left, "slim")


def _evenly(n: int, most: int) -> list[int]:
    """At most `most` places from the first to the last."""
    if n <= most:
        return list(range(n))
    return sorted({round(i * (n - 1) / (most - 1)) for i in range(most)})


def data(told: Teller) -> Section:
    """How many rows each step of curation kept."""
    say = told.say
    blocks = [block for funnel in told.report.funnels for block in _funnel(told, funnel)]
    blocks += _gaps(told, "funnel.json")
    if not blocks:
        why = say("no_funnel" if _of_type(told, "curate") else "no_data")
        blocks = [Absent(say("s_data"), why)]
    return Section("data", say("s_data"), tuple(blocks))


def _funnel(told: Teller, funnel: Funnel) -> Iterator[Block]:
    say, ref = told.say, told.ref(funnel.source)
    subject = told.job(funnel.source.closure, funnel.source.job)
    names = [step_words(told, step.name) for step in funnel.steps]
    counted = list(zip(names, (step.rows_out for step in funnel.steps), strict=True))
    if counted:
        yield Figure(charts.bars(say("funnel_chart", subject=subject), counted))
    head = (say("c_step"), say("c_rows_in"), say("c_rows_out"), say("c_dropped"), say("c_found"))
    rows = [
        (
            Cell(name),
            told.count(step.rows_in, ref),
            told.count(step.rows_out, ref),
            told.count(step.dropped, ref),
            told.count(step.found, ref),
        )
        for name, step in zip(names, funnel.steps, strict=True)
    ]
    yield from grid(head, rows, say("funnel_table", subject=subject))


_SELECT = re.compile(r"select (\S+) (not in|in) (.+)", re.DOTALL)
_SHARES = re.compile(r"shares (\d+) tokens with (.+)", re.DOTALL)
_STEPS = {
    "exact duplicates": "step_duplicates",
    "parts": "step_parts",
    "the same again": "step_same",
    "the same again, answered differently": "step_contradicting",
    "nearly the same again": "step_near",
}


def step_words(told: Teller, name: str) -> str:
    """A step's name in the language."""
    say = told.say
    if found := _SELECT.fullmatch(name):
        key = "step_select_in" if found[2] == "in" else "step_select_out"
        return say(key, column=found[1], values=told.cut(found[3], 80))
    if name.startswith("read "):
        return say("step_read", what=name[5:])
    if found := _SHARES.fullmatch(name):
        return say("step_shares", n=found[1], parts=told.cut(found[2], 80))
    return say(_STEPS[name]) if name in _STEPS else name


def confusion(told: Teller) -> Section:
    """Which labels were taken for which."""
    say = told.say
    blocks: list[Block] = []
    for one in told.report.confusions:
        blocks += _confusion(told, one)
    if blocks:
        blocks.insert(0, Para(say("confusion_note"), "note"))
    blocks += _gaps(told, "confusion.json")
    if not blocks:
        blocks = [Absent(say("s_confusion"), say("no_labels"))]
    return Section("confusion", say("s_confusion"), tuple(blocks))


def _confusion(told: Teller, found: Confusion) -> Iterator[Block]:
    say = told.say
    job = told.job(found.source.closure, found.source.job)
    labels = list(found.labels[:_DRAWN_LABELS])
    counts = [row[:_DRAWN_LABELS] for row in found.counts[:_DRAWN_LABELS]]
    title = say("confusion_chart", job=job)
    yield Figure(charts.matrix(title, labels, counts, say("c_given"), say("c_expected")))
    yield from _label_table(told, found, job)
    yield from _pair_table(told, found, job)


def _label_table(told: Teller, found: Confusion, job: str) -> tuple[Block, ...]:
    say, ref = told.say, told.ref(found.source)
    total = sum(map(sum, found.counts)) + sum(found.other) + sum(found.invalid)
    right = sum(row[i] for i, row in enumerate(found.counts))
    order = sorted(range(len(found.labels)), key=lambda i: (_right_share(found, i), i))
    shown, left = words.capped(order, _MOST_LABELS)
    rows = [
        (
            Cell(f"{i + 1} {told.cut(found.labels[i], 80)}", "case"),
            told.count(_cases(found, i), ref),
            told.count(found.counts[i][i], ref),
            told.count(sum(found.counts[i]) - found.counts[i][i], ref),
            told.count(found.other[i], ref),
            told.count(found.invalid[i], ref),
        )
        for i in shown
    ]
    head = (
        say("c_label"), say("c_n"), say("c_right"), say("c_wrong_label"), say("c_no_label"),
        say("c_no_answer"),
    )  # fmt: skip
    caption = say("confusion_labels", job=job, right=words.count(right), n=words.count(total))
    return grid(head, rows, caption, told.more(left))


def _cases(found: Confusion, i: int) -> int:
    return sum(found.counts[i]) + found.other[i] + found.invalid[i]


def _right_share(found: Confusion, i: int) -> float:
    return found.counts[i][i] / _cases(found, i) if _cases(found, i) else 1.0


def _pair_table(told: Teller, found: Confusion, job: str) -> tuple[Block, ...]:
    say, ref = told.say, told.ref(found.source)
    pairs = [
        (-count, found.labels[i], found.labels[j])
        for i, row in enumerate(found.counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    pairs += [(-n, found.labels[i], say("confusion_other")) for i, n in enumerate(found.other) if n]
    shown, left = words.capped(sorted(pairs), _MOST_PAIRS)
    rows = [
        (Cell(told.cut(a, 80), "case"), Cell(told.cut(b, 80), "case"), told.count(-n, ref))
        for n, a, b in shown
    ]
    head = (say("c_expected"), say("c_given"), say("c_n"))
    return grid(head, rows, say("confusion_pairs", job=job), told.more(left))


def cases(told: Teller) -> Section:
    """Cases that base's target had right and head's has wrong, before and after."""
    say = told.say
    blocks = [block for lost in told.report.lost for block in _lost(told, lost)]
    if any(isinstance(block, Table) for block in blocks):
        blocks.insert(0, Para(say("cases_note"), "note"))
    if not blocks:
        blocks = [Absent(say("s_cases"), say("no_cases"))]
    return Section("cases", say("s_cases"), tuple(blocks))


def _lost(told: Teller, lost: Lost) -> Iterator[Block]:
    say = told.say
    counted = {"gate": lost.gate, "better": words.count(lost.better)}
    if not lost.worse:
        yield Para(say("cases_fine", **counted))
        return
    head = (say("c_case"), say("c_asked"), say("c_expected"), say("c_before"), say("c_after"))
    rows = tuple(
        (
            Cell(told.cut(case.id, 60), "code"),
            told.text(case.input),
            told.text(case.expected),
            told.text(case.before),
            told.text(case.after),
        )
        for case in lost.cases
    )
    caption = say("cases_table", worse=words.count(lost.worse), **counted)
    left = told.more(lost.worse - len(rows))
    yield Table(head, rows, caption, "cases", numbered=False, left=left)


def safety(told: Teller) -> Section:
    """What each detector asked, what went wrong, and what it found."""
    say = told.say
    blocks = [block for scan in told.report.scans for block in _scan(told, scan)]
    if blocks:
        blocks.insert(0, Para(say("safety_note"), "note"))
    blocks += _gaps(told, "findings.jsonl")
    if not blocks:
        why = say("scan_open" if _of_type(told, "scan") else "no_scan")
        blocks = [Absent(say("s_safety"), why)]
    return Section("safety", say("s_safety"), tuple(blocks))


def _scan(told: Teller, scan: Scan) -> Iterator[Block]:
    say, ref = told.say, told.ref(scan.source)
    job = told.job(scan.source.closure, scan.source.job)
    head = (
        say("c_detector"), say("c_n"), say("c_errors"), say("c_findings"), say("c_status"),
    )  # fmt: skip
    rows = []
    for one in scan.detectors:
        counted = (one.cases, one.errors, len(one.findings))
        numbers = (told.count(n, ref) for n in counted)
        rows.append((Cell(one.name, "code"), *numbers, Cell(_status(told, scan, one.name))))
    if _ungated(told, scan.source.closure):
        yield Para(say("safety_reported", job=job), "note")
    yield from grid(head, rows, say("safety_table", job=job))
    found = [(d.name, w) for d in scan.detectors for w in d.findings]
    done = [d for d in scan.detectors if d.status == "ok" and d.cases]
    if found:
        yield from _weaknesses(told, scan, found)
    elif done:
        asked = words.count(sum(d.cases for d in done))
        yield Para(say("safety_clean", job=job, n=words.count(len(done)), cases=asked))
    for one in scan.detectors:
        if one not in done:
            what = say("detector_gap", name=one.name, job=job)
            yield Absent(what, _status(told, scan, one.name))


def _ungated(told: Teller, closure: str) -> bool:
    """Whether a scan of this tree decides no gate."""
    plan = told.report.verdict.plan
    ours = any(s.job.closure == closure and s.job.side == "head" for s in plan.steps)
    return ours and all(gate.closure != closure for gate in plan.gates)


def _status(told: Teller, scan: Scan, name: str) -> str:
    one = next(d for d in scan.detectors if d.name == name)
    if one.status != "ok":
        return told.say("detector_error", why=told.cut(one.reason or one.status, 200))
    return told.say("detector_ok" if one.cases else "detector_empty")


def _weaknesses(
    told: Teller, scan: Scan, found: Sequence[tuple[str, Weakness]]
) -> tuple[Block, ...]:
    say, ref = told.say, told.ref(scan.source)
    ranked = sorted(found, key=lambda pair: _rank(pair[1].severity))
    shown, left = words.capped(ranked, _MOST_FINDINGS)
    rows = [
        (
            Cell(_severity(told, weak.severity), "short"),
            Cell(detector, "code"),
            told.text(weak.description, 300),
            Cell(told.cut(weak.metric, 60)),
            told.number(weak.value, ref),
            told.count(weak.cases, ref),
            told.text(weak.examples[0], 200) if weak.examples else Cell("–"),
        )
        for detector, weak in shown
    ]
    head = (
        say("c_severity"), say("c_detector"), say("c_finding"), say("c_metric"), say("c_value"),
        say("c_n"), say("c_examples"),
    )  # fmt: skip
    caption = say("safety_findings", job=told.job(scan.source.closure, scan.source.job))
    return grid(head, rows, caption, told.more(left))


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


def _severity(told: Teller, severity: str) -> str:
    return told.say(f"severity_{severity}") if severity in _SEVERITIES else severity


def guards(told: Teller) -> Section:
    """How often guardrails stopped what they must, and let by what they must."""
    say, report = told.say, told.report
    blocks: list[Block] = []
    if report.guards:
        blocks += [Para(say("guards_note"), "note"), *_guard_forest(told), *_guard_table(told)]
    blocks += _filtered(told)
    blocks += _gaps(told, "guard")
    if not report.guards:
        why = say("no_guard_rows" if _of_type(told, "guard") else "no_guard")
        blocks.append(Absent(say("s_guards"), why))
    return Section("guards", say("s_guards"), tuple(blocks))


def _guard_forest(told: Teller) -> Iterator[Block]:
    bars = []
    for one in told.report.guards:
        if one.cases:
            low, high = binomial.interval(one.as_expected, one.cases)
            share = one.as_expected / one.cases
            label = f"{one.name}: {told.say(f'expect_{one.expect}')}"
            bars.append(charts.Bar(label, "info", share, low, high))
    if bars:
        yield Figure(charts.forest(told.say("guards_chart"), bars, 0.0, 1.0))


def _guard_table(told: Teller) -> tuple[Block, ...]:
    say = told.say
    head = (
        say("c_test"), say("c_expect"), say("c_n"), say("c_as_expected"), say("c_rate"),
        say("c_interval"), say("c_missed"), say("c_errors"),
    )  # fmt: skip
    rows = [_guard_row(told, one) for one in told.report.guards]
    return grid(head, rows, say("guards_table"))


def _guard_row(told: Teller, one: GuardTest) -> tuple[Cell, ...]:
    ref = told.ref(one.source)
    interval = binomial.interval(one.as_expected, one.cases) if one.cases else None
    missed = one.cases - one.as_expected - one.errors
    kind = told.say(f"missed_{one.expect}")
    share = f" ({words.percent(missed / one.cases)})" if one.cases else ""
    return (
        Cell(one.name, "code"),
        Cell(told.say(f"expect_{one.expect}")),
        told.count(one.cases, ref),
        told.count(one.as_expected, ref),
        told.number(one.as_expected / one.cases if one.cases else None, ref),
        told.interval(interval, ref),
        Cell(f"{words.count(missed)} {kind}{share}", "number", tuple(filter(None, (ref,)))),
        told.count(one.errors, ref),
    )


def _filtered(told: Teller) -> tuple[Block, ...]:
    say = told.say
    rows = [
        (
            Cell(told.job(one.source.closure, one.source.job), "code"),
            told.count(one.cases, told.ref(one.source)),
            told.count(one.blocked, told.ref(one.source)),
            told.count(one.masked, told.ref(one.source)),
        )
        for one in told.report.filtered
    ]
    head = (say("c_job"), say("c_n"), say("c_blocked"), say("c_masked"))
    return grid(head, rows, say("guards_in_use"))
