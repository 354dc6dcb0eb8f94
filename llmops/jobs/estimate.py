"""What a job will take, before it runs: memory by arithmetic, time from evidence, cost from prices.

In: the specs that a job is made of, earlier evidence, prices of GPU classes. Out: an `Estimate`,
each number with the words it rests on; what cannot be told honestly is None and says why. The
memory of a training is also written beside its job (never into its closure), so that the worker
puts it next to the peak it measures and `score` can tell how good it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import memory
from llmops.jobs.base import Estimate, Job, Plan, Proof, Step
from llmops.jobs.make import use
from llmops.jobs.network import Network, Uncounted, network
from llmops.specs.base import JobType, Ref, Spec

Earlier = Callable[[JobType, Ref], Proof | None]
Prices = Mapping[str, float]  # GPU class -> US dollars an hour


def score(estimate: float | None, measured: float | None) -> float | None:
    """By how much an estimate was off, as a share of what was measured (0.1 is 10 % too high)."""
    if estimate is None or not measured:
        return None
    return (estimate - measured) / measured


# Memory, from specs


@dataclass(frozen=True, slots=True)
class Base:
    """What is known of the weights below a job: their network, or only how many they are."""

    network: Network | None
    parameters: int | None
    from_folder: bool
    why: str = ""  # why the network is not known


def base_of(graph: Graph, ref: Ref) -> Base:
    """The weights of a Model, a Recipe or an Application."""
    spec = graph.specs[ref]
    if ref.kind == "Application":
        return base_of(graph, use(spec, "model").target)
    if ref.kind == "Recipe":
        below = base_of(graph, use(spec, "base_model").target)
        return replace(below, from_folder=below.from_folder or "lora" not in spec.spec)
    return _of_model(spec)


def _of_model(model: Spec) -> Base:
    init = model.spec.get("init")
    if init is None:
        said = model.spec.get("architecture", {}).get("parameters")
        return Base(None, count(said), True, f"{model.ref} does not say its layers")
    trained = init.get("tokenizer", {}).get("train", {})
    try:
        made = network(init["architecture"], trained.get("vocab_size"))
    except Uncounted as why:
        return Base(None, None, False, str(why))
    return Base(made, made.parameters, False)


_COUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMBT]?)\s*", re.IGNORECASE)
_TIMES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def count(said: str | None) -> int | None:
    """`7.6B` -> 7600000000; None for what is no count."""
    found = _COUNT.fullmatch(said or "")
    return int(float(found[1]) * _TIMES[found[2].upper()]) if found else None


def training(graph: Graph, recipe: Spec) -> Estimate:
    """The memory that a Recipe's training takes: of rank 0, which takes most."""
    below = base_of(graph, use(recipe, "base_model").target)
    asked = recipe.spec.get("resources", {})
    on_gpu = asked.get("gpu") is not None
    of: Any = "device" if on_gpu else "process"
    if below.network is None:
        return _weights_only(below, of, memory.FULL_STATES if "lora" not in recipe.spec else 1)
    ranks = int(asked.get("processes_per_node", 1))
    try:
        how = memory.setting(
            below.network, recipe.spec, ranks, from_folder=below.from_folder, on_gpu=on_gpu
        )
    except (Uncounted, TypeError, ValueError) as why:
        return Estimate(memory_of=of, basis=(f"memory: {why}",))
    taken = memory.training(below.network, how)
    words = (
        f"memory: {_parameters(below.network.parameters)}, {_parameters(how.trained)} trained, "
        f"{how.batch} rows of at most {how.length} tokens"
    )
    return Estimate(round(taken.mb, 1), of, "most", basis=(words,))


def answering(graph: Graph, target: Ref, generation: Mapping[str, Any]) -> Estimate:
    """The memory to answer with a target: at least its weights and the cache of its answers."""
    below = base_of(graph, target)
    if below.network is None:
        return _weights_only(below, "process", 1)
    batch = int(generation.get("batch_size") or BATCH)
    tokens = int(generation.get("max_tokens") or TOKENS)
    taken = memory.generation(below.network, batch, tokens)
    words = f"memory: {_parameters(below.parameters or 0)} and answers; prompts not counted"
    return Estimate(memory_mb=round(taken.mb, 1), bound="least", basis=(words,))


