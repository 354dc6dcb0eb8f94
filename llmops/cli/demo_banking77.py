"""The tale of BANKING77: real questions to a bank, a base of forty intents, and ten new ones.

Rows come by digest, from the cache, a mirror or the network. Settings were chosen on validation
rows, and pull requests are judged on them; the last one asks the published test rows, once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmops.cli import tale

SPECS = Path("specs/banking77")
APPLICATION = SPECS / "applications/banking77.yaml"
KNOWN = SPECS / "evaluations/banking77-known.yaml"
LORA = SPECS / "recipes/banking77-lora.yaml"
ADAPTER = SPECS / "recipes/banking77-adapter.yaml"
NEW = (LORA, APPLICATION, SPECS / "evaluations/banking77-new.yaml")
TEST = tuple(SPECS / f"evaluations/banking77-{which}-test.yaml" for which in ("known", "new"))
POLICY = Path("policies/default.yaml")
ENVIRONMENT = Path("specs/environments/local.yaml")
LOOKS = 8  # at the same rows: main, six pull requests, and one to spare
CREDIT = """\
Data: BANKING77, 13,083 questions to a bank, by Casanueva, Temčinas, Gerz, Henderson and Vulić
(Efficient Intent Detection with Dual Sentence Encoders, 2020), PolyAI, licence CC-BY-4.0."""


def _begin(root: Path) -> None:
    """The example before its first pull request: a base model, judged on what it knows."""
    tale.copy(root, str(SPECS), str(POLICY), str(ENVIRONMENT), ".github/CODEOWNERS")
    for path in (LORA, NEW[2], *TEST):
        (root / path).unlink()
    tale.edit(root / APPLICATION, lambda d: d["spec"].update(model="Recipe/banking77-base"))
    tale.edit(root / ENVIRONMENT, lambda d: d["spec"].pop("overlays"))
    tale.edit(root / POLICY, _limit_looks)


def _limit_looks(document: Any) -> None:
    """The running example's policy, with a limit of looks, and tests about these specs."""
    spec = document["spec"]
    spec["budgets"] = {"holdout_looks_per_dataset": LOOKS}
    gate = "Evaluation/banking77-known/accuracy"
    spec["tests"] = [
        {"name": "nothing-changed-passes", "expect": "passed"},
        {
            "name": "what-forgets-fails",
            "counts": {gate: {"right": 15, "of": 788}},
            "expect": {gate: "failed"},
        },
    ]


def _new_intents(root: Path) -> None:
    tale.copy(root, *map(str, NEW))


def _no_rehearsal(root: Path) -> None:
    tale.edit(root / LORA, tale.no_rehearsal)


def _rate_x100(root: Path) -> None:
    tale.edit(root / LORA, tale.rate_x100)


def _lower_bar(root: Path) -> None:
    def lower(document: Any) -> None:
        document["spec"]["checks"][0]["require"]["min"] = 0.7

    tale.edit(root / KNOWN, lower)


def _rename(root: Path) -> None:
    (root / LORA).rename(root / ADAPTER)
    tale.edit(root / ADAPTER, lambda d: d["metadata"].update(name=ADAPTER.stem))
    tale.edit(root / APPLICATION, lambda d: d["spec"].update(model=f"Recipe/{ADAPTER.stem}"))


def _ask_test_rows(root: Path) -> None:
    tale.copy(root, *map(str, TEST))


_STORIES = (
    tale.Story(
        "add-intents", "Add ten intents by LoRA, with rehearsal",
        "A good change: new intents are learnt, the forty known ones are kept.",
        _new_intents, "passed",
    ),
    tale.Story(
        "no-rehearsal", "Train the adapter on the new intents only",
        "Better on the new intents, which is where its author looked. And on the others?",
        _no_rehearsal, "failed",
    ),
    tale.Story(
        "learning-rate", "Learn faster: learning rate x 100", "Broken.", _rate_x100, "failed",
    ),
    tale.Story(
        "lower-bar", "Ask the known intents for 0.7 instead of 0.8",
        "No job runs: kept rows are judged again, and who answers for policies must agree.",
        _lower_bar, "inconclusive", trains=False, approved="team-compliance:li",
    ),
    tale.Story(
        "rename", "Call the adapter an adapter",
        "A file and a name change, the closure of no job does: nothing to run.",
        _rename, "passed", trains=False,
    ),
    tale.Story(
        "test-rows", "Ask the test rows, once",
        "Bounds were set from validation. Does it hold on rows that nobody has looked at?",
        _ask_test_rows, "passed",
    ),
)  # fmt: skip

TALE = tale.Tale(
    begin=_begin,
    title="Forty intents of BANKING77, from scratch",
    told="the first commit: a base model of forty intents, trained on real questions",
    stories=_STORIES,
    try_next="git switch main; edit specs/banking77/recipes/banking77-lora.yaml; llmops plan",
    credit=CREDIT,
)
