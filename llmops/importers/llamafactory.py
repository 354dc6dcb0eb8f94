"""LLaMA-Factory's YAML -> Model, Datasets, Recipe, and an Evaluation of the rows that it held out.

Keys as in LLaMA-Factory's arguments (https://llamafactory.readthedocs.io/en/latest/). Names of
datasets are looked up in its `dataset_info.json`, where that file lies beside or below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmops.importers import hub, recipes, zero
from llmops.importers.base import Draft, Near, NotCarriedError
from llmops.importers.keys import Key, carry, number, plain, truth, whole, word
from llmops.specs.base import Ref
from llmops.specs.problem import Loc, block

TOOL = "LLaMA-Factory"
INFO = "dataset_info.json"
_TRACK = "nothing is sent while a job runs; `llmops export mlflow` sends kept evidence"
_JUDGED = "training does not judge; an Evaluation does, on answers"
_MACHINE = "llmops chooses this by itself"
_FOLDER = "a run keeps what it makes in its own folder"
_BITS = "the base is loaded in full precision: it takes more memory, and loses none"
_RL = "preference training is not built yet"
_METHODS: Mapping[str, str] = {"sft": "sft", "dpo": "dpo", "kto": "kto", "pt": "cpt"}


def _targets(value: Any) -> Any:
    """`all`, or names with commas between them."""
    if value == "all":
        return "all-linear"
    return _names(value)


def _names(value: Any) -> list[str]:
    given = value.split(",") if isinstance(value, str) else value
    names = [one.strip() for one in given or () if isinstance(one, str) and one.strip()]
    if not names or not isinstance(given, list) or len(names) != len(given):
        raise NotCarriedError("it names no modules")
    return names


def _share(value: Any) -> int | float:
    found = number(value)
    if 0 < found < 1:
        return found
    raise NotCarriedError("it is no share of the steps")


def _pure(value: Any) -> bool:
    if truth(value):
        return True
    raise NotCarriedError("it asks for nothing")


KEYS: tuple[Key, ...] = (
    Key("model_name_or_path", "a Model with `weights`, named by `base_model`", by_hand=True),
    Key("model_revision", "`weights.revision` of that Model", by_hand=True),
    Key("stage", "`method`", "only sft is built: others are written, and refused until then",
        by_hand=True),
    Key("finetuning_type", "`lora` or `full: {}`", by_hand=True),
    Key("dataset", "a Dataset each, and `data`", f"names are looked up in {INFO}", by_hand=True),
    Key("dataset_dir", f"where {INFO} is looked for", by_hand=True),
    Key("interleave_probs", "`data[].weight`", by_hand=True),
    Key("val_size", "`splits` of each Dataset, and an Evaluation", by_hand=True),
    Key("deepspeed", "`deepspeed`, the content of the file", by_hand=True),
    Key("cutoff_len", "template.max_length", turn=whole),
    Key("lora_rank", "lora.r", turn=whole),
    Key("lora_alpha", "lora.lora_alpha", "twice the rank where nothing is said", whole),
    Key("lora_dropout", "lora.lora_dropout", turn=number),
    Key("lora_target", "lora.target_modules", turn=_targets),
    Key("additional_target", "lora.modules_to_save", turn=_names),
    Key("use_rslora", "lora.use_rslora", turn=truth),
    Key("use_dora", "lora.use_dora", turn=truth),
    Key("per_device_train_batch_size", "training.per_device_train_batch_size", turn=whole),
    Key("gradient_accumulation_steps", "training.gradient_accumulation_steps", turn=whole),
    Key("learning_rate", "training.learning_rate", turn=number),
    Key("num_train_epochs", "training.num_train_epochs", turn=number),
    Key("max_steps", "training.max_steps", turn=whole),
    Key("lr_scheduler_type", "training.lr_scheduler_type", turn=word),
    Key("lr_scheduler_kwargs", "training.lr_scheduler_kwargs", turn=plain),
    Key("warmup_steps", "training.warmup_steps", turn=number),
    Key("warmup_ratio", "training.warmup_steps",
        "below 1, warmup_steps is a share of all steps", _share),
    Key("optim", "training.optim", turn=word),
    Key("optim_args", "training.optim_args", turn=word),
    Key("weight_decay", "training.weight_decay", turn=number),
    Key("max_grad_norm", "training.max_grad_norm", turn=number),
    Key("adam_beta1", "training.adam_beta1", turn=number),
    Key("adam_beta2", "training.adam_beta2", turn=number),
    Key("adam_epsilon", "training.adam_epsilon", turn=number),
    Key("label_smoothing_factor", "training.label_smoothing_factor", turn=number),
    Key("neftune_noise_alpha", "training.neftune_noise_alpha", turn=number),
    Key("bf16", "training.bf16", turn=truth),
    Key("fp16", "training.fp16", turn=truth),
    Key("tf32", "training.tf32", turn=truth),
    Key("pure_bf16", "training.bf16", "weights start in float32 here", _pure),
    Key("gradient_checkpointing", "training.gradient_checkpointing", turn=truth),
    Key("gradient_checkpointing_kwargs", "training.gradient_checkpointing_kwargs", turn=plain),
    Key("disable_gradient_checkpointing", why="write training.gradient_checkpointing: false"),
    Key("enable_liger_kernel", "training.use_liger_kernel", turn=truth),
    Key("logging_steps", "training.logging_steps", turn=number),
    Key("save_steps", "training.save_steps", turn=number),
    Key("save_strategy", "training.save_strategy", turn=word),
    Key("save_total_limit", "checkpoint.keep", turn=whole),
    Key("seed", "seed", turn=whole),
    Key("dataloader_num_workers", "training.dataloader_num_workers", turn=whole),
    Key("torch_compile", "training.torch_compile", turn=truth),
    Key("template", why="conversations are written by the tokenizer's own template"),
    Key("default_system", why="put it into the rows, or into a Prompt"),
    Key("max_samples", why="for tries only; select rows by curation where fewer are meant"),
    Key("mix_strategy", why="each entry of data has a weight, or all rows come once"),
    Key("packing", why="one row a sequence here, so the same rows make more and shorter steps"),
    Key("neat_packing", why="one row a sequence here, so the same rows make more, shorter steps"),
    Key("train_on_prompt", why="the assistant's turns are learned, and nothing else"),
    Key("mask_history", why="every turn of the assistant is learned"),
    Key("streaming", why="rows are curated into files first"),
    Key("tool_format", why="rows with tools are not read"),
    Key("eval_dataset", why="declare a Dataset and an Evaluation for it"),
    Key("quantization_*", why=_BITS),
    Key("double_quantization", why=_BITS),
    Key("trust_remote_code", why="code that comes with weights is never run"),
    Key("adapter_name_or_path", why="name the Recipe to go on from: base_model: Recipe/…"),
    Key("resume_from_checkpoint", why="a stopped run goes on by itself"),
    Key("pref_*", why=_RL),
    Key("dpo_*", why=_RL),
    Key("kto_*", why=_RL),
    Key("simpo_gamma", why=_RL),
    Key("ppo_*", why=_RL),
    Key("ref_model*", why=_RL),
    Key("reward_model*", why=_RL),
    Key("freeze_*", why="all weights are trained, or an adapter"),
    Key("use_galore", why="write training.optim: galore_adamw and optim_target_modules"),
    Key("galore_*", why="write training.optim: galore_adamw and optim_args"),
    Key("use_apollo", why="write training.optim: apollo_adamw and optim_target_modules"),
    Key("apollo_*", why="write training.optim: apollo_adamw and optim_args"),
    Key("use_badam", why="only the Trainer's own optimizers are built"),
    Key("badam_*", why="only the Trainer's own optimizers are built"),
    Key("loraplus_*", why="one learning rate for all trained weights here"),
    Key("pissa_*", why="write lora.init_lora_weights: pissa"),
    Key("create_new_adapter", why="each Recipe trains an adapter of its own"),
    Key("flash_attn", why=_MACHINE),
    Key("rope_scaling", why="the config that lies with the weights is used"),
    Key("resize_vocab", why="the tokenizer's own vocabulary is used"),
    Key("use_fast_tokenizer", why="the tokenizer that lies with the weights is used"),
    Key("use_unsloth*", why=_MACHINE),
    Key("shift_attn", why=_MACHINE),
    Key("upcast_*", why=_MACHINE),
    Key("infer_*", why="answers are made by the job generate"),
    Key("cache_dir", why="content lies in the cache of llmops, by digest"),
    Key("overwrite_cache", why="curation keeps its own rows, by digest"),
    Key("tokenized_path", why="curation keeps its own rows, by digest"),
    Key("preprocessing_*", why=_MACHINE),
    Key("output_dir", why=_FOLDER),
    Key("overwrite_output_dir", why=_FOLDER),
    Key("save_only_model", why="without the optimizer a stopped run could not go on"),
    Key("plot_loss", why="progress.jsonl of the run folder holds the loss"),
    Key("do_train", why="a Recipe is trained where evidence for it is asked"),
    Key("do_eval", why=_JUDGED),
    Key("do_predict", why=_JUDGED),
    Key("predict_with_generate", why=_JUDGED),
    Key("compute_accuracy", why=_JUDGED),
    Key("per_device_eval_batch_size", why=_JUDGED),
    Key("eval_*", why=_JUDGED),
    Key("load_best_model_at_end", why=_JUDGED),
    Key("ddp_timeout", why="say it as resources: the executor starts the ranks"),
    Key("ray_*", why="say it as resources: the executor starts the ranks"),
    Key("fsdp*", why="shard with deepspeed: {zero_optimization: …}"),
    Key("report_to", why=_TRACK),
    Key("run_name", why=_TRACK),
    Key("use_swanlab", why=_TRACK),
    Key("swanlab_*", why=_TRACK),
    Key("hf_hub_token", why="content is fetched by its digest, without an account"),
    Key("ms_hub_token", why="content is fetched by its digest, without an account"),
    Key("push_to_hub", why="nothing is pushed to a hub"),
    Key("hub_*", why="nothing is pushed to a hub"),
)  # fmt: skip


def read(draft: Draft, near: Near, name: str) -> None:
    """Everything that a configuration says, in the draft; `name` is what the Recipe is called."""
    given = draft.document.value
    recipe = draft.add("Recipe", name)
    base = given.get("model_name_or_path")
    if isinstance(base, str) and base.strip():
        where = ("model_revision",)
        revision = given.get(where[0])
        revision = None if revision == "main" else revision  # what stands there without a word
        model = hub.model(draft, base, ("model_name_or_path",), revision, where)
        draft.put(recipe, "base_model", model.name, ("model_name_or_path",))
    _method(draft, recipe)
    parts = _datasets(draft, near)
    recipes.mix(draft, recipe, parts, ("dataset",))
    carry(draft, recipe, KEYS)
    _adapter(draft, recipe)
    recipes.default(draft, recipe, "seed", recipes.SEED, TOOL)
    if given.get("deepspeed"):
        found = recipes.look(near, given["deepspeed"])
        zero.put(draft, recipe, given["deepspeed"], found, ("deepspeed",))
    recipes.hold_out(draft, recipe, parts, given.get("val_size"), ("val_size",))
    _weights(draft, recipe)


def _method(draft: Draft, recipe: Ref) -> None:
    stage = draft.document.value.get("stage")
    if stage in (None, "sft"):
        return
    known = _METHODS.get(stage) if isinstance(stage, str) else None
    if known is None:
        draft.refuse(
            ("stage",), "supervised fine-tuning is built; pt, dpo and kto have their words"
        )
        return
    draft.put(recipe, "method", known, ("stage",))
    draft.say(recipe, "method", f"{draft.words(('stage',))} is not built yet, so nothing runs")


def _adapter(draft: Draft, recipe: Ref) -> None:
    """LoRA where nothing else is said, with LLaMA-Factory's own defaults written out."""
    kind = draft.document.value.get("finetuning_type", "lora")
    of: Loc = ("finetuning_type",) if "finetuning_type" in draft.document.value else ()
    if kind == "full":
        draft.leave(recipe, "lora")
        draft.put(recipe, "full", {}, of)
        return
    if kind != "lora":
        draft.note(of, "only LoRA and the training of all weights are built; LoRA is written")
    for key, value in (("r", 8), ("lora_dropout", 0.0), ("target_modules", "all-linear")):
        if draft.get(recipe, f"lora.{key}") is None:
            draft.put(recipe, f"lora.{key}", value)
    if draft.get(recipe, "lora.lora_alpha") is None:
        draft.put(recipe, "lora.lora_alpha", 2 * draft.get(recipe, "lora.r"))


