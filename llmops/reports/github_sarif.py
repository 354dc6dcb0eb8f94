"""Verdict -> the body of a SARIF upload: the log, compressed and in base64, within GitHub's limits.

Equal verdicts give equal bytes. What does not fit in 10 MB compressed is left out from the end,
where the least weighs.
https://docs.github.com/en/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable

from llmops.forge.base import Payload
from llmops.reports import github_limits as limits
from llmops.reports import sarif
from llmops.reports.github_told import Subject
from llmops.rules.base import Verdict

_REF = re.compile(r"refs/(heads|tags|pull)/[A-Za-z0-9._/-]{1,200}")


def upload(
    subject: Subject, verdict: Verdict, most_bytes: int = limits.SARIF_BYTES
) -> Payload | None:
    """The upload of a verdict; None where there is no reference that it could be about."""
    ref = subject.ref or (f"refs/pull/{subject.number}/head" if subject.number else "")
    if not _REF.fullmatch(ref):
        return None
    packed = _packed(lambda most: sarif.log(verdict, most), most_bytes)
    return {
        "commit_sha": subject.head_sha,
        "ref": ref,
        "sarif": base64.b64encode(packed).decode("ascii"),
        "tool_name": "llmops",
    }


def _packed(log: Callable[[int], str], most_bytes: int) -> bytes:
    """The log, compressed, with as many results as fit."""
    results = limits.SARIF_RESULTS
    packed = gzip.compress(log(results).encode("utf-8"), mtime=0)
    while len(packed) > most_bytes and results:
        results //= 2
        packed = gzip.compress(log(results).encode("utf-8"), mtime=0)
    return packed
