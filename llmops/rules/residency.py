"""Rule `residency`: rows that may not leave a place reach no model and no machine elsewhere.

A Dataset's `residency` are the places where its rows, and what is made from them, may be. Held
against it are endpoints that a Recipe, an Evaluation (its judge too), a SafetyTest or a Guardrail
reaches; the Environment that jobs run in; the Environments that a Release takes an Application to;
and routes: the first that fits is taken, so a route sees only data that no earlier one takes.
Personal requests go to no endpoint outside the Application's jurisdictions. A place that is not
named counts as elsewhere; a member state of the EU lies in EU. An endpoint at a loopback or
private address that names no place is where the jobs are. A judge elsewhere must also be on the
egress list of the Environment in use, if that has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmops.graph.build import Graph
from llmops.graph.environment import in_use
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info, Loc
from llmops.source.egress import Egress, is_near
from llmops.specs.base import Ref, Spec

INFO = Info(
    id="residency",
    why="sending a row to an endpoint or a machine elsewhere is an export of that row",
    fix="use a model and machines where the data may be, or data that may go there",
    controls=("gdpr/art-44", "cn-pipl/art-38"),
    good="""\
kind: Dataset
spec: {residency: [CN], sensitivity: personal}
---
kind: Environment
spec: {residency: [CN], executor: {local: {}}}
---
kind: Policy
spec:
  rules: [{name: stays, rule: residency}]
""",
    bad="""\
kind: Dataset
spec: {residency: [CN], sensitivity: personal}
---
kind: Environment
spec: {residency: [US], executor: {local: {}}}
---
kind: Policy
spec:
  rules: [{name: stays, rule: residency}]
""",
)
LEVELS = ("public", "internal", "personal", "special")  # of sensitivity, lowest first
MAKERS = ("Recipe", "Evaluation", "SafetyTest", "Guardrail")  # what jobs are made of
EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES",
    "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
    "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Export:
    """One way out: what goes where, and the field that joins the two."""

    ref: Ref
    loc: Loc
    message: str


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each field that takes rows where they may not be."""
    graph = facts.head
    environment = in_use(graph, facts.plan.environment or None)
    found = (
        *_endpoints(graph),
        *_judges(graph, environment),
        *_machines(graph, environment),
        *_released(graph),
        *_routed(graph),
    )
    for one in dict.fromkeys(found):
        place = facts.place("head", one.ref, one.loc)
        yield Finding(INFO.id, config.gate, Outcome.FAILED, one.message, INFO.fix, place)


def _endpoints(graph: Graph) -> Iterator[_Export]:
    for kind in MAKERS:
        for user in graph.of_kind(kind):
            reached = [graph.specs[ref] for ref in _reach(graph, user.ref)]
            for data in _bound(reached):
                for model in filter(_elsewhere, reached):
                    if not _within(_served(model), _stays(data)):
                        what = f"{user.ref} sends {_named(data)} to {model.ref}, {_in(model)}"
                        yield _Export(user.ref, _joint(graph, user, model.ref), what)


def _judges(graph: Graph, environment: Spec | None) -> Iterator[_Export]:
    """A judge is sent every case; a list of hosts that lacks it would stop the job that asks."""
    if environment is None or "egress" not in environment.spec:
        return
    listed = Egress(str(environment.ref), tuple(environment.spec["egress"]))
    for user in graph.of_kind("Evaluation"):
        for use in user.references:
            model = graph.specs[use.target]
            far = "endpoint" in model.spec and not is_near(_host(model))
            if "judge" in use.loc and far and not listed.allows(_host(model)):
                at = _host(model) or "an address that is secret"
                what = f"{user.ref} asks {model.ref} at {at}, not on the egress list of {listed.of}"
                yield _Export(user.ref, ("spec", "judge", "model"), what)


def _machines(graph: Graph, environment: Spec | None) -> Iterator[_Export]:
    """Jobs read rows where they run; without any Environment nobody says where that is."""
    if environment is None:
        return
    read = {ref for kind in MAKERS for s in graph.of_kind(kind) for ref in _reach(graph, s.ref)}
    for data in _bound(graph.specs[ref] for ref in sorted(read)):
        if not _within(_places(environment), _stays(data)):
            what = f"jobs read {_named(data)} in {environment.ref}, {_at(environment)}"
            yield _Export(environment.ref, ("spec", "residency"), what)


