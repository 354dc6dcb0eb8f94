"""The noun of a page: Report, a verdict with what the kept artifacts of its jobs say.

In: a Verdict, and values read from artifacts whose digests were checked (`llmops.dossier` reads
them). Out: what every page, in every language and format, is made from. Whatever could not be read
is a `Gap`, so that a page can say "not measured" instead of saying nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.jobs.base import FORMAT_VERSION, Artifact, Measurement
from llmops.rules.base import Case, Verdict


@dataclass(frozen=True, slots=True)
class Kept:
    """The evidence of one job of the plan: `digest` names its statement."""

    closure: str
    digest: str
    status: str
    reason: str = ""
    measurements: tuple[Measurement, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was read: the job (`train/base`), its closure, the artifact, its digest."""

    job: str
    closure: str
    artifact: str
    digest: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss by step of one training."""

    source: Source
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step of curation, in rows; `found` where rows were counted but not dropped."""

    name: str
    rows_in: int
    rows_out: int
    dropped: int
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """What curation kept of one dataset, step by step."""

    source: Source
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Expected label (row) by given label (column), in cases.

    `other` counts answers that are no label, `invalid` cases without an answer, by expected label.
    """

    source: Source
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    other: tuple[int, ...]
    invalid: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Cases that base's target had right and head's has wrong under one check, the worst first.

    `cases` holds as many as were asked for; `worse` and `better` count all of them.
    """

    gate: str
    head: Source
    base: Source
    worse: int
    better: int
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Weakness:
    """One finding of one detector, over `cases` cases."""

    severity: str
    group: str
    description: str
    metric: str
    value: float | None
    cases: int | None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detector:
    """What one detector did: an error, or no case, is never taken for no finding."""

    name: str
    status: str
    reason: str
    cases: int
    errors: int
    findings: tuple[Weakness, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """The detectors of one suite of a SafetyTest."""

    source: Source
    detectors: tuple[Detector, ...]


@dataclass(frozen=True, slots=True)
class GuardTest:
    """How often a guardrail did what a test expects (`block`, `mask` or `allow`), in cases."""

    source: Source
    name: str
    expect: str
    cases: int
    as_expected: int
    errors: int


@dataclass(frozen=True, slots=True)
class Filtered:
    """What an application's own guardrails did to the questions and answers of an evaluation."""

    source: Source
    cases: int
    blocked: int
    masked: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that a page would show and cannot: a job's artifact that is absent or damaged."""

    job: str
    artifact: str
    why: str


SEAL = "seal"  # in a verdict's extra: the fields of a Seal
NOT_SIGNED = "not_signed"  # in a verdict's extra: why nobody signed it, although base has a root


@dataclass(frozen=True, slots=True)
class Seal:
    """Where a verdict stands in the signed log, so that anybody can look for it there.

    `size` and `root` (base64, as a checkpoint has it) are the log's when the page was made; `entry`
    is the number of the verdict's statement in it, `statement` the digest of that statement;
    `trust` is the digest of the trust root whose keys signed.
    """

    origin: str
    size: int
    root: str
    entry: int
    statement: str
    trust: str


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict and all that its pages show. `title` is by language; "" is any language."""

    verdict: Verdict
    title: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    curves: tuple[Curve, ...] = ()
    funnels: tuple[Funnel, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    lost: tuple[Lost, ...] = ()
    scans: tuple[Scan, ...] = ()
    guards: tuple[GuardTest, ...] = ()
    filtered: tuple[Filtered, ...] = ()
    gaps: tuple[Gap, ...] = ()
    seal: Seal | None = None  # None: no signed log has this verdict
    format_version: int = FORMAT_VERSION

    def of(self, closure: str) -> Kept | None:
        """The evidence of a job, if there is any."""
        return next((one for one in self.kept if one.closure == closure), None)
