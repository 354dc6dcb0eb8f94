"""`llmops demo`: the story, for real: a repository, seven pull requests, each run and judged.

Everything happens in a scratch git repository with the running example's specs; every command that
is printed was run, with real training. Each pull request must come out as told, or the exit code
is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llmops
from llmops.cli import common
from llmops.errors import LlmopsError, UsageError

EXAMPLES = """\
  llmops demo
  llmops demo --keep my-demo"""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
EXAMPLE = ("specs", "policies", ".github/CODEOWNERS")
LEFT_OUT = ("banking77",)
ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "demo", "GIT_AUTHOR_EMAIL": "demo@example.com",
    "GIT_COMMITTER_NAME": "demo", "GIT_COMMITTER_EMAIL": "demo@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """One pull request: what its author does, and what must come out."""

    branch: str
    title: str
    told: str
    edit: Callable[[Path], None]
    outcome: str
    trains: bool = True


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `demo`."""
    parser.add_argument(
        "--keep", metavar="DIR", help="make the repository in DIR and leave it there"
    )


def main(args: argparse.Namespace) -> int:
    """0 when every pull request came out as told, else 1."""
    started = time.monotonic()
    with _folder(args.keep) as root:
        wrong = _tell(root)
        minutes, seconds = divmod(round(time.monotonic() - started), 60)
        _ending(root, wrong, f"{minutes} min {seconds} s", kept=bool(args.keep))
    return 1 if wrong else 0


@contextlib.contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="llmops-demo-") as name:
            yield Path(name)
        return
    root = Path(keep)
    if root.exists() and any(root.iterdir()):
        raise UsageError(f'"{keep}" is not empty', hint="name a new folder for the demo")
    root.mkdir(parents=True, exist_ok=True)
    yield root


def _tell(root: Path) -> list[str]:
    """The whole story; returns what did not come out as told."""
    _begin(root)
    wrong = _main_branch(root)
    for number, story in enumerate(STORIES, start=1):
        wrong += _pull_request(root, number, story)
        if story is STORIES[0] and not wrong:
            _git(root, "switch", "-q", "main")
            _git(root, "merge", "-q", "--no-ff", "-m", f"Merge: {story.title}", story.branch)
            common.say("\nMerged. What follows is judged against the new main.")
    return wrong


def example() -> Path:
    """The folder with the running example: this checkout, or the installed package's copy."""
    package = Path(llmops.__file__).parent
    for folder in (package.parent, package / "_example"):
        if (folder / "specs" / "applications").is_dir():
            return folder
    raise LlmopsError("the running example is not installed", hint="run the demo from a checkout")


def _begin(root: Path) -> None:
    for name in EXAMPLE:
        source = example() / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
        elif source.is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    (root / ".gitignore").write_text("/reports/\n", encoding="utf-8")
    _git(root, "init", "-q", "-b", "main")
    _before_new_intents(root)
    _commit(root, "A support assistant that knows fourteen intents")


def _main_branch(root: Path) -> list[str]:
    _headline("main", "the first commit: a base model, trained from scratch and judged")
    _say_and_run(root, "validate")
    _say_and_run(root, "plan")
    _say_and_run(root, "run")
    _say_and_run(root, "gate", "--format", "markdown")
    return _compare(root, ("main", None), "warned", "main")


def _pull_request(root: Path, number: int, story: Story) -> list[str]:
    _git(root, "switch", "-q", "main")
    _git(root, "switch", "-q", "-c", story.branch)
    story.edit(root)
    _commit(root, story.title)
    _headline(f"pull request #{number}", f"{story.title}\n   {story.told}")
    trees = ("--base", "main", "--head", story.branch)
    _say_and_run(root, "plan", *trees)
    if story.trains:
        _say_and_run(root, "run", *trees)
    _say_and_run(root, "gate", *trees, "--format", "markdown")
    return _compare(root, (story.branch, "main"), story.outcome, f"#{number} {story.title}")


def _compare(root: Path, trees: tuple[str, str | None], told: str, what: str) -> list[str]:
    from llmops.cli.main import main as command

    head, base = trees
    options = ["--base", base, "--head", head] if base else []
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        command(["gate", "-C", str(root), *options, "--format", "json"])
    came: Any = json.loads(out.getvalue())["outcome"]
    word = came if isinstance(came, str) else str(came)
    common.say(f"\n→ {what}: {word}" + ("" if word == told else f", but {told} was told"))
    return [] if word == told else [f"{what}: {word} instead of {told}"]


def _say_and_run(root: Path, *words: str) -> int:
    """Print a command as a person would type it, and run it in the scratch repository."""
    from llmops.cli.main import main as command

    common.say(f"\n$ llmops {' '.join(words)}")
    return command([words[0], "-C", str(root), *words[1:]])


def _headline(name: str, text: str) -> None:
    common.say(f"\n{'=' * 100}\n{name}: {text}\n{'=' * 100}")


