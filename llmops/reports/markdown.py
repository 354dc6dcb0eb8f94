"""Verdict -> the one comment of a pull request, at most 60,000 bytes.

A hidden marker, by which the comment is found again, then the verdict: both can never be cut.
What did not pass comes first with its place, then the numbers, then what is folded. Passed and
nothing to say is one line. Text of others (names, cases, messages) is escaped: it cannot mention,
link, or draw. `extra["source_url"]` (`https://host/owner/name/blob/<commit>`) makes places links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from llmops.forge.base import COMMENT
from llmops.reports import changes, plan_words
from llmops.reports import verdict_words as words
from llmops.reports.base import Page
from llmops.reports.blocks import Section, details, fit, grid
from llmops.reports.escape import code, code_cell, inside_html, is_path, text, visible
from llmops.reports.words import MINUS, capped, count, plural
from llmops.rules.base import Case, Cause, Finding, Loosened, Outcome, Verdict, Waived

_MOST_AILING, _MOST_GATES, _MOST_PASSED = 10, 20, 5
_MOST_CASES, _MOST_JOBS, _MOST_REST = 10, 30, 10
_SOURCE_URL = re.compile(r"https://[\w.-]+(:\d+)?(/[\w.~-]+)+", re.ASCII)


def render(verdict: Verdict, page: Page) -> str:
    """The comment: marker and verdict, sections while there is room, the seal."""
    head = f"{marker(verdict)}\n### {verdict.outcome.mark} llmops: {text(words.headline(verdict))}"
    return fit(head, sections(verdict), foot(verdict))


def marker(verdict: Verdict) -> str:
    """The hidden first line: which comment this is, and for which tree."""
    return f"{COMMENT}tree={tree(verdict)} -->"


def tree(verdict: Verdict) -> str:
    """The tree that was judged, in hex digits and nothing else."""
    return re.sub(r"[^0-9a-f]", "", verdict.head.tree)[:64]


def foot(verdict: Verdict) -> str:
    """The seal: what the verdict rests on."""
    return f"<sub>{text(words.seal(verdict))}</sub>"


def quiet(verdict: Verdict) -> bool:
    """Whether there is nothing to say but that it passed."""
    moved = any(change.category != "descriptive" for change in verdict.changes)
    ran = any(step.state == "run" for step in verdict.plan.steps)
    waived = verdict.waivers or any(f.waived_by for f in verdict.findings)
    said = verdict.notes or verdict.loosened or waived or verdict.unshown
    return verdict.outcome is Outcome.PASSED and not (moved or ran or said or verdict.worse_count)


def sections(verdict: Verdict) -> tuple[Section, ...]:
    """What is said below the verdict, the most important first; nothing where all is quiet."""
    if quiet(verdict):
        return ()
    return (
        _waits(verdict),
        _limits(verdict),
        _ailing(verdict),
        _loosened(verdict),
        _unshown(verdict),
        _gates(verdict),
        _worst(verdict),
        _outputs(verdict),
        _waivers(verdict),
        _slices(verdict),
        _story(verdict),
        _next(verdict),
    )


def _waits(verdict: Verdict) -> Section:
    """Whose yes is missing, before anything else."""
    said = " · ".join(f"**{text(team, 80)}** {have}" for team, have in words.awaited(verdict))
    return Section(rows=(f"👥 Waits for people: {said}",)) if said else Section()


def _limits(verdict: Verdict) -> Section:
    """What limits the verdict as a whole."""
    said = words.limits(verdict)
    return Section(rows=tuple(f"> * ⚠️ {text(one)}" for one in said), more="> * … {n} more")


def _ailing(verdict: Verdict) -> Section:
    """Why it did not pass, and last, where all rest on the same changed lines, those lines."""
    groups = words.with_one_cause(verdict.findings)
    causes = {finding.causes for group in groups for finding in group if finding.causes}
    shared = causes.pop() if len(causes) == 1 else ()
    rows = tuple(_because(group, verdict, alone=not shared) for group in groups)
    found = Section(rows=rows, more="* … {n} more", most=_MOST_AILING)
    if not shared:
        return found
    said = f"**Changed lines that this may rest on:** {_causes(shared, verdict)}"
    return replace(found, closing=("", said))


def _because(group: tuple[Finding, ...], verdict: Verdict, *, alone: bool) -> str:
    """Why a gate did not pass; several gates with one cause share the line.

    `alone`: what it rests on is said here, and not for all of them together.
    """
    finding = group[0]
    below = f"<br>{text(finding.hint)}" if finding.hint else ""
    if alone and finding.causes:
        below += f"<br>changed lines that this may rest on: {_causes(finding.causes, verdict)}"
    mark, word = finding.outcome.mark, finding.outcome.word
    if len(group) > 1:
        names = ", ".join(dict.fromkeys(words.short_gate(one.gate) for one in group))
        said = f"{text(finding.message)} — {text(names, 400)}{below}"
        return f"* {mark} **{len(group)} gates** {word}: {said}"
    gate = text(words.short_gate(finding.gate), 160)
    place = f" — {linked(finding.place, verdict)}" if finding.place else ""
    return f"* {mark} **{gate}** {word}: {text(finding.message)}{place}{below}"


def _causes(causes: Iterable[Cause], verdict: Verdict) -> str:
    """`lora.r` at its line, each linked."""
    return " · ".join(f"{text(c.field, 80)} {linked(c.place, verdict)}" for c in causes)


def linked(place: str, verdict: Verdict) -> str:
    """A place as code, linked when the verdict knows where its tree can be seen."""
    url = verdict.extra.get("source_url")
    return link(place, url if isinstance(url, str) else "")


def link(place: str, source_url: str) -> str:
    """A place as code, linked to its line below an address of a tree."""
    label = code(place, 160)
    found = re.fullmatch(r"(.+?):(\d+)(:\d+)?", place)
    if not found or not is_path(found[1]) or not _SOURCE_URL.fullmatch(source_url):
        return label
    return f"[{label}]({source_url}/{quote(found[1], safe='/')}#L{found[2]})"


def _gates(verdict: Verdict) -> Section:
    """What did not pass, then some of what did."""
    both, subject = words.twice(verdict.findings), words.common_subject(verdict.findings)
    ordered = words.by_weight(verdict.findings)
    ill = [f for f in ordered if f.outcome is not Outcome.PASSED]
    room = min(_MOST_PASSED, _MOST_GATES - len(ill)) if ill else _MOST_GATES
    fine, left = capped(ordered[len(ill) :], room) if room > 0 else ((), len(ordered) - len(ill))
    cells = [_gate(f, f.gate in both, subject) for f in (*ill, *fine)]
    of = f" of {code_cell(subject, 80)}" if subject else ""
    names = ("verdict", f"gate{of}", "this PR", "base", "difference (paired)")
    told = [i for i in range(5) if i < 2 or any(row[i] for row in cells)]  # no column for nothing
    rows = [f"| {' | '.join(row[i] for i in told)} |" for row in cells]
    found = grid(" | ".join(names[i] for i in told), rows, most=_MOST_GATES)
    rest = (f"| ✅&nbsp;passed | … {count(left)} more |{' |' * (len(told) - 2)}",) if left else ()
    notes = (*words.judges(verdict.findings), *words.attempts(verdict.findings))
    judged = ("<br>".join(f"<sub>{text(said, 400)}</sub>" for said in notes),) if notes else ()
    closing = (*rest, *(("", *judged) if judged else ()))
    return replace(found, closing=closing) if rows else found


def _gate(finding: Finding, both: bool, subject: str) -> tuple[str, ...]:
    whose = f" ({finding.judged_by}'s)" if both else ""
    bound = f" {text(finding.bound, 40)}" if finding.bound else ""
    name = finding.gate.removeprefix(f"{subject}/") if subject else words.short_gate(finding.gate)
    return (
        f"{finding.outcome.mark}&nbsp;{text(words.verdict_word(finding))}",
        f"{code_cell(name, 160)}{bound}{whose}",
        _numbers(words.measured(finding)),
        _numbers(words.before(finding)),
        _numbers(words.difference(finding)),
    )


def _numbers(shown: str) -> str:
    """Numbers with a true minus, kept on one line of their cell."""
    return re.sub(r"(?<!e)-(?=\d)", MINUS, shown).replace(" ", "&nbsp;")


def _loosened(verdict: Verdict) -> Section:
    gains = any(one.newly_passes for one in verdict.loosened)
    head = "what | base | this PR | would newly pass | where"
    found = grid(
        head if gains else head.replace(" would newly pass |", ""),
        [_loose(one, verdict, gains) for one in verdict.loosened],
    )
    if not found.rows:
        return found
    many = len(verdict.loosened)
    title = f"**⚠️ looser than base ({many})** — {text(words.approval(verdict))}"
    return Section((title, "", *found.opening), found.rows, more=found.more, most=_MOST_REST)


def _loose(one: Loosened, verdict: Verdict, gains: bool) -> str:
    place = linked(one.place, verdict).replace("|", r"\|") if one.place else ""
    before, after = text(one.before, 120), text(one.after, 120)
    gained = f" {text(words.gained(one), 600)} |" if gains else ""
    return f"| {code_cell(one.what, 160)} | {before} | {after} |{gained} {place} |"


def _unshown(verdict: Verdict) -> Section:
    """What is let through without proof, and what nothing measures: in the open."""
    rows = tuple(f"* {text(said, 400)}" for said in words.unshown(verdict))
    if not rows:
        return Section()
    return Section((f"**Not shown ({len(rows)})**", ""), rows, more="* … {n} more", most=_MOST_REST)


def _worst(verdict: Verdict) -> Section:
    rows = [_case(case) for case in verdict.worst_cases]
    header = "case | expected | before | after"
    return details(f"Worst cases ({words.worse(verdict)})", grid(header, rows, most=_MOST_CASES))


def _outputs(verdict: Verdict) -> Section:
    """Answers that a changed Prompt changed, whether better or worse."""
    if verdict.outputs is None or not verdict.outputs.cases:
        return Section()
    rows = [_case(case) for case in verdict.outputs.cases]
    header = "case | expected | before | after"
    title = f"Answers before and after ({inside_html(words.outputs(verdict), 300)})"
    return details(title, grid(header, rows, most=_MOST_CASES))


def _case(case: Case) -> str:
    said = (case.expected, case.before, case.after)
    cells = (f"{code_cell(case.id, 40)} {text(case.input, 160)}", *map(_said, said))
    return f"| {' | '.join(cells)} |"


def _said(words_of_model: str | None) -> str:
    return "(none)" if words_of_model is None else text(words_of_model, 160) or "(empty)"


def _slices(verdict: Verdict) -> Section:
    rows = tuple(
        "* "
        + ", ".join(f"{text(str(key), 40)} {text(str(value), 60)}" for key, value in one.items())
        for one in verdict.slices
    )
    title = f"Slices ({len(rows)})"
    return details(title, Section(rows=rows, more="* … {n} more", most=_MOST_GATES))


def _pairs(one: Mapping[str, Any]) -> list[str]:
    return [f"{text(str(key), 40)} {text(str(value), 60)}" for key, value in one.items()]


def _story(verdict: Verdict) -> Section:
    """What changed, which jobs and why, as one diff block."""
    lines = [*changes.diff_lines(verdict.changes), *_jobs(verdict)]
    if not lines:
        return Section()
    total = plan_words.totals(verdict.plan)
    every = total.run + total.reuse + total.blocked
    jobs = f"{total.reuse} of {plural(every, 'job')} with evidence"
    return details(f"What changed, which jobs ({jobs}), why", changes.fenced(lines))


def _jobs(verdict: Verdict) -> list[str]:
    run = [s for s in verdict.plan.steps if s.state == "run"]
    kept = [s for s in verdict.plan.steps if s.state == "reuse"]
    lines = [f"+ {s.job.type} {plan_words.subject(s)}  {visible(s.why, 160)}" for s in run]
    lines += [f"= {s.job.type} {plan_words.subject(s)}  {plan_words.reused(s)}" for s in kept]
    lines += [
        f"{'! blocked' if plan_words.blocked(item) else '  not needed'} {item.type} "
        f"{visible(str(item.subject), 100)}  {visible(item.why, 160)}"
        for item in verdict.plan.not_needed
    ]
    shown, left = capped(lines, _MOST_JOBS)
    return [*shown, f"  … {left} more"] if left else lines


def _waivers(verdict: Verdict) -> Section:
    """Every waiver of base with the days that are left; in the open where one is in use."""
    rows = tuple(_waiver(one) for one in verdict.waivers)
    soon = min((w.days_left for w in verdict.waivers if w.state == "in use"), default=None)
    if soon is None:
        return details(f"Waivers ({len(rows)}, none in use)", Section(rows=rows, most=_MOST_REST))
    title = f"**Waivers ({len(rows)}, next expiry in {plural(soon, 'day')})**"
    return Section((title, ""), rows, more="* … {n} more", most=_MOST_REST)


def _waiver(one: Waived) -> str:
    return f"* {text(one.name, 120)} on {code(one.gate, 160)}: {text(words.waiver(one), 600)}"


def _next(verdict: Verdict) -> Section:
    left_out = (text(line, 400) for line in words.no_approvals(verdict))
    rows = tuple(f"* {step}" for step in (*left_out, *words.next_steps(verdict)))
    return details("Next step", Section(rows=rows))
