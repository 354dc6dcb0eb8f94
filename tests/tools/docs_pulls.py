"""The parts of the manual made of what a pull request shows: its states, and the limits."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.reports import github_limits as limits
from llmops.reports.words import count
from tests.reports import pulls
from tests.tools.words import Say

STATES: Mapping[str, str] = {
    "opened": "a commit is new",
    "running": "jobs run",
    "passed": "every gate holds",
    "waived": "a gate holds only because of a waiver",
    "first-run": "the target branch has no policy yet",
    "waiting-for-approval": "somebody's yes is missing",
    "inconclusive": "too few cases, or no evidence",
    "failed": "a gate does not hold",
    "invalid": "specs do not parse or resolve",
    "fork": "a fork's pull request, which nobody has let run",
    "world-failed": "the world failed: a server, an artifact, a clock",
    "merged-without-verdict": "merged before there was a verdict",
}


def states(say: Say) -> str:
    """A row for each state: when, the check, its title, the labels."""
    rows = []
    for name, when in STATES.items():
        found = pulls.every()[name]
        check = found.check or {}
        title = str(check["output"]["title"]).replace("|", "\\|")
        labels = ", ".join(f"`{one}`" for one in found.labels or ()) or "–"
        conclusion = check.get("conclusion", check["status"])
        rows.append(f"| {say(when)} | `{conclusion}` | {title} | {labels} |")
    head = " | ".join(map(say, ("when", "check", "its title, for example", "labels")))
    return "\n".join([f"| {head} |", "|---|---|---|---|", *rows])


def page_limits(say: Say) -> str:
    """A row for each limit: what, GitHub's, ours."""
    found = (
        ("title of a check", "–", f"{limits.TITLE} characters"),
        ("summary of a check, and its text", "65,535 bytes", _bytes(limits.OUTPUT_BYTES)),
        ("comment", "65,536 characters", _bytes(limits.COMMENT_BYTES)),
        ("annotations", "50 in a request", f"{limits.ANNOTATIONS} in all, the worst first"),
        ("summary of a step", "1 MiB", f"{limits.STEP_SUMMARY_BYTES // 1024} KiB"),
        ("SARIF, compressed", "10 MB", f"10 MB, {count(limits.SARIF_RESULTS)} results"),
        ("commit status", "140 characters", f"{limits.STATUS} characters"),
    )
    rows = [f"| {say(what)} | {say(theirs)} | {say(ours)} |" for what, theirs, ours in found]
    head = " | ".join(map(say, ("what", "GitHub takes", "llmops sends at most")))
    return "\n".join([f"| {head} |", "|---|---|---|", *rows])


def _bytes(size: int) -> str:
    return f"{count(size)} bytes"