def _weights(draft: Draft, recipe: Ref) -> None:
    """Shares of the mixture, where one is given for each dataset."""
    given, data = draft.document.value.get("interleave_probs"), draft.get(recipe, "data")
    if given in (None, ""):
        return
    words = given.split(",") if isinstance(given, str) else given
    try:
        shares = [number(one.strip() if isinstance(one, str) else one) for one in words]
        if len(shares) != len(data) or not all(0 < share <= 1 for share in shares):
            raise NotCarriedError("there must be one share for each dataset")
    except (NotCarriedError, TypeError) as error:
        why = str(error) if isinstance(error, NotCarriedError) else "it is no list of shares"
        draft.note(("interleave_probs",), why)
        return
    mixed = [{**one, "weight": float(share)} for one, share in zip(data, shares, strict=True)]
    draft.put(recipe, "data", mixed, ("interleave_probs",))


# ---- datasets --------------------------------------------------------------------------------


def _datasets(draft: Draft, near: Near) -> list[Ref]:
    """A Dataset for each name, with what `dataset_info.json` says of it."""
    given = draft.document.value.get("dataset")
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list):
        if given is not None:
            draft.note(("dataset",), "it names no datasets")
        return []
    words = dict.fromkeys(one.strip() for one in names if isinstance(one, str) and one.strip())
    if len(words) < len(names):
        draft.note(("dataset",), "a name that stands twice, or is none, is left out")
    folder = draft.document.value.get("dataset_dir", "data")
    info, folder = _info(near, folder if isinstance(folder, str) else "data")
    return [_dataset(draft, near, one, info, folder) for one in words]


