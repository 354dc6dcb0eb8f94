"""Law: what runs, what is reused and why, against brute force on random trees and changes.

A random tree is drawn, some of its fields are changed, some closures are called proven. The plan
must run exactly what brute force says, and each reason must name exactly those changed fields
whose single undoing gives the job other inputs of its own, and the jobs it follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.graph.build import Graph
from llmops.graph.diff import diff
from llmops.jobs.base import Job, Proof, TreeName
from llmops.jobs.exam import exams, made_of
from llmops.jobs.plan import Trees, plan
from llmops.specs.load import roles
from tests.jobs.test_roles_law import own_inputs
from tests.trees import graph, spec

TREES = Trees(TreeName("base", "b" * 40), TreeName("head", "h" * 40), "p" * 40)


@dataclass(frozen=True)
class Shape:
    """Which spec refers to which: small numbers, so that sharing and chains both happen."""

    datasets: int
    recipes: tuple[tuple[int, bool, int], ...]  # below (-1: the model), lora, dataset
    applications: tuple[tuple[int, bool], ...]  # recipe, guarded
    evaluations: tuple[tuple[int, int, bool], ...]  # application, dataset, regression
    safety: tuple[tuple[int, int, bool], ...]  # application, dataset, regression


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    datasets = draw(st.integers(1, 3))
    count = draw(st.integers(1, 4))
    recipes = tuple(
        (draw(st.integers(-1, i - 1)), draw(st.booleans()), draw(st.integers(0, datasets - 1)))
        for i in range(count)
    )
    application = st.tuples(st.integers(0, count - 1), st.booleans())
    applications = tuple(draw(st.lists(application, min_size=1, max_size=3)))
    evaluation = st.tuples(
        st.integers(0, len(applications) - 1), st.integers(0, datasets - 1), st.booleans()
    )
    asked = [
        tuple(draw(st.lists(evaluation, min_size=least, max_size=most)))
        for least, most in ((1, 3), (0, 2))
    ]
    return Shape(datasets, recipes, applications, *asked)


@dataclass(frozen=True)
class Edit:
    """One field that can change: its spec, its path as the plan prints it, and the texts."""

    ref: str
    path: str
    file: str
    old: str
    new: str


def written(shape: Shape) -> tuple[dict[str, str], list[Edit]]:
    files = {"specs/data/d.jsonl": "{}\n", "specs/models/m.yaml": spec("Model", "m", (
        "init:\n  architecture: {model_type: llama, hidden_size: 32}\n"
        "  tokenizer: {train: {algorithm: byte_level_bpe, vocab_size: 300, data: d0#train}}\n"
        "  seed: 0\nlicense: MIT"
    ))}  # fmt: skip
    edits = [Edit("Model/m", "init.seed", "specs/models/m.yaml", "seed: 0", "seed: 5")]
    for i in range(shape.datasets):
        path = f"specs/datasets/d{i}.yaml"
        files[path] = spec("Dataset", f"d{i}", (
            "sources: [{name: a, file: specs/data/d.jsonl, license: MIT, origin: synthetic}]\n"
            "purpose: [sft]\nformat: qa\n"
            f"splits: {{method: hash, seed: {i}, parts: {{train: 0.5, test: 0.5}}}}\nlanguage: [zh]"
        ))  # fmt: skip
        edits.append(Edit(f"Dataset/d{i}", "splits.seed", path, f"seed: {i}", "seed: 77"))
        edits.append(Edit(f"Dataset/d{i}", "language", path, "[zh]", "[en]"))
    for i, (below, lora, data) in enumerate(shape.recipes):
        path = f"specs/recipes/r{i}.yaml"
        how = "lora: {r: 8, target_modules: [q_proj], task_type: CAUSAL_LM}" if lora else "full: {}"
        files[path] = spec("Recipe", f"r{i}", (
            f"base_model: {'m' if below < 0 else f'Recipe/r{below}'}\nmethod: sft\n"
            f"data: [{{dataset: d{data}#train}}]\n{how}\n"
            f"training: {{max_steps: {10 + i}}}\nseed: {i}\nresources: {{memory: 4Gi}}"
        ))  # fmt: skip
        edits.append(Edit(f"Recipe/r{i}", "seed", path, f"seed: {i}", "seed: 99"))
        edits.append(
            Edit(f"Recipe/r{i}", "training.max_steps", path, f"max_steps: {10 + i}", "max_steps: 5")
        )
        edits.append(Edit(f"Recipe/r{i}", "resources.memory", path, "4Gi", "8Gi"))
    files["specs/prompts/p.yaml"] = spec("Prompt", "p", (
        "template: jinja2\ninputs: {question: {type: string}}\nsystem: brief\n"
        "messages: [{role: user, content: '{{ question }}'}]"
    ))  # fmt: skip
    edits.append(Edit("Prompt/p", "system", "specs/prompts/p.yaml", "brief", "kind"))
    for i, (recipe, guarded) in enumerate(shape.applications):
        guard = "\nguardrails: [g]" if guarded else ""
        files[f"specs/applications/a{i}.yaml"] = spec(
            "Application", f"a{i}", f"model: Recipe/r{recipe}\nprompt: p{guard}"
        )
    _safety(shape, files, edits)
    for i, (app, data, compares) in enumerate(shape.evaluations):
        path = f"specs/evaluations/e{i}.yaml"
        regression = ", regression: {margin: 0.02}" if compares else ""
        files[path] = spec("Evaluation", f"e{i}", (
            f"target: Application/a{app}\ndataset: d{data}#test\nsample: {{rows: 50}}\nchecks:\n"
            f"  - {{name: acc, metric: builtin/accuracy, require: {{min: 0.5}}{regression}}}"
        ))  # fmt: skip
        edits.append(Edit(f"Evaluation/e{i}", "sample.rows", path, "rows: 50", "rows: 60"))
        edits.append(
            Edit(
                f"Evaluation/e{i}",
                "checks[acc].metric",
                path,
                "builtin/accuracy",
                "builtin/exact_match",
            )
        )
        edits.append(
            Edit(f"Evaluation/e{i}", "checks[acc].require.min", path, "min: 0.5", "min: 0.6")
        )
    return files, edits  # fmt: skip


def _safety(shape: Shape, files: dict[str, str], edits: list[Edit]) -> None:
    """A guardrail with a test, and a scan with a bank for each of the shape's safety tests."""
    path = "specs/guardrails/g.yaml"
    files["specs/data/bank.jsonl"] = '{"prompt": "x"}\n'
    files["specs/datasets/bank.yaml"] = spec("Dataset", "bank", (
        "sources: [{name: a, file: specs/data/bank.jsonl, license: MIT, origin: synthetic}]\n"
        "purpose: [attack]\nformat: attack"
    ))  # fmt: skip
    files[path] = spec("Guardrail", "g", (
        "input: [{name: bad, regex: {pattern: 'bad+'}, action: block}]\n"
        "tests: [{name: blocks, dataset: bank, expect: block, require: {min: 0.5}}]"
    ))  # fmt: skip
    edits += [
        Edit("Guardrail/g", "input[bad].regex.pattern", path, "bad+", "worse+"),
        Edit("Guardrail/g", "tests[blocks].require.min", path, "min: 0.5", "min: 0.6"),
    ]
    for i, (app, data, compares) in enumerate(shape.safety):
        path = f"specs/safety/s{i}.yaml"
        regression = ", regression: {margin: 0.02}" if compares else ""
        files[path] = spec("SafetyTest", f"s{i}", (
            f"target: Application/a{app}\nsuites:\n"
            f"  - {{name: scan, giskard: {{detectors: [prompt_injection], transformations: [typos],"
            f" dataset: d{data}#test, rows: 30}}}}\n"
            "  - {name: refuse, bank: {dataset: bank, rows: 20}}\nchecks:\n"
            f"  - {{name: typos, suite: scan, metric: giskard/typos, require: {{min: 0.5}}"
            f"{regression}}}\n"
            "  - {name: refused, suite: refuse, metric: builtin/refusal, require: {min: 0.5}}\n"
            "fail_on: {severity: high}"
        ))  # fmt: skip
        edits += [
            Edit(f"SafetyTest/s{i}", "suites[scan].giskard.rows", path, "rows: 30", "rows: 40"),
            Edit(f"SafetyTest/s{i}", "suites[refuse].bank.rows", path, "rows: 20", "rows: 10"),
            Edit(f"SafetyTest/s{i}", "fail_on.severity", path, "high", "medium"),
        ]


