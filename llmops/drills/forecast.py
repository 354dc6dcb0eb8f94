"""What a drill would try and how long it takes, before anything runs: from kept evidence alone."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.drills.base import Plant, Row, Scene, UnfitError
from llmops.drills.run import Options, deciding
from llmops.jobs.base import Step
from llmops.pipeline import Planned, make_plan
from llmops.project import Project, pair
from llmops.reports.plan_estimates import duration
from llmops.specs.base import Ref, Reference

_NO_DIGEST = f"sha256:{0:064}"


class _LaterError(Exception):
    """The plant fits as far as specs tell; its rows are looked at when it is made."""


def forecast(project: Project, main: str, options: Options) -> str:
    """One line for each plant, and the time of all of them as far as main's evidence tells."""
    both = pair(project, main, main)
    planned = make_plan(
        project, both, options.select, exclude=options.exclude, environment=options.environment
    )
    scenes = _scenes(planned)
    if not scenes:
        return "Nothing can be tried: no bound of main judges a model. Declare an Evaluation first."
    lines = [f"Would be tried on {', '.join(str(s.target) for s in scenes)}"]
    total, unknown = _own(planned)
    for plant in options.plants:
        for scene in scenes:
            why = _unfit(plant, scene)
            times = options.seeds if plant.dice else 1
            seconds, open_ = (0.0, False) if why else _takes(plant, planned, scene)
            total, unknown = total + seconds * times, unknown or open_
            said = why or f"{duration(seconds)}{' or more' if open_ else ''}"
            many = f" x {times}" if times > 1 else ""
            word = "not tried" if why else "twin" if plant.harmless else "bad model"
            lines.append(f"  {word:<10} {plant.name:<22}{many} {plant.told}: {said}")
    lines.append(f"Nothing was run. All of it takes {_time(total, unknown)}: say --yes")
    return "\n".join(lines)


def _time(total: float, unknown: bool) -> str:
    """How long, as far as main's evidence tells."""
    if unknown and total < 1:
        return "a time that is not known (main was never run here)"
    more = " or more (some jobs of main were never run here)" if unknown else ""
    return f"about {duration(total)}{more}"


def _scenes(planned: Planned) -> list[Scene]:
    graph = planned.both.head.graph
    assert graph is not None
    asked = [e for e in planned.exams if e.part.decides and e.target.kind != "Guardrail"]

    def rows(_used: Reference) -> Sequence[Row]:
        raise _LaterError

    return [
        Scene(graph, target, planned.both.head.tree.read, rows, lambda _how: _NO_DIGEST)
        for target in dict.fromkeys(exam.target for exam in asked)
    ]


def _unfit(plant: Plant, scene: Scene) -> str:
    try:
        plant.make(scene, 0)
    except UnfitError as why:
        return str(why)
    except _LaterError:
        return ""
    return ""


def _own(planned: Planned) -> tuple[float, bool]:
    """Seconds of what main itself lacks, and whether some are not known."""
    steps = [step for step in deciding(planned) if step.state == "run"]
    return _seconds(planned, steps)


def _takes(plant: Plant, planned: Planned, scene: Scene) -> tuple[float, bool]:
    """Seconds of the jobs that a plant makes necessary, as long as main's own took."""
    again = [
        step
        for step in deciding(planned)
        if step.job.type in plant.jobs and step.job.subject in _subjects(scene, planned)
    ]
    return _seconds(planned, again)


def _subjects(scene: Scene, planned: Planned) -> set[Ref]:
    """What the jobs of a scene are about: its target, its Recipe, and who asks it."""
    asking = {e.asker.ref for e in planned.exams if e.target in (scene.target, e.asker.ref)}
    return {scene.target, scene.model, *asking}


def _seconds(planned: Planned, steps: Sequence[Step]) -> tuple[float, bool]:
    total, unknown = 0.0, False
    for step in steps:
        proof = planned.proven.get(step.job.closure)
        known = step.estimate.seconds if step.estimate else None
        used = proof.used.get("wall_seconds") if proof else known
        unknown = unknown or not isinstance(used, int | float)
        total += float(used) if isinstance(used, int | float) else 0.0
    return total, unknown
