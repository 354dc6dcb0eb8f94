"""Training for real, in this process, on models of a few thousand weights."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import dynamic_module_utils

from llmops import digest
from llmops.workers import checkpoints, checks, generate, launch, models, train
from llmops.workers.__main__ import main
from llmops.workers.contract import Outcome, RunFolder, WorkerError, open_run
from tests.disk import remount, small_disk

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch.*")

WORDS = {"sun": "day", "noon": "day", "moon": "night", "star": "night"}
ARCHITECTURE = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
INIT = {
    "init": {
        "architecture": ARCHITECTURE,
        "tokenizer": {"train": {"algorithm": "byte_level_bpe", "vocab_size": 300}},
        "seed": 0,
    }
}
LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rows(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    made = [
        {"question": f"{n} {word} {n * 7}", "answer": answer}
        for word, answer in WORDS.items()
        for n in range(16)
    ]
    return kit.write_rows(folder / "rows.jsonl", made)  # type: ignore[no-any-return]


def spec_of(**more: Any) -> dict[str, Any]:
    training = {
        "learning_rate": 1e-2,
        "max_steps": 12,
        "per_device_train_batch_size": 8,
        **more.pop("training", {}),
    }
    full = {} if "lora" in more else {"full": {}}
    data = [{"format": "qa", "weight": None}]
    return {"method": "sft", "base": INIT, "data": data, **full, "training": training, **more}


class Bench:
    """Trains in this process and gives back the run folder with its outcome."""

    def __init__(self, kit: Any, rows: Path, folder: Path) -> None:
        self.kit, self.rows, self.folder, self.count = kit, rows, folder, 0

    def run(self, job_type: str, spec: dict[str, Any], **inputs: Path) -> RunFolder:
        self.count += 1
        named = {name.replace("_", "/"): path for name, path in inputs.items()}
        folder = self.folder / f"{job_type}-{self.count}"
        return open_run(self.kit.write_job(folder, job_type, spec, named))

    def train(self, spec: dict[str, Any], **inputs: Path) -> tuple[RunFolder, Outcome]:
        given = {"data_0": self.rows, "tokenizer": self.rows, **inputs}
        run = self.run("train", spec, **given)
        return run, train.work(run)


@pytest.fixture
def bench(kit: Any, rows: Path, tmp_path: Path) -> Bench:
    return Bench(kit, rows, tmp_path)


@pytest.fixture(scope="module")
def taught(kit: Any, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A fully trained model that other tests continue."""
    torch.set_num_threads(1)
    bench = Bench(kit, rows, tmp_path_factory.mktemp("taught"))
    run, outcome = bench.train(spec_of(training={"max_steps": 40}))
    assert outcome.status == "ok", outcome.reason
    return run


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def progress(run: RunFolder) -> list[dict[str, Any]]:
    return [line for line in lines_of(run.path / "progress.jsonl") if line["phase"] == "train"]


def test_full_training_leaves_a_folder_of_safetensors_and_no_pickle(taught: RunFolder) -> None:
    names = {path.name for path in (taught.path / "artifacts").rglob("*") if path.is_file()}
    assert names >= {"model.safetensors", "config.json", "tokenizer.json", "trainer_log.jsonl"}
    assert {Path(name).suffix for name in names} <= {".safetensors", ".json", ".jsonl", ".jinja"}
    told = progress(taught)
    assert (told[0]["step"], told[-1]["step"], told[-1]["steps"]) == (1, 40, 40)
    assert told[-1]["loss"] < told[0]["loss"]
    assert told[-1]["tokens_per_s"] > 0
    log = lines_of(taught.path / "artifacts/trainer_log.jsonl")
    assert set(log[-1]) == {"step", "epoch", "loss", "grad_norm", "learning_rate"}


def test_measurements_say_steps_tokens_and_rows(bench: Bench, rows: Path) -> None:
    spec = spec_of(training={"max_steps": -1, "num_train_epochs": 2})
    _, outcome = bench.train(spec)
    measured = {m.metric: m for m in outcome.measurements}
    assert measured["steps"].value == 2 * 64 / 8
    assert measured["steps"].sample_size == 64
    tokenizer = models.from_init(INIT["init"], rows).tokenizer
    once = sum(len(e.input_ids) for e in train.training_set(spec, {"data/0": rows}, tokenizer, 0))
    assert measured["tokens"].value == 2 * once
    assert 0 < measured["train_loss"].value < 10