def applied(files: Mapping[str, str], edits: list[Edit]) -> Graph:
    texts = dict(files)
    for edit in edits:
        assert edit.old in texts[edit.file]
        texts[edit.file] = texts[edit.file].replace(edit.old, edit.new, 1)
    return graph(texts)


def needed(base: Graph, head: Graph) -> dict[str, Job]:
    """Every job of every exam of the change, by closure."""
    asked = exams(base, head)
    both = [m for side in ("head", "base") for m in made_of(asked, side)]  # type: ignore[arg-type]
    return {m.job.closure: m.job for m in both}


def brute_force(base: Graph, head: Graph, proven: set[str]) -> set[str]:
    """A job runs when it is unproven and is wanted: evaluations are, and what a run job reads."""
    jobs = needed(base, head)
    wanted = {c for c, job in jobs.items() if job.type in ("evaluate", "scan", "guard")}
    run: set[str] = set()
    while wanted - run - proven:
        closure = (wanted - run - proven).pop()
        run.add(closure)
        wanted |= set(jobs[closure].needs)
    return run


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(shapes(), st.data())
def test_what_runs_and_why_agrees_with_brute_force(shape: Shape, data: st.DataObject) -> None:
    files, edits = written(shape)
    chosen = data.draw(st.lists(st.sampled_from(edits), unique=True, max_size=4))
    base, head = graph(files), applied(files, chosen)
    jobs = needed(base, head)
    proven = set(data.draw(st.lists(st.sampled_from(sorted(jobs)), unique=True)))
    proofs = {c: Proof(evidence="sha256:" + "e" * 64, status="ok") for c in proven}
    made = plan(base, head, diff(base, head, roles), proofs, TREES)

    run = {step.job.closure for step in made.steps if step.state == "run"}
    assert run == brute_force(base, head, proven)
    assert {s.job.closure for s in made.steps if s.state == "reuse"} == proven & set(jobs)
    position = {step.job.closure: i for i, step in enumerate(made.steps)}
    for step in made.steps:
        assert all(
            position[n] < position[step.job.closure] for n in step.job.needs if n in position
        )

    of_base = {m.job.closure for m in made_of(exams(None, base), "head")}
    for step in made.steps:
        if step.state == "run" and step.job.side == "head":
            expected = causes(step.job, base, head, (files, chosen), of_base)
            assert told(step.why) == expected, step.why


