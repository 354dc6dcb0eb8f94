"""train: curated rows + a base -> a model or an adapter, by Transformers' Trainer.

One process or several under torchrun (gloo on CPU, NCCL on GPUs), with DeepSpeed ZeRO 0 to 3 as
the spec's `deepspeed` block says, or plain data-parallel without it. A step learns from
per_device_train_batch_size x processes x gradient_accumulation_steps rows, and only from the
assistant's part of them. A loss or gradient that is not finite stops every rank at the same step
and is a quality failure. The saved weights pass `checks` before there is a result.

A stopped training goes on from its newest whole checkpoint (`checkpoints.py`) to the same bytes:
weights, optimizer, random numbers and the sums behind the logged losses are in it. Of its files
only tensors are unpickled, DeepSpeed's too. Weights that are not finite are never saved.

The model is built whole on every rank before it is sharded: simple, and right for bases that fit
into one process's memory.
"""

from __future__ import annotations

import gc
import json
import math
import pickle
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from llmops import __version__
from llmops.jobs.base import Measurement
from llmops.workers import checkpoints, checks, launch, memory, models
from llmops.workers.chat import Example
from llmops.workers.checkpoints import Choice, Maker
from llmops.workers.contract import Outcome, RunFolder, WorkerError, rank, write_atomically
from llmops.workers.data import ByLength, Collator, training_set

PROBE_ROWS = 8
_GLOBAL = re.compile(r"GLOBAL ([\w.]{1,200})")  # as torch.load names what it does not call


def work(run: RunFolder) -> Outcome:
    """Trains as the job says; every rank calls it, rank 0 saves, checks and answers."""
    launch.prepare(run.spec, run.resources.processes)
    try:
        outcome = _train(run)
        return replace(outcome, peak_memory_mb=launch.most(memory.peak_mb()))
    finally:
        launch.leave()


def _train(run: RunFolder) -> Outcome:
    run.progress("load")
    base = models.materialise(run.spec["base"], run.inputs)
    rows = training_set(run.spec, run.inputs, base.tokenizer, run.seed)
    set_seed(run.seed)
    model = _trainable(base.model, run.spec)
    watch = Watch(run)
    trainer = _trainer(run, model, rows, base.tokenizer, watch)
    choice = _choice(run, trainer.maker)
    trainer.go_on_from(choice)
    started = time.monotonic()
    trained = _trained(trainer, choice)
    measured = _measurements(trained, trainer, len(rows), time.monotonic() - started)
    if watch.failure:
        return Outcome(status="quality_failed", reason=watch.failure, measurements=measured)
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    reason = _save_and_check(run, trainer, state, rows) if run.rank == 0 else ""
    launch.barrier()
    if reason:
        return Outcome(status="quality_failed", reason=reason, measurements=measured)
    return Outcome(measurements=measured, artifacts=(_kind(run.spec),))


def _trained(trainer: Trainer, choice: Choice) -> Any:
    """The training to its end. Raises WorkerError for a checkpoint that holds more than tensors."""
    try:
        return trainer.train(resume_from_checkpoint=choice.folder and str(choice.folder))
    except pickle.UnpicklingError as error:
        assert choice.folder is not None, "nothing else is loaded"
        named = _GLOBAL.search(str(error))
        what = f'"{named[1]}"' if named else "what is no tensor"
        raise WorkerError(
            f"{choice.folder.name} holds more than tensors: {what}; nothing of it is run",
            hint=f"whoever may write to {choice.folder.parent} put it there; remove the folder",
        ) from error


def _kind(spec: Mapping[str, Any]) -> str:
    return "adapter" if spec.get("lora") is not None else "model"


def _trainable(model: Any, spec: Mapping[str, Any]) -> Any:
    """The model with a fresh LoRA as PEFT's LoraConfig says, or as it is. Raises WorkerError."""
    lora = spec.get("lora")
    if lora is None:
        return model
    from peft import LoraConfig, get_peft_model

    try:
        return get_peft_model(model, LoraConfig(**{"task_type": "CAUSAL_LM", **lora}))
    except (ValueError, TypeError, KeyError) as error:
        raise WorkerError(
            f"lora: {error}", hint="its keys are those of PEFT's LoraConfig; see target_modules"
        ) from error


def arguments(run: RunFolder) -> TrainingArguments:
    """The spec's `training` block as TrainingArguments, with our ground below it."""
    on_cpu = not torch.cuda.is_available()
    training = dict(run.spec.get("training") or {})
    given = run.spec.get("deepspeed")
    ours = {
        "output_dir": str(_checkpoints(run)),
        "seed": run.seed,
        "logging_steps": 10,
        "logging_first_step": True,
        "save_strategy": "steps" if "save_steps" in training else "no",
    }
    fixed = {
        "report_to": "none",
        "disable_tqdm": True,
        "logging_nan_inf_filter": False,
        "use_cpu": on_cpu,
        "dataloader_pin_memory": not on_cpu,
        "remove_unused_columns": False,
        "include_num_input_tokens_seen": "non_padding",
        "ddp_backend": "gloo" if on_cpu and launch.world_size() > 1 else None,
        "ddp_find_unused_parameters": False,
        "deepspeed": launch.deepspeed_config(given, on_cpu=on_cpu) if given is not None else None,
    }
    try:
        return TrainingArguments(**{**ours, **training, **fixed})
    except (ValueError, TypeError) as error:
        raise WorkerError(
            f"training: {error}", hint="its keys are those of Transformers' TrainingArguments"
        ) from error


