"""A small repository with a log that was signed by hand: what a bundle is made from.

Nothing in it follows from anything: two trees, one run with rows, an eval report that names them.
`SECRET` stands wherever a case's text may stand, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.attest.given import File, Given, LedgerEnd, Named, Run
from llmops.audit.source import Clone
from llmops.digest import canonical, of_bytes
from llmops.evidence import public
from llmops.evidence.statement import statement
from llmops.evidence.store import Store
from llmops.log.base import EVAL_REPORT, RUN
from llmops.log.branch import Log
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from llmops.source.tree import Repository, Tree
from tests.conftest import GitRepo
from tests.evidence.conftest import Maker
from tests.keyring import person, root_of, signed
from tests.trees import BANK

SECRET = "Frau Beispiel wohnt in der Ligusterallee 4"
SHOTS = '{"user": "hello", "assistant": "hi"}\n'
PEN = person("gate")
ROOT = signed(root_of(PEN), PEN)
DATA = "specs/data/bank.jsonl"


def files() -> dict[str, str]:
    """What is committed: specs, a Dataset's file with private text, and a file that is nobody's."""
    prompt = BANK["specs/prompts/ask.yaml"].replace(
        "messages:", "few_shot: [{file: specs/prompts/shots.jsonl}]\n  messages:"
    )
    return {
        **BANK,
        "specs/prompts/ask.yaml": prompt,
        "specs/prompts/shots.jsonl": SHOTS,
        "policies/trust/1.root.json": ROOT.decode(),
        ".github/CODEOWNERS": "* @team\n",
        DATA: f'{{"question": "{SECRET}", "answer": "b", "language": "en"}}\n',
        "notes/private.txt": SECRET,
        "src/main.py": f"# {SECRET}\n",
    }


def row(number: int) -> dict[str, Any]:
    """A row that says the secret wherever it can."""
    return {
        "id": f"q-{number}",
        "case": of_bytes(str(number).encode()),
        "input": SECRET,
        "expected": f"{SECRET} {number}",
        "response": SECRET,
        "columns": {"language": "en", "question": SECRET},
        "cells": {"accuracy": {"value": float(number % 2), "valid": True, "reason": SECRET}},
    }


@dataclass
class Small:
    """The repository, its kept run, and its log."""

    repo: GitRepo
    store: Store
    log: Log
    given: Given

    @property
    def clone(self) -> Clone:
        """As `llmops bundle` reads it."""
        return Clone(self.log.repository, self.log.source())

    def append(self, *statements: Mapping[str, Any], blobs: tuple[bytes, ...] = ()) -> None:
        """Sign statements and append them."""
        made = [dsse.encode(dsse.sign(IN_TOTO, canonical(one), [PEN])) for one in statements]
        self.log.append(lambda _known: made, blobs, PEN)

    def tree(self, rev: str) -> Tree:
        """The files of a revision."""
        return self.log.repository.tree(rev)


def small(root: Path, rows: int = 9, ids: str = "sha1") -> Small:
    """A new one below a folder; `ids`: how its objects are named."""
    repo = GitRepo(root / "repo")
    repo.path.mkdir(parents=True)
    repo.git("init", "--quiet", "--initial-branch=main", f"--object-format={ids}")
    base = repo.commit(files(), "first")
    head = repo.commit({"specs/recipes/base.yaml": _edited()}, "second")
    repository = Repository.find(repo.path)
    store = Store(repo.path / "reports")
    data = b"".join(canonical(row(number)) + b"\n" for number in range(rows))
    job, result = Maker(store).run("q", {"rows.jsonl": data})
    store.keep(job, result)
    form = public.public("rows.jsonl", data, ["language"])
    ran = statement(result, job)
    predicate = {
        **ran["predicate"], "columns": ["language"], "disclosed": {"rows.jsonl": form.digest},
    }  # fmt: skip
    ran = {**ran, "predicate": predicate}
    assert ran["predicateType"] == RUN
    trees = [repository.tree(rev) for rev in (base, head)]
    made = Small(repo, store, Log(repository), _given(trees, result.closure, ran))
    made.append(ran, blobs=(form.data,))
    made.append(report(made.given))
    return made


def report(given: Given) -> dict[str, Any]:
    """An eval report that says what it takes as given, and nothing else."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "closure", "digest": {"sha256": "0" * 64}}],
        "predicateType": EVAL_REPORT,
        "predicate": {"given": given.to_json(), "outcome": "passed"},
    }


def _edited() -> str:
    return files()["specs/recipes/base.yaml"].replace("max_steps: 10", "max_steps: 20")


def _given(trees: list[Tree], closure: str, ran: Mapping[str, Any]) -> Given:
    blob = trees[0].blobs()[DATA]
    base, head = (Named(tree.label, tree.oid, tree.commit) for tree in trees)
    return Given(
        root=f"sha256:{'0' * 64}",
        log_size=1,
        log_root="0" * 64,
        repository="",
        judged_at="2026-11-22T09:00:00Z",
        tool_version="0",
        environment="",
        change="",
        base=base,
        head=head,
        ledger=LedgerEnd(0, ""),
        runs={closure: Run(of_bytes(canonical(ran))[7:], 0)},
        files={blob.oid: File(trees[0].digests([DATA])[DATA][7:], blob.size)},
    )
