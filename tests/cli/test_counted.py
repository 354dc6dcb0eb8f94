"""Attempts, as an engineer meets them: a real repository, the real commands, made-up workers.

Each edit of the adapter's rank is another closure of the same claims.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops.evidence.ledger import Ledger
from tests.conftest import GitRepo

POLICY = "policies/default.yaml"
RECIPE = "specs/recipes/adapter.yaml"
EVALUATION = "specs/evaluations/quality.yaml"
DATASET = "specs/datasets/bank.yaml"
MORE = "    - {name: more, when: attempts, from: [team-compliance], count: 1}\n"


def edited(repo: GitRepo, path: str, *changes: tuple[str, str]) -> None:
    """A commit on the current branch."""
    text = (repo.path / path).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    repo.commit({path: text}, f"edit {path}")


@pytest.fixture
def three(bank: GitRepo) -> GitRepo:
    """On main, a policy that allows three attempts and says who may grant one more."""
    edited(
        bank,
        POLICY,
        ("spec:\n", "spec:\n  attempts: 3\n"),
        ("  approvals:\n", f"  approvals:\n{MORE}"),
    )
    return bank


@pytest.fixture
def branch(three: GitRepo) -> Callable[..., str]:
    """`branch(9)`: a branch off main on which the adapter has rank 9."""

    def make(rank: int, *more: tuple[str, str, str]) -> str:
        three.git("switch", "--quiet", "main")
        three.git("switch", "--quiet", "--create", f"rank-{rank}")
        text = (three.path / RECIPE).read_text()
        three.commit({RECIPE: re.sub(r"r: \d+", f"r: {rank}", text)}, f"rank {rank}")
        for path, before, after in more:
            edited(three, path, (before, after))
        three.git("switch", "--quiet", "main")
        return f"rank-{rank}"

    return make


@pytest.fixture
def counted(llmops, three) -> Callable[..., dict[str, Any]]:
    """`counted("rank-9")`: run and gate a branch so that it counts; the verdict as data."""

    def judge(branch: str, *words: str, run: bool = True) -> dict[str, Any]:
        trees = ("-C", three.path, "--head", branch)
        if run:
            assert llmops("run", *trees, "--counted").code == 0
        said = llmops("gate", *trees, "--counted", "--format", "json", *words)
        found: dict[str, Any] = json.loads(said.out)
        assert said.code == (0 if found["outcome"] in ("passed", "warned") else 1)
        return found

    return judge


def of(verdict: dict[str, Any], gate: str = "Evaluation/quality/accuracy") -> dict[str, Any]:
    """The one finding of a gate."""
    (found,) = (f for f in verdict["findings"] if f["gate"] == gate)
    return found


def standing(verdict: dict[str, Any]) -> tuple[int, int, float]:
    """Attempt, of how many, level; the same for every claim of the verdict."""
    found = {
        (f["attempt"], f["attempts"], f["level"])
        for f in verdict["findings"]
        if f["level"] is not None
    }
    assert len(found) == 1
    return found.pop()


def test_three_edits_of_one_space_are_three_attempts_and_a_fourth_is_too_many(
    branch, counted
) -> None:
    levels = []
    for rank in (9, 10, 11):
        verdict = counted(branch(rank))
        assert verdict["outcome"] == "passed"
        assert verdict["advisory"] is False
        levels.append(standing(verdict))
    assert levels == [(1, 3, 0.025), (2, 3, 0.0125), (3, 3, 0.0125)]
    fourth = counted(branch(12))
    assert fourth["outcome"] == "inconclusive"
    assert of(fourth)["message"] == (
        "attempts used up: 3 of 3 on Application/bot, this is number 4"
    )
    assert of(fourth)["hint"] == (
        "one more has 0 of 1 approvals from team-compliance (Policy/default/more); say what changed"
    )


def test_one_more_attempt_is_granted_by_whom_base_names_and_stays_granted(branch, counted) -> None:
    for rank in (9, 10, 11):
        counted(branch(rank))
    name = branch(12)
    assert counted(name, "--approved", "team-cs:li")["outcome"] == "inconclusive"
    granted = counted(name, "--approved", "team-compliance:wang")
    assert granted["outcome"] == "passed"
    assert standing(granted) == (4, 3, 0.0125)
    assert granted["counted"]["approved_by"] == ["wang"]
    assert counted(name)["outcome"] == "passed"
    assert counted(branch(13))["outcome"] == "inconclusive", "one more is not all that follow"


def test_the_last_that_lands_gives_all_attempts_back(branch, counted, three) -> None:
    for rank in (9, 10, 11):
        counted(branch(rank))
    three.git("merge", "--quiet", "--ff-only", "rank-11")
    assert standing(counted(branch(12))) == (1, 3, 0.025)


def test_an_earlier_one_that_lands_gives_its_own_and_those_before_it_back(
    branch, counted, three
) -> None:
    for rank in (9, 10, 11):
        counted(branch(rank))
    three.git("merge", "--quiet", "--ff-only", "rank-10")
    assert standing(counted(branch(12))) == (2, 3, 0.0125)


def test_judging_main_again_and_again_gives_nothing_back(branch, counted, three) -> None:
    counted(branch(9))
    three.git("merge", "--quiet", "--ff-only", "rank-9")
    for rank in (10, 11, 12):
        counted(branch(rank))
        assert counted("main")["outcome"] in ("passed", "warned")
    assert counted(branch(13))["outcome"] == "inconclusive"
    assert standing(counted("main")) == (1, 3, 0.025), "what landed stands as it was judged"


def test_the_same_tree_again_is_the_same_attempt(branch, counted, three) -> None:
    name = branch(9)
    first = counted(name)
    entries = Ledger(three.path / "reports").entries()
    assert standing(counted(name)) == standing(first) == (1, 3, 0.025)
    assert Ledger(three.path / "reports").entries() == entries


def test_what_only_ran_before_was_no_attempt(llmops, branch, counted, three) -> None:
    name = branch(9)
    assert llmops("run", "-C", three.path, "--head", name).code == 0
    verdict = counted(name, run=False)
    assert verdict["outcome"] == "inconclusive"
    assert of(verdict)["message"] == "no attempt was recorded before it ran"
    assert of(verdict)["hint"] == "llmops run --counted"
    assert standing(counted(name)) == (1, 3, 0.025), "evidence is reused, to look at it counts"


def test_nothing_is_counted_without_the_word(llmops, branch, three) -> None:
    for rank in range(9, 14):
        name = branch(rank)
        assert llmops("run", "-C", three.path, "--head", name).code == 0
        said = json.loads(llmops("gate", "-C", three.path, "--head", name, "--format", "json").out)
        assert (said["outcome"], said["advisory"], said["counted"]) == ("passed", True, None)
        assert of(said)["level"] == 0.05
        assert of(said)["attempt"] is None
    assert not (three.path / "reports/ledger").exists()


def test_a_variable_says_it_for_a_whole_pipeline(llmops, branch, three, monkeypatch) -> None:
    monkeypatch.setenv("LLMOPS_COUNTED", "1")
    name = branch(9)
    assert "Attempt 1 of 3 at 4 claims." in llmops("run", "-C", three.path, "--head", name).out
    said = llmops("gate", "-C", three.path, "--head", name, "--format", "json")
    assert json.loads(said.out)["advisory"] is False


def test_a_tree_that_is_not_committed_does_not_count(llmops, three) -> None:
    text = (three.path / RECIPE).read_text()
    three.write({RECIPE: re.sub(r"r: \d+", "r: 9", text)})
    for command in ("run", "gate", "report"):
        said = llmops(command, "-C", three.path, "--counted")
        assert said.code == 2
        assert "not committed" in said.err
    assert not (three.path / "reports").exists()


def test_a_dry_run_records_nothing(llmops, branch, three) -> None:
    assert llmops("run", "-C", three.path, "--head", branch(9), "--counted", "--dry-run").code == 0
    assert not (three.path / "reports/ledger").exists()


def test_an_attempt_stands_in_the_ledger_before_its_jobs_start(
    llmops, branch, three, monkeypatch
) -> None:
    import llmops.cli.run as command

    seen = []

    def execute(project: Any, *_: Any) -> Any:
        seen.append(len(Ledger(project.reports).entries()))
        raise OSError("the machine went away")

    monkeypatch.setattr(command, "execute", execute)
    assert llmops("run", "-C", three.path, "--head", branch(9), "--counted").code == 3
    assert seen == [4]


def test_the_world_failed_and_trying_again_is_free(llmops, branch, counted, three) -> None:
    name = branch(9)
    broken = three.path / "reports/runs"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("in the way")
    assert llmops("run", "-C", three.path, "--head", name, "--counted").code == 3
    broken.unlink()
    assert standing(counted(name)) == (1, 3, 0.025)


def test_another_name_for_the_gate_gives_nothing_back(branch, counted) -> None:
    for rank in (9, 10, 11):
        counted(branch(rank))
    renamed = counted(branch(12, (EVALUATION, "name: accuracy", "name: precision"),
                             (EVALUATION, "check: accuracy", "check: precision")))  # fmt: skip
    assert of(renamed)["outcome"] == "inconclusive", "base's gate still counts"
    assert of(renamed, "Evaluation/quality/precision")["attempt"] == 1


def test_another_file_for_the_evaluation_gives_nothing_back(branch, counted, three) -> None:
    for rank in (9, 10, 11):
        counted(branch(rank))
    name = branch(12)
    three.git("switch", "--quiet", name)
    text = (three.path / EVALUATION).read_text()
    three.commit({EVALUATION: None, "specs/evaluations/other/quality.yaml": text}, "move")
    three.git("switch", "--quiet", "main")
    assert of(counted(name))["attempt"] == 4


def test_a_larger_sample_is_an_attempt_with_the_old_cases_in_it(branch, counted, three) -> None:
    counted(branch(9))
    three.git("switch", "--quiet", "--create", "fewer", "rank-9")
    edited(three, EVALUATION, ("rows: 480", "rows: 470"))
    three.git("switch", "--quiet", "main")
    verdict = counted("fewer")
    found = {f["judged_by"]: (f["attempt"], f["n"]) for f in verdict["findings"]
             if f["gate"] == "Evaluation/quality/accuracy"}  # fmt: skip
    assert found == {"base": (1, 480), "head": (2, 470)}


def test_within_a_pull_request_attempts_are_counted_by_its_name(llmops, branch, three) -> None:
    edited(three, POLICY, ("  attempts: 3\n", "  attempts: 3\n  count: pull_request\n"))

    def judged(rank: int, *words: str) -> dict[str, Any]:
        trees = ("-C", three.path, "--head", branch(rank), "--counted", *words)
        assert llmops("run", *trees).code == 0
        found: dict[str, Any] = json.loads(llmops("gate", *trees, "--format", "json").out)
        return found

    assert standing(judged(9, "--change", "pr-1")) == (1, 3, 0.025)
    assert standing(judged(10, "--change", "pr-2")) == (1, 3, 0.025)
    assert standing(judged(11, "--change", "pr-1")) == (2, 3, 0.0125)
    unnamed = judged(12)
    assert unnamed["counted"]["by"] == "claim"
    assert "--change" in unnamed["counted"]["note"]
    assert standing(unnamed) == (4, 3, 0.0125)


def test_the_first_commit_counts_as_well(llmops, git_repo) -> None:
    from tests.cli.conftest import GOOD

    repo = git_repo(GOOD.files("base"), "first")
    assert llmops("run", "-C", repo.path, "--counted").code == 0
    said = llmops("gate", "-C", repo.path, "--counted", "--format", "json")
    assert standing(json.loads(said.out)) == (1, 1, 0.05)


def test_a_policy_that_says_nothing_allows_one(llmops, bank) -> None:
    for rank, (outcome, attempt) in {9: ("passed", 1), 10: ("inconclusive", 2)}.items():
        bank.git("switch", "--quiet", "--create", f"rank-{rank}", "main")
        edited(bank, RECIPE, ("r: 8", f"r: {rank}"))
        words = ("-C", bank.path, "--counted")
        assert llmops("run", *words).code == 0
        verdict = json.loads(llmops("gate", *words, "--format", "json").out)
        assert verdict["outcome"] == outcome
        assert standing(verdict) == (attempt, 1, 0.05)
    assert "raise `attempts`" in of(verdict)["hint"]


def test_a_damaged_ledger_lets_nothing_pass_and_nothing_start(
    llmops, branch, counted, three
) -> None:
    counted(branch(9))
    first = three.path / "reports/ledger/00000001.json"
    first.write_bytes(first.read_bytes().replace(b'"attempt":1', b'"attempt":2'))
    verdict = counted("rank-9", run=False)
    assert verdict["outcome"] == "inconclusive"
    assert "00000002.json does not follow the entry before it" in of(verdict)["message"]
    assert "damaged" in verdict["counted"]["note"]
    said = llmops("run", "-C", three.path, "--head", branch(10), "--counted")
    assert said.code == 3
    assert "the ledger is damaged" in said.err
    assert (
        json.loads(llmops("gate", "-C", three.path, "--head", "rank-9", "--format", "json").out)[
            "outcome"
        ]
        == "passed"
    ), "what does not count needs no ledger"


def test_a_tree_cannot_bring_its_own_ledger(llmops, three) -> None:
    three.git("switch", "--quiet", "--create", "bold")
    three.write({"reports/ledger/00000001.json": "{}"})
    three.git("add", "--force", "reports")
    three.git("commit", "--quiet", "--message", "bold")
    said = llmops("gate", "-C", three.path, "--head", "bold", "--counted")
    assert said.code == 2
    assert "brings its own evidence" in said.err


def ledger(repo: GitRepo) -> Iterator[Path]:
    yield from sorted((repo.path / "reports/ledger").glob("0*.json"))


def test_gc_never_removes_an_entry(llmops, branch, counted, three) -> None:
    counted(branch(9))
    left = three.path / "reports/ledger/.0123456789abcdef.tmp"
    left.write_bytes(b"half")
    before = [path.read_bytes() for path in ledger(three)]
    assert llmops("gc", "-C", three.path, "--keep-days", "0").code == 0
    assert [path.read_bytes() for path in ledger(three)] == before
    assert not left.exists(), "what a killed writer left may go"


def test_attempts_and_looks_are_shown_by_claim(llmops, branch, counted, three) -> None:
    assert llmops("show", "attempts", "-C", three.path).out.startswith("No attempt is recorded")
    for rank in (9, 10, 11):
        counted(branch(rank))
    counted(branch(12), "--approved", "team-compliance:wang")
    said = llmops("show", "attempts", "accuracy", "-C", three.path)
    assert said.code == 0
    first, head, *rows = said.out.splitlines()
    assert first == "Evaluation/quality/accuracy on Application/bot"
    assert head.split()[:3] == ["attempt", "level", "recorded"]
    assert [row.split()[:4] for row in rows[:4]] == [
        ["1", "of", "3", "0.025"], ["2", "of", "3", "0.0125"], ["3", "of", "3", "0.0125"],
        ["4", "of", "3", "0.0125"],
    ]  # fmt: skip
    assert rows[3].endswith("passed (granted by wang)")
    found = json.loads(llmops("show", "attempts", "-C", three.path, "--format", "json").out)
    assert len(found["claims"]) == 4
    assert found["entries"] == len(Ledger(three.path / "reports").entries())
    (looks,) = found["looks"]
    assert looks["count"] == 5, "base's and those of four branches"


def test_a_run_needs_a_name_and_attempts_do_not(llmops, three) -> None:
    assert llmops("show", "run", "-C", three.path).code == 2
    assert llmops("show", "attempts", "nothing-is-called-so", "-C", three.path).code == 0


def test_a_damaged_ledger_is_told_by_show_and_doctor(llmops, branch, counted, three) -> None:
    counted(branch(9))
    doctor = ("doctor", "-C", three.path, "--quick", "--format", "json")

    def told() -> dict[str, Any]:
        found = json.loads(llmops(*doctor).out)["findings"]
        (one,) = (f for f in found if f["name"] == "ledger")
        return dict(one)

    assert told()["state"] == "ok"
    (three.path / "reports/ledger/00000002.json").unlink()
    assert told()["state"] == "warning"
    assert "00000002.json is gone" in told()["message"]
    shown = llmops("show", "attempts", "-C", three.path)
    assert shown.code == 3
    assert "00000002.json is gone" in shown.err


# ---- looks -------------------------------------------------------------------------------------


def test_each_look_at_the_same_rows_counts_whatever_the_dataset_is_called(
    llmops, bank: GitRepo
) -> None:
    """Two looks are allowed: base's and one more. The third decides nothing, by any name."""
    edited(bank, POLICY, ("spec:\n", "spec:\n  budgets: {holdout_looks_per_dataset: 2}\n"))

    def looked(rank: int, *more: tuple[str, str, str]) -> dict[str, Any]:
        bank.git("switch", "--quiet", "--create", f"rank-{rank}", "main")
        edited(bank, RECIPE, ("r: 8", f"r: {rank}"))
        files: dict[str, str | None] = {
            path: (bank.path / path).read_text().replace(before, after)
            for path, before, after in more
        }
        if DATASET in files:
            files |= {DATASET.replace("bank", "fresh"): files[DATASET], DATASET: None}
        if files:
            bank.commit(files, "another name")
        assert llmops("run", "-C", bank.path).code == 0
        found: dict[str, Any] = json.loads(llmops("gate", "-C", bank.path, "--format", "json").out)
        return found

    first = looked(9)
    assert first["outcome"] == "passed"
    assert [(one["dataset"], one["count"], one["limit"]) for one in first["looks"]] == [
        ("Dataset/bank#test", 2, 2)
    ]
    again = json.loads(llmops("gate", "-C", bank.path, "--format", "json").out)
    assert again["looks"] == first["looks"], "to judge the same evidence again is no look"
    renamed = looked(10, (DATASET, "name: bank", "name: fresh"),
                     (EVALUATION, "bank#test", "fresh#test"),
                     (RECIPE, "bank#train", "fresh#train"),
                     ("specs/recipes/base.yaml", "bank#train", "fresh#train"),
                     ("specs/models/tiny.yaml", "bank#train", "fresh#train"),
                     ("specs/prompts/ask.yaml", "dataset: bank", "dataset: fresh"))  # fmt: skip
    assert renamed["outcome"] == "inconclusive"
    assert of_side(renamed, "head")["message"] == "looked at 5 times, 2 are allowed", (
        "main's, the branch's, and three by the new name: base's gate, head's, and its comparison"
    )
    assert "fresh rows" in of_side(renamed, "head")["hint"]


def of_side(verdict: dict[str, Any], side: str) -> dict[str, Any]:
    """The finding of the accuracy gate of base or head."""
    (found,) = (
        f for f in verdict["findings"]
        if (f["gate"], f["judged_by"]) == ("Evaluation/quality/accuracy", side)
    )  # fmt: skip
    return found
