"""promptfoo's YAML -> Prompts, Models, Applications, a Dataset of the tests, and Evaluations.

Keys as in promptfoo's reference (https://www.promptfoo.dev/docs/configuration/reference/). Every
prompt with every provider is an Application of its own, and has an Evaluation over all tests.
Scripts (JavaScript, Python, anything that is run) are never run: they are noted.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmops.diagnostics import printable
from llmops.importers import foo_asserts, foo_prompts, foo_providers, foo_tests
from llmops.importers.base import Draft, Near
from llmops.importers.foo_asserts import Measured
from llmops.importers.keys import Key, idle
from llmops.specs.base import Ref

TOOL = "promptfoo"
MOST_PAIRS = 16  # prompts times providers
_RUN = "code is never run by an import; write what it measures as a check"

KEYS: tuple[Key, ...] = (
    Key("description", "the title of the Dataset", by_hand=True),
    Key("prompts", "a Prompt each", "inline, `file://` text, JSON or YAML chats", by_hand=True),
    Key("providers", "a Model each, with `endpoint` or `weights`", by_hand=True),
    Key("targets", "as `providers`", by_hand=True),
    Key("providers[].config", "`generation` of each Evaluation, `base_url` of the Model",
        "a key's value is never carried, its name is", by_hand=True),
    Key("tests", "rows of one Dataset, as JSON Lines", "inline, CSV, JSON, JSON Lines, YAML",
        by_hand=True),
    Key("tests[].vars", "columns of the row; lists become a row each", by_hand=True),
    Key("tests[].metadata", "columns of the row", by_hand=True),
    Key("defaultTest", "part of every test", by_hand=True),
    Key("scenarios", why="write the tests out"),
    Key("env", why="secrets are named, never written; other words of the environment are not read"),
    Key("evaluateOptions", why="how an endpoint may be called is said in limits: of its Model"),
    Key("commandLineOptions", why="llmops has options of its own"),
    Key("outputPath", why="llmops report and llmops gate --format write results"),
    Key("sharing", why="nothing is sent away"),
    Key("tags", why="write labels: in metadata"),
    Key("metadata", why="write annotations: in metadata"),
    Key("extensions", why=_RUN),
    Key("nunjucksFilters", why=_RUN),
    Key("derivedMetrics", why="a gate is one check with one bound"),
    Key("assertionTemplates", why="write the assertion where it is meant"),
    Key("redteam", why="a SafetyTest holds attack banks and scans"),
    Key("tracing", why="traces are not read"),
    Key("writeLatestResults", why="evidence is always kept"),
)  # fmt: skip


def read(draft: Draft, near: Near, name: str) -> None:
    """Everything that a configuration says, in the draft; `name` is what its suite is called."""
    given = draft.document.value
    prompts = foo_prompts.read(draft, near)
    models = foo_providers.read(draft)
    tests = foo_tests.read(draft, near)
    dataset = foo_tests.dataset(draft, name, tests)
    measured = foo_asserts.measured(draft, tests)
    foo_tests.rows(draft, dataset, tests)
    foo_prompts.inputs(draft, prompts, tests)
    if isinstance(description := given.get("description"), str) and description.strip():
        draft.about(dataset, description)
    _pairs(draft, prompts, models, dataset, measured)
    _others(draft)


def _pairs(
    draft: Draft, prompts: Sequence[Ref], models: Sequence[Ref], dataset: Ref, measured: Measured
) -> None:
    """Each prompt with each model: an Application, and what is measured of its answers."""
    pairs = [(prompt, model) for prompt in prompts for model in models]
    if len(pairs) > MOST_PAIRS:
        why = f"{len(pairs)} prompts with providers; the first {MOST_PAIRS} are written"
        draft.note(("prompts",), why)
    judge = foo_providers.judge(draft, measured) if measured.asks_judge and pairs else None
    for prompt, model in pairs[:MOST_PAIRS]:
        name = prompt.name if len(models) == 1 else f"{prompt.name}-{model.name}"
        application = draft.add("Application", name)
        draft.put(application, "model", str(model), ("providers",))
        draft.put(application, "prompt", prompt.name, ("prompts",))
        foo_providers.unanswered(draft, model, application)
        evaluation = draft.add("Evaluation", name)
        draft.put(evaluation, "target", str(application), ("tests",))
        draft.put(evaluation, "dataset", dataset.name, ("tests",))
        for key, value, of in foo_providers.generation(draft, model):
            draft.put(evaluation, f"generation.{key}", value, of)
        foo_asserts.put(draft, evaluation, measured, judge)


def _others(draft: Draft) -> None:
    known = {key.name: key for key in KEYS}
    for name, value in draft.document.value.items():
        if name.startswith("$") or idle(value):
            continue
        if name not in known:
            draft.note((name,), "llmops does not know this key")
        elif name == "env":
            names = ", ".join(value) if isinstance(value, dict) else "…"
            draft.note((name,), known[name].why, f"env: {printable(names, 80)}")
        elif not known[name].by_hand:
            draft.note((name,), known[name].why)
