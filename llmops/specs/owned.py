"""Keys of the quoted tools that are not for a spec to set, and where to say it instead.

What a Recipe says itself (seed, ranks, output), what the worker fixes for every run, and what
would reach outside the machine. Nothing here is accepted and then ignored.
"""

from __future__ import annotations

from collections.abc import Mapping

_FOLDER = "llmops keeps what a run makes in its run folder"
_SEED = "say it as seed: of the Recipe"
_JUDGED = "training does not judge; declare an Evaluation"
_TRACKING = "progress.jsonl and log.txt of the run folder hold the log; nothing is sent away"
_HUB = "nothing is pushed to a hub"
_RANKS = "say it as resources: of the Recipe; the executor starts the ranks"
_WORKER = "it is the same for every run"
_RESUME = "a stopped run goes on by itself; see checkpoint: of the Recipe"
_MIGRATE = " (llmops migrate does it)"
_NO_CODE = "no module is imported because a spec names it"
_UNDECLARED = "it reads files that no digest names"
_BASE = "say it as base_model: of the Recipe"

TRAINING: Mapping[str, str] = {
    "output_dir": _FOLDER,
    "seed": _SEED,
    "data_seed": _SEED,
    "deepspeed": "say it as deepspeed: of the Recipe",
    "report_to": _TRACKING,
    "run_name": _TRACKING,
    "project": _TRACKING,
    "disable_tqdm": _WORKER,
    "log_level": _WORKER,
    "log_level_replica": _WORKER,
    "log_on_each_node": _WORKER,
    "logging_nan_inf_filter": "a loss that is not finite always ends a run",
    "include_num_input_tokens_seen": _WORKER,
    "push_to_hub": _HUB,
    "local_rank": _RANKS,
    "use_cpu": _RANKS,
    "ddp_backend": _RANKS,
    "ddp_timeout": _RANKS,
    "ddp_find_unused_parameters": _WORKER,
    "accelerator_config": _RANKS,
    "parallelism_config": _RANKS,
    "auto_find_batch_size": "the batch size is part of the result; write it out",
    "do_train": _JUDGED,
    "do_predict": _JUDGED,
    "per_device_eval_batch_size": _JUDGED,
    "prediction_loss_only": _JUDGED,
    "batch_eval_metrics": _JUDGED,
    "include_for_metrics": _JUDGED,
    "load_best_model_at_end": _JUDGED,
    "metric_for_best_model": _JUDGED,
    "greater_is_better": _JUDGED,
    "bf16_full_eval": _JUDGED,
    "fp16_full_eval": _JUDGED,
    "do_eval": _JUDGED,
    "resume_from_checkpoint": _RESUME,
    "restore_callback_states_from_checkpoint": _RESUME,
    "ignore_data_skip": _RESUME,
    "enable_jit_checkpoint": _RESUME,
    "save_only_model": "without the optimizer a stopped run could not go on",
    "save_total_limit": "say it as checkpoint: {keep: n} of the Recipe",
    "save_on_each_node": _FOLDER,
    "remove_unused_columns": _WORKER,
    "label_names": _WORKER,
    "length_column_name": _WORKER,
    "dataloader_pin_memory": _WORKER,
    "debug": _WORKER,
    "skip_memory_metrics": _WORKER,
}
TRAINING_PREFIXES: Mapping[str, str] = {
    "hub_": _HUB,
    "trackio_": _TRACKING,
    "eval_": _JUDGED,
    "fsdp": "say it as deepspeed: {zero_optimization: …} of the Recipe",
}

LORA: Mapping[str, str] = {
    "base_model_name_or_path": _BASE,
    "revision": _BASE,
    "peft_version": _WORKER,
    "inference_mode": _WORKER,
    "auto_mapping": _WORKER,
    "runtime_config": _WORKER,
    "megatron_config": _NO_CODE,
    "megatron_core": _NO_CODE,
    "corda_config": _UNDECLARED,
    "lora_ga_config": _UNDECLARED,
}
LORA_ONLY: Mapping[str, str] = {"peft_type": "LORA", "task_type": "CAUSAL_LM"}

DEEPSPEED: Mapping[str, str] = dict.fromkeys(
    ("tensorboard", "wandb", "comet", "csv_monitor"), _TRACKING
)
# Said by TrainingArguments too: the Trainer fills these in, and refuses other values.
DEEPSPEED_FROM: Mapping[str, str] = {
    "train_batch_size": "per_device_train_batch_size",
    "train_micro_batch_size_per_gpu": "per_device_train_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "gradient_clipping": "max_grad_norm",
    "optimizer.params.lr": "learning_rate",
    "optimizer.params.betas": "adam_beta1 and adam_beta2",
    "optimizer.params.eps": "adam_epsilon",
    "optimizer.params.weight_decay": "weight_decay",
    "scheduler.params.warmup_max_lr": "learning_rate",
    "scheduler.params.warmup_num_steps": "warmup_steps",
    "scheduler.params.total_num_steps": "max_steps or num_train_epochs",
}
DEEPSPEED_AUTO = frozenset(DEEPSPEED_FROM) | {
    "scheduler.params.warmup_min_lr",
    "fp16.enabled",
    "bf16.enabled",
    "zero_optimization.reduce_bucket_size",
    "zero_optimization.stage3_prefetch_bucket_size",
    "zero_optimization.stage3_param_persistence_threshold",
}

# Words that people know from other versions of the tools.
RENAMED: Mapping[str, str] = {
    "warmup_ratio": f"write warmup_steps: 0.03; below 1 it is a share of all steps{_MIGRATE}",
    "evaluation_strategy": _JUDGED,
    "logging_dir": _TRACKING,
    "no_cuda": _RANKS,
    "overwrite_output_dir": _FOLDER,
    "group_by_length": f"write train_sampling_strategy: group_by_length{_MIGRATE}",
    "per_gpu_train_batch_size": f"write per_device_train_batch_size{_MIGRATE}",
    "save_safetensors": "weights are always saved as safetensors",
    "bfloat16": "write bf16",
    "dtype": "training starts in float32; see training.bf16",
    "torch_dtype": "training starts in float32; see training.bf16",
    "cpu_offload": f"write offload_optimizer: {{device: cpu}}{_MIGRATE}",
    "cpu_offload_param": f"write offload_param: {{device: cpu}}{_MIGRATE}",
    "stage3_gather_fp16_weights_on_model_save": (
        f"write stage3_gather_16bit_weights_on_model_save{_MIGRATE}"
    ),
}


def refused(block: str, name: str) -> str:
    """Why a key is not for a spec to set and what to do instead, or ""."""
    if block == "lora":
        return LORA.get(name, "")
    if block == "deepspeed":
        return DEEPSPEED.get(name, "")
    if block != "training":
        return ""
    starts = (hint for start, hint in TRAINING_PREFIXES.items() if name.startswith(start))
    return TRAINING.get(name) or next(starts, "")
