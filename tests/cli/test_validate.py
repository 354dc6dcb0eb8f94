from __future__ import annotations

import json
import os

import pytest

BAD = "apiVersion: llmops/v1alpha1\nkind: Recipe\nmetadata: {name: bad}\nspec: {basemodel: tiny}\n"
LOCAL = "apiVersion: llmops/v1alpha1\nkind: Environment\nmetadata: {name: local}\nspec: {}\n"
RELEASE = (
    "apiVersion: llmops/v1alpha1\nkind: Release\nmetadata: {name: bot}\nspec:\n"
    "  application: bot\n  environments: [local]\n"
    "  strategy: {canary: {split_by: user, analysis: [{name: few, metric: otel/n, min: 1}],"
    " steps: [{analysis: {templates: [few], duration: 1h}}, {setWeight: 100}]}}\n"
)


def test_right_specs_are_counted(llmops, bank) -> None:
    said = llmops("validate", "-C", bank.path)
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("8 specs: 0 errors, 0 warnings\n")


def test_mistakes_stand_with_place_rule_and_hint(llmops, bank) -> None:
    bank.write({"specs/recipes/bad.yaml": BAD})
    said = llmops("validate", "-C", bank.path)
    assert said.code == 2
    assert "specs/recipes/bad.yaml:4:8: error[unknown-field]" in said.out
    assert "hint:" in said.out


def test_json_holds_every_mistake(llmops, bank) -> None:
    bank.write({"specs/recipes/bad.yaml": BAD})
    found = json.loads(llmops("validate", "-C", bank.path, "--format", "json").out)
    assert found["format_version"] == 1
    first = found["diagnostics"][0]
    assert (first["path"], first["line"], first["severity"]) == (
        "specs/recipes/bad.yaml", 4, "error",
    )  # fmt: skip


def test_a_finding_of_a_policy_is_an_error_of_its_own_kind(llmops, bank) -> None:
    model = (bank.path / "specs/models/tiny.yaml").read_text()
    bank.write({"specs/models/tiny.yaml": model.replace("Apache-2.0", "GPL-3.0-only")})
    said = llmops("validate", "-C", bank.path)
    assert said.code == 1
    assert "error[license]" in said.out


def test_a_warning_is_shown_and_lets_through(llmops, bank) -> None:
    text = (bank.path / "specs/applications/bot.yaml").read_text()
    bank.write({"specs/applications/bot.yaml": text.replace("team-cs", "team-nobody")})
    said = llmops("validate", "-C", bank.path)
    assert said.code == 0
    assert 'warning[owner]: Application/bot: owner "team-nobody"' in said.out
    assert "0 errors, 1 warning" in said.out


def test_a_path_narrows_what_is_shown(llmops, bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.write({"specs/recipes/bad.yaml": BAD})
    assert llmops("validate", "-C", bank.path, "specs/models").code == 0
    assert llmops("validate", "-C", bank.path, "specs/recipes").code == 2
    assert llmops("validate", "-C", bank.path / "specs", "recipes").code == 2
    monkeypatch.chdir(bank.path)
    assert llmops("validate", "./specs/recipes/bad.yaml").code == 2


def test_quiet_says_nothing_when_all_is_well(llmops, bank) -> None:
    assert llmops("validate", "-q", "-C", bank.path).out.strip() == ""


@pytest.mark.parametrize("name", ["客服 评测", "two  spaces", "-dash", "quo'te\"", "new\nline"])
def test_awkward_folders_are_read_and_shown(llmops, bank, name: str) -> None:
    bank.write({f"specs/{name}/bad.yaml": BAD})
    said = llmops("validate", "-C", bank.path)
    assert said.code == 2
    assert "bad.yaml:4:8" in said.out
    assert len([line for line in said.out.splitlines() if "unknown-field" in line]) == 1


def test_a_repository_in_an_awkward_folder(llmops, git_repo) -> None:
    repo = git_repo({"specs/recipes/bad.yaml": BAD}, "银行 客服 (1)")
    assert "specs/recipes/bad.yaml:4:8" in llmops("validate", "-C", repo.path).out


def test_a_link_is_not_followed(llmops, bank, tmp_path) -> None:
    (tmp_path / "outside.yaml").write_text(BAD)
    os.symlink(tmp_path / "outside.yaml", bank.path / "specs/recipes/bad.yaml")
    said = llmops("validate", "-C", bank.path)
    assert "outside" not in said.out
    assert "basemodel" not in said.out


def test_a_repository_without_commits_can_be_validated(llmops, git_repo) -> None:
    repo = git_repo()
    repo.write({"specs/recipes/bad.yaml": BAD})
    assert llmops("validate", "-C", repo.path).code == 2


def test_nothing_to_validate_is_said(llmops, git_repo) -> None:
    said = llmops("validate", "-C", git_repo({"README.md": "x"}).path)
    assert said.code == 0
    assert said.out.startswith("0 specs")


def test_a_release_is_said_to_be_checked_only(llmops, bank) -> None:
    bank.write({"specs/environments/local.yaml": LOCAL, "specs/releases/bot.yaml": RELEASE})
    said = llmops("validate", "-C", bank.path)
    assert said.code == 0
    assert (
        "specs/releases/bot.yaml:7:13: info[not-moved]: Release/bot is declared and checked; "
        "no command moves traffic yet"
    ) in said.out
    assert "10 specs: 0 errors, " in said.out


def test_a_finding_counts_where_its_spec_is_selected(llmops, bank) -> None:
    model = (bank.path / "specs/models/tiny.yaml").read_text("utf-8")
    bank.write({"specs/models/tiny.yaml": model.replace("Apache-2.0", "GPL-3.0-only")})
    words = ("validate", "-C", bank.path)
    for chosen in (("-s", "Dataset", "Recipe"), ("--exclude", "Model"), ("-s", "state:new")):
        said = llmops(*words, *chosen)
        assert (said.code, "license" in said.out) == (0, False)
        assert " of 8 specs: 0 errors, 0 warnings\n" in said.out
    for chosen in (("-s", "Model/tiny"), ("-s", "state:modified"), ("-s", "1+Recipe/base")):
        said = llmops(*words, *chosen)
        assert (said.code, "error[license]" in said.out) == (1, True)


@pytest.mark.parametrize("selector", ["typo", "state:modfied", "result:failed"])
def test_a_mistyped_selector_is_not_clean(llmops, bank, selector: str) -> None:
    said = llmops("validate", "-C", bank.path, "--select", selector)
    assert (said.code, said.out) == (2, "")
    assert "hint: " in said.err


def test_what_does_not_resolve_is_shown_whatever_is_selected(llmops, bank) -> None:
    bank.write({"specs/recipes/bad.yaml": BAD})
    said = llmops("validate", "-C", bank.path, "--select", "Dataset")
    assert said.code == 2
    assert "unknown-field" in said.out
