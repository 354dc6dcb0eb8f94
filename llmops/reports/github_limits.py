"""What GitHub takes of each thing, what we send of it, and texts cut to that. Dry.

The limits are GitHub's own (SARIF support, REST API for checks, statuses and comments, job
summaries), ours stay below. Bytes are counted in UTF-8: GitHub's reference says characters for a
check's summary and text, and counts bytes.
"""

from __future__ import annotations

import re

from llmops.reports.escape import cut, size, visible

TITLE = 80  # characters of a check's title that its list shows
OUTPUT_BYTES = 60_000  # of a check's summary, and of its text; GitHub takes 65,535
COMMENT_BYTES = 60_000  # of a comment; GitHub takes 65,536 characters
STEP_SUMMARY_BYTES = 900 * 1024  # of a step's summary; GitHub takes 1 MiB and drops what is more
ANNOTATIONS = 200  # in four requests
ANNOTATIONS_PER_REQUEST = 50
ANNOTATION_TITLE = 255  # characters
ANNOTATION_BYTES = 16_000  # of a message; GitHub takes 64 KB
STATUS = 140  # characters of a commit status' description
LABEL = 50  # characters of a label's name
SARIF_BYTES = 10_000_000  # of a log, compressed
SARIF_RESULTS = 5_000  # that code scanning keeps of a run
DESCRIPTION = 140  # characters of a deployment's description
OUTPUTS_BYTES = 1_000_000  # of all outputs of a job, counted as UTF-16

_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~%/?=&#:@+-]*)?", re.ASCII)


def title(words: str, limit: int = TITLE) -> str:
    """One line of plain text for a title, where nothing is Markdown."""
    return cut(visible(" ".join(words.split()), 4 * limit), limit)


def url(text: str) -> str:
    """An address that may stand in a payload, or "" for what is none."""
    return text if len(text) <= 1_000 and _URL.fullmatch(text) else ""


def bytes_cut(words: str, limit_bytes: int, ending: str = "…") -> str:
    """At most that many bytes of UTF-8, cut between characters; what is cut ends with `ending`."""
    if size(words) <= limit_bytes:
        return words
    room = max(0, limit_bytes - size(ending))
    return words.encode("utf-8")[:room].decode("utf-8", "ignore") + ending
