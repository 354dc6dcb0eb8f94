"""`llmops waiver`: written on a branch of its own, counted once merged, listed with its days."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmops.cli.waiver import SUBCOMMANDS
from llmops.source.document import parse
from llmops.specs.load import load_one

GATE = "Evaluation/quality/accuracy"
NOW = ("--now", "2026-11-23T08:00:00Z")
ASKED = ("--reason", "labels come late", "--ticket", "CS-1207", "--owner", "lihua", *NOW)


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "李华")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "lihua@example.invalid")


def new(llmops, repo, *words: str, gate: str = GATE, expires: str = "30d"):
    return llmops("waiver", "new", gate, "-C", repo.path, "--expires", expires, *ASKED, *words)


def state_of(repo) -> tuple[str, ...]:
    """All that `new` must leave as it was."""
    return (
        repo.git("status", "--porcelain", "--branch"), repo.git("rev-parse", "HEAD"),
        repo.git("ls-files", "--stage"), repo.git("for-each-ref"),
    )  # fmt: skip


def test_every_action_has_two_examples(llmops) -> None:
    for name in SUBCOMMANDS:
        said = llmops("waiver", name, "--help")
        assert said.code == 0
        examples = said.out.split("examples:\n")[1].split("\n\n")[0].splitlines()
        assert [line.startswith(f"  llmops waiver {name}") for line in examples] == [True, True]


def test_new_writes_one_waiver_on_a_branch_of_its_own(llmops, bank) -> None:
    before = state_of(bank)[:3]
    said = new(llmops, bank)
    assert (said.code, said.err) == (0, "")
    assert state_of(bank)[:3] == before
    changed = bank.git("diff", "--name-status", "main", "waiver/cs-1207").split()
    assert changed == ["A", "policies/waivers/cs-1207.yaml"]
    assert bank.git("rev-parse", "waiver/cs-1207^") == bank.git("rev-parse", "main")
    assert bank.git("log", "-1", "--format=%an <%ae>", "waiver/cs-1207") == (
        "李华 <lihua@example.invalid>"
    )
    told = bank.git("log", "-1", "--format=%s", "waiver/cs-1207")
    assert told == f"Waive {GATE} until 2026-12-23"
    assert f"{GATE} may be missed until 2026-12-23" in said.out
    assert "git push origin waiver/cs-1207" in said.out
    assert "1 of team-compliance must approve" in said.out


@pytest.mark.parametrize(
    "reason", ["labels come late", '"quoted": # no comment', "第一行\n第二行", "it's — 50 % {x} 🎉"]
)
def test_what_new_writes_reads_back_as_it_was_said(llmops, bank, reason: str) -> None:
    assert new(llmops, bank, "--reason", reason).code == 0
    data = bank.git("show", "waiver/cs-1207:policies/waivers/cs-1207.yaml").encode()
    document = parse("policies/waivers/cs-1207.yaml", data).document
    assert document is not None
    spec, problems = load_one(document)
    assert problems == ()
    assert spec is not None
    assert spec.spec["waivers"] == [
        {"name": "cs-1207", "gate": GATE, "reason": reason, "ticket": "CS-1207",
         "owner": "lihua", "expires": "2026-12-23"}
    ]  # fmt: skip


def test_its_branch_is_valid_and_waits_for_approval(llmops, bank) -> None:
    assert new(llmops, bank).code == 0
    llmops("run", "-C", bank.path, "--head", "change")
    said = llmops("gate", "-C", bank.path, "--base", "main", "--head", "waiver/cs-1207")
    assert said.code == 1
    assert "Policy/cs-1207/cs-1207: not waived -> " in said.out
    bank.git("switch", "--quiet", "waiver/cs-1207")
    assert llmops("validate", "-C", bank.path).code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"gate": "Evaluation/quality/acuracy"}, f'did you mean "{GATE}"?'),
        ({"gate": "policy-looser"}, "cannot be waived"),
        ({"gate": f"{GATE}[zh]"}, "no gate or rule at"),
        ({"expires": "91d"}, "91 days ahead"),
        ({"expires": "0d"}, "2026-11-23 is today"),
        ({"expires": "2026-11-22"}, "2026-11-22 is past"),
        ({"expires": "soon"}, '"soon" is no day'),
        ({"expires": "2026-02-30"}, "is no day"),
        ({"expires": "99999d"}, "is no day"),
        ({"expires": "٣d"}, "is no day"),
    ],
)
def test_new_refuses_and_leaves_nothing(llmops, bank, words: dict[str, str], why: str) -> None:
    before = state_of(bank)
    said = new(llmops, bank, **words)
    assert said.code == 2
    assert why in said.err
    assert state_of(bank) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "default"), ("--name", "Big"), ("--ticket", "？？"), ("--reason", " "),
        ("--owner", ""), ("--name", ""), ("--reason", "sk-" + "a1B2" * 12), ("--base", "nowhere"),
    ],
)  # fmt: skip
def test_new_refuses_names_that_are_taken_and_texts_that_say_nothing(llmops, bank, words) -> None:
    before = state_of(bank)
    said = new(llmops, bank, *words)
    assert said.code == 2
    assert said.err.startswith("llmops: error: ")
    assert state_of(bank) == before


def test_a_ticket_without_letters_asks_for_a_name_and_a_day_beyond_all_years_is_none(
    llmops, bank
) -> None:
    said = new(llmops, bank, "--ticket", "工单")
    assert said.code == 2
    assert 'no name can be made of the ticket "工单"' in said.err
    late = new(llmops, bank, "--now", "9998-12-31T00:00:00Z", expires="400d")
    assert late.code == 2
    assert "is no day" in late.err


@pytest.mark.parametrize("day", ["90d", "2027-02-21", "1d"])
def test_ninety_days_and_one_day_are_allowed(llmops, bank, day: str) -> None:
    assert new(llmops, bank, expires=day).code == 0


def test_the_same_name_again_is_refused(llmops, bank) -> None:
    assert new(llmops, bank).code == 0
    again = new(llmops, bank)
    assert again.code == 2
    assert 'a branch "waiver/cs-1207" already' in again.err
    bank.git("merge", "--quiet", "--ff-only", "waiver/cs-1207")
    bank.git("branch", "--quiet", "-D", "waiver/cs-1207")
    merged = new(llmops, bank)
    assert merged.code == 2
    assert "is called" in merged.err


def test_without_a_name_git_s_refusal_is_told(llmops, bank, monkeypatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    monkeypatch.setenv("HOME", str(bank.path.parent))
    bank.git("config", "user.useConfigOnly", "true")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(bank.path.parent))
    before = state_of(bank)
    said = new(llmops, bank)
    assert said.code == 3
    assert "git does not know who you are" in said.err
    assert state_of(bank) == before


def test_a_dirty_work_tree_stays_dirty_and_does_not_reach_the_branch(llmops, bank) -> None:
    bank.write({"notes.txt": "mine"})
    bank.git("add", "notes.txt")
    bank.write({"specs/applications/bot.yaml": "broken"})
    before = state_of(bank)[:3]
    assert new(llmops, bank).code == 0
    assert state_of(bank)[:3] == before
    assert bank.git("diff", "--name-only", "main", "waiver/cs-1207") == (
        "policies/waivers/cs-1207.yaml"
    )


# ---- ls ---------------------------------------------------------------------------------------


def merged(llmops, bank, *words: str, **more: str) -> None:
    assert new(llmops, bank, *words, **more).code == 0
    branch = bank.git("for-each-ref", "--format=%(refname:short)", "refs/heads/waiver")
    bank.git("merge", "--quiet", "--ff-only", branch)
    bank.git("branch", "--quiet", "-D", branch)


def listed(llmops, bank, day: str, *words: str) -> tuple[int, list[dict[str, object]]]:
    said = llmops("waiver", "ls", "-C", bank.path, "--format", "json",
                  "--now", f"{day}T08:00:00Z", *words)  # fmt: skip
    return said.code, json.loads(said.out)["waivers"]


def test_no_waiver_is_said(llmops, bank) -> None:
    said = llmops("waiver", "ls", "-C", bank.path)
    assert (said.code, said.out) == (0, "No waiver: every gate counts.\n")


def test_ls_tells_state_and_days_and_fails_for_an_expired_one_in_use(llmops, bank) -> None:
    merged(llmops, bank)
    found = ("--base", "main", "--head", "main")
    code, (one,) = listed(llmops, bank, "2026-11-23", *found)
    assert (code, one["state"], one["days_left"], one["side"]) == (0, "in use", 30, "base")
    code, (one,) = listed(llmops, bank, "2026-12-24", *found)
    assert (code, one["state"], one["days_left"]) == (1, "expired", -1)
    assert one["expired_in_use"] is True
    llmops("run", "-C", bank.path, "--base", "main", "--head", "main")
    code, (one,) = listed(llmops, bank, "2026-11-23", *found)
    assert (code, one["state"]) == (0, "unused")
    code, (one,) = listed(llmops, bank, "2026-12-24", *found)
    assert (code, one["state"], one["expired_in_use"]) == (0, "expired", False)


def test_the_exit_code_of_a_waived_gate_is_that_of_a_warning_until_its_last_day(
    llmops, bank
) -> None:
    path = "specs/evaluations/quality.yaml"
    text = (bank.path / path).read_text("utf-8")
    bank.commit({path: text.replace("require: {min: 0.70}", "require: {min: 0.95}")})
    merged(llmops, bank, "--owner", "team-cs", gate="Evaluation/quality/new")
    llmops("run", "-C", bank.path, "--base", "main", "--head", "main")
    asked = ("gate", "-C", bank.path, "--base", "main", "--head", "main")
    for day, code, last in (("2026-11-23", 0, "warned — 1 of 4 gates, 1 waived"),
                            ("2026-12-23", 0, "warned — 1 of 4 gates, 1 waived"),
                            ("2026-12-24", 1, "failed — 2 of 5 gates")):  # fmt: skip
        said = llmops(*asked, "--now", f"{day}T12:00:00Z")
        assert (said.code, said.out.rstrip().splitlines()[-1]) == (code, f"Verdict: {last}")


def test_ls_tells_base_s_and_head_s_apart(llmops, bank) -> None:
    merged(llmops, bank)
    assert new(llmops, bank, "--name", "other", gate="Policy/default/licences").code == 0
    code, found = listed(llmops, bank, "2026-11-23", "--base", "main", "--head", "waiver/other")
    assert code == 0
    assert [(one["side"], one["name"]) for one in found] == [
        ("base", "Policy/cs-1207/cs-1207"), ("head", "Policy/other/other"),
    ]  # fmt: skip
    text = llmops("waiver", "ls", "-C", bank.path, *NOW, "--base", "main",
                  "--head", "waiver/other").out  # fmt: skip
    assert "* Policy/other/other" in text
    assert "counts once it is merged" in text


def test_base_s_waiver_for_another_application_is_told_as_that_and_fails_no_change(
    llmops, bank
) -> None:
    bank.commit({
        "policies/w.yaml": "apiVersion: llmops/v1alpha1\nkind: Policy\n"
        "metadata: {name: w, owner: team-cs}\nspec:\n  applies_to: {labels: {nobody: has}}\n"
        "  waivers:\n    - {name: w, gate: Evaluation/gone/x, reason: late, ticket: T-1,"
        " owner: li, expires: '2026-12-15'}\n"
    })  # fmt: skip
    asked = ("--base", "main", "--head", "change")
    code, (one,) = listed(llmops, bank, "2026-11-23", *asked)
    assert (code, one["side"], one["state"]) == (0, "base", "does not apply")
    assert llmops("run", "-C", bank.path, *asked).code == 0
    said = llmops("gate", "-C", bank.path, *asked, *NOW)
    assert (said.code, said.out.rstrip().splitlines()[-1]) == (0, "Verdict: passed — 4 gates")


def test_a_waiver_for_nothing_is_an_error_of_validate(llmops, bank) -> None:
    text = (
        "apiVersion: llmops/v1alpha1\nkind: Policy\nmetadata: {name: w, owner: team-cs}\nspec:\n"
        "  waivers:\n    - {name: w, gate: Evaluation/quality/acuracy, reason: late, ticket: T-1,"
        " owner: li, expires: '2026-12-15'}\n"
    )
    bank.write({"policies/w.yaml": text})
    said = llmops("validate", "-C", bank.path)
    assert said.code == 1
    assert "policies/w.yaml:6:23: error[unknown-gate]" in said.out
    assert f'did you mean "{GATE}"?' in said.out


def test_a_waiver_of_a_gate_that_only_base_has_is_valid(llmops, bank) -> None:
    path: Path = bank.path / "specs/evaluations/quality.yaml"
    merged(llmops, bank, gate="Evaluation/quality/known")
    text = path.read_text("utf-8")
    start = text.index("slices:")
    end = text.index("name: new")
    cut = text[:start] + "slices:\n    - {" + text[end:]
    bank.write({"specs/evaluations/quality.yaml": cut})
    assert "unknown-gate" not in llmops("validate", "-C", bank.path).out
