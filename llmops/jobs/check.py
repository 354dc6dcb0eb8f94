"""What must fit together before a job can be made of it: targets, bases, formats, checks."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.graph import environment
from llmops.graph.build import Graph, SpanOf, parts_of
from llmops.jobs import bounds
from llmops.jobs.make import spec_at, use
from llmops.jobs.target import chooses
from llmops.specs.base import Spec
from llmops.specs.pinned import moves

# A prompt's labels come from the whole dataset; an overlay or a monitor means the dataset itself.
WHOLE = ("Prompt", "Environment", "Release")


def check(graph: Graph, span: SpanOf) -> tuple[Diagnostic, ...]:
    """Every misfit of a graph, as diagnostics. Dry, and never raises."""
    found: list[Diagnostic] = []
    for spec in graph.specs.values():
        found += _parts(graph, spec, span)
        if spec.ref.kind == "Recipe":
            found += _recipe(graph, spec, span)
        elif spec.ref.kind == "Application":
            found += _loadable(graph, spec, ("model",), span)
        elif spec.ref.kind == "Evaluation":
            found += _evaluation(graph, spec, span)
        elif spec.ref.kind == "SafetyTest":
            found += _safety_test(graph, spec, span)
        elif spec.ref.kind == "Guardrail":
            found += _lexicons(graph, spec, span)
            for i, test in enumerate(spec.spec.get("tests", [])):
                found += bounds.of_share(spec, ("spec", "tests", i), test, span)
    found += environment.check(graph, span)
    return tuple(found)


def _loadable(graph: Graph, spec: Spec, loc: tuple[str, ...], span: SpanOf) -> Iterator[Diagnostic]:
    model = spec_at(graph, use(spec, *loc))
    if model.ref.kind == "Model" and not {"init", "weights"} & model.spec.keys():
        yield Diagnostic(
            span(spec.ref, ("spec", *loc)),
            "not-yet",
            f"{model.ref} is an endpoint, and running against endpoints is not built yet",
            "use a Model with weights or init, or a Recipe",
        )


def _recipe(graph: Graph, recipe: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    yield from _loadable(graph, recipe, ("base_model",), span)
    for i in range(len(recipe.spec["data"])):
        yield from _format(graph, recipe, ("data", i, "dataset"), UNTAUGHT, "be learned", span)


# A bank has no answers, a word list no conversation, and rated answers may be bad ones.
UNTAUGHT = ("attack", "lexicon", "ratings")
UNASKED = ("lexicon", "ratings")


def _format(
    graph: Graph,
    spec: Spec,
    loc: tuple[str | int, ...],
    barred: tuple[str, ...],
    what: str,
    span: SpanOf,
) -> Iterator[Diagnostic]:
    """A dataset whose rows are not of a kind that can be used here."""
    dataset = spec_at(graph, use(spec, *loc))
    form = dataset.spec.get("format")
    if form in barred:
        yield Diagnostic(
            span(spec.ref, ("spec", *loc)),
            "wrong-format",
            f"{dataset.ref} has format {form}, and such rows cannot {what}",
            "name a dataset of questions with answers",
        )


def _lexicons(graph: Graph, guardrail: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    """The words of a layer are a word list."""
    for used in guardrail.references:
        dataset = graph.specs[used.target]
        if "lexicon" in used.loc and dataset.spec["format"] != "lexicon":
            yield Diagnostic(
                span(guardrail.ref, used.loc),
                "wrong-format",
                f"{dataset.ref} has format {dataset.spec['format']}, not lexicon",
                "name a dataset of format lexicon: one word a row, in the column word",
            )


def _parts(graph: Graph, spec: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    """A dataset that is split is used by part, where rows are meant."""
    for used in spec.references:
        dataset = graph.specs[used.target]
        rows = spec.ref.kind not in WHOLE
        if (
            dataset.ref.kind == "Dataset"
            and used.part is None
            and rows
            and "splits" in dataset.spec
        ):
            known = ", ".join(f'"{dataset.ref.name}#{part}"' for part in parts_of(dataset))
            message = f"{dataset.ref} is split, so a part must be named"
            yield Diagnostic(span(spec.ref, used.loc), "unknown-part", message, f"write {known}")


def _evaluation(graph: Graph, evaluation: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    if use(evaluation, "target").target.kind == "Model":
        yield from _loadable(graph, evaluation, ("target",), span)
    if "judge" in evaluation.spec:
        yield from _judge(graph, evaluation, span)
    yield from _format(graph, evaluation, ("dataset",), UNASKED, "be asked", span)
    yield from _constraints(evaluation, span)
    for i, one in enumerate(evaluation.spec.get("slices", [])):
        if "pairs" in one:
            yield from _pairs(graph, evaluation, ("slices", i, "pairs"), span)
    yield from _bounds(evaluation, span)


def _constraints(evaluation: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    """A gate has one name: a check of the Evaluation, or a constraint of its target's Prompt."""
    own = {one["name"] for key in ("checks", "slices") for one in evaluation.spec.get(key, ())}
    for loc, derived in evaluation.derived:
        if derived["name"] in own:
            yield Diagnostic(
                span(evaluation.ref, (*loc, "name")),
                "duplicate-name",
                f'{evaluation.ref} has a check or slice "{derived["name"]}" as well',
                "rename one of them: both would be the same gate",
            )


