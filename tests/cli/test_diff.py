from __future__ import annotations

import json


def test_a_change_is_told_field_by_field(llmops, bank) -> None:
    said = llmops("diff", "-C", bank.path, "main", "change")
    assert said.code == 0
    assert "lora.r" in said.out
    assert "8 -> 16" in said.out
    assert "through model" in said.out


def test_a_tree_and_itself_do_not_differ(llmops, bank) -> None:
    said = llmops("diff", "-C", bank.path, "main", "main", "--exit-code")
    assert (said.code, said.out) == (0, "No change of meaning.\n")


def test_exit_code_tells_of_a_change(llmops, bank) -> None:
    assert llmops("diff", "-C", bank.path, "main", "change", "--exit-code").code == 1


def test_json_parses_and_names_the_role(llmops, bank) -> None:
    found = json.loads(llmops("diff", "-C", bank.path, "main", "change", "--format", "json").out)
    fields = [f for change in found["changes"] for f in change["fields"]]
    assert [(f["path"], f["before"], f["after"]) for f in fields] == [("lora.r", 8, 16)]


def test_markdown_for_a_pull_request(llmops, bank) -> None:
    assert "`" in llmops("diff", "-C", bank.path, "main", "change", "--format", "md").out


def test_the_work_tree_is_the_head_unless_one_is_named(llmops, bank) -> None:
    text = (bank.path / "specs/recipes/adapter.yaml").read_text()
    bank.write({"specs/recipes/adapter.yaml": text.replace("r: 8", "r: 4")})
    assert "8 -> 4" in llmops("diff", "-C", bank.path).out


def test_an_unknown_revision_is_wrong_usage(llmops, bank) -> None:
    said = llmops("diff", "-C", bank.path, "main", "no-such-branch")
    assert said.code == 2
    assert "no-such-branch" in said.err
    assert llmops("diff", "-C", bank.path, "--exit-code", "--", "-x").code == 2


def test_what_would_land_is_compared_not_the_branch_alone(llmops, bank) -> None:
    bank.commit({"specs/applications/bot.yaml": _owner(bank, "team-quality")}, "on main")
    out = llmops("diff", "-C", bank.path, "main", "change").out
    assert "lora.r" in out
    assert "owner" not in out  # main's own change is no change of the branch


def test_a_conflict_names_its_files(llmops, bank) -> None:
    text = (bank.path / "specs/recipes/adapter.yaml").read_text()
    bank.commit({"specs/recipes/adapter.yaml": text.replace("r: 8", "r: 32")}, "on main")
    for name in ("diff",):
        said = llmops(name, "-C", bank.path, "main", "change")
        assert said.code == 2
        assert "specs/recipes/adapter.yaml" in said.err


def _owner(bank, team: str) -> str:
    text = (bank.path / "specs/applications/bot.yaml").read_text()
    return text.replace("team-cs", team)
