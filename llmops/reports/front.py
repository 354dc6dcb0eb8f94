"""The first page of a report: what was decided, in one word, with the five numbers behind it."""

from __future__ import annotations

from llmops.reports import firmness, proof, verdict_words, words
from llmops.reports.content import Absent, Block, Cell, Front, Para, Table
from llmops.reports.teller import Teller
from llmops.rules.base import Finding, Outcome, Verdict

_MOST_REASONS, _MOST_GAPS = 4, 9


def front(
    told: Teller, missing: tuple[Absent, ...], gaps_section: int, unshown_section: int
) -> Front:
    """The page. `missing` is everything that was not measured, told in full in a later section."""
    verdict = told.report.verdict
    return Front(
        outcome=verdict.outcome,
        word=told.say(verdict.outcome.word),
        headline=headline(told),
        seal=tuple(_seal(told)),
        figures=tuple(_figures(told)),
        blocks=(
            *_reasons(told),
            *_unshown(told, unshown_section),
            *_gaps(told, missing, gaps_section),
            Para(told.say("front_approvals"), "heading"),
            *(Para(line) for line in approvals(told)),
        ),
    )


def headline(told: Teller) -> str:
    """How many gates ended how, in one line."""
    verdict = told.report.verdict
    tally = verdict_words.tally(verdict.findings)
    total = words.count(sum(tally.values()))
    if not verdict.findings:
        return told.say("headline_none")
    if verdict.outcome is Outcome.PASSED:
        return told.say("headline_all", total=total)
    if not tally[verdict.outcome]:
        return told.say("headline_notes", total=total)
    shown = [o for o in reversed(Outcome) if o is not Outcome.PASSED and tally[o]]
    parts = [
        told.say("headline", n=words.count(tally[o]), total=total, word=told.say(o.word))
        for o in shown
    ]
    waived = verdict_words.waived_gates(verdict)
    parts += [told.say("headline_waived", n=words.count(waived))] if waived else []
    return ("；" if told.lang == "zh" else "; ").join(parts)


def _seal(told: Teller) -> list[tuple[str, str]]:
    verdict = told.report.verdict
    say = told.say
    tree = f"{_tree(verdict.head.label, verdict.head.commit)} · {verdict.head.tree}"
    tree = say("not_committed", tree=tree) if verdict.head.dirty else tree
    base = verdict.base
    below = f"{_tree(base.label, base.commit)} · {base.tree}" if base else say("no_base")
    return [
        *([(say("system"), title(told))] if title(told) else []),
        (say("tree"), tree),
        (say("base"), below),
        (say("policy"), verdict.policy_tree or say("no_policy")),
        (say("judged"), words.date(verdict.judged_at) if verdict.judged_at else say("none")),
        (say("tool"), f"llmops {verdict.tool_version}"),
        (say("log"), proof.in_log(told)),
    ]


def _tree(label: str, commit: str | None) -> str:
    return f"{label} {commit[:12]}" if commit and not commit.startswith(label) else label


def title(told: Teller) -> str:
    """The system's name in this language, "" if it has none."""
    titles = told.report.title
    return titles.get(told.lang) or titles.get("") or next(iter(titles.values()), "")


def _figures(told: Teller) -> list[tuple[str, Cell]]:
    verdict, say = told.report.verdict, told.say
    tally = verdict_words.tally(verdict.findings)
    steps = verdict.plan.steps
    kept = sum(told.kept(step.job.closure) is not None for step in steps)
    largest = max((f for f in verdict.findings if f.n), key=lambda f: f.n or 0, default=None)
    every = tuple(dict.fromkeys(f.evidence for f in verdict.findings if f.evidence))
    lost = told.report.lost
    worse = sum(one.worse for one in lost) if lost else verdict.worse_count
    better = sum(one.better for one in lost) if lost else verdict.better_count
    compared = tuple(told.ref(one.head) for one in lost)
    gates = (tally[Outcome.PASSED], sum(tally.values()))
    return [
        (say("fig_gates"), _of(told, *gates, every)),
        (say("fig_cases"), told.count(largest.n, largest.evidence) if largest else Cell("–")),
        (say("fig_moved"), _moved(worse, better, compared) if _compared(told) else Cell("–")),
        (say("fig_jobs"), _of(told, kept, len(steps), ())),
        (say("fig_looser"), Cell(words.count(len(verdict.loosened)), "number")),
    ]