def _released(graph: Graph) -> Iterator[_Export]:
    for release in graph.of_kind("Release"):
        app = Ref("Application", release.spec["application"])
        made_from = [graph.specs[ref] for ref in _reach(graph, app)]
        for i, name in enumerate(release.spec["environments"]):
            environment = graph.specs[Ref("Environment", name)]
            for data in _bound(made_from):
                if not _within(_places(environment), _stays(data)):
                    where = f"{environment.ref}, {_at(environment)}"
                    what = f"{release.ref} takes {app}, made from {_named(data)}, to {where}"
                    yield _Export(release.ref, ("spec", "environments", i), what)


def _routed(graph: Graph) -> Iterator[_Export]:
    for app in graph.of_kind("Application"):
        offered = set(app.spec.get("jurisdictions", ()))
        for i, (model, levels) in enumerate(_routes(graph, app)):
            if not _elsewhere(model):
                continue
            loc, goes = ("spec", "routes", i, "model"), _served(model)
            for data in _alike(graph, app):
                level = data.spec.get("sensitivity")
                fits = level in levels if level else bool(levels)
                if fits and not _within(goes, _stays(data)):
                    what = f"{app.ref} routes what is like {_named(data)} to {model.ref}"
                    yield _Export(app.ref, loc, f"{what}, {_in(model)}")
            if levels & {"personal", "special"} and offered and not _within(goes, offered):
                what = f"{app.ref} routes personal data of {_words(offered)} to {model.ref}"
                yield _Export(app.ref, loc, f"{what}, {_in(model)}")


def _routes(graph: Graph, app: Spec) -> Iterator[tuple[Spec, set[str]]]:
    """The model of each route, with the levels of sensitivity that can come to it."""
    left = set(LEVELS)
    for route in app.spec.get("routes", ()):
        when = route.get("when", {})
        wanted = set(LEVELS[LEVELS.index(when.get("sensitivity_at_least", "public")) :])
        yield graph.specs[Ref.parse(route["model"])], left & wanted
        if not when.keys() - {"sensitivity_at_least"}:
            left -= wanted


def _alike(graph: Graph, app: Spec) -> Iterator[Spec]:
    """Datasets that stand for an Application's requests: it learned from or is asked them."""
    askers = [user for user in graph.dependents[app.ref] if user.kind in MAKERS]
    refs = {ref for start in (app.ref, *askers) for ref in _reach(graph, start)}
    yield from _bound(graph.specs[ref] for ref in sorted(refs))


def _reach(graph: Graph, start: Ref) -> tuple[Ref, ...]:
    """A spec and all it depends on but for routes: answers come from an Application's `model`."""
    seen: dict[Ref, None] = {}
    todo = [start]
    while todo:
        ref = todo.pop()
        if ref not in seen:
            seen[ref] = None
            todo += [use.target for use in graph.specs[ref].references if "routes" not in use.loc]
    return tuple(seen)


def _joint(graph: Graph, user: Spec, model: Ref) -> Loc:
    """The field of `user` through which it comes to a model."""
    found = (use.loc for use in user.references if model in _reach(graph, use.target))
    return next(found, ("spec",))


def _bound(specs: Iterator[Spec] | list[Spec]) -> Iterator[Spec]:
    """The Datasets whose rows must stay somewhere."""
    for spec in specs:
        if spec.ref.kind == "Dataset" and _stays(spec):
            yield spec


def _within(goes: set[str], stays: set[str]) -> bool:
    """Whether every place, and there is one, is where rows may be."""
    return bool(goes) and all(p in stays or ("EU" in stays and p in EU) for p in goes)


def _elsewhere(model: Spec) -> bool:
    """Whether a spec is an endpoint that is not near, or says itself where it sends on to."""
    return "endpoint" in model.spec and (bool(_served(model)) or not is_near(_host(model)))


def _host(model: Spec) -> str:
    """The host of an endpoint; "" when its address is a secret."""
    address = model.spec["endpoint"].get("base_url")
    return (urlsplit(address).hostname or "") if isinstance(address, str) else ""


def _stays(data: Spec) -> set[str]:
    return set(data.spec.get("residency", ()))


def _served(model: Spec) -> set[str]:
    return set(model.spec["endpoint"].get("residency", ()))


def _places(environment: Spec) -> set[str]:
    return set(environment.spec.get("residency", ()))


def _words(places: set[str]) -> str:
    return ", ".join(sorted(places))


def _named(data: Spec) -> str:
    level = data.spec.get("sensitivity")
    return f"{data.ref} ({f'{level}, ' if level else ''}stays in {_words(_stays(data))})"


def _in(model: Spec) -> str:
    return f"served in {_words(_served(model)) or 'an unnamed place'}"


def _at(environment: Spec) -> str:
    places = _words(_places(environment))
    return f"which stands in {places}" if places else "which names no residency"