def test_the_same_job_gives_the_same_bytes_and_another_seed_others(bench: Bench) -> None:
    spec = spec_of(lora={**LORA, "lora_dropout": 0.1}, training={"max_steps": 6})
    made = []
    for seed in (1, 1, 2):
        run = bench.run("train", spec, data_0=bench.rows, tokenizer=bench.rows)
        run.job["seed"] = seed
        assert train.work(run).status == "ok"
        made.append(digest.of_folder(run.path / "artifacts"))
    assert made[0] == made[1] != made[2]


def test_a_lora_is_an_adapter_without_paths_and_nothing_else(bench: Bench) -> None:
    run, outcome = bench.train(spec_of(lora=LORA))
    assert (outcome.status, outcome.artifacts) == ("ok", ("adapter",))
    folder = run.path / "artifacts/adapter"
    assert {path.name for path in folder.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] is None
    assert config["target_modules"] == ["q_proj", "v_proj"]
    assert len(load_file(folder / "adapter_model.safetensors")) == 4


def test_adapters_stand_on_each_other_and_the_sum_answers(
    bench: Bench, taught: RunFolder, rows: Path
) -> None:
    model = taught.path / "artifacts/model"
    first, one = bench.train(spec_of(lora=LORA, base={"folder": True}), model=model)
    assert one.status == "ok", one.reason
    config = json.loads((first.path / "artifacts/adapter/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] is None
    below = {"model": model, "adapter_0": first.path / "artifacts/adapter"}
    second, two = bench.train(spec_of(lora=LORA, base={"folder": True}), **below)
    assert two.status == "ok", two.reason
    adapters = {**below, "adapter_1": second.path / "artifacts/adapter"}
    run = bench.run(
        "generate", generate_spec(base={"folder": True}), cases=rows, labels_0=rows, **adapters
    )
    stacked = models.materialise({"folder": True}, run.inputs).model.state_dict()
    plain = models.from_folder(model).model.state_dict()
    changed = {name for name in plain if not torch.equal(plain[name], stacked[name])}
    assert changed == {name for name in plain if "q_proj" in name or "v_proj" in name}
    assert generate.work(run).status == "ok"
    expected = {case["id"]: case["answer"] for case in lines_of(rows)}
    found = lines_of(run.path / "artifacts/responses.jsonl")
    assert sum(expected[r["id"]] == r["response"] for r in found) > 0.9 * len(found)


def generate_spec(**more: Any) -> dict[str, Any]:
    return {
        "target": "Recipe/x",
        "base": INIT,
        "format": "qa",
        "output": {"format": "choice", "labels_column": "answer"},
        "generation": {"temperature": 0.0, "max_tokens": 8, "batch_size": 16},
        "dataset": "d",
        "split": "test",
        "rows": None,
        **more,
    }


def test_a_loss_that_is_not_finite_is_a_quality_failure_at_its_step(bench: Bench) -> None:
    run, outcome = bench.train(spec_of(training={"learning_rate": 1e30, "max_grad_norm": 0}))
    assert outcome.status == "quality_failed"
    assert outcome.reason in {f"loss is not finite at step {n}" for n in (2, 3, 4)}
    assert outcome.artifacts == ()
    assert not (run.path / "artifacts/model").exists()
    last = progress(run)[-1]
    assert outcome.reason.endswith(f"step {last['step']}")
    assert last["loss"] is None


def test_a_training_that_changes_nothing_is_a_quality_failure(bench: Bench) -> None:
    for more in ({}, {"lora": LORA}):
        _, outcome = bench.train(spec_of(training={"learning_rate": 0.0, "max_steps": 1}, **more))
        assert outcome.status == "quality_failed"
        assert outcome.reason.startswith("training changed no")


def test_a_lora_that_changes_its_base_is_a_quality_failure(bench: Bench) -> None:
    _, outcome = bench.train(spec_of(lora={**LORA, "init_lora_weights": "pissa"}))
    assert outcome.status == "quality_failed"
    assert "training changed the base itself" in outcome.reason


def test_a_merged_adapter_that_answers_otherwise_is_found() -> None:
    apart = torch.tensor([10.0, -4.0])
    assert checks.disagreement(apart, apart + 0.05) == ""
    assert "differ by 0.2" in checks.disagreement(apart, apart + 0.2)
    assert checks.disagreement(apart, apart * math.nan) != ""


def test_weights_that_are_not_finite_are_named() -> None:
    state = {"a": torch.ones(2), "b": torch.tensor([1.0, math.inf])}
    assert checks.not_finite(state) == '1 trained tensors are not finite, first "b"'
    assert checks.not_finite({"a": torch.ones(2)}) == ""


def test_a_saved_model_of_other_bytes_is_our_fault(taught: RunFolder, tmp_path: Path) -> None:
    folder = shutil.copytree(taught.path / "artifacts/model", tmp_path / "model")
    state = models.from_folder(folder).model.state_dict()
    before = models.from_folder(folder).model
    assert "no weight" in checks.full_model(before, state, folder)
    saved = load_file(folder / "model.safetensors")
    saved["model.norm.weight"] = saved["model.norm.weight"] + 1
    save_file(saved, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WorkerError, match=r'not load back as trained: "model\.norm\.weight"'):
        checks.full_model(before, state, folder)


DROPOUT = {**LORA, "lora_dropout": 0.2}
# 64 rows in batches of 8 are 8 steps an epoch: 3, 6 and 10 lie within, 8 ends one, 12 is all.
RESUMED: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "lora": ({"lora": DROPOUT, "training": {"save_steps": 1}}, (3, 8, 12)),
    "full": ({"training": {"save_steps": 1, "lr_scheduler_type": "cosine"}}, (6,)),
    "accumulated": (
        {
            "lora": DROPOUT,
            "training": {
                "save_steps": 1,
                "max_steps": 5,
                "per_device_train_batch_size": 6,
                "gradient_accumulation_steps": 4,
                "logging_steps": 3,
            },
        },
        (3,),
    ),
    "by length": (
        {
            "lora": DROPOUT,
            "training": {"save_steps": 1, "train_sampling_strategy": "group_by_length"},
        },
        (5, 10),
    ),
    "epochs": (
        {
            "lora": DROPOUT,
            "training": {"save_strategy": "epoch", "num_train_epochs": 2, "max_steps": -1},
        },
        (8,),
    ),
}


def goes_on(bench: Bench, spec: dict[str, Any], whole: RunFolder, step: int) -> RunFolder:
    """A second start of a training that was killed after it had saved this step."""
    again = bench.run("train", spec, data_0=bench.rows, tokenizer=bench.rows)
    kept = [f for f in (whole.path / "checkpoints").iterdir() if int(f.name[11:]) <= step]
    for folder in kept:
        shutil.copytree(folder, again.path / "checkpoints" / folder.name)
    return again


def found_by(outcome: Outcome) -> tuple[Any, ...]:
    """All that an outcome says but for times."""
    measured = tuple(m for m in outcome.measurements if m.metric != "train_seconds")
    return (outcome.status, outcome.reason, outcome.artifacts, measured)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow) if n in ("accumulated", "by length") else n
        for n in RESUMED
    ],
)
def test_a_resumed_training_makes_the_same_bytes_and_finds_the_same(
    bench: Bench, name: str
) -> None:
    more, steps = RESUMED[name]
    spec = spec_of(**more)
    whole, outcome = bench.train(spec)
    assert outcome.status == "ok"
    for step in steps:
        again = goes_on(bench, spec, whole, step)
        assert found_by(train.work(again)) == found_by(outcome), step
        artifacts = [digest.of_folder(run.path / "artifacts") for run in (whole, again)]
        assert artifacts[0] == artifacts[1], step
        told = [line for line in lines_of(again.path / "progress.jsonl") if "step" in line]
        assert (told[0]["phase"], told[0]["step"]) == ("resume", step)
        assert all(line["step"] > step for line in told[1:])


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_gone_on_from(bench: Bench) -> None:
    spec = spec_of(training={"save_steps": 4}, checkpoint={"keep": 2})
    whole, outcome = bench.train(spec)
    kept = sorted(p.name for p in (whole.path / "checkpoints").iterdir())
    assert kept == ["checkpoint-12", "checkpoint-8"]
    again = goes_on(bench, spec, whole, 12)
    (again.path / "checkpoints/checkpoint-12/optimizer.pt").write_bytes(b"cut")
    assert found_by(train.work(again)) == found_by(outcome)
    phases = {line["phase"]: line for line in lines_of(again.path / "progress.jsonl")}
    assert phases["note"]["note"] == (
        "checkpoint-12 is damaged, optimizer.pt is not as it was written: "
        "training goes on from step 8"
    )
    assert (phases["resume"]["step"], phases["resume"]["steps"]) == (8, 12)
    assert checkpoints.choose(again.path / "checkpoints", train._maker(again)).step == 12