def _of(told: Teller, n: int, total: int, refs: tuple[str, ...]) -> Cell:
    shown = told.say("n_of", n=words.count(n), total=words.count(total))
    return Cell(shown, "number", refs if len(refs) <= 3 else ())


def _moved(worse: int, better: int, refs: tuple[str, ...]) -> Cell:
    shown = f"{words.count(worse)} / {words.count(better)}"
    return Cell(shown, "number", tuple(dict.fromkeys(filter(None, refs)))[:3])


def _compared(told: Teller) -> bool:
    verdict = told.report.verdict
    return bool(told.report.lost or verdict.worse_count or verdict.better_count)


def _reasons(told: Teller) -> list[Block]:
    verdict = told.report.verdict
    blocks: list[Block] = [Para(told.say(f"means_{verdict.outcome.word}"))]
    groups = verdict_words.with_one_cause(verdict.findings)
    rows = [_reason(told, group[0]) for group in groups[:_MOST_REASONS]]
    rows += [(Cell("", mark=Outcome.WARNED), Cell(told.rule(note))) for note in verdict.notes]
    if rows:
        left = told.more(len(groups) - _MOST_REASONS) if len(groups) > _MOST_REASONS else ""
        heading = Para(told.say("front_reasons"), "heading")
        blocks += [heading, Table((), tuple(rows), shape="pairs", numbered=False, left=left)]
    return blocks


def _reason(told: Teller, finding: Finding) -> tuple[Cell, ...]:
    refs = (finding.evidence,) if finding.evidence else ()
    message = Cell(told.cut(told.rule(finding.message), 220), refs=refs)
    return (told.outcome(finding.outcome), message)


def _unshown(told: Teller, section: int) -> list[Block]:
    """How much is let through or outside of every gate; what that is stands in its section."""
    found = len(firmness.everything(told))
    said = told.say("front_unshown", n=words.count(found), section=str(section))
    return [Para(said)] if found else []


def _gaps(told: Teller, missing: tuple[Absent, ...], section: int) -> list[Block]:
    heading = Para(told.say("front_gaps"), "heading")
    if not missing:
        return [heading, Para(told.say("front_gaps_none"))]
    most = _MOST_GAPS - 2 * min(2, len(told.report.verdict.loosened))
    shown, left = words.capped(missing, most)
    rows = tuple((Cell(told.cut(g.what, 80)), Cell(told.cut(g.why, 140))) for g in shown)
    more = told.say("front_gaps_more", n=words.count(left), section=str(section)) if left else ""
    return [heading, Table((), rows, shape="pairs", numbered=False, left=more)]


def approvals(told: Teller) -> list[str]:
    """Who approved a machine's commits and what was loosened, one line for each approval."""
    verdict, say = told.report.verdict, told.say
    machine = [told.rule(f.message) for f in verdict.findings if f.rule == "approval"]
    if not verdict.loosened:
        return machine or [say("no_approval_needed")]
    names = sorted({one.approval for one in verdict.loosened})
    unasked = sum(not one.approval for one in verdict.loosened)
    lines = [say("approval_unasked", n=words.count(unasked))] if unasked else []
    return machine + lines + [_approval(told, verdict, name) for name in names if name]


def _approval(told: Teller, verdict: Verdict, name: str) -> str:
    given = {by for one in verdict.loosened if one.approval == name for by in one.approved_by}
    by = told.say.listed(sorted(given))
    if not given:
        return told.say("approval_open", name=name)
    key = "approval_partly" if verdict_words.waits(verdict) else "approved_by"
    return told.say(key, name=name, by=by)