BATCH, TOKENS = 64, 64  # what the worker takes where nothing is said


def _weights_only(below: Base, of: Any, copies: int) -> Estimate:
    if below.parameters is None:
        return Estimate(memory_of=of, basis=(f"memory: {below.why}",))
    mb = below.parameters * 4 * copies / memory.MIB
    words = f"memory: {_parameters(below.parameters)} without activations: {below.why}"
    return Estimate(memory_mb=round(mb, 1), memory_of=of, bound="least", basis=(words,))


def _parameters(number: int) -> str:
    for size, sign in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            return f"{number / size:.3g}{sign} parameters"
    return f"{number} parameters"


def aside(found: Estimate) -> dict[str, Any]:
    """An estimate as it stands beside a job, for its worker and its plan."""
    return {
        "estimate": {
            "memory_mb": found.memory_mb,
            "memory_of": found.memory_of,
            "bound": found.bound,
            "basis": list(found.basis),
        }
    }


# Time and cost, from evidence and prices


def estimated(plan: Plan, proven: Mapping[str, Proof], earlier: Earlier, prices: Prices) -> Plan:
    """The plan, each job to run with what it will take."""
    steps = tuple(
        replace(step, estimate=_of(step.job, proven, earlier, prices))
        if step.state == "run"
        else step
        for step in plan.steps
    )
    return replace(plan, steps=steps)


def _of(job: Job, proven: Mapping[str, Proof], earlier: Earlier, prices: Prices) -> Estimate:
    found = _beside(job)
    last = earlier(job.type, job.subject)
    if last is None:
        words = (*found.basis, f"time: no {job.type} of {job.subject} has evidence")
        return _priced(replace(found, basis=words), job, prices)
    found = _corrected(found, last.used)
    seconds, how = _seconds(job, last, proven)
    return _priced(replace(found, seconds=seconds, basis=(*found.basis, how)), job, prices)


def _corrected(found: Estimate, used: Mapping[str, Any]) -> Estimate:
    """By as much as the last estimate was off, since rows are as long as then; else the last peak.

    An estimate of the worker's own arithmetic stays what it is when nothing was measured.
    """
    peak, said = used.get("peak_memory_mb"), used.get("estimated_memory_mb")
    if found.memory_of == "device" or not isinstance(peak, int | float):
        return found
    if found.bound == "most" and found.memory_mb is not None and isinstance(said, int | float):
        words = f"times {peak / said:.2f}, as the last run took {peak:.0f} MiB of {said:.0f}"
        mb = round(found.memory_mb * peak / said, 1)
        return replace(found, memory_mb=mb, bound="", basis=(*found.basis, f"memory: {words}"))
    if found.bound == "most":
        return found
    return replace(found, memory_mb=float(peak), bound="", basis=("memory: as the last time",))


def _beside(job: Job) -> Estimate:
    given = job.spec.get("estimate")
    if not isinstance(given, Mapping):
        return Estimate()
    return Estimate(
        memory_mb=given.get("memory_mb"),
        memory_of=given.get("memory_of", "process"),
        bound=given.get("bound", ""),
        basis=tuple(given.get("basis", ())),
    )


def _seconds(job: Job, last: Proof, proven: Mapping[str, Proof]) -> tuple[float | None, str]:
    """As long as the last time, its work scaled by steps or rows where both are known."""
    wall = wall_seconds(last)
    if wall is None:
        return None, "time: the last run did not say how long it took"
    name = "steps" if job.type == "train" else "rows"
    planned = _steps(job, proven) if job.type == "train" else _rows(job, proven)
    then = last.measured.get("steps") if job.type == "train" else float(last.cases)
    own = last.measured.get(f"{job.type}_seconds")
    taken = f"{wall:.3g} s the last time"
    if not planned or not then or own is None or own > wall:
        return float(wall), f"time: {taken}, not scaled"
    scaled = wall - own + own * planned / then
    return round(scaled, 1), f"time: {taken} for {then:g} {name}, now {planned:g}"


LONGEST = 366 * 24 * 3600.0  # seconds; what claims to have run longer is no measurement


