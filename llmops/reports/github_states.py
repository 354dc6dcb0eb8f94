"""The state of a pull request, a merge group or a landed commit -> everything to be seen of it.

In: who it is about (`Subject`), and a Plan, a Verdict, diagnostics or a failure of the world. Out:
a `forge.base.Publication`: the check run `llmops/gate`, the sticky comment, annotations, the commit
status that stands in for a check, labels, a SARIF upload. The check is in progress from the first
second and ends as `success`, `failure` or `action_required`, never as neutral or skipped, which
GitHub counts as success. Pure: equal values give equal publications.

`check["external_id"]` and the comment's first line name the same digest of what is said; it does
not move with the time of judging, so what is published already need not be written again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from llmops.diagnostics import Diagnostic, Severity
from llmops.forge.base import Conclusion, Publication
from llmops.jobs.base import Plan
from llmops.reports import (
    changes,
    github_annotations,
    github_sarif,
    github_text,
    markdown,
    plan_words,
    verdict_words,
)
from llmops.reports import plan_estimates as estimates
from llmops.reports.blocks import Section, details
from llmops.reports.escape import code, fence, text
from llmops.reports.github_told import Subject as Subject
from llmops.reports.github_told import Told, publication
from llmops.reports.report import SEAL
from llmops.reports.words import plural
from llmops.rules.base import Outcome, Verdict

CONCLUSIONS: Mapping[Outcome, Conclusion] = {
    Outcome.PASSED: "success",
    Outcome.WARNED: "success",
    Outcome.INCONCLUSIVE: "action_required",
    Outcome.FAILED: "failure",
}
_MOST_MISTAKES = 30


def opened(subject: Subject, at: str = "") -> Publication:
    """The first second of a commit: in progress, nothing known yet."""
    told = Told(
        title="planning: which jobs this change makes necessary",
        headline="⏳ llmops: planning",
        foot=_commit(subject),
        at=at,
    )
    return publication(subject, told)


def _commit(subject: Subject) -> str:
    return f"<sub>commit {text(subject.head_sha[:7])}</sub>"


def running(
    subject: Subject, plan: Plan, done: int, total: int, finished: Collection[str] = ()
) -> Publication:
    """`done` of `total` jobs have evidence; no word of a verdict. `finished`: their closures."""
    said = f"{done} of {plural(total, 'job')}"
    lines = changes.diff_lines(plan.changes)
    told = Told(
        title=f"running: {said}",
        headline=f"⏳ llmops: {said}",
        sections=(
            Section(rows=(estimates.sentence(plan, plan_words.totals(plan).sentence),)),
            _steps(plan, finished),
            details("What changed", changes.fenced(lines)) if lines else Section(),
        ),
        foot=f"<sub>{text(plan_words.header(plan))}</sub>",
        tree=plan.head.tree,
    )
    return publication(subject, told)


def _steps(plan: Plan, finished: Collection[str]) -> Section:
    """The jobs to run, those that are done ticked; no task list, which readers could tick."""
    rows = tuple(
        f"* {'☑' if step.job.closure in finished else '☐'} {step.job.type} "
        f"{code(plan_words.subject(step), 120)} — {text(step.why, 160)}"
        for step in plan.steps
        if step.state == "run"
    )
    return Section(rows=rows, more="* … {n} more")


def judged(subject: Subject, verdict: Verdict) -> Publication:
    """A verdict in all its parts."""
    linked = {**verdict.extra, "source_url": subject.source_url}
    shown = replace(verdict, extra=linked) if subject.source_url else verdict
    told = Told(
        title=verdict_words.title(verdict),
        headline=f"{verdict.outcome.mark} llmops: {text(verdict_words.headline(verdict))}",
        conclusion=CONCLUSIONS[verdict.outcome],
        sections=markdown.sections(shown),
        text=github_text.sections(shown),
        foot=markdown.foot(verdict),
        stands=markdown.foot(_lasting(verdict)),
        tree=markdown.tree(verdict),
        labels=_labels(verdict),
        annotations=github_annotations.of_verdict(verdict),
        sarif=github_sarif.upload(subject, verdict),
        at=verdict.judged_at,
    )
    return publication(subject, told)


def _lasting(verdict: Verdict) -> Verdict:
    """The verdict without what moves while it stays the same: its time, ends of ledger and log."""
    counted = verdict.counted
    if counted is not None:
        counted = replace(counted, entries=0, last="")
    extra = {name: value for name, value in verdict.extra.items() if name != SEAL}
    return replace(verdict, judged_at="", counted=counted, extra=extra)


def _labels(verdict: Verdict) -> tuple[str, ...]:
    """The outcome, and what a reviewer must not overlook."""
    found = [f"llmops: {verdict.outcome.word}"]
    found += ["llmops: waiting"] if verdict_words.awaited(verdict) else []
    found += ["llmops: looser"] if verdict.loosened else []
    found += ["llmops: waived"] if verdict_words.waived_gates(verdict) else []
    return tuple(found)


def not_judged(subject: Subject, message: str, hint: str = "") -> Publication:
    """The world failed before there was a verdict; nothing about the change is known."""
    rows = (text(message, 2_000), *((f"<br>{text(hint, 2_000)}",) if hint else ()))
    told = Told(
        title=f"not judged: {message}",
        headline="⛔ llmops: not judged — the world failed, which says nothing about this change",
        conclusion="action_required",
        sections=(Section(rows=rows),),
        foot=_commit(subject),
        labels=("llmops: not judged",),
    )
    return publication(subject, told)


def invalid(subject: Subject, diagnostics: Iterable[Diagnostic]) -> Publication:
    """Specs that do not parse, type or resolve: there is nothing that could be judged."""
    found = sorted(set(diagnostics), key=lambda d: (d.severity is not Severity.ERROR, d.sort_key))
    errors = [d for d in found if d.severity is Severity.ERROR]
    files = len({d.span.path for d in errors})
    said = f"{plural(len(errors), 'error')} in {plural(files, 'file')}"
    told = Told(
        title=f"invalid specs: {said}" + (f"; {errors[0].message}" if errors else ""),
        headline=f"❌ llmops: specs are not valid — {said}",
        conclusion="failure",
        sections=(_mistakes(found, subject.source_url),),
        foot=_commit(subject),
        labels=("llmops: failed",),
        annotations=github_annotations.of_diagnostics(found),
    )
    return publication(subject, told)


def _mistakes(found: Iterable[Diagnostic], source_url: str) -> Section:
    rows = tuple(
        f"* {d.severity.value} {code(d.rule, 80)} {text(d.message)} — "
        + markdown.link(str(d.span), source_url)
        + (f"<br>{text(d.hint)}" if d.hint else "")
        for d in found
    )
    return Section(rows=rows, more="* … {n} more", most=_MOST_MISTAKES)


def refused(subject: Subject, message: str, hint: str = "") -> Publication:
    """No tree that could land can be formed, as where head conflicts with base."""
    rows = tuple(text(part, 2_000) for part in (message, hint) if part)
    told = Told(
        title=f"cannot land: {message}",
        headline="❌ llmops: there is no tree that could land",
        conclusion="failure",
        sections=(Section(rows=("<br>".join(rows),)),),
        foot=_commit(subject),
        labels=("llmops: failed",),
    )
    return publication(subject, told)


def waiting_for_person(
    subject: Subject, why: str, hint: str = "", command: str = ""
) -> Publication:
    """Nothing runs until a person has said so, as for a pull request of a fork.

    `command`: what that person writes, to be copied as it is.
    """
    said = (text(why, 2_000), *(("", text(hint, 2_000)) if hint else ()))
    told = Told(
        title=f"waiting for a person: {why}",
        headline="✋ llmops: waiting for a person",
        conclusion="action_required",
        sections=(
            Section(rows=said),
            Section(rows=fence([command])) if command else Section(),
        ),
        foot=_commit(subject),
        labels=("llmops: waiting",),
    )
    return publication(subject, told)


def closed(subject: Subject, *, merged: bool = False, verdict_stands: bool = False) -> Publication:
    """A pull request that is no longer open: what was judged stands, what was not ends.

    `verdict_stands`: a verdict on this head is published; then nothing is written.
    """
    if verdict_stands:
        return Publication(head_sha=subject.head_sha, number=subject.number)
    said = "merged without a verdict" if merged else "closed before a verdict"
    told = Told(
        title=f"not judged: {said}",
        headline=f"⛔ llmops: not judged — {said}",
        conclusion="action_required",
        foot=_commit(subject),
        labels=("llmops: not judged",) if merged else (),
    )
    return publication(subject, told)