def test_a_training_without_a_whole_checkpoint_starts_over_and_says_so(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_of(training={"save_steps": 4})
    whole, outcome = bench.train(spec)
    again = goes_on(bench, spec, whole, 4)
    (again.path / "checkpoints/checkpoint-4/manifest.json").unlink()
    assert found_by(train.work(again)) == found_by(outcome)
    assert "checkpoint-4 is damaged, it was not finished: training starts over" in (
        capsys.readouterr().err
    )
    assert progress(again)[0]["step"] == 1


def test_a_checkpoint_of_another_job_is_refused(bench: Bench) -> None:
    spec = spec_of(training={"save_steps": 4, "max_steps": 4})
    whole, _ = bench.train(spec)
    again = goes_on(bench, spec, whole, 4)
    again.job["closure"] = "sha256:" + "1" * 64
    with pytest.raises(WorkerError, match="checkpoint-4 belongs to another job, sha256:0000"):
        train.work(again)


class Planted:
    """Unpickled it leaves a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.mark),))


def test_a_checkpoint_that_was_forged_and_sealed_runs_no_code(bench: Bench, tmp_path: Path) -> None:
    """Whoever may write there knows the closure too: a digest of their own proves nothing."""
    spec = spec_of(training={"save_steps": 4, "max_steps": 6})
    whole, _ = bench.train(spec)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        again = goes_on(bench, spec, whole, 4)
        folder = again.path / "checkpoints" / "checkpoint-4"
        torch.save({"state": Planted(tmp_path / "ran")}, folder / name)
        (folder / "manifest.json").unlink()
        checkpoints.seal(folder, 4, train._maker(again))
        with pytest.raises(WorkerError, match=r'more than tensors: "posix.mkdir"') as caught:
            train.work(again)
        assert "remove the folder" in caught.value.hint
        assert not (tmp_path / "ran").exists()


def test_a_recipe_may_say_that_nothing_is_resumed(bench: Bench) -> None:
    spec = spec_of(training={"save_steps": 4}, checkpoint={"resume": "never"})
    whole, outcome = bench.train(spec)
    again = goes_on(bench, spec, whole, 8)
    assert found_by(train.work(again)) == found_by(outcome)
    assert progress(again)[0]["step"] == 1


BAD = {"max_grad_norm": 0, "per_device_train_batch_size": 64}
SAVING: dict[str, dict[str, Any]] = {
    "the loss is bad when an epoch ends": {"learning_rate": 1e30, "save_strategy": "epoch"},
    # The first step's loss and gradient are finite, and its update makes the weights infinite.
    "a good loss makes bad weights": {
        "learning_rate": 3e38, "weight_decay": 100.0, "lr_scheduler_type": "constant",
        "save_steps": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SAVING)
def test_what_is_not_finite_is_never_saved_and_found_as_without_saving(
    bench: Bench, name: str
) -> None:
    saving = {**BAD, **SAVING[name]}
    plain = {k: v for k, v in saving.items() if not k.startswith("save")}
    _, expected = bench.train(spec_of(training=plain))
    run, outcome = bench.train(spec_of(training=saving))
    assert outcome.status == "quality_failed"
    assert found_by(outcome) == found_by(expected)
    for folder in (run.path / "checkpoints").glob("*"):
        assert checks.not_finite(load_file(folder / "model.safetensors")) == ""


def test_a_training_on_a_full_disk_says_so_and_goes_on_when_there_is_space(
    bench: Bench, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = spec_of(training={"save_steps": 2})
    whole, outcome = bench.train(spec)
    assert outcome.status == "ok"
    one = sum(f.stat().st_size for f in (whole.path / "checkpoints/checkpoint-2").rglob("*"))
    with small_disk(tmp_path / "small", str(3 * one)) as folder:
        inputs = {"data/0": bench.rows, "tokenizer": bench.rows}
        run = bench.kit.write_job(folder / "run", "train", spec, inputs)
        assert main([str(run)]) == 3
        told = capfd.readouterr().err
        assert re.search(r"error: cannot read or write .*/run.*, [\d,]+ bytes are free", told), told
        assert not (run / "result.json").exists()
        assert checkpoints.choose(run / "checkpoints", train._maker(whole)).step == 4
        remount(folder, "size=64m")
        assert main([str(run)]) == 0
        lines = lines_of(run / "progress.jsonl")
        assert [line["step"] for line in lines if line["phase"] == "resume"] == [4]
        made = [digest.of_folder(path / "artifacts") for path in (run, whole.path)]
        assert made[0] == made[1]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"training": {"learning_rat": 1}}, r"training: .*learning_rat"),
        ({"training": {"lr_scheduler_type": "wavy"}}, "training: .*wavy"),
        ({"lora": {**LORA, "target_modules": ["nothing"]}}, "lora: .*nothing"),
        ({"lora": {**LORA, "rank": 4}}, "lora: .*rank"),
        ({"base": {"init": {**INIT["init"], "architecture": {"model_type": "nope"}}}},
         "init.architecture: .*nope"),
        ({"template": {"max_length": 3}}, "no row of 64 is left to learn from"),
        ({"data": [{"format": "alpaca"}]}, 'data/0:1: column "instruction" is missing'),
        ({"data": [{"format": "qa", "weight": -1.0}]}, "weights"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_trained_says_why(
    bench: Bench, spec: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(WorkerError, match=complaint):
        bench.train(spec_of(**spec))


def test_a_folder_without_safetensors_is_refused(
    bench: Bench, taught: RunFolder, tmp_path: Path
) -> None:
    folder = shutil.copytree(taught.path / "artifacts/model", tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(WorkerError, match=r"holds no \*\.safetensors"):
        bench.train(spec_of(base={"folder": True}), model=folder)


def test_a_model_that_brings_its_own_code_is_not_loaded(
    taught: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = shutil.copytree(taught.path / "artifacts/model", tmp_path / "coded")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(WorkerError, match=r'"coded" holds .*mine\.py'):
        models.from_folder(folder)
    (folder / "mine.py").rename(tmp_path / "mine.py")
    with pytest.raises(WorkerError, match="auto_map names code"):
        models.from_folder(folder)
    assert not (tmp_path / "ran").exists()


def test_another_number_of_processes_than_asked_is_refused(bench: Bench) -> None:
    run = bench.run("train", spec_of(), data_0=bench.rows, tokenizer=bench.rows)
    run.job["resources"]["processes"] = 2
    with pytest.raises(WorkerError, match="asks for 2 processes, 1 were started"):
        train.work(run)


def test_without_ninja_or_compiler_deepspeed_is_refused_before_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkerError, match="needs ninja"):
        launch.preflight(tmp_path)
    ninja = tmp_path / "ninja"
    ninja.touch()
    ninja.chmod(0o755)
    with pytest.raises(WorkerError, match=r"no C\+\+ compiler on PATH"):
        launch.preflight(tmp_path)
    built = tmp_path / "py311_cpu" / "deepspeed_shm_comm" / "deepspeed_shm_comm.so"
    built.parent.mkdir(parents=True)
    built.touch()
    launch.preflight(tmp_path)


def test_a_deepspeed_job_without_its_tools_fails_before_it_loads_anything(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(deepspeed={"zero_optimization": {"stage": 1}})
    run = bench.run("train", spec, data_0=bench.rows, tokenizer=bench.rows)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkerError, match="needs ninja"):
        train.work(run)
    assert not (run.path / "progress.jsonl").exists()


def test_deepspeed_never_needs_its_own_adam_on_cpu() -> None:
    given = {"optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3}}
    made = launch.deepspeed_config(given, on_cpu=True)
    assert made["optimizer"]["params"]["torch_adam"] is True
    assert made["optimizer"]["params"]["lr"] == "auto"
    assert made["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"] is True
    assert given == {"optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3}}
    assert "torch_adam" not in launch.deepspeed_config(given, on_cpu=False)["optimizer"]["params"]


@pytest.mark.parametrize(
    "error", [subprocess.CalledProcessError(1, ["c++"]), ImportError("no .so"), RuntimeError("x")]
)
def test_a_compiler_that_fails_is_told_and_does_not_kill_the_rank(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    class Builder:
        def load(self, *, verbose: bool) -> None:
            raise error

    with pytest.raises(WorkerError, match="extension cannot be compiled") as caught:
        launch._compile(Builder())
    assert "the log has the compiler's words" in caught.value.hint
    assert "Traceback" in capsys.readouterr().err
