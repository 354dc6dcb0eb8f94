"""The tiny example as a drill sees it, and as a repository."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from llmops.cli import scaffold
from llmops.drills.base import Row, Scene
from llmops.graph.build import Graph
from llmops.project import Project, read
from llmops.specs.base import Ref, Reference
from llmops.workers import __main__ as workers
from tests.drills.learner import Learner

LORA = """\
apiVersion: llmops/v1alpha1
kind: Recipe
metadata: {name: faq-lora, owner: team-assistant}
spec:
  base_model: Recipe/faq-base
  method: sft
  data:
    - {dataset: faq#train}    # the same rows
  lora: {r: 4, lora_alpha: 8, target_modules: [q_proj], task_type: CAUSAL_LM}
  training: {learning_rate: 1.0e-3, max_steps: 3}
  seed: 42
"""


def files(model: str = "Recipe/faq-base") -> dict[str, str]:
    """The tiny example with an adapter beside; `model` answers."""
    found = {p: t.decode() for p, t in scaffold.files("tiny", "en").items() if p[0] != "."}
    app = "specs/applications/faq.yaml"
    found[app] = found[app].replace("Recipe/faq-base", model)
    return {**found, "specs/recipes/faq-lora.yaml": LORA}


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    """An executor that learns in milliseconds."""
    here = dict.fromkeys(("train", "generate"), "tests.drills.learner")
    monkeypatch.setattr(workers, "WORKERS", {**workers.WORKERS, **here})
    return Learner()


@pytest.fixture
def scene(git_repo) -> Callable[..., Scene]:
    """The tiny example with some files changed, its whole Dataset taken for each part."""

    def make(changed: dict[str, str] | None = None) -> Scene:
        given = {**files(), **(changed or {})}
        repo = git_repo(given)
        project = Project.find(repo.path)
        state = read(project, project.repository.work_tree())
        assert state.graph is not None, state.diagnostics
        graph: Graph = state.graph

        def rows(used: Reference) -> list[Row]:
            source = graph.specs[used.target].spec["sources"][0]["file"]
            found = [json.loads(line) for line in given[source].splitlines()]
            return [{**row, "case": "sha256:0"} for row in found]

        digest = f"sha256:{1:064}"
        return Scene(graph, Ref("Application", "faq"), state.tree.read, rows, lambda _how: digest)

    return make