def wall_seconds(proof: Proof) -> float | None:
    """How long a run took by the clock; None where it kept no time, or none that can be true."""
    wall = proof.used.get("wall_seconds")
    if isinstance(wall, bool) or not isinstance(wall, int | float) or not 0 < wall <= LONGEST:
        return None
    return float(wall)


def price(job: Job, prices: Prices) -> float | None:
    """Dollars an hour of a job, 0 on CPUs; None where a GPU has no price, or answers are paid."""
    if "endpoint" in job.spec.get("judge", {}):
        return None
    return 0.0 if job.resources.gpu is None else prices.get(job.resources.gpu)


def _steps(job: Job, proven: Mapping[str, Proof]) -> float | None:
    """Optimizer steps of a training, where rows or `max_steps` tell."""
    training = job.spec.get("training") or {}
    if (most := training.get("max_steps", -1)) > 0:
        return float(most)
    rows = [_held(job, f"data/{i}", proven) for i in range(len(job.spec.get("data", ())))]
    known = [n for n in rows if n is not None]
    if len(known) < len(rows) or not known:
        return None
    each = training.get("per_device_train_batch_size", 8) * job.resources.processes
    each *= training.get("gradient_accumulation_steps", 1)
    return float(math.ceil(sum(known) / each) * training.get("num_train_epochs", 3))


def _rows(job: Job, proven: Mapping[str, Proof]) -> float | None:
    """Cases that a job asks: as many as its sample says, at most what the data holds."""
    asked = (job.spec.get("asked") or job.spec).get("rows")
    known = [n for n in (asked, _held(job, "cases", proven)) if n is not None]
    return float(min(known)) if known else None


def _held(job: Job, name: str, proven: Mapping[str, Proof]) -> float | None:
    """Rows of a curated part that is an input, if it was curated already."""
    for given in job.inputs:
        proof = proven.get(given.job) if given.name == name and given.job else None
        if proof is not None and given.artifact:
            part = given.artifact.rpartition("/")[2].removesuffix(".jsonl")
            return proof.measured.get(f"rows_{part}")
    return None


def _priced(found: Estimate, job: Job, prices: Prices) -> Estimate:
    """Hours and dollars. What runs on CPUs alone takes no GPU-hour and has no price here."""
    hours = None if found.seconds is None else found.seconds / 3600
    cpu = None if hours is None else hours * job.resources.processes * job.resources.cpu
    gpu, rate = job.resources.gpu, price(job, prices)
    words = found.basis
    if rate is None:
        unpaid = "of the judge's answers" if prices.get(gpu or "") or gpu is None else f"of {gpu}"
        words = (*words, f"cost: no Environment gives a price {unpaid}")
    if gpu is None:
        return replace(found, gpu_hours=0.0, cpu_hours=cpu, usd=rate, basis=words)
    taken = None if hours is None else hours * job.resources.processes
    usd = None if taken is None or rate is None else taken * rate
    return replace(found, gpu_hours=taken, cpu_hours=cpu, usd=usd, basis=words)


def prices(graph: Graph | None) -> dict[str, float]:
    """Dollars an hour of each GPU class that an Environment prices; the highest of several."""
    found: dict[str, float] = {}
    for name, price in _classes(graph):
        found[name] = max(price, found.get(name, 0.0))
    return found


def _classes(graph: Graph | None) -> Iterator[tuple[str, float]]:
    for environment in graph.of_kind("Environment") if graph is not None else ():
        for name, given in (environment.spec.get("gpu_classes") or {}).items():
            price = given.get("usd_per_hour") if isinstance(given, Mapping) else None
            if isinstance(price, int | float):
                yield str(name), float(price)


def told(step: Step) -> Step:
    """The step whose worker is told what the plan says, to write it beside what it measures."""
    found = step.estimate
    if found is None or step.state != "run":
        return step
    return replace(step, job=replace(step.job, spec={**step.job.spec, **aside(found)}))


def known(steps: tuple[Step, ...], what: str) -> tuple[float, int]:
    """The sum of one number over the jobs to run, and of how many it is not known."""
    run = [step.estimate for step in steps if step.state == "run"]
    values = [getattr(found, what) if found is not None else None for found in run]
    return math.fsum(v for v in values if v is not None), sum(v is None for v in values)
