"""`llmops demo`: a story, for real: a repository, its pull requests, each run and judged.

Everything happens in a scratch git repository with a shipped example's specs; every command that
is printed was run, with real training. Each pull request must come out as told, or the exit code
is 1. The telling is here; what is told is a tale (`demo_NAME.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops.cli import common
from llmops.cli.forged import forged
from llmops.cli.tale import Story, Tale
from llmops.errors import LlmopsError, UsageError
from llmops.project import Project, pair
from llmops.signing.trust import of_tree
from llmops.source import fetch

EXAMPLES = """\
  llmops demo
  llmops demo --keep my-demo
  llmops demo --example banking77"""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TALES = ("support", "banking77")
ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "demo", "GIT_AUTHOR_EMAIL": "demo@example.com",
    "GIT_COMMITTER_NAME": "demo", "GIT_COMMITTER_EMAIL": "demo@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `demo`."""
    parser.add_argument(
        "--example", choices=TALES, default=TALES[0], help=f"which story ({TALES[0]})"
    )
    parser.add_argument(
        "--keep", metavar="DIR", help="make the repository in DIR and leave it there"
    )


def main(args: argparse.Namespace) -> int:
    """0 when every pull request came out as told, else 1."""
    started = time.monotonic()
    with _folder(args.keep) as root:
        told = tale_of(args.example)
        wrong = [*_tell(root, told), *_auditor(root, told)]
        minutes, seconds = divmod(round(time.monotonic() - started), 60)
        _ending(root, told, wrong, f"{minutes} min {seconds} s", kept=bool(args.keep))
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


def tale_of(name: str) -> Tale:
    """The tale of that name; only its own file is imported."""
    found: Tale = importlib.import_module(f"llmops.cli.demo_{name}").TALE
    return found


def _tell(root: Path, told: Tale) -> list[str]:
    """The whole story; returns what did not come out as told."""
    _begin(root, told)
    _fetch(root, told)
    wrong = _main_branch(root, told)
    for number, story in enumerate(told.stories, start=1):
        wrong += _pull_request(root, number, story)
        if number == 1 and not wrong:
            _git(root, "switch", "-q", "main")
            _git(root, "merge", "-q", "--no-ff", "-m", f"Merge: {story.title}", story.branch)
            common.say("\nMerged. What follows is judged against the new main.")
    return wrong


def _begin(root: Path, told: Tale) -> None:
    told.begin(root)
    (root / ".gitignore").write_text("/reports/\n", encoding="utf-8")
    _git(root, "init", "-q", "-b", "main")
    _commit(root, told.title)


def _fetch(root: Path, told: Tale) -> None:
    """Rows of others, by digest, before anything is run. Raises FetchError."""
    if not told.credit:
        return
    common.say(told.credit)
    graph = pair(Project.find(root, common.cache_folder()), None, None).head.graph
    assert graph is not None
    fetcher = fetch.from_environment()
    wanted = {s["digest"]: s["uri"] for d in graph.of_kind("Dataset") for s in d.spec["sources"]}
    for digest, uri in sorted(wanted.items()):
        path = fetcher.get(digest, uri, who="the demo")
        common.say(f"{digest} from {uri}\n  {path.stat().st_size:,} bytes, as its digest says")


def _main_branch(root: Path, told: Tale) -> list[str]:
    _headline("main", told.told)
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
    what = f"#{number} {story.title}"
    wrong = _compare(root, (story.branch, "main"), story.outcome, what)
    if story.approved:
        given = ("--approved", story.approved)
        _say_and_run(root, "gate", *trees, *given)
        wrong += _compare(root, (story.branch, "main"), "warned", f"{what}, approved", *given)
    return wrong


def _compare(
    root: Path, trees: tuple[str, str | None], told: str, what: str, *given: str
) -> list[str]:
    from llmops.cli.main import main as command

    head, base = trees
    options = ["--base", base, "--head", head] if base else []
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        command(["gate", "-C", str(root), *options, *given, "--format", "json"])
    came: Any = json.loads(out.getvalue())["outcome"]
    word = came if isinstance(came, str) else str(came)
    common.say(f"\n→ {what}: {word}" + ("" if word == told else f", but {told} was told"))
    return [] if word == told else [f"{what}: {word} instead of {told}"]


def _auditor(root: Path, told: Tale) -> list[str]:
    """What somebody who believes nobody can check; returns what did not come out as told."""
    with tempfile.TemporaryDirectory(prefix="llmops-demo-key-") as outside:
        return _checked(root, told, Path(outside, "key.pem"))


def _checked(root: Path, told: Tale, key: Path) -> list[str]:
    story = next(one for one in told.stories if not one.trains and one.outcome == "passed")
    _headline("the auditor", "Who says so? Keys, a verdict that is signed, a stranger who checks.")
    _git(root, "switch", "-q", "main")
    os.environ["LLMOPS_KEY"] = str(key)
    _say_and_run(root, "keys", "init", "--owner", "demo", "--key", str(key))
    _commit(root, "Trust root 1")
    _git(root, "switch", "-q", "-c", "signed")
    story.edit(root)
    _commit(root, f"{story.title}, once more")
    _say_and_run(root, "gate", "--base", "main", "--head", "signed", "--counted")
    bundle = root / "reports" / "bundle.zip"
    _say_and_run(root, "bundle", "--out", str(bundle))
    chain = of_tree(Project.find(root).repository.tree("main"))
    assert chain is not None
    pinned = ("--root", chain.newest.digest)
    honest = _say_and_run(root, "verify", str(bundle), *pinned)
    common.say("\nSomebody makes one wrong answer right, and computes every digest above it anew:")
    bundle.write_bytes(forged(bundle.read_bytes()))
    caught = _say_and_run(root, "verify", str(bundle), *pinned)
    wrong = [] if honest == 0 else ["the bundle was not verified"]
    return [*wrong, *([] if caught == 1 else ["the forgery was not found"])]


def _say_and_run(root: Path, *words: str) -> int:
    """Print a command as a person would type it, and run it in the scratch repository."""
    from llmops.cli.main import main as command

    common.say(f"\n$ llmops {' '.join(words)}")
    return command([words[0], "-C", str(root), *words[1:]])


def _headline(name: str, text: str) -> None:
    common.say(f"\n{'=' * 100}\n{name}: {text}\n{'=' * 100}")


def _ending(root: Path, told: Tale, wrong: list[str], took: str, *, kept: bool) -> None:
    common.say(f"\n{'=' * 100}")
    how = "all came out as told" if not wrong else "NOT as told: " + "; ".join(wrong)
    count = _NUMBERS[len(told.stories)]
    common.say(f"Main and {count} pull requests in {took}: {how}.")
    if kept:
        common.say(f"Look around: cd {root} && git log --graph --oneline --all")
        common.say("Evidence is in reports/evidence/, rows in reports/runs/*/artifacts/rows.jsonl")
        common.say(f"Try: {told.try_next}")
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