def causes(
    job: Job,
    base: Graph,
    head: Graph,
    change: tuple[Mapping[str, str], list[Edit]],
    of_base: set[str],
) -> set[str]:
    """Fields whose single undoing changes the job's own inputs, and jobs it needs that are new."""
    if job.closure in of_base:
        return {"no evidence yet"}
    files, chosen = change
    own = own_of(base, head, job)
    found = set()
    for edit in chosen:
        undone = applied(files, [e for e in chosen if e is not edit])
        if own not in all_own(base, undone):
            found.add(edit.path if edit.ref == str(job.subject) else f"{edit.ref} {edit.path}")
    jobs = needed(base, head)
    found |= {f"follows {jobs[n].id}" for n in job.needs if n not in of_base}
    return found or {"no evidence yet"}


def own_of(base: Graph, head: Graph, job: Job) -> tuple[str, str]:
    asked = exams(base, head)
    made = [m for side in ("head", "base") for m in made_of(asked, side)]  # type: ignore[arg-type]
    return next(own_inputs(m) for m in made if m.job.closure == job.closure)


def all_own(base: Graph, head: Graph) -> set[tuple[str, str]]:
    return {own_inputs(m) for m in made_of(exams(base, head), "head")}


def told(why: str) -> set[str]:
    """The causes that a reason names, without job numbers."""
    return {cause.partition(" (job")[0] for cause in why.split(", ")}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(shapes())
def test_an_unchanged_tree_changes_nothing_and_once_proven_runs_nothing(shape: Shape) -> None:
    files, _ = written(shape)
    tree = graph(files)
    assert diff(tree, tree, roles) == ()
    proofs = {c: Proof(evidence="e", status="ok") for c in needed(tree, tree)}
    made = plan(tree, tree, (), proofs, TREES)
    assert [s for s in made.steps if s.state == "run"] == []
    assert made == plan(tree, tree, (), proofs, TREES)
