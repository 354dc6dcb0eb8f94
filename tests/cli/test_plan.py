from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from pathlib import Path

import pytest

from llmops.jobs.wire import plan_from_json


def test_a_plan_ends_with_its_total(llmops, bank) -> None:
    said = llmops("plan", "-C", bank.path, "--head", "change")
    assert said.code == 0
    last = said.out.rstrip().splitlines()[-1]
    assert last == "Plan: 8 jobs to run, 0 reused, 0 not needed; time unknown."


def test_json_is_the_plan_that_out_writes(llmops, bank, tmp_path: Path) -> None:
    words = ("plan", "-C", bank.path, "--head", "change", "--format", "json")
    shown = json.loads(llmops(*words, "--out", tmp_path / "plan.json").out)
    assert plan_from_json(shown) == plan_from_json(json.loads((tmp_path / "plan.json").read_text()))


def test_out_says_how_to_run_it(llmops, bank, tmp_path: Path) -> None:
    file = tmp_path / "计划 1.json"
    said = llmops("plan", "-C", bank.path, "--head", "change", "--out", file)
    assert f"llmops run {file}" in said.out
    assert file.exists()


def test_out_that_cannot_be_written_is_a_failure_of_the_world(llmops, bank, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = llmops("plan", "-C", bank.path, "--out", tmp_path / "file" / "plan.json")
    assert said.code == 3
    assert "plan.json" in said.err


def test_out_to_a_pipe_or_a_device_writes_to_it(llmops, bank, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, False)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 1 << 20)
    said = llmops("plan", "-C", bank.path, "--head", "change", "--out", pipe)
    assert said.code == 0, said.err
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with open(reader, encoding="utf-8") as written:
        assert plan_from_json(json.load(written)).steps


def test_out_replaces_a_link_and_leaves_what_it_leads_to(llmops, bank, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "plan.json").symlink_to("mine")
    assert llmops("plan", "-C", bank.path, "--out", tmp_path / "plan.json").code == 0
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "plan.json").is_symlink()


def test_fail_on_undecidable(llmops, bank) -> None:
    text = (bank.path / "specs/evaluations/quality.yaml").read_text()
    bank.write({"specs/evaluations/quality.yaml": text.replace("rows: 480", "rows: 10")})
    assert llmops("plan", "-C", bank.path).code == 0
    said = llmops("plan", "-C", bank.path, "--fail-on", "undecidable")
    assert said.code == 1
    assert "10 rows cannot show 0.8" in said.out


def test_no_reuse_plans_as_if_nothing_had_run(llmops, bank) -> None:
    assert llmops("run", "-C", bank.path, "--head", "main").code == 0
    assert "nothing to run" in llmops("plan", "-C", bank.path, "--head", "main").out
    out = llmops("plan", "-C", bank.path, "--head", "main", "--no-reuse").out
    assert "5 jobs to run" in out


def test_select_makes_a_partial_plan_that_says_so(llmops, bank) -> None:
    said = llmops("plan", "-C", bank.path, "--head", "change", "--select", "Evaluation/quality")
    assert said.code == 0
    assert "partial" in said.out


def test_selecting_what_is_not_there_hints_at_the_nearest(llmops, bank) -> None:
    said = llmops("plan", "-C", bank.path, "--select", "Evaluation/qualty")
    assert said.code == 2
    assert "Evaluation/quality" in said.err


def test_mistakes_of_head_are_shown_with_their_place(llmops, bank) -> None:
    bank.write({"specs/applications/bot.yaml": "kind: Application\n"})
    said = llmops("plan", "-C", bank.path)
    assert said.code == 2
    assert "specs/applications/bot.yaml:1:1: error" in said.err
    assert "in the specs of work tree" in said.err


@pytest.mark.parametrize("rev", ["no-such", "main:nothing", "HEAD~99", "", "-p", "a b", "银行"])
def test_an_unknown_revision_is_wrong_usage(llmops, bank, rev: str) -> None:
    for option in ("--base", "--head"):
        said = llmops("plan", "-C", bank.path, f"{option}={rev}")
        assert said.code == 2, (option, said)


def test_a_conflict_names_its_files(llmops, bank) -> None:
    text = (bank.path / "specs/recipes/adapter.yaml").read_text()
    bank.commit({"specs/recipes/adapter.yaml": text.replace("r: 8", "r: 32")}, "on main")
    said = llmops("plan", "-C", bank.path, "--head", "change")
    assert said.code == 2
    assert "specs/recipes/adapter.yaml" in said.err


def test_a_repository_without_commits_is_planned_from_its_files(llmops, git_repo, bank) -> None:
    repo = git_repo(name="new")
    files = {
        p.relative_to(bank.path).as_posix(): p.read_bytes()
        for p in bank.path.rglob("*")
        if p.is_file() and ".git" not in p.relative_to(bank.path).parts
    }
    repo.write(files)
    said = llmops("plan", "-C", repo.path)
    assert said.code == 0
    assert "there is no base" in said.out
    assert "5 jobs to run" in said.out


def test_a_detached_head_is_planned(llmops, bank) -> None:
    bank.git("checkout", "--quiet", "--detach", "change")
    said = llmops("plan", "-C", bank.path)
    assert said.code == 0
    assert "against main" in said.out
    assert "8 -> 16" in said.out


def test_a_shallow_clone_without_the_base_is_not_taken_for_a_first_commit(
    llmops, bank, tmp_path: Path
) -> None:
    bank.git("clone", "--quiet", "--depth", "1", "--branch", "change", f"file://{bank.path}",
             str(tmp_path / "shallow"))  # fmt: skip
    said = llmops("plan", "-C", tmp_path / "shallow")
    assert said.code in (0, 2)
    assert "there is no base" not in said.out
    named = llmops("plan", "-C", tmp_path / "shallow", "--base", "origin/main")
    assert named.code == 2
    assert "origin/main" in named.err


def test_a_subfolder_is_as_good_as_the_root(llmops, bank) -> None:
    there = llmops("plan", "-C", bank.path / "specs" / "models", "--head", "change")
    assert there.out == llmops("plan", "-C", bank.path, "--head", "change").out


@pytest.mark.parametrize("damage", ["file", "garbage", "read-only"])
def test_a_cache_that_cannot_be_used_costs_time_only(
    llmops, bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    words = ("plan", "-C", bank.path, "--head", "change")
    right = llmops(*words).out
    cache = tmp_path / "cache"
    if damage == "file":
        (tmp_path / "plain").write_text("x")
        monkeypatch.setenv("LLMOPS_CACHE", str(tmp_path / "plain" / "cache"))
    elif damage == "garbage":
        for file in [p for p in cache.rglob("*") if p.is_file()]:
            file.write_bytes(b"\x80garbage")
        assert any(p.is_file() for p in cache.rglob("*")), "nothing was cached"
    else:
        cache.chmod(stat.S_IRUSR | stat.S_IXUSR)
        if os.geteuid() == 0:
            monkeypatch.setenv("LLMOPS_CACHE", "/proc/cache")
    said = llmops(*words)
    cache.chmod(stat.S_IRWXU)
    assert (said.code, said.out) == (0, right)


def test_a_base_that_cannot_be_read_is_told(llmops, bank) -> None:
    text = (bank.path / "specs/recipes/adapter.yaml").read_text()
    bank.commit({"specs/recipes/adapter.yaml": text.replace("r: 8", "rr: 8")}, "oops")
    bank.git("switch", "--quiet", "--create", "mend")
    bank.commit({"specs/recipes/adapter.yaml": text}, "mend")
    said = llmops("plan", "-C", bank.path)
    assert said.code == 0
    assert "base cannot be read: " in said.err
    assert "at main" in said.err


def test_evidence_that_a_change_brings_itself_is_refused(llmops, bank) -> None:
    bank.commit({"reports/evidence/aa/bb.json": "{}", ".gitignore": ""}, "forged")
    for command in ("plan", "gate", "run"):
        said = llmops(command, "-C", bank.path, "--head", "HEAD")
        assert said.code == 2
        assert "reports/evidence/aa/bb.json" in said.err


HEADER = "apiVersion: llmops/v1alpha1\nkind: Environment\nmetadata: {{name: {name}}}\n"
SMALL = "spec: {overlays: [{target: Recipe/base, set: {resources.timeout_minutes: 3}}]}\n"


def _minutes(out: str) -> dict[str, float]:
    steps = json.loads(out)["steps"]
    return {s["job"]["subject"]: s["job"]["resources"]["timeout_minutes"] for s in steps}


def test_an_environment_places_jobs_and_changes_no_closure(llmops, bank) -> None:
    words = ("plan", "-C", bank.path, "--format", "json")
    before = llmops(*words).out
    bank.write({
        "specs/environments/local.yaml": HEADER.format(name="local") + "spec: {}\n",
        "specs/environments/small.yaml": HEADER.format(name="small") + SMALL,
    })  # fmt: skip
    local, small = llmops(*words).out, llmops(*words, "--env", "small").out
    assert _minutes(before)["Recipe/base"] == _minutes(local)["Recipe/base"] == 60
    assert _minutes(small)["Recipe/base"] == 3
    assert json.loads(small)["environment"] == "small"
    closures = [[s["job"]["closure"] for s in json.loads(o)["steps"]] for o in (before, small)]
    assert closures[0] == closures[1]


def test_an_unknown_environment_is_wrong_usage_and_hints_at_the_nearest(llmops, bank) -> None:
    said = llmops("plan", "-C", bank.path, "--env", "local")
    assert (said.code, "none is declared" in said.err) == (2, True)
    bank.write({"specs/environments/local.yaml": HEADER.format(name="local") + "spec: {}\n"})
    said = llmops("plan", "-C", bank.path, "--env", "locale")
    assert said.code == 2
    assert 'did you mean "local"?' in said.err


def test_a_release_is_said_to_move_nothing(llmops, bank) -> None:
    bank.write({
        "specs/environments/local.yaml": HEADER.format(name="local") + "spec: {}\n",
        "specs/releases/bot.yaml": (
            "apiVersion: llmops/v1alpha1\nkind: Release\nmetadata: {name: bot}\nspec:\n"
            "  application: bot\n  environments: [local]\n  strategy:\n    canary:\n"
            "      split_by: user\n      analysis: [{name: few, metric: otel/n, min: 1}]\n"
            "      steps: [{analysis: {templates: [few], duration: 1h}}, {setWeight: 100}]\n"
        ),
    })  # fmt: skip
    said = llmops("plan", "-C", bank.path)
    assert said.code == 0
    last = said.out.rstrip().splitlines()[-1]
    assert last == "Release/bot: declared and checked; no command moves traffic yet"


def test_a_part_is_chosen_by_selectors_and_said_in_their_words(llmops, bank) -> None:
    words = ("plan", "-C", bank.path, "--head", "change", "--format", "json")
    plan = json.loads(llmops(*words, "--select", "state:modified+", "Application/bot").out)
    assert plan["selected"] == {
        "select": ["state:modified+", "Application/bot"],
        "exclude": [],
        "askers": ["Evaluation/quality"],
    }
    text = llmops(*words[:-2], "-s", "+Application/bot", "--exclude", "kind:Guardrail").out
    assert "partial: --select +Application/bot --exclude kind:Guardrail" in text


@pytest.mark.parametrize("command", ["plan", "run", "gate", "report"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--select", "typo"), 'nothing is called "typo"'),
        (("--select", "Application/bot", "--exclude", "typo"), 'nothing is called "typo"'),
        (("--select", "state:modfied"), 'there is no state "modfied"'),
        (("--select", "Dataset/bank"), 'no gate judges what "Dataset/bank" selects'),
        (("--select",), "--select needs a value"),
    ],
)
def test_a_mistyped_selector_is_never_green(
    llmops, bank, command: str, words: tuple[str, ...], said: str
) -> None:
    told = llmops(command, "-C", bank.path, *words)
    assert (told.code, told.out) == (2, "")
    assert said in told.err
    assert "hint: " in told.err


def test_a_selection_that_the_change_leaves_empty_plans_nothing_and_passes_nothing(
    llmops, bank
) -> None:
    bank.commit({"README.md": "only words\n"})
    words = ("-C", bank.path, "--base", "HEAD^", "--head", "main", "--select", "state:modified+")
    planned = llmops("plan", *words)
    assert planned.code == 0
    assert "partial: --select state:modified+" in planned.out
    ran = llmops("run", *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Nothing to run: --select state:modified+ selects nothing that is judged.\n"
    judged = llmops("gate", *words)
    assert judged.code == 1
    assert "--select state:modified+ selects nothing that does" in judged.out


def test_a_plan_of_a_part_is_run_as_that_part(llmops, bank, tmp_path) -> None:
    plan = tmp_path / "plan.json"
    words = ("-C", bank.path, "--head", "change")
    llmops("plan", *words, "--select", "config.lora.r:*+", "--out", plan)
    assert json.loads(plan.read_text("utf-8"))["selected"]["askers"] == ["Evaluation/quality"]
    assert llmops("run", "-C", bank.path, plan).code == 0
    judged = llmops("gate", *words, "--select", "result:passed", "result:failed").out
    assert "partial: only Evaluation/quality was judged" in judged
    assert llmops("ls", *words, "result:warned", "result:inconclusive", "job:scan").out == ""


def test_outputs_names_the_shards_for_the_next_jobs(llmops, bank, tmp_path: Path) -> None:
    file = tmp_path / "outputs"
    file.write_text("before=1\n")
    said = llmops("plan", "-C", bank.path, "--head", "change", "--outputs", file)
    assert said.code == 0, said.err
    before, has_jobs, jobs, *_ = file.read_text().splitlines()
    assert (before, has_jobs) == ("before=1", "has_jobs=true")
    names = json.loads(jobs.removeprefix("jobs="))
    assert names
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", name) for name in names)


def test_outputs_of_nothing_to_run_say_so(llmops, bank, tmp_path: Path) -> None:
    assert llmops("run", "-C", bank.path, "--head", "main").code == 0
    file = tmp_path / "outputs"
    assert llmops("plan", "-C", bank.path, "--head", "main", "--outputs", file).code == 0
    assert file.read_text().splitlines()[:2] == ["has_jobs=false", "jobs=[]"]


def test_outputs_that_cannot_be_written_are_a_failure_of_the_world(llmops, bank, tmp_path) -> None:
    said = llmops("plan", "-C", bank.path, "--outputs", tmp_path / "gone" / "outputs")
    assert said.code == 3
    assert "outputs" in said.err