def _info(near: Near, folder: str) -> tuple[Mapping[str, Any], str]:
    """The catalogue of datasets and the folder it lies in; an empty one where it is not here."""
    for place in (folder, ""):
        path = f"{place}/{INFO}" if place else INFO
        found = recipes.look(near, path)
        value = hub.as_json(found.data) if found and found.data else None
        if isinstance(value, dict):
            return value, place
    return {}, folder


def _dataset(
    draft: Draft, near: Near, name: str, info: Mapping[str, Any], folder: str
) -> Ref:  # fmt: skip
    of: Loc = ("dataset",)
    ref = draft.add("Dataset", name)
    said = block(info, name)
    preference = said.get("ranking") is True or draft.document.value.get("stage") in ("dpo", "kto")
    recipes.purpose(draft, ref, preference=preference)
    if not said:
        draft.put(ref, "sources", [{"name": "rows"}], of)
        draft.say(ref, "sources", hub.WHERE)
        draft.say(ref, "", "fill in format: qa, messages, alpaca, sharegpt or completion")
        draft.note(of, f"{INFO} is not here, or does not have it", f"dataset: {name}")
        return ref
    path = _place(said, folder)
    hub.source(draft, ref, path, recipes.look(near, path), of)
    _form(draft, ref, said, preference=preference)
    for key in ("split", "subset", "folder", "num_samples"):
        if said.get(key):
            draft.note(of, "a source is one file of rows: name that file", f"{name}: {key}")
    return ref


_HUBS: Mapping[str, str] = {
    "hf_hub_url": "",
    "ms_hub_url": "https://modelscope.cn/datasets/",
    "om_hub_url": "https://modelers.cn/datasets/",
}


def _place(said: Mapping[str, Any], folder: str) -> str:
    for key, address in _HUBS.items():
        if isinstance(said.get(key), str):
            return address + str(said[key])
    file = said.get("file_name")
    if not isinstance(file, str):
        return ""
    return f"{folder}/{file}" if folder else file


def _form(draft: Draft, ref: Ref, said: Mapping[str, Any], *, preference: bool) -> None:
    """The format and its columns; the names of columns and of who speaks as the catalogue has."""
    of: Loc = ("dataset",)
    columns, tags = block(said, "columns"), block(said, "tags")
    if preference or "kto_tag" in columns:
        recipes.form(draft, ref, "preference", {}, of)
        return
    if said.get("formatting") != "sharegpt":
        _alpaca(draft, ref, columns)
        return
    who, what = tags.get("role_tag", "from"), tags.get("content_tag", "value")
    column = columns.get("messages", "conversations")
    if (who, what) == ("role", "content"):
        recipes.form(draft, ref, "messages", {"messages": column}, of)
    else:
        recipes.form(draft, ref, "sharegpt", {"conversations": column}, of)
    if (who, what) not in (("role", "content"), ("from", "value")):
        why = "a turn is {role, content} or {from, value}; rewrite the rows so"
        draft.note(of, why, f"{ref.name}: tags")
    _rest(draft, ref, columns, ("messages",))


def _alpaca(draft: Draft, ref: Ref, columns: Mapping[str, Any]) -> None:
    names = {"instruction": "prompt", "input": "query", "output": "response", "system": "system"}
    mapped = {ours: columns[theirs] for ours, theirs in names.items() if columns.get(theirs)}
    recipes.form(draft, ref, "alpaca", mapped, ("dataset",))
    _rest(draft, ref, columns, names.values())


def _rest(draft: Draft, ref: Ref, columns: Mapping[str, Any], known: Iterable[str]) -> None:
    for key, value in columns.items():
        if key not in known and value:
            why = "a Dataset reads no such column"
            draft.note(("dataset",), why, f"{ref.name}: columns.{key}")
