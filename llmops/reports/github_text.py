"""Verdict -> the text of a check run: every gate with all that its finding rests on.

The worst first; what does not fit in 60,000 bytes is counted, and `llmops gate` has the whole.
"""

from __future__ import annotations

from llmops.reports import markdown, verdict_words
from llmops.reports.blocks import Section
from llmops.reports.escape import code, text
from llmops.reports.words import count
from llmops.rules.base import Finding, Outcome, Verdict

_MOST = 400


def sections(verdict: Verdict) -> tuple[Section, ...]:
    """One item for each finding; nothing where nothing was judged."""
    rows = tuple(_item(finding, verdict) for finding in verdict_words.by_weight(verdict.findings))
    more = "\n* … {n} more: `llmops gate --format json` shows all"
    return (Section(("**Every gate**", ""), rows, more=more, most=_MOST),) if rows else ()


def _item(finding: Finding, verdict: Verdict) -> str:
    mark, word = finding.outcome.mark, text(verdict_words.verdict_word(finding))
    place = f" — {markdown.linked(finding.place, verdict)}" if finding.place else ""
    said = "" if finding.outcome is Outcome.PASSED else f": {text(finding.message, 600)}"
    lines = (f"{code(finding.rule, 80)} of {finding.judged_by}{said}", _numbers(finding))
    below = "".join(f"<br>{line}" for line in (*lines, _proof(finding)) if line)
    return f"* {mark} {code(finding.gate, 200)} {word}{place}{below}"


def _numbers(finding: Finding) -> str:
    """`builtin/exact_match 0.612 [0.592, 0.632] · bound min 0.8 · n 1,200 · base 0.873`."""
    named = (
        (finding.metric, verdict_words.measured(finding)),
        ("bound", finding.bound),
        ("n", "" if finding.n is None else count(finding.n)),
        ("base", verdict_words.before(finding)),
        ("difference", verdict_words.difference(finding)),
    )
    return " · ".join(f"{text(name, 80)} {text(value, 120)}" for name, value in named if value)


def _proof(finding: Finding) -> str:
    """Evidence, controls, attempt, waiver."""
    controls = ", ".join(finding.controls)
    said = (
        f"evidence {code(finding.evidence, 90)}" if finding.evidence else "",
        f"evidence for control {text(controls)}" if controls else "",
        text(verdict_words.attempt(finding)),
        f"judged by {text(finding.judge, 120)}" if finding.judge else "",
        f"waived by {text(finding.waived_by, 120)}" if finding.waived_by else "",
    )
    return " · ".join(filter(None, said))
