"""axolotl's YAML -> Model, Datasets, Recipe, and an Evaluation of the rows that it held out.

Keys as in axolotl's configuration reference (https://docs.axolotl.ai/docs/config-reference.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.importers import hub, recipes, zero
from llmops.importers.base import Draft, Near, NotCarriedError
from llmops.importers.keys import Key, carry, number, plain, truth, whole, word
from llmops.specs.base import Ref
from llmops.specs.problem import Loc, items

TOOL = "axolotl"
FULL = "`lora` or `full: {}`"
_TRACK = "nothing is sent while a job runs; `llmops export mlflow` sends kept evidence"
_JUDGED = "training does not judge; an Evaluation does, on answers"
_CACHE = "curation keeps its own rows, by digest"
_MACHINE = "llmops chooses this by itself"
_FOLDER = "a run keeps what it makes in its own folder"
_HUB = "nothing is pushed to a hub"
_RL = "preference training is not built yet"
_PACK = "one row a sequence here, so the same rows make more and shorter steps"
_BITS = "the base is loaded in full precision: it takes more memory, and loses none"


def _bf16(value: Any) -> bool:
    if value in ("auto", "full"):
        return True
    return truth(value)


def _targets(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return value
    if isinstance(value, str) and value:
        return value
    raise NotCarriedError("it names no modules")


def _all_linear(value: Any) -> str:
    if truth(value):
        return "all-linear"
    raise NotCarriedError("the modules are named by lora_target_modules")


def _by_length(value: Any) -> str:
    if truth(value):
        return "group_by_length"
    raise NotCarriedError("rows come in random order anyway")


def _share(value: Any) -> int | float:
    found = number(value)
    if 0 < found < 1:
        return found
    raise NotCarriedError("it is no share of the steps")


def _saves(value: Any) -> str:
    if number(value) == 1:
        return "epoch"
    raise NotCarriedError("write save_steps: so many times an epoch has no word here")


def _checkpointing(value: Any) -> bool:
    if value in ("offload", "offload_disk", "unsloth"):
        return True
    return truth(value)


KEYS: tuple[Key, ...] = (
    Key("base_model", "a Model with `weights`, named by `base_model`", by_hand=True),
    Key("revision_of_model", "`weights.revision` of that Model", by_hand=True),
    Key("datasets", "a Dataset each, and `data`", by_hand=True),
    Key("val_set_size", "`splits` of each Dataset, and an Evaluation", by_hand=True),
    Key("adapter", FULL, "qlora becomes lora: " + _BITS, by_hand=True),
    Key("deepspeed", "`deepspeed`, the content of the file", by_hand=True),
    Key("rl", "`method`", "written, and refused until preference training is built", by_hand=True),
    Key("seed", "seed", turn=whole),
    Key("sequence_len", "template.max_length", turn=whole),
    Key("lora_r", "lora.r", turn=whole),
    Key("lora_alpha", "lora.lora_alpha", turn=whole),
    Key("lora_dropout", "lora.lora_dropout", turn=number),
    Key("lora_target_modules", "lora.target_modules", turn=_targets),
    Key("lora_target_linear", "lora.target_modules", turn=_all_linear),
    Key("lora_modules_to_save", "lora.modules_to_save", turn=_targets),
    Key("lora_fan_in_fan_out", "lora.fan_in_fan_out", turn=truth),
    Key("peft_use_dora", "lora.use_dora", turn=truth),
    Key("peft_use_rslora", "lora.use_rslora", turn=truth),
    Key("peft_layers_to_transform", "lora.layers_to_transform", turn=plain),
    Key("peft_init_lora_weights", "lora.init_lora_weights", turn=plain),
    Key("num_epochs", "training.num_train_epochs", turn=number),
    Key("max_steps", "training.max_steps", turn=whole),
    Key("micro_batch_size", "training.per_device_train_batch_size", turn=whole),
    Key("gradient_accumulation_steps", "training.gradient_accumulation_steps", turn=whole),
    Key("learning_rate", "training.learning_rate", turn=number),
    Key("lr_scheduler", "training.lr_scheduler_type", turn=word),
    Key("lr_scheduler_kwargs", "training.lr_scheduler_kwargs", turn=plain),
    Key("warmup_steps", "training.warmup_steps", turn=whole),
    Key(
        "warmup_ratio", "training.warmup_steps", turn=_share,
        why="below 1, warmup_steps is a share of all steps",
    ),
    Key("optimizer", "training.optim", turn=word),
    Key("optim_args", "training.optim_args", turn=word),
    Key("optim_target_modules", "training.optim_target_modules", turn=plain),
    Key("weight_decay", "training.weight_decay", turn=number),
    Key("max_grad_norm", "training.max_grad_norm", turn=number),
    Key("adam_beta1", "training.adam_beta1", turn=number),
    Key("adam_beta2", "training.adam_beta2", turn=number),
    Key("adam_epsilon", "training.adam_epsilon", turn=number),
    Key("neftune_noise_alpha", "training.neftune_noise_alpha", turn=number),
    Key("bf16", "training.bf16", "auto is written as true: a run is the same everywhere", _bf16),
    Key("fp16", "training.fp16", turn=truth),
    Key("tf32", "training.tf32", turn=truth),
    Key(
        "gradient_checkpointing", "training.gradient_checkpointing", turn=_checkpointing,
        why="offloading of checkpoints is not carried",
    ),
    Key("gradient_checkpointing_kwargs", "training.gradient_checkpointing_kwargs", turn=plain),
    Key("group_by_length", "training.train_sampling_strategy", turn=_by_length),
    Key("logging_steps", "training.logging_steps", turn=number),
    Key("save_steps", "training.save_steps", turn=number),
    Key("save_strategy", "training.save_strategy", turn=word),
    Key("saves_per_epoch", "training.save_strategy", turn=_saves),
    Key("save_total_limit", "checkpoint.keep", turn=whole),
    Key("torch_compile", "training.torch_compile", turn=truth),
    Key("torch_compile_backend", "training.torch_compile_backend", turn=word),
    Key("dataloader_num_workers", "training.dataloader_num_workers", turn=whole),
    Key("dataloader_prefetch_factor", "training.dataloader_prefetch_factor", turn=whole),
    Key("sample_packing", why=_PACK),
    Key("load_in_8bit", why=_BITS),
    Key("load_in_4bit", why=_BITS),
    Key("bnb_config_kwargs", why=_BITS),
    Key("gptq", why=_BITS),
    Key("chat_template", why="conversations are written by the tokenizer's own template"),
    Key("chat_template_jinja", why="conversations are written by the tokenizer's own template"),
    Key("default_system_message", why="put it into the rows, or into a Prompt"),
    Key("special_tokens", why="the tokenizer's own control words are used"),
    Key("tokens", why="the tokenizer's own vocabulary is used"),
    Key("eot_tokens", why="the tokenizer's own control words are used"),
    Key("train_on_inputs", why="the assistant's turns are learned, and nothing else"),
    Key("test_datasets", why="declare a Dataset and an Evaluation for it"),
    Key("pretraining_dataset", why="continued pretraining is not built yet"),
    Key("trust_remote_code", why="code that comes with weights is never run"),
    Key("lora_model_dir", why="name the Recipe to go on from: base_model: Recipe/…"),
    Key("resume_from_checkpoint", why="a stopped run goes on by itself"),
    Key("auto_resume_from_checkpoints", why="a stopped run goes on by itself"),
    Key("early_stopping_patience", why=_JUDGED),
    Key("evals_per_epoch", why=_JUDGED),
    Key("eval_*", why=_JUDGED),
    Key("do_*", why=_JUDGED),
    Key("output_dir", why=_FOLDER),
    Key("dataset_prepared_path", why=_CACHE),
    Key("dataset_processes", why=_MACHINE),
    Key("dataset_keep_in_memory", why=_MACHINE),
    Key("dataset_exact_deduplication", why="rows that repeat are dropped by curation anyway"),
    Key("shuffle_merged_datasets", why="rows are always shuffled, by the seed"),
    Key("sample_pack*", why=_PACK),
    Key("pad_to_sequence_len", why="rows are padded to the longest of their batch"),
    Key("flash_attention", why=_MACHINE),
    Key("xformers_attention", why=_MACHINE),
    Key("sdp_attention", why=_MACHINE),
    Key("s2_attention", why=_MACHINE),
    Key("attn_implementation", why=_MACHINE),
    Key("model_type", why=_MACHINE),
    Key("tokenizer_*", why="the tokenizer that lies with the weights is used"),
    Key("is_*", why=_MACHINE),
    Key("device_map", why=_MACHINE),
    Key("max_memory", why=_MACHINE),
    Key("local_rank", why="say it as resources: the executor starts the ranks"),
    Key("fsdp*", why="shard with deepspeed: {zero_optimization: …}"),
    Key("plugins", why="code of plug-ins is not run"),
    Key("liger_*", why="not carried; training.use_liger_kernel switches its kernels on"),
    Key("lora_mlp_kernel", why=_MACHINE),
    Key("lora_qkv_kernel", why=_MACHINE),
    Key("lora_o_kernel", why=_MACHINE),
    Key("loraplus_*", why="one learning rate for all trained weights here"),
    Key("cosine_*", why="write training.lr_scheduler_type and lr_scheduler_kwargs"),
    Key("loss_watchdog_*", why="a loss that is not finite always ends a run"),
    Key("strict", why="unknown keys are always refused here"),
    Key("debug", why=_MACHINE),
    Key("save_safetensors", why="weights are always saved as safetensors"),
    Key("save_only_model", why="without the optimizer a stopped run could not go on"),
    Key("wandb_*", why=_TRACK),
    Key("mlflow_*", why=_TRACK),
    Key("comet_*", why=_TRACK),
    Key("use_*", why=_TRACK),
    Key("hub_*", why=_HUB),
    Key("hf_use_auth_token", why="content is fetched by its digest, without an account"),
    Key("push_dataset_to_hub", why=_HUB),
    Key("dpo_*", why=_RL),
    Key("rl_beta", why=_RL),
    Key("trl", why=_RL),
    Key("kto_*", why=_RL),
    Key("orpo_alpha", why=_RL),
    Key("cpo_alpha", why=_RL),
    Key("simpo_gamma", why=_RL),
)  # fmt: skip


def read(draft: Draft, near: Near, name: str) -> None:
    """Everything that a configuration says, in the draft; `name` is what the Recipe is called."""
    given = draft.document.value
    recipe = draft.add("Recipe", name)
    base = given.get("base_model")
    if isinstance(base, str) and base.strip():
        where = ("revision_of_model",)
        model = hub.model(draft, base, ("base_model",), given.get(where[0]), where)
        draft.put(recipe, "base_model", model.name, ("base_model",))
    _method(draft, recipe)
    parts = [_dataset(draft, near, i, one) for i, one in items(given, "datasets")]
    _others(draft)
    recipes.mix(draft, recipe, parts, ("datasets",))
    carry(draft, recipe, KEYS)
    _adapter(draft, recipe)
    recipes.default(draft, recipe, "training.lr_scheduler_type", "cosine", TOOL)
    recipes.default(draft, recipe, "seed", recipes.SEED, TOOL)
    if (zero_ := given.get("deepspeed")) is not None and zero_ != "":
        zero.put(draft, recipe, zero_, recipes.look(near, zero_), ("deepspeed",))
    recipes.hold_out(draft, recipe, parts, given.get("val_set_size"), ("val_set_size",))


def _others(draft: Draft) -> None:
    """Datasets that are no maps: they are noted, since `items` passes them over."""
    given = draft.document.value.get("datasets")
    for i, one in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(one, dict):
            draft.note(("datasets", i), "it is no dataset: a map with path and type")
    if given is not None and not isinstance(given, list):
        draft.note(("datasets",), "it is no list of datasets")


def _method(draft: Draft, recipe: Ref) -> None:
    wish = draft.document.value.get("rl")
    if not wish:
        return
    if wish not in ("dpo", "orpo", "kto"):
        draft.refuse(("rl",), "supervised fine-tuning is built; dpo, orpo and kto have their words")
        return
    draft.put(recipe, "method", wish, ("rl",))
    draft.say(recipe, "method", f"rl: {wish}: {_RL}, so nothing runs until this is decided")
    draft.note(("rl",), _RL)


def _adapter(draft: Draft, recipe: Ref) -> None:
    """`lora` or `full`, and nothing of an adapter where there is none."""
    wish = draft.document.value.get("adapter")
    if wish in ("lora", "qlora"):
        if draft.get(recipe, "lora") is None:
            draft.put(recipe, "lora", {}, ("adapter",))
        if wish == "qlora":
            draft.note(("adapter",), _BITS)
        return
    if wish:
        draft.note(("adapter",), "only LoRA is built, so all weights are trained as written here")
    if draft.get(recipe, "lora"):
        draft.note((), "lora_* says nothing without an adapter", "lora_*")
    draft.leave(recipe, "lora")
    draft.put(recipe, "full", {}, ("adapter",) if "adapter" in draft.document.value else ())


# ---- datasets --------------------------------------------------------------------------------


def _dataset(draft: Draft, near: Near, i: int, one: Mapping[str, Any]) -> Ref:
    of: Loc = ("datasets", i)
    path = _place(one)
    ref = draft.add("Dataset", path or f"dataset-{i + 1}")
    recipes.purpose(draft, ref, preference=bool(draft.document.value.get("rl")))
    hub.source(draft, ref, path, recipes.look(near, path), of)
    recipes.pin(draft, ref, one.get("revision"), (*of, "revision"))
    _form(draft, ref, one, of)
    for key, why in _left(one):
        draft.note((*of, key), why)
    return ref


def _place(one: Mapping[str, Any]) -> str:
    """The file, where one is named, else the hub's name."""
    files, path = one.get("data_files"), one.get("path")
    if isinstance(files, list) and len(files) == 1:
        files = files[0]
    chosen = files if isinstance(files, str) and files else path
    return chosen if isinstance(chosen, str) else ""


_DATASET_KEYS = frozenset(
    ("path", "type", "data_files", "revision", "ds_type", "field_messages", "roles",
     "message_property_mappings", "message_field_role", "message_field_content", "conversation",
     "field_chosen", "field_rejected", "field_system")
)  # fmt: skip
_DATASET_WHYS: Mapping[str, str] = {
    "split": "a source is one file of rows: name the file of this split",
    "name": "a source is one file of rows: name the file of this configuration",
    "chat_template": "conversations are written by the tokenizer's own template",
    "chat_template_jinja": "conversations are written by the tokenizer's own template",
    "roles_to_train": "the assistant's turns are learned, and nothing else",
    "train_on_eos": "the end of each of the assistant's turns is learned",
    "train_on_eot": "the end of each of the assistant's turns is learned",
    "shards": "weight: in the Recipe's data gives a share of the rows",
    "trust_remote_code": "code that comes with rows is never run",
}


def _left(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in one.items():
        if key not in _DATASET_KEYS and value not in (None, False, "", [], {}):
            yield key, _DATASET_WHYS.get(key, "a Dataset has no such word")
    files = one.get("data_files")
    if isinstance(files, list) and len(files) > 1:
        yield "data_files", "only one file is a source; name each as a source of its own"


def _form(draft: Draft, ref: Ref, one: Mapping[str, Any], of: Loc) -> None:
    kind, place = one.get("type"), (*of, "type")
    if draft.document.value.get("rl"):
        recipes.form(draft, ref, "preference", {}, place if "type" in one else of)
    elif isinstance(kind, dict):
        _own_form(draft, ref, kind, place)
    elif kind == "alpaca_chat.load_qa":
        recipes.form(draft, ref, "qa", {}, place)
    elif isinstance(kind, str) and kind.partition(":")[0] == "alpaca":
        recipes.form(draft, ref, "alpaca", {}, place)
    elif isinstance(kind, str) and kind.partition(".")[0] == "chat_template":
        _turns(draft, ref, one, of)
    elif isinstance(kind, str) and kind.startswith("sharegpt"):
        recipes.form(draft, ref, "sharegpt", {"conversations": "conversations"}, place)
    else:
        recipes.no_form(draft, ref, place if "type" in one else of)


def _own_form(draft: Draft, ref: Ref, kind: Mapping[str, Any], place: Loc) -> None:
    """Axolotl's own prompt style: its columns are carried, its text is not."""
    names = {"instruction": "field_instruction", "input": "field_input", "output": "field_output"}
    columns = {ours: kind[theirs] for ours, theirs in names.items() if kind.get(theirs)}
    recipes.form(draft, ref, "alpaca", columns, place)
    for key, value in kind.items():
        if key not in names.values() and value:
            draft.note((*place, key), "the tokenizer's template writes turns, and no text around")


def _turns(draft: Draft, ref: Ref, one: Mapping[str, Any], of: Loc) -> None:
    """Conversations: `messages` by role and content, `sharegpt` by from and value."""
    mapped = one.get("message_property_mappings")
    mapped = mapped if isinstance(mapped, dict) else {}
    role = mapped.get("role") or one.get("message_field_role") or "role"
    content = mapped.get("content") or one.get("message_field_content") or "content"
    column = one.get("field_messages") or "messages"
    if (role, content) == ("from", "value"):
        recipes.form(draft, ref, "sharegpt", {"conversations": column}, of)
    else:
        recipes.form(draft, ref, "messages", {"messages": column}, of)
    if (role, content) not in (("role", "content"), ("from", "value")):
        why = "a turn is {role, content} or {from, value}; rewrite the rows so"
        key = "message_property_mappings" if mapped else "message_field_role"
        draft.note((*of, key) if key in one else of, why)
