"""What one state says, once -> a check, a comment, a commit status, labels: a Publication.

The states differ in words only (`github_states.py`); how those words become payloads, and what is
cut where, stands here. Every payload is within GitHub's limits (`github_limits.py`), and the first
line of each, which says how it stands, is never cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.digest import of_bytes
from llmops.forge.base import CHECK, COMMENT, Conclusion, Payload, Publication, Repo
from llmops.reports import github_limits as limits
from llmops.reports.blocks import Section, fit
from llmops.reports.escape import size

LABELS = (
    "llmops: passed",
    "llmops: warned",
    "llmops: inconclusive",
    "llmops: failed",
    "llmops: not judged",
    "llmops: waiting",
    "llmops: looser",
    "llmops: waived",
)  # every label that is ours to set and to take away
_CUT = "_More is left out here for its size; `llmops gate` shows all._"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
# A commit status has no word for what waits for people: an error blocks as a failure does.
_STATUS: Mapping[Conclusion | None, str] = {
    None: "pending",
    "success": "success",
    "failure": "failure",
    "action_required": "error",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a publication is about. `number` is None for a merge group and a landed commit.

    `source_url` (`https://host/owner/name/blob/<commit>`) makes places links; `details_url` is
    where a check's "details" lead, `report_url` where the whole report is; `ref` is the full git
    reference that a SARIF upload names, for a pull request its head unless said otherwise.
    """

    repo: Repo
    number: int | None
    head_sha: str
    source_url: str = ""
    details_url: str = ""
    report_url: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One state in words. `conclusion` None: still in progress.

    `title` is plain text, `headline` the same as Markdown with its mark before it; `sections` are
    what comment and summary show below it, `text` what only the check shows. `foot` ends both and
    may say when; `stands` is the same without the time, for the digest of what is said.
    """

    title: str
    headline: str
    conclusion: Conclusion | None = None
    sections: tuple[Section, ...] = ()
    text: tuple[Section, ...] = ()
    foot: str = ""
    stands: str = ""
    tree: str = ""
    labels: tuple[str, ...] | None = ()
    annotations: tuple[Payload, ...] = ()
    sarif: Payload | None = None
    at: str = ""  # UTC, RFC 3339: when it began, or ended

    @property
    def digest(self) -> str:
        """16 hex digits that change when something else is said, and not with the time."""
        said = [one.opening + one.rows + one.closing for one in self.sections + self.text]
        parts = [
            self.title, self.headline, self.conclusion, self.stands or self.foot, said,
            self.labels, self.annotations,
        ]  # fmt: skip
        return of_bytes(json.dumps(parts).encode("ascii")).removeprefix("sha256:")[:16]


def publication(subject: Subject, told: Told) -> Publication:
    """Every payload of one state."""
    return Publication(
        head_sha=subject.head_sha,
        number=subject.number,
        check=_check(subject, told),
        annotations=told.annotations[: limits.ANNOTATIONS],
        comment=None if subject.number is None else _comment(subject, told),
        status=_status(subject, told),
        labels=None if subject.number is None else told.labels,
        own_labels=LABELS,
        sarif=told.sarif,
    )


def _check(subject: Subject, told: Told) -> Payload:
    body: dict[str, Any] = {
        "name": CHECK,
        "head_sha": subject.head_sha,
        "status": "completed" if told.conclusion else "in_progress",
        "external_id": told.digest,
        "output": _output(told),
    }
    if told.conclusion:
        body["conclusion"] = told.conclusion
    if details := limits.url(subject.details_url):
        body["details_url"] = details
    if _MOMENT.fullmatch(told.at):
        body["completed_at" if told.conclusion else "started_at"] = told.at
    return body


def _output(told: Told) -> Payload:
    output = {
        "title": limits.title(told.title),
        "summary": _fitted(told.headline, told.sections, told.foot),
    }
    if told.text:
        output["text"] = _fitted("", told.text, "")
    return output


def _fitted(head: str, sections: Iterable[Section], foot: str) -> str:
    """Sections while there is room, then what is left within the limit for sure."""
    shown = fit(head, sections, foot, limits.OUTPUT_BYTES).lstrip("\n")
    if size(shown) <= limits.OUTPUT_BYTES:
        return shown
    return limits.bytes_cut(shown, limits.OUTPUT_BYTES, f"…\n\n{_CUT}")


def _comment(subject: Subject, told: Told) -> str:
    hexed = re.sub(r"[^0-9a-f]", "", told.tree)[:64]
    tree = f"tree={hexed} " if hexed else ""
    marker = f"{COMMENT}{tree}head={subject.head_sha} state={told.digest} -->"
    head = f"{marker}\n### {told.headline}{_links(subject)}"
    return fit(head, told.sections, told.foot, limits.COMMENT_BYTES)


def _links(subject: Subject) -> str:
    """` · [check](…) · [full report](…)`, as far as there are addresses."""
    named = (("check", subject.details_url), ("full report", subject.report_url))
    return "".join(f" · [{name}]({limits.url(to)})" for name, to in named if limits.url(to))


def _status(subject: Subject, told: Told) -> Payload:
    body = {
        "state": _STATUS[told.conclusion],
        "context": CHECK,
        "description": limits.title(told.title, limits.STATUS),
    }
    details = limits.url(subject.details_url)
    return {**body, "target_url": details} if details else body