def _ending(root: Path, wrong: list[str], took: str, *, kept: bool) -> None:
    common.say(f"\n{'=' * 100}")
    told = "all came out as told" if not wrong else "NOT as told: " + "; ".join(wrong)
    common.say(f"Main and {_NUMBERS[len(STORIES)]} pull requests in {took}: {told}.")
    if kept:
        common.say(f"Look around: cd {root} && git log --graph --oneline --all")
        common.say("Evidence is in reports/evidence/, rows in reports/runs/*/artifacts/rows.jsonl")
        common.say("Try: git switch main; edit specs/recipes/support-lora.yaml; llmops plan")
    else:
        common.say("Keep the repository and look around: llmops demo --keep my-demo")


def _git(root: Path, *words: str) -> None:
    done = subprocess.run(
        ["git", "-C", str(root), *words],
        env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LlmopsError(f"git {words[0]} failed: {done.stderr.strip()}")


def _commit(root: Path, message: str) -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", message)


# ---- what each author does -----------------------------------------------------------------


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a YAML file as a careful author would: comments and order stay."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(path.read_text(encoding="utf-8"))
    change(document)
    text = io.StringIO()
    yaml.dump(document, text)
    path.write_text(text.getvalue(), encoding="utf-8")


APPLICATION = Path("specs/applications/support.yaml")
EVALUATION = Path("specs/evaluations/support-quality.yaml")
LORA = Path("specs/recipes/support-lora.yaml")
GUARDRAIL = Path("specs/guardrails/support-guard.yaml")
PROMPT = Path("specs/prompts/support.yaml")


def _before_new_intents(root: Path) -> None:
    """The example as it was one pull request ago: the base model, judged on what it knows."""
    (root / LORA).unlink()
    _edit(root / APPLICATION, lambda d: d["spec"].update(model="Recipe/support-base"))

    def without_new(document: Any) -> None:
        spec = document["spec"]
        for check in spec["checks"]:
            check.pop("require", None)
        for other in [s for s in spec["slices"] if "known" not in s.get("values", [])]:
            spec["slices"].remove(other)

    _edit(root / EVALUATION, without_new)


def _new_intents(root: Path) -> None:
    for path in (LORA, APPLICATION, EVALUATION):
        shutil.copy(example() / path, root / path)


def _no_rehearsal(root: Path) -> None:
    def forget(document: Any) -> None:
        data = document["spec"]["data"]
        for entry in [e for e in data if "rehearsal" in e["dataset"]]:
            data.remove(entry)

    _edit(root / LORA, forget)


def _rate_x100(root: Path) -> None:
    def raise_it(document: Any) -> None:
        training = document["spec"]["training"]
        training["learning_rate"] = float(training["learning_rate"]) * 100

    _edit(root / LORA, raise_it)


def _lower_bar(root: Path) -> None:
    def lower(document: Any) -> None:
        bound = document["spec"]["checks"][0]["require"]
        bound["min"] = round(float(bound["min"]) - 0.1, 2)

    _edit(root / EVALUATION, lower)


def _weaken_guard(root: Path) -> None:
    def no_disguises(document: Any) -> None:
        document["spec"]["input"][0]["lexicon"]["normalize"] = ["casefold"]

    _edit(root / GUARDRAIL, no_disguises)


def _lower_case(root: Path) -> None:
    def ask(document: Any) -> None:
        document["spec"]["messages"][0]["content"] = "{{ question | lower }}"

    _edit(root / PROMPT, ask)


def _rename_owner(root: Path) -> None:
    _edit(root / APPLICATION, lambda d: d["metadata"].update(owner="team-quality"))


STORIES = (
    Story(
        "add-intents", "Add six intents by LoRA, with rehearsal",
        "A good change: new intents are learnt, the known ones are kept.",
        _new_intents, "passed",
    ),
    Story(
        "no-rehearsal", "Train the adapter on the new intents only",
        "Faster, and better on the new intents; who notices what it forgot?",
        _no_rehearsal, "failed",
    ),
    Story(
        "learning-rate", "Learn faster: learning rate x 100", "Broken.", _rate_x100, "failed",
    ),
    Story(
        "lower-bar", "Lower the accuracy bound by 0.1",
        "No job runs: kept rows are judged again, and the loosening is shown.",
        _lower_bar, "inconclusive", trains=False,
    ),
    Story(
        "faster-guard", "Save time: the guardrail no longer undoes disguises",
        "Words in full width, or with marks between their letters, get by. The bank tells.",
        _weaken_guard, "failed",
    ),
    Story(
        "lower-case", "Ask in lower case",
        "Nothing is trained: the same weights are asked, judged and scanned again.",
        _lower_case, "passed",
    ),
    Story(
        "rename-owner", "Hand the application to another team",
        "Descriptive: nothing to run.", _rename_owner, "passed", trains=False,
    ),
)  # fmt: skip
