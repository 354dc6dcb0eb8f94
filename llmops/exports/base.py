"""What a tracking tool is told of one run, and of one verdict: values, whichever tool it is.

In: a plan with its verdict, and the store. Out: a `Record` for each closure that has evidence, and
one for the verdict, with each gate's value, interval and number of cases. Texts are cut where they
are long, and whatever looks like a secret is left out, although none should be there. Dry but for
the paths of files, which are not opened here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from llmops.digest import of_value, short
from llmops.evidence.statement import Evidence
from llmops.jobs.base import Input, Job, Plan, TreeName
from llmops.rules.base import Finding, Verdict
from llmops.specs.secrets import names_secret, redacted

LONGEST_VALUE = 500  # characters of one parameter or tag
MOST_PARAMETERS = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One run of a tracking tool. `key` is a digest: the same key is never written twice.

    Metrics are numbers by name; where there is an interval or a count it stands beside its value
    as `NAME.low`, `NAME.high`, `NAME.n`. `evidence` is "" for a verdict. Times are in
    milliseconds since 1970.
    """

    key: str
    name: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    good: bool
    started_ms: int
    finished_ms: int
    evidence: str = ""
    closure: str = ""
    artifacts: tuple[str, ...] = field(default=())


def records(plan: Plan, verdict: Verdict, proven: Mapping[str, Evidence]) -> Iterator[Record]:
    """Every closure of the plan that has evidence, in the plan's order; the verdict last."""
    about = _about(verdict)
    for step in plan.steps:
        evidence = proven.get(step.job.closure)
        if evidence is not None:
            yield _run(step.job, evidence, about, verdict)
    yield _verdict(verdict, about)


def _about(verdict: Verdict) -> Mapping[str, str]:
    """Which change it was exported with."""
    tags = {
        "llmops.tree": verdict.head.tree,
        "llmops.commit": verdict.head.commit or "",
        "llmops.dirty": str(verdict.head.dirty).lower(),
        "llmops.base": _tree(verdict.base),
        "llmops.policy": verdict.policy_tree or "",
        "llmops.verdict": verdict.outcome.word,
        "llmops.version": verdict.tool_version,
    }
    return {name: value for name, value in tags.items() if value}


def _tree(name: TreeName | None) -> str:
    return name.tree if name is not None else ""


def _run(job: Job, evidence: Evidence, about: Mapping[str, str], verdict: Verdict) -> Record:
    result = evidence.result
    tags = {
        **about,
        "llmops.kind": "run",
        "llmops.closure": evidence.closure,
        "llmops.evidence": evidence.digest,
        "llmops.subject": job.about,
        "llmops.type": job.type,
        "llmops.side": job.side,
        "llmops.status": result.status,
        **{f"llmops.tool.{name}": version for name, version in job.tools.items()},
    }
    if result.reason:
        tags["llmops.reason"] = result.reason
    return Record(
        key=evidence.digest,
        name=f"{job.id} {short(evidence.closure)}",
        parameters=_parameters(job),
        metrics=_metrics(evidence, verdict),
        tags={name: _text(value) for name, value in tags.items()},
        good=result.status == "ok",
        started_ms=_milliseconds(result.started_at),
        finished_ms=_milliseconds(result.finished_at),
        evidence=evidence.digest,
        closure=evidence.closure,
        artifacts=tuple(artifact.name for artifact in result.artifacts),
    )


def _parameters(job: Job) -> Mapping[str, str]:
    """What the job was told: values of the spec, seed, processes, and what it read."""
    given = {"seed": job.seed, "processes": job.resources.processes}
    told = {name: value for name, value in job.spec.items() if name != "estimate"}
    flat = [*_flat(given, ""), *_flat(told, ""), *(_input(one) for one in job.inputs)]
    return {name[:250]: _text(value) for name, value in flat[:MOST_PARAMETERS]}


def _flat(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        name = _name(f"{path}{key}")
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{name}.")
        elif isinstance(inner, str) and not names_secret(str(key)):
            yield name, inner
        elif not isinstance(inner, str):
            yield name, json.dumps(inner, ensure_ascii=False, default=str)


def _input(one: Input) -> tuple[str, str]:
    origin = one.digest or f"{one.job}/{one.artifact}"
    return _name(f"input.{one.name}"), origin


def _metrics(evidence: Evidence, verdict: Verdict) -> Mapping[str, float]:
    """What was measured, and what each gate that rests on it says."""
    found: dict[str, float] = {}
    for one in evidence.result.measurements:
        found |= _measured(one.metric, one.value, one.sample_size)
    for name, value in evidence.result.resources_used.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[_name(f"used.{name}")] = float(value)
    for finding in verdict.findings:
        if finding.evidence == evidence.digest:
            found |= _gate(finding)
    return found


def _measured(metric: str, value: float, cases: int) -> Mapping[str, float]:
    name = _name(metric)
    return {name: float(value), f"{name}.n": float(cases)}


def _gate(finding: Finding) -> Mapping[str, float]:
    """A gate's value, its interval, its cases and its outcome (0 passed ... 3 failed)."""
    name = _name(f"gate/{_claim(finding)}")
    told: dict[str, float | None] = {
        name: finding.value,
        f"{name}.n": finding.n,
        f"{name}.outcome": finding.outcome.value,
        f"{name}.difference": finding.difference,
    }
    for suffix, interval in (
        ("", finding.interval),
        (".difference", finding.difference_interval),
    ):
        if interval is not None:
            told[f"{name}{suffix}.low"], told[f"{name}{suffix}.high"] = interval
    return {key: float(value) for key, value in told.items() if value is not None}


def _claim(finding: Finding) -> str:
    """The gate with the rule that judged it, once."""
    gate = re.sub(r"\[(.*)\]$", r".\1", finding.gate)
    return gate if gate.endswith(f"/{finding.rule}") else f"{gate}/{finding.rule}"


def _verdict(verdict: Verdict, about: Mapping[str, str]) -> Record:
    """The verdict itself: one record for each that differs in what it judged or found."""
    metrics: dict[str, float] = {"outcome": float(verdict.outcome.value)}
    for finding in verdict.findings:
        metrics |= _gate(finding)
    gates = [[f.gate, f.rule, f.outcome.word, f.evidence, f.judged_by] for f in verdict.findings]
    key = of_value({"about": dict(about), "gates": gates})
    tags = {**about, "llmops.kind": "verdict", "llmops.evidence": key}
    parameters = {
        _name(_claim(finding)): _text(f"{finding.outcome.word}: {finding.message}")
        for finding in verdict.findings
    }
    moment = _milliseconds(verdict.judged_at)
    name = f"verdict {verdict.outcome.word} {verdict.head.tree[:8]}"
    return Record(key, name, parameters, metrics, tags, True, moment, moment)


def _milliseconds(moment: str) -> int:
    try:
        return int(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return 0


def _name(text: str) -> str:
    """A name as every tracking tool takes it: letters, digits, `_`, `-`, `.`, `/`, blanks."""
    plain = re.sub(r"[^\w\-./ ]", "_", text)
    return re.sub(r"(?:^|(?<=/))(?:/|\.{1,2}(?=/|$))+", "", plain).strip("/")[:250] or "_"


def _text(value: str) -> str:
    """A text without anything that looks like a secret, and cut where it is long."""
    clean = redacted(value)
    if len(clean) <= LONGEST_VALUE:
        return clean
    return f"{clean[: LONGEST_VALUE - 60]}… ({len(clean):,} characters, {of_value(clean)[:23]})"