def _pairs(
    graph: Graph, evaluation: Spec, loc: tuple[str | int, ...], span: SpanOf
) -> Iterator[Diagnostic]:
    """Pairs can be asked, and no split cuts one in two."""
    yield from _format(graph, evaluation, loc, UNASKED, "be asked", span)
    dataset = spec_at(graph, use(evaluation, *loc))
    splits = dataset.spec.get("splits", {})
    if splits.get("method") == "hash" and splits.get("by") != "pair":
        yield Diagnostic(
            span(evaluation.ref, ("spec", *loc)),
            "pairs-cut",
            f"{dataset.ref} is split row by row, so its pairs may be cut in two",
            "set splits.by: pair there, or give the parts as sources",
        )


def _judge(graph: Graph, evaluation: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    """Two runs of one Evaluation must have one judge: an alias may mean another model tomorrow."""
    judge = spec_at(graph, use(evaluation, "judge", "model"))
    named = judge.spec.get("endpoint", {}).get("model")
    if named is not None and moves(named):
        yield Diagnostic(
            span(evaluation.ref, ("spec", "judge", "model")),
            "pinned-revision",
            f'{judge.ref} serves "{named}", an alias that may move; a judge may not',
            "name the dated id, as in name-2026-08-14, or name@<digest> on a server of yours",
        )
    if "calibration" in evaluation.spec["judge"]:
        yield from _rated(graph, evaluation, span)


def _rated(graph: Graph, evaluation: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    """A judge is measured on rows that people rated, and on nothing else."""
    loc = ("judge", "calibration", "dataset")
    dataset = spec_at(graph, use(evaluation, *loc))
    if (form := dataset.spec.get("format")) != "ratings":
        yield Diagnostic(
            span(evaluation.ref, ("spec", *loc)),
            "wrong-format",
            f"{dataset.ref} has format {form}, and a judge is calibrated on format ratings",
            "name a dataset with the columns input, response and rating (llmops import human)",
        )


def _bounds(asker: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    """Every bound of an asking spec is within the range of what it bounds."""
    checks = asker.spec.get("checks", [])
    known = {one["name"]: one for one in checks}
    for i, one in enumerate(checks):
        yield from bounds.of_check(asker, ("spec", "checks", i), one, span)
    for i, one in enumerate(asker.spec.get("slices", [])):
        loc = ("spec", "slices", i)
        yield from bounds.of_slice(asker, loc, one, known[one["check"]], span)


def _safety_test(graph: Graph, safety: Spec, span: SpanOf) -> Iterator[Diagnostic]:
    target = use(safety, "target").target
    if target.kind == "Model":
        yield from _loadable(graph, safety, ("target",), span)
    for i, suite in enumerate(safety.spec["suites"]):
        if "bank" in suite:
            yield from _bank(graph, safety, ("suites", i, "bank", "dataset"), span)
            continue
        loc = ("suites", i, "giskard", "dataset")
        yield from _format(graph, safety, loc, UNASKED, "be asked", span)
        yield from _detectors(graph, safety, i, span)
    yield from _bounds(safety, span)


def _bank(
    graph: Graph, safety: Spec, loc: tuple[str | int, ...], span: SpanOf
) -> Iterator[Diagnostic]:
    dataset = spec_at(graph, use(safety, *loc))
    if (form := dataset.spec.get("format")) != "attack":
        yield Diagnostic(
            span(safety.ref, ("spec", *loc)),
            "wrong-format",
            f"{dataset.ref} has format {form}, and a bank is of format attack",
            "name a dataset with the columns prompt, risk and expect",
        )


def _detectors(graph: Graph, safety: Spec, i: int, span: SpanOf) -> Iterator[Diagnostic]:
    """Most detectors need the probability of each label, which only a choice has."""
    target = use(safety, "target").target
    unfit = [d for d in safety.spec["suites"][i]["giskard"].get("detectors", []) if d not in ANY]
    if unfit and not chooses(graph, target):
        yield Diagnostic(
            span(safety.ref, ("spec", "suites", i, "giskard", "detectors")),
            "unfit-detector",
            f"{', '.join(unfit)}: {target} writes free text, and these need labels to choose from",
            f"a target of theirs has a prompt with output choice; for text there is {ANY[0]}",
        )


ANY = ("prompt_injection",)  # detectors that read an answer as text
