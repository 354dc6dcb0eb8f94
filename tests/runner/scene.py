"""The tiny example at the fake GitHub, wired as `init` wires it, and its Actions.

    scene = Scene.of(tmp_path, Choice())            # another choice of runners or gate
    pull = scene.pull("change", {RECIPE: scene.text(RECIPE).replace("seed: 42", "seed: 43")})
    with scene.fake.serve():
        done = scene.actions.pull_request(pull, "opened")

Jobs are done by the stand-in worker (`tests/tools/stand_in.py`): the real curate, guard and
evaluate; training and answers are made up as `WORLD` says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.cli import scaffold
from llmops.workflows.templates import Choice, files
from tests.github import FakeGitHub
from tests.github.pulls import FakePull
from tests.github.repository import FakeRepository
from tests.runner.flow import PATH, Actions
from tests.tools.terminal import WORLD

PACKAGE = "git+https://example.org/o/llmops@0123456789abcdef0123456789abcdef01234567"
RECIPE = "specs/recipes/faq-base.yaml"
EVALUATION = "specs/evaluations/faq-quality.yaml"
WORKFLOW = PATH
NAME = "acme/bot"


@dataclass
class Scene:
    """A repository under change control."""

    fake: FakeGitHub
    repo: FakeRepository
    actions: Actions
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, root: Path, choice: Choice | None = None, *, more: Mapping[str, str] | None = None,
        world: Mapping[str, Any] = WORLD, required: bool = False,
    ) -> Scene:  # fmt: skip
        """`required`: the workflow is a ruleset's, and this repository has none."""
        fake = FakeGitHub(root / "github")
        made = {path: data.decode("utf-8") for path, data in scaffold.files("tiny", "en").items()}
        flow = files(choice or Choice(package=PACKAGE), "en", "2.13.0")
        made |= {} if required else flow
        made |= more or {}
        repo = fake.repository(NAME, made)
        told = root / "world.json"
        told.write_text(json.dumps(world), encoding="utf-8")
        text = flow[WORKFLOW] if required else ""
        variables = {"LLMOPS_PACKAGE": PACKAGE}
        actions = Actions(fake, repo, root / "machines", variables, told, text)
        return cls(fake, repo, actions, made)

    def text(self, path: str) -> str:
        """A file as main has it."""
        return self.files[path]

    def pull(self, branch: str, changed: Mapping[str, str | None], **about: Any) -> FakePull:
        """Open a pull request."""
        return self.repo.pull(branch, changed, **about)

    def edited(self, path: str, before: str, after: str) -> dict[str, str]:
        """A file with one text in place of another that stands there once."""
        text = self.text(path)
        assert text.count(before) == 1, f"{path} has no single {before!r}"
        return {path: text.replace(before, after)}

    def check(self, sha: str) -> str:
        """What the box of `llmops/gate` shows at a commit."""
        return self.repo.state_of(sha, "llmops/gate")
