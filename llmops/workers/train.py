"""train: curated rows + a base -> a model or an adapter, by Transformers' Trainer.

One process or several under torchrun (gloo on CPU, NCCL on GPUs), with DeepSpeed ZeRO 0 to 3 as
the spec's `deepspeed` block says, or plain data-parallel without it. A step learns from
per_device_train_batch_size x processes x gradient_accumulation_steps rows, and only from the
assistant's part of them. A loss or gradient that is not finite stops every rank at the same step
and is a quality failure. The saved weights pass `checks` before there is a result.

The model is built whole on every rank before it is sharded: simple, and right for bases that fit
into one process's memory.
"""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from llmops.jobs.base import Measurement
from llmops.workers import checks, launch, memory, models
from llmops.workers.chat import Example
from llmops.workers.contract import Outcome, RunFolder, WorkerError, write_atomically
from llmops.workers.data import ByLength, Collator, training_set

PROBE_ROWS = 8


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
    started = time.monotonic()
    trained = trainer.train(resume_from_checkpoint=_checkpoint(run))
    measured = _measurements(trained, trainer, len(rows), time.monotonic() - started)
    if watch.failure:
        return Outcome(status="quality_failed", reason=watch.failure, measurements=measured)
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    reason = _save_and_check(run, trainer, state, rows) if run.rank == 0 else ""
    launch.barrier()
    if reason:
        return Outcome(status="quality_failed", reason=reason, measurements=measured)
    return Outcome(measurements=measured, artifacts=(_kind(run.spec),))


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
        "output_dir": str(run.path / "checkpoints"),
        "seed": run.seed,
        "logging_steps": 10,
        "logging_first_step": True,
        "save_strategy": "steps" if "save_steps" in training else "no",
        "save_total_limit": (run.spec.get("checkpoint") or {}).get("keep"),
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
    for noisy in ("PrinterCallback", "ProgressCallback"):
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__name__ == noisy:
                trainer.remove_callback(callback)
    return trainer


class Finite(Trainer):
    """Trainer that shows each step's loss and gradient norm to a `Watch`."""

    watch: Watch

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
        """Starts the clock."""
        self._started, self._first_step = time.monotonic(), state.global_step

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


def _checkpoint(run: RunFolder) -> str | None:
    """The newest whole checkpoint that an earlier start of this run left, if any.

    Trainer writes `trainer_state.json` after the weights and the optimizer.
    """
    found = (run.path / "checkpoints").glob("checkpoint-*/trainer_state.json")
    steps = [state.parent for state in found if state.parent.name[11:].isdecimal()]
    return str(max(steps, key=lambda path: int(path.name[11:]))) if steps else None


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