def _trainer(
    run: RunFolder, model: Any, rows: Sequence[Example], tokenizer: Any, watch: Watch
) -> Trainer:
    data = [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
    trainer = Finite(
        model=model,
        args=arguments(run),
        train_dataset=data,
        data_collator=Collator(tokenizer.pad_token_id),
        callbacks=[watch],
    )
    trainer.watch = watch
    trainer.maker = _maker(run)
    trainer.keep = (run.spec.get("checkpoint") or {}).get("keep")
    for noisy in ("PrinterCallback", "ProgressCallback"):
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__name__ == noisy:
                trainer.remove_callback(callback)
    return trainer


class Finite(Trainer):
    """Trainer that shows each step's loss and gradient norm to a `Watch`, and seals checkpoints."""

    watch: Watch
    maker: Maker
    keep: int | None
    damaged: frozenset[str]

    def go_on_from(self, choice: Choice) -> None:
        """Where this training begins: a checkpoint, or none."""
        self.damaged = frozenset(choice.damaged)
        if choice.folder is not None:
            self.add_callback(Restored(self, choice.folder))

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True  # a checkpoint of the last step: no step more
            return
        super()._run_epoch(*args, **kwargs)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self.is_deepspeed_enabled or self.args.device.type != "cpu":
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        # Several ranks on a CPU: Trainer loads to "cpu:0", a place that torch.load does not know.
        for loaded, name in ((self.optimizer, "optimizer.pt"), (self.lr_scheduler, "scheduler.pt")):
            state = torch.load(Path(checkpoint, name), map_location="cpu", weights_only=True)
            loaded.load_state_dict(state)

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        step, root = self.state.global_step, Path(self.args.output_dir)
        if self.watch.failure or not _all_finite(self.model, self.optimizer):
            return  # the next step finds it, and fails as it would without checkpoints
        folder = checkpoints.folder_of(root, step)
        launch.from_first(lambda: checkpoints.discard(folder))
        super()._save_checkpoint(*args, **kwargs)
        write_atomically(folder / Restored.name(), json.dumps(Restored.sums(self)).encode())
        launch.barrier()
        launch.from_first(lambda: self._seal(folder, step))

    def _seal(self, folder: Path, step: int) -> None:
        checkpoints.seal(folder, step, self.maker)
        checkpoints.prune(folder.parent, self.keep, self.damaged)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """As Trainer does, remembering the loss."""
        loss = super().training_step(*args, **kwargs)
        self.watch.saw_loss(loss)
        return loss

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        norm = super()._get_grad_norm(*args, **kwargs)
        self.watch.saw_gradient(norm)
        return norm

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        given = self.args
        if given.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(*args, **kwargs)
        step_rows = given.train_batch_size * given.world_size * given.gradient_accumulation_steps
        lengths = [len(row["input_ids"]) for row in self.train_dataset]
        return ByLength(lengths, step_rows, given.seed)


class Restored(TrainerCallback):
    """Gives the sums behind the logged losses back, which Trainer does not keep.

    Without them a resumed training would log other means and another `train_loss`.
    """

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        self._trainer, self._folder = trainer, folder

    @staticmethod
    def name() -> str:
        """The file of this rank in a checkpoint."""
        return f"sums_{rank()}.json"

    @staticmethod
    def sums(trainer: Any) -> dict[str, float]:
        """Loss since the last log on this rank, loss before it, and when that was."""
        return {
            "since": float(trainer._tr_loss),
            "before": trainer._total_loss_scalar,
            "logged": trainer._globalstep_last_logged,
        }

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Trainer has just set them to zero."""
        sums = json.loads((self._folder / self.name()).read_bytes())
        self._trainer._tr_loss += sums["since"]
        self._trainer._total_loss_scalar = sums["before"]
        self._trainer._globalstep_last_logged = sums["logged"]


class Watch(TrainerCallback):
    """Tells progress, and stops all ranks at the same step when numbers stop being finite."""

    def __init__(self, run: RunFolder) -> None:
        self.failure = ""
        self._run, self._started, self._told = run, time.monotonic(), 0.0
        self._loss, self._losses_finite, self._gradient_finite = math.nan, True, True
        self._first_step = 0

    def saw_loss(self, loss: torch.Tensor) -> None:
        """The loss of one micro batch on this rank."""
        self._loss = float(loss)
        self._losses_finite &= math.isfinite(self._loss)

    def saw_gradient(self, norm: Any) -> None:
        """The norm of the whole gradient before clipping, where it is known."""
        self._gradient_finite &= norm is None or math.isfinite(float(norm))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Starts the clock, and tells where a training goes on."""
        self._started, self._first_step = time.monotonic(), state.global_step
        if state.global_step > 0:
            self._run.progress("resume", step=state.global_step, steps=state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Asks all ranks whether their numbers are finite, then tells progress."""
        seen = (not self._losses_finite, not self._gradient_finite)
        bad_loss, bad_gradient = launch.anywhere(seen)
        if bad_loss or bad_gradient:
            what = "loss" if bad_loss else "gradient"
            self.failure = f"{what} is not finite at step {state.global_step}"
            control.should_training_stop, control.should_save = True, False
        self._tell(state)

    def _tell(self, state: Any) -> None:
        """At most one line a second, but always the first step and the last."""
        now = time.monotonic()
        edge = state.global_step in (1, state.max_steps) or self.failure
        if not edge and now - self._told < 1.0:
            return
        self._told = now
        seconds = max(now - self._started, 1e-9)
        done = max(state.global_step - self._first_step, 1)
        self._run.progress(
            "train",
            step=state.global_step,
            steps=state.max_steps,
            loss=round(self._loss, 6),
            tokens_per_s=round(state.num_input_tokens_seen / seconds),
            memory_mb=round(memory.peak_mb()),
            eta_s=round(seconds / done * (state.max_steps - state.global_step), 1),
        )


def _checkpoints(run: RunFolder) -> Path:
    return run.path / "checkpoints"


def _maker(run: RunFolder) -> Maker:
    """What this job's checkpoints are made by."""
    tools = ("torch", "transformers", *(("deepspeed",) if run.spec.get("deepspeed") else ()))
    versions = {name: models.version_of(name).partition("+")[0] for name in tools}
    return Maker(run.job["closure"], run.resources.processes, {"llmops": __version__, **versions})


def _choice(run: RunFolder, maker: Maker) -> Choice:
    """The checkpoint to go on from, the same on all ranks; what was passed over is told."""
    if (run.spec.get("checkpoint") or {}).get("resume") == "never":
        launch.from_first(lambda: _start_over(run))
        return Choice()
    choice = launch.from_first(lambda: checkpoints.choose(_checkpoints(run), maker))
    then = f"goes on from step {choice.step}" if choice.folder else "starts over"
    for name, problem in choice.damaged.items():
        run.note(f"{name} is damaged, {problem}: training {then}")
    return choice


def _start_over(run: RunFolder) -> None:
    found = sorted(path.name for path in _checkpoints(run).glob("*"))
    if found:
        shutil.rmtree(_checkpoints(run))
        run.note(f"checkpoint.resume is never: {len(found)} checkpoints removed")


def _all_finite(model: Any, optimizer: Any) -> bool:
    """Whether what would be saved is finite, on all ranks: trained weights and optimizer state."""
    weights = (getattr(p, "ds_tensor", p) for p in model.parameters() if p.requires_grad)
    state = (t for held in optimizer.state.values() for t in held.values())
    tensors = (t for t in (*weights, *state) if isinstance(t, torch.Tensor))
    (bad,) = launch.anywhere((not all(bool(torch.isfinite(t).all()) for t in tensors),))
    return not bad


def _measurements(
    trained: Any, trainer: Trainer, rows: int, seconds: float
) -> tuple[Measurement, ...]:
    steps, tokens = trained.global_step, trainer.state.num_input_tokens_seen
    version = models.version_of("transformers")
    values = {"steps": steps, "train_seconds": round(seconds, 3), "tokens": tokens}
    if math.isfinite(trained.training_loss):
        values["train_loss"] = trained.training_loss
    return tuple(
        Measurement(name, float(value), rows, tool="transformers", version=version)
        for name, value in sorted(values.items())
    )


def _save_and_check(run: RunFolder, trainer: Trainer, state: Any, rows: Sequence[Example]) -> str:
    """Writes the artifacts; "" when they pass the checks, else the reason of a quality failure."""
    run.progress("save")
    _write_log(run, trainer.state.log_history)
    if reason := checks.not_finite(state):
        return reason
    unset_hf_deepspeed_config()  # else loading would wait for the other ranks to shard with
    model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    base = models.materialise(run.spec["base"], run.inputs)
    folder = run.artifact(_kind(run.spec))
    run.progress("check")
    if _kind(run.spec) == "model":
        models.save_model(model, base.tokenizer, state, folder)
        return checks.full_model(base.model, state, folder)
    models.save_adapter(model, state, folder)
    gc.collect()
    return checks.adapter(base, state, folder, [row.input_ids for row in rows[:PROBE_ROWS]])


def _write_log(run: RunFolder, history: Sequence[Mapping[str, Any]]) -> None:
    """`trainer_log.jsonl`: step, epoch, loss, gradient norm and learning rate; no times."""
    kept = ("step", "epoch", "loss", "grad_norm", "learning_rate")
    lines = [
        json.dumps({key: entry[key] for key in kept if key in entry})
        for entry in history
        if "loss" in entry
    ]
    text = "".join(f"{line}\n" for line in lines)
    write_atomically(run.artifact("trainer_log.jsonl"), text.encode())
