"""The nouns of the compiler's back end: Job, Plan, Result, Measurement.

In: graphs, changes and proven closures. Out: values that executors run and rules judge. Nothing
here touches the world; every value goes to JSON and back without loss (`plan.json`, `job.json`,
`result.json`), and each of those carries `format_version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmops.graph.base import Change as Change
from llmops.graph.base import FieldChange as FieldChange
from llmops.specs.base import JobType, Ref

FORMAT_VERSION = 1
SECRET_PREFIX = "LLMOPS_SECRET_"  # before the names of the secrets that a job gets

Side = Literal["head", "base"]


@dataclass(frozen=True, slots=True)
class Input:
    """One thing a job reads, by name. Exactly one origin is set.

    `job`+`artifact`: a file or folder another job (by closure) made, e.g. "parts/test.jsonl".
    `digest` with `file` (path in the repository, for people) or `uri`: outside content by digest.
    """

    name: str
    job: str | None = None
    artifact: str | None = None
    digest: str | None = None
    file: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job asks of a machine (placement: never part of a closure, but for `processes`)."""

    processes: int = 1
    cpu: int = 1
    memory: str | None = None
    gpu: str | None = None
    timeout_minutes: float = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work, named by the digest of every input that can change its result.

    `spec` is all a worker needs to know, resolved; `needs` are closures of jobs that go first.
    """

    type: JobType
    subject: Ref
    closure: str  # sha256:<hex>
    spec: Mapping[str, Any]
    inputs: tuple[Input, ...] = ()
    needs: tuple[str, ...] = ()
    seed: int = 0
    resources: Resources = field(default_factory=Resources)
    side: Side = "head"
    tools: Mapping[str, str] = field(default_factory=dict)  # pinned versions the worker must find
    part: str = ""  # which suite or test of the subject, for people; never part of the closure

    @property
    def id(self) -> str:
        """For people and process lists: `train/support-lora`, `guard/support-guard/blocks`."""
        return f"{self.type}/{self.subject.name}" + (f"/{self.part}" if self.part else "")

    @property
    def about(self) -> str:
        """What it is about, as plans print it: `Guardrail/support-guard blocks`."""
        return f"{self.subject} {self.part}" if self.part else str(self.subject)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job will take, as far as it can be told; None is "not known", and `basis` says why.

    `memory_mb`: MiB of the rank that takes most. Of a "process" it is resident memory, of a
    "device" the GPU's, which are different things. `bound`: "least" where parts of it are not
    known, "most" where rows are as long as they may be.
    `seconds` on the clock; hours over all ranks; `usd` as far as prices are declared.
    """

    memory_mb: float | None = None
    memory_of: Literal["process", "device"] = "process"
    bound: Literal["", "least", "most"] = ""
    seconds: float | None = None
    gpu_hours: float | None = None
    cpu_hours: float | None = None
    usd: float | None = None
    basis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A job in a plan: to run, or reused from evidence; `why` is the path of change, in words.

    `audit` names the lottery in which it was drawn to be run once more, "" where it was not.
    """

    job: Job
    state: Literal["run", "reuse"]
    why: str
    evidence: str | None = None  # digest of the statement that is reused
    estimate: Estimate | None = None  # of a job to run
    audit: str = ""


Unit = Literal["usd", "gpu_hours", "cpu_hours"]


@dataclass(frozen=True, slots=True)
class Budget:
    """What the jobs of one change may take, as a policy says it; `place` is path:line:col."""

    name: str  # Policy/name/usd
    unit: Unit
    limit: float
    judged_by: Side = "base"
    place: str = ""
    used: float = 0.0  # measured, of this change's jobs that ran already
    unknown: int = 0  # of how many of those nobody knows what they used


@dataclass(frozen=True, slots=True)
class TreeName:
    """Which tree: for people (`label`), by git object (`tree`), with its commit if it has one."""

    label: str
    tree: str
    commit: str | None = None
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """One thing that must hold, before there is evidence.

    `id` is `Kind/name/check`. `claim` in words ("accuracy min 0.80"). `rows`: planned cases, None
    if not known yet. `decidable`: None when it cannot be told, False when no result could pass.
    `passes_at`: the true value (difference, for a regression) at which it would pass with 80 %
    power. `needed`: rows that would decide it as `needed_for` says.
    """

    id: str
    kind: Literal["require", "regression", "slice", "gap", "findings", "classes"]
    claim: str
    judged_by: Side  # whose spec declares it
    closure: str  # of the job whose rows decide it
    rows: int | None = None
    decidable: bool | None = None
    note: str = ""
    place: str = ""  # path:line:col
    passes_at: float | None = None
    needed: int | None = None
    needed_for: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """Kept evidence of one closure, as far as planning needs it.

    `missing`: names of artifacts that are gone; `measured`: metric -> value (rows per part, ...).
    `cases`: the largest sample behind any of them; `used`: what the run took of its machine;
    `finished_at`: when it ended, "" where nobody says.
    """

    evidence: str
    status: str
    reason: str = ""
    missing: frozenset[str] = frozenset()
    measured: Mapping[str, float] = field(default_factory=dict)
    cases: int = 0
    used: Mapping[str, Any] = field(default_factory=dict)
    finished_at: str = ""  # UTC, RFC 3339


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """A job that the tree could have but no gate needs, and why not."""

    type: JobType
    subject: Ref
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of a change that somebody chose to judge: in their words, and what it came to."""

    select: tuple[str, ...]  # selectors, as they were written
    exclude: tuple[str, ...]
    askers: tuple[str, ...]  # Kind/name of each spec that asks something of a target

    @property
    def words(self) -> str:
        """`--select state:modified+ --exclude kind:SafetyTest`."""
        said = ("--select", self.select), ("--exclude", self.exclude)
        return " ".join(word for name, given in said if given for word in (name, *given))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change makes necessary: changes first, then every job that some gate needs."""

    base: TreeName | None
    head: TreeName
    policy_tree: str | None  # git tree id of policies/ at base
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]  # in an order in which they can run
    gates: tuple[PlannedGate, ...]
    not_needed: tuple[NotNeeded, ...] = ()
    selected: Selection | None = None  # when the plan is only a part
    environment: str = ""  # name of the Environment whose overlays and egress list hold
    budgets: tuple[Budget, ...] = ()
    tool_version: str = ""
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with what it rests on. `value` in the metric's own unit; `sample_size` in cases."""

    metric: str
    value: float
    sample_size: int
    tool: str = "llmops"
    version: str = ""
    rows: str | None = None  # digest of the per-case rows


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or folder a job made, by its path below `artifacts/` (digest: `llmops.digest`)."""

    name: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker wrote last. `quality_failed` is a true result (NaN loss), not an accident."""

    closure: str
    type: JobType
    status: Literal["ok", "quality_failed"]
    started_at: str  # UTC, RFC 3339
    finished_at: str
    reason: str = ""
    measurements: tuple[Measurement, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    resources_used: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION
