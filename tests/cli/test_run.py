from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.cli.progress import Lines
from llmops.digest import canonical
from llmops.evidence.store import Store
from llmops.executors.base import Event, Progress
from llmops.executors.local import LocalExecutor
from llmops.executors.run import EXECUTORS
from llmops.jobs.base import Job
from llmops.signing.keys import PemSigner
from llmops.signing.trust import path_of
from llmops.specs.base import Ref
from tests.conftest import GitRepo
from tests.keyring import pem, person, root_of, signed
from tests.scenarios.story import HERE, Scenario

GOOD = Scenario(HERE / "good")
ANN = person("ann")


@pytest.fixture
def saved(llmops, bank, tmp_path: Path) -> Path:
    file = tmp_path / "plan.json"
    assert llmops("plan", "-C", bank.path, "--head", "change", "--out", file).code == 0
    return file


def test_a_run_ends_with_its_counts_and_a_second_finds_nothing_to_do(llmops, bank) -> None:
    said = llmops("run", "-C", bank.path, "--head", "change")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "Run: 8 ran."
    again = llmops("run", "-C", bank.path, "--head", "change")
    assert again.code == 0
    assert again.out == "Nothing to run: 8 of 8 jobs have evidence.\n"


def test_a_saved_plan_runs_as_it_was_planned(llmops, bank, saved: Path) -> None:
    assert "Run: 8 ran." in llmops("run", "-C", bank.path, saved).out
    assert llmops("gate", "-C", bank.path, "--head", "change").code == 0


def test_a_saved_plan_runs_although_the_branch_moved_on(llmops, bank, saved: Path) -> None:
    bank.git("branch", "--delete", "--force", "change")
    assert llmops("run", "-C", bank.path, saved).code == 0


def test_a_plan_that_reuses_what_is_not_kept_here_is_stale(llmops, bank, saved: Path) -> None:
    saved.write_text(saved.read_text().replace('"state": "run"', '"state": "reuse"'))
    said = llmops("run", "-C", bank.path, saved)
    assert said.code == 2
    assert "the plan is stale: nothing is kept here of curate/bank, which it reuses" in said.err


def test_a_plan_of_a_work_tree_that_changed_is_stale(llmops, bank, tmp_path: Path) -> None:
    recipe = bank.path / "specs/recipes/adapter.yaml"
    recipe.write_text(recipe.read_text().replace("r: 8", "r: 4"))
    file = tmp_path / "plan.json"
    assert llmops("plan", "-C", bank.path, "--out", file).code == 0
    recipe.write_text(recipe.read_text().replace("r: 4", "r: 2"))
    said = llmops("run", "-C", bank.path, file)
    assert said.code == 2
    assert "stale" in said.err
    assert "plan again" in said.err


def test_a_plan_of_a_work_tree_may_lie_in_that_tree(llmops, bank) -> None:
    recipe = bank.path / "specs/recipes/adapter.yaml"
    recipe.write_text(recipe.read_text().replace("r: 8", "r: 4"))
    assert llmops("plan", "-C", bank.path, "--out", bank.path / "plan.json").code == 0
    assert llmops("run", "-C", bank.path, bank.path / "plan.json").code == 0
    data = bank.path / "specs/data/train.jsonl"
    data.write_text(data.read_text().replace("question 0", "question 00"))
    assert "stale" in llmops("run", "-C", bank.path, bank.path / "plan.json").err


def test_a_plan_of_another_llmops_is_refused(llmops, bank, saved: Path) -> None:
    data = json.loads(saved.read_text())
    saved.write_text(json.dumps({**data, "tool_version": "9.9.9"}))
    said = llmops("run", "-C", bank.path, saved)
    assert said.code == 2
    assert "9.9.9" in said.err


def test_a_plan_of_another_format_is_refused(llmops, bank, saved: Path) -> None:
    data = json.loads(saved.read_text())
    saved.write_text(json.dumps({**data, "format_version": 2}))
    said = llmops("run", "-C", bank.path, saved)
    assert said.code == 2
    assert "format_version" in said.err


def test_a_plan_of_another_repository_is_refused(llmops, git_repo, saved: Path) -> None:
    other = git_repo({"specs/x.txt": "x"}, "other")
    assert llmops("run", "-C", other.path, saved).code == 2


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '"plan"', "{}", '{"format_version": 1}', "\x00", "[" * 100_000,
     '{"format_version": 1e400}', '{"format_version": NaN}', '{"format_version": true}'],
)  # fmt: skip
def test_garbage_is_refused(llmops, bank, tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    said = llmops("run", "-C", bank.path, file)
    assert said.code == 2
    assert said.err.startswith("llmops: error: ")


def test_each_missing_or_wrong_key_is_refused(llmops, bank, saved: Path) -> None:
    data = json.loads(saved.read_text())
    for key in data:
        for broken in ({k: v for k, v in data.items() if k != key}, {**data, key: {"odd": 1}}):
            saved.write_text(json.dumps(broken))
            said = llmops("run", "-C", bank.path, saved)
            assert said.code == 2, key


def test_bytes_that_are_no_text_are_refused(llmops, bank, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe{")
    assert llmops("run", "-C", bank.path, tmp_path / "plan.json").code == 2


def test_no_plan_and_a_folder(llmops, bank, tmp_path: Path) -> None:
    said = llmops("run", "-C", bank.path, tmp_path / "none.json")
    assert said.code == 2
    assert "llmops plan --out" in said.err
    assert llmops("run", "-C", bank.path, tmp_path).code in (2, 3)


def test_a_saved_plan_names_its_own_trees(llmops, bank, saved: Path) -> None:
    for extra in (("--base", "main"), ("--head", "change"), ("--select", "Evaluation/quality")):
        said = llmops("run", "-C", bank.path, saved, *extra)
        assert said.code == 2
        assert "a saved plan is run as it is" in said.err


def test_a_dry_run_runs_nothing(llmops, bank) -> None:
    said = llmops("run", "-C", bank.path, "--head", "change", "--dry-run")
    assert said.code == 0
    assert len(said.out.splitlines()) == 8
    assert "8 jobs to run" in llmops("plan", "-C", bank.path, "--head", "change").out


def test_a_gate_that_cannot_be_decided_is_refused_unless_it_is_meant(llmops, bank) -> None:
    text = (bank.path / "specs/evaluations/quality.yaml").read_text()
    bank.write({"specs/evaluations/quality.yaml": text.replace("rows: 480", "rows: 10")})
    said = llmops("run", "-C", bank.path)
    assert said.code == 1
    assert "specs/evaluations/quality.yaml:12:16: error[undecidable]" in said.err
    assert llmops("run", "-C", bank.path, "--accept-undecidable").code == 0


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("require: {max: 0.001}", "480 rows cannot show 0.001, not even without one event"),
        ("require: {min: 1}", "480 rows cannot show 1, not even without a miss"),
    ],
)
def test_every_side_of_a_claim_is_refused_when_no_result_shows_it(llmops, bank, claim, why) -> None:
    text = (bank.path / "specs/evaluations/quality.yaml").read_text()
    assert "require: {min: 0.80}" in text
    told = text.replace("require: {min: 0.80}", claim, 1)
    bank.write({"specs/evaluations/quality.yaml": told})
    said = llmops("run", "-C", bank.path)
    assert said.code == 1
    assert why in said.err
    assert "the verdict shows it" in said.err


def test_a_regression_that_will_stay_undecided_is_run(llmops, bank) -> None:
    said = llmops("plan", "-C", bank.path, "--head", "change")
    assert "likely to stay undecided" in said.out
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0


def test_a_saved_plan_that_hides_an_undecidable_gate_is_not_run(llmops, bank, tmp_path) -> None:
    text = (bank.path / "specs/evaluations/quality.yaml").read_text()
    bank.write({"specs/evaluations/quality.yaml": text.replace("rows: 480", "rows: 10")})
    file = tmp_path / "plan.json"
    assert llmops("plan", "-C", bank.path, "--out", file).code == 0
    plan = json.loads(file.read_text())
    for gate in plan["gates"]:
        gate["decidable"] = True
    file.write_text(json.dumps(plan))
    said = llmops("run", "-C", bank.path, file)
    assert said.code == 2
    assert "cannot be decided" in said.err


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_at_least_one_job_at_once(llmops, bank, jobs: str) -> None:
    assert llmops("run", "-C", bank.path, "--jobs", jobs).code == 2


def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (tmp_path / "worker.py").write_text(script)
    worker = (sys.executable, "-I", "-S", str(tmp_path / "worker.py"))
    monkeypatch.setitem(EXECUTORS, "local", lambda: LocalExecutor(worker))  # type: ignore[arg-type]


def test_a_worker_that_dies_is_not_judged(llmops, bank, tmp_path, monkeypatch) -> None:
    broken(tmp_path, monkeypatch, "import sys; print('out of cheese'); sys.exit(9)")
    said = llmops("run", "-C", bank.path, "--head", "change")
    assert said.code == 3
    assert "curate/bank: not judged: " in said.out
    assert "out of cheese" in said.out
    assert "1 not judged" in said.out


def test_a_training_that_fails_for_its_own_reasons_is_a_result(
    llmops, bank, tmp_path, monkeypatch
) -> None:
    world = json.loads((HERE / "broken" / "world.json").read_text())
    world["fails"][0]["if"] = ""
    (tmp_path / "world.json").write_text(json.dumps(world))
    worker = (sys.executable, "-I", "-S", str(HERE / "worker.py"), str(tmp_path / "world.json"))
    monkeypatch.setitem(EXECUTORS, "local", lambda: LocalExecutor(worker))  # type: ignore[arg-type]
    said = llmops("run", "-C", bank.path, "--head", "change")
    assert said.code == 1
    assert "loss is not finite at step 7" in said.out
    again = llmops("run", "-C", bank.path, "--head", "change")
    assert "Nothing to run" in again.out
    assert "cannot run: train/base failed" in again.out


def test_a_source_of_rows_that_is_nowhere_is_not_judged(llmops, bank) -> None:
    text = (bank.path / "specs/datasets/bank.yaml").read_text()
    where = "uri: 'https://example.invalid/train.jsonl', digest: 'sha256:" + "a" * 64 + "'"
    bank.write({
        "specs/datasets/bank.yaml": text.replace("file: specs/data/train.jsonl", where),
    })  # fmt: skip
    said = llmops("run", "-C", bank.path, "--offline")
    assert said.code == 3
    assert "curate/bank: not judged: " in said.out


def test_reports_that_cannot_be_written_are_a_failure_of_the_world(llmops, bank) -> None:
    bank.write({"reports": "a file where the folder should be"})
    said = llmops("run", "-C", bank.path, "--head", "change")
    assert said.code == 3
    assert "reports" in said.err + said.out


LOCAL = "apiVersion: llmops/v1alpha1\nkind: Environment\nmetadata: {name: local}\n"
FAR = (
    "apiVersion: llmops/v1alpha1\nkind: Dataset\nmetadata: {name: far}\nspec:\n"
    "  sources: [{name: it, uri: 'https://rows.invalid/a.jsonl', license: MIT,"
    f" digest: 'sha256:{'1' * 64}'}}]\n"
    "  format: qa\n"
)


def test_a_plan_saved_for_an_environment_runs_there(llmops, bank, tmp_path: Path) -> None:
    small = "spec: {overlays: [{target: Recipe/base, set: {resources.timeout_minutes: 3}}]}\n"
    bank.write({"specs/environments/local.yaml": LOCAL + small})
    file = tmp_path / "plan.json"
    assert llmops("plan", "-C", bank.path, "--out", file).code == 0
    assert llmops("run", "-C", bank.path, file, "--env", "local").code == 2
    assert llmops("run", "-C", bank.path, file).code == 0


@pytest.mark.parametrize("saved_first", [False, True])
def test_a_host_that_is_not_on_the_egress_list_is_not_asked(
    llmops, bank, tmp_path: Path, saved_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLMOPS_OFFLINE", raising=False)
    evaluation = (bank.path / "specs/evaluations/quality.yaml").read_text()
    bank.write({
        "specs/environments/local.yaml": LOCAL + "spec: {egress: [data.example.org]}\n",
        "specs/datasets/far.yaml": FAR,
        "specs/evaluations/far.yaml": evaluation.replace("name: quality", "name: far").replace(
            "bank#test", "far"
        ),
    })  # fmt: skip
    words = ["run", "-C", bank.path]
    if saved_first:
        assert llmops("plan", "-C", bank.path, "--out", tmp_path / "plan.json").code == 0
        words.append(tmp_path / "plan.json")
    said = llmops(*words, "--keep-going")
    assert said.code == 3
    assert "rows.invalid is not on the egress list of Environment/local" in said.out + said.err


SERVED = (
    "apiVersion: llmops/v1alpha1\nkind: Model\nmetadata: {{name: cloud}}\nspec:\n"
    "  endpoint: {{protocol: openai, base_url: {url}, model: m-2026-08-14, residency: [EU],\n"
    "    api_key: {{secret: KEY}}}}\n  license: MIT\n"
)
JUDGED = (
    "apiVersion: llmops/v1alpha1\nkind: Evaluation\nmetadata: {name: judged}\nspec:\n"
    "  target: Application/bot\n  dataset: bank#test\n  judge: {model: cloud}\n"
    "  checks: [{name: good, metric: deepeval/answer_relevancy, pass_at: 0.5,"
    " require: {min: 0.5}}]\n"
)


@pytest.mark.parametrize(
    ("url", "listed", "said"),
    [
        ("'https://judge.invalid/v1'", "egress: [a.example.org]",
         "asks a judge at judge.invalid, not on the egress list of Environment/local"),
        ("{secret: URL}", "egress: [a.example.org]",
         "the host in URL, not on the egress list of Environment/local"),
        ("'https://judge.invalid/v1'", "secrets: {names: [OTHER]}",
         "wants the secret KEY, which Environment/local does not list"),
    ],
)  # fmt: skip
def test_a_judge_that_the_environment_does_not_allow_is_not_asked(
    llmops, bank, url: str, listed: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL", "https://elsewhere.invalid/v1")
    bank.write({
        "specs/environments/local.yaml": LOCAL + f"spec: {{{listed}}}\n",
        "specs/environments/far.yaml": LOCAL.replace("local", "far")
        + "spec: {secrets: {names: [KEY, URL]}}\n",
        "specs/models/cloud.yaml": SERVED.format(url=url),
        "specs/evaluations/judged.yaml": JUDGED,
    })  # fmt: skip
    told = llmops("run", "-C", bank.path, "--keep-going")
    assert told.code == 3
    assert said in told.out + told.err


def bounded(bank) -> None:
    """A budget on main that the change has to keep."""
    policy = next((bank.path / "policies").glob("*.yaml"))
    text = policy.read_text().replace(
        "\nspec:\n", "\nspec:\n  budgets: {per_pull_request: {cpu_hours: 2}}\n", 1
    )
    bank.commit({f"policies/{policy.name}": text})


def test_above_a_budget_nothing_starts_unless_that_is_said(
    llmops, bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(bank)
    monkeypatch.setattr("llmops.rules.budget.known", lambda steps, unit: (5.0, 0))
    words = ("-C", bank.path, "--head", "change")
    refused = llmops("run", *words)
    assert refused.code == 1
    assert "error[budget]: Policy/" in refused.err
    assert "allows 2 CPU-hours for a pull request, this one would take 5" in refused.err
    assert not (bank.path / "reports" / "evidence").exists()
    assert llmops("plan", *words, "--fail-on", "budget").code == 1
    assert llmops("run", *words, "--over-budget").code == 0


def test_a_budget_whose_use_is_not_known_is_a_warning_in_words(llmops, bank) -> None:
    bounded(bank)
    said = llmops("run", "-C", bank.path, "--head", "change")
    assert said.code == 0
    assert "warning[budget]" in said.err
    assert "it is not known what they take" in said.err


def told(capsys: pytest.CaptureFixture[str], *lines: Progress) -> list[str]:
    """What a log says of these lines of one training's progress."""
    one = Job("train", Ref("Recipe", "x"), "sha256:" + "0" * 64, {})
    sink = Lines()
    for progress in lines:
        sink(Event("progress", one, progress=progress))
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_a_training_that_goes_on_says_from_where(capsys: pytest.CaptureFixture[str]) -> None:
    going_on = Progress("resume", step=120, steps=260)
    assert told(capsys, going_on) == ["train/x resumes at step 120 of 260"]


def test_each_note_of_a_worker_is_told_once_and_harmlessly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    notes = [Progress("note", note=f"checkpoint-{n} is damaged\x1b[31m") for n in (8, 4)]
    assert told(capsys, *notes, Progress("load")) == [
        "train/x checkpoint-8 is damaged\\x1b[31m",
        "train/x checkpoint-4 is damaged\\x1b[31m",
        "train/x load",
    ]


def test_a_note_that_is_no_text_is_none() -> None:
    assert Progress.parse(b'{"phase": "note", "note": [1]}') == Progress("note", note="")


def limit_age(repo, days: float) -> None:
    """A policy on both branches by which nothing may be older."""
    for branch in ("main", "change"):
        repo.git("switch", "--quiet", branch)
        policy = repo.path / "policies/default.yaml"
        policy.write_text(
            policy.read_text().replace("spec:", f"spec:\n  max_evidence_age_days: {days}")
        )
        repo.git("commit", "--quiet", "--all", "--message", "fresh")


def test_refresh_measures_again_what_is_too_old_and_nothing_else(llmops, bank) -> None:
    limit_age(bank, 0.0000001)
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    assert "Nothing to run" in llmops("run", "-C", bank.path, "--head", "change").out
    said = llmops("gate", "-C", bank.path, "--head", "change")
    assert "older than 1e-07 days" in said.out
    dry = llmops("run", "-C", bank.path, "--head", "change", "--refresh", "--dry-run")
    lines = dry.out.splitlines()
    assert lines
    assert all(line.startswith(("generate/", "evaluate/", "scan/", "guard/")) for line in lines)
    assert all(line.endswith("its evidence is too old") for line in lines)
    runs = bank.path / "reports/runs"
    before = {file: file.stat().st_mtime_ns for file in runs.glob("*/result.json")}
    again = llmops("run", "-C", bank.path, "--head", "change", "--refresh")
    assert (again.code, again.err) == (0, "")
    assert again.out.splitlines()[-1].startswith(f"Run: {len(lines)} ran, ")
    written = {f.parent.name for f, then in before.items() if f.stat().st_mtime_ns > then}
    assert written == {line.split()[1].removeprefix("sha256:") for line in lines}


def test_refresh_finds_nothing_while_evidence_is_fresh(llmops, bank) -> None:
    limit_age(bank, 30)
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    assert "Nothing to run" in llmops("run", "-C", bank.path, "--head", "change", "--refresh").out


def test_refresh_without_a_limit_is_no_way_to_measure_until_it_passes(llmops, bank) -> None:
    said = llmops("run", "-C", bank.path, "--head", "change", "--refresh")
    assert said.code == 2
    assert "no policy sets max_evidence_age_days" in said.err


def test_shards_one_after_another_are_the_whole_plan(llmops, bank, tmp_path: Path) -> None:
    plan, outputs = tmp_path / "plan.json", tmp_path / "outputs"
    words = ("plan", "-C", bank.path, "--head", "change", "--out", plan, "--outputs", outputs)
    assert llmops(*words).code == 0
    names = json.loads(outputs.read_text().splitlines()[1].removeprefix("jobs="))
    for name in names:
        said = llmops("run", "-C", bank.path, plan, "--shard", name)
        assert said.code == 0, said.err
    assert "nothing to run" in llmops("plan", "-C", bank.path, "--head", "change").out.lower()


def test_a_shard_that_the_plan_does_not_have_is_told_with_the_nearest(
    llmops, bank, tmp_path: Path
) -> None:
    plan, outputs = tmp_path / "plan.json", tmp_path / "outputs"
    words = ("plan", "-C", bank.path, "--head", "change", "--out", plan, "--outputs", outputs)
    assert llmops(*words).code == 0
    name = json.loads(outputs.read_text().splitlines()[1].removeprefix("jobs="))[0]
    said = llmops("run", "-C", bank.path, plan, "--shard", name[:-1])
    assert said.code == 2
    assert f'the plan has no shard "{name[:-1]}"' in said.err
    assert f'did you mean "{name}"?' in said.err
    assert llmops("run", "-C", bank.path, "--shard", name).code == 2


# ---- reused jobs, once more ------------------------------------------------------------------


@pytest.fixture
def audited(bank):
    """The repository with a policy by which every reused job is run once more."""
    policy = bank.path / "policies" / "again.yaml"
    text = "apiVersion: llmops/v1alpha1\nkind: Policy\nmetadata: {name: again, owner: team-c}\n"
    policy.write_text(text + "spec: {reuse_audit: 1}\n")
    bank.git("add", "-A")
    bank.git("commit", "--quiet", "-m", "again")
    bank.git("switch", "--quiet", "change")
    bank.git("rebase", "--quiet", "main")
    bank.git("switch", "--quiet", "main")
    return bank


def test_drawn_jobs_are_planned_run_once_more_and_judged(llmops, audited) -> None:
    here = ("-C", audited.path, "--head", "change")
    assert llmops("run", "-C", audited.path, "--head", "main", "--base", "main").code == 0
    planned = llmops("plan", *here)
    drawn = int(planned.out.splitlines()[-1].split("; ")[1].split()[0])
    steps = json.loads(llmops("plan", *here, "--format", "json").out)["steps"]
    whys = [step["why"] for step in steps if step["audit"]]
    assert len(whys) == drawn > 1
    assert all(why.endswith("; drawn to be run once more (reuse_audit 1)") for why in whys)
    assert "once more" in llmops("run", *here, "--dry-run").out
    waiting = llmops("gate", *here)
    assert "drawn and not run once more yet" in waiting.out
    ran = llmops("run", *here)
    assert ran.code == 0
    assert f"{drawn} run once more" in ran.out
    assert "drawn" not in llmops("plan", *here).out
    assert "Nothing to run" in llmops("run", *here).out
    judged = llmops("gate", *here, "--format", "json")
    assert judged.code == 0
    assert f"0 of {drawn} jobs that were run once more gave another result" in judged.out


def test_a_kept_result_that_does_not_come_again_fails_the_run_and_the_gate(llmops, audited) -> None:
    here = ("-C", audited.path, "--head", "change")
    assert llmops("run", "-C", audited.path, "--head", "main", "--base", "main").code == 0
    forged = better(audited.path / "reports")
    ran = llmops("run", *here)
    assert ran.code == 1
    assert f"{forged}: does not repeat: rows.jsonl has other bytes" in ran.out
    assert "1 of them with another result" in ran.out
    judged = llmops("gate", *here)
    assert judged.code == 1
    assert "does not repeat" in judged.out


def better(reports: Path) -> str:
    """Makes an evaluation better than it was, and everything that names its bytes; its id."""
    for path in sorted(reports.glob("evidence/*/*.json")):
        said = json.loads(path.read_bytes())
        result = said["predicate"]["result"]
        if result["type"] != "evaluate":
            continue
        file = reports / "runs" / path.parent.name / "artifacts" / "rows.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        bad = next(row for row in rows if row["cells"]["accuracy"]["value"] == 0.0)
        bad["cells"]["accuracy"]["value"] = 1.0
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        file.write_bytes(data)
        new = hashlib.sha256(data).hexdigest()
        (listed,) = (a for a in result["artifacts"] if a["name"] == "rows.jsonl")
        listed.update(digest=f"sha256:{new}", size_bytes=len(data))
        for subject in said["subject"]:
            if subject["name"] == "artifacts/rows.jsonl":
                subject["digest"]["sha256"] = new
        body = canonical(said)
        path.unlink()
        path.with_name(hashlib.sha256(body).hexdigest() + ".json").write_bytes(body)
        return str(said["predicate"]["job"]["id"])
    raise AssertionError("nothing was evaluated")


# ---- whose word it is --------------------------------------------------------------------------


@pytest.fixture
def trusting(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """The same change where base has a trust root, by which ann may sign."""
    repo = git_repo({**GOOD.files("base"), path_of(1): signed(root_of(ANN), ANN)})
    repo.git("switch", "--quiet", "--create", "change")
    repo.commit(GOOD.files("head"))
    repo.git("switch", "--quiet", "main")
    return repo


def key_of(who: PemSigner, path: Path) -> str:
    path.write_bytes(pem(who))
    path.chmod(0o600)
    return str(path)


def test_what_runs_is_signed_by_the_key_that_base_lets_sign(
    llmops, trusting, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLMOPS_KEY", key_of(ANN, tmp_path / "ann.pem"))
    said = llmops("run", "-C", trusting.path, "--head", "change", "--no-progress")
    assert (said.code, said.err) == (0, "")
    store = Store(trusting.path / "reports")
    for kept in store.proven().values():
        papers = store.signed.of(kept)
        assert papers.started is not None
        assert papers.run is not None
        assert (papers.provenance is not None) is (kept.type == "train")
        assert {one.signatures[0].key for one in papers.all()} == {ANN.key}
    log = "".join(p.read_text() for p in (store.root / "runs").glob("*/job.json"))
    assert "PRIVATE" not in log


def test_a_key_that_base_does_not_let_sign_is_told_of_and_nothing_is_signed(
    llmops, trusting, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLMOPS_KEY", key_of(person("bob"), tmp_path / "bob.pem"))
    said = llmops("run", "-C", trusting.path, "--head", "change", "--no-progress")
    assert said.code == 0
    assert f"warning[key]: key {person('bob').key} may not sign runs by base's trust" in said.err
    assert "hint: llmops keys show" in said.err
    assert not (trusting.path / "reports" / "signed").exists()


def test_a_key_that_others_may_read_is_refused_before_anything_runs(
    llmops, trusting, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLMOPS_KEY", key_of(ANN, tmp_path / "ann.pem"))
    (tmp_path / "ann.pem").chmod(0o644)
    said = llmops("run", "-C", trusting.path, "--head", "change")
    assert said.code == 2
    assert "has mode 0644" in said.err
    assert not list((trusting.path / "reports").glob("runs/*"))
