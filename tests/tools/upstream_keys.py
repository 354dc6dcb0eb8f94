"""Writes the key lists of the pinned tools into `llmops/specs/upstream/*.json`.

In: the installed PEFT, Transformers and DeepSpeed, by their own declarations (dataclass fields,
pydantic models, and the keys that DeepSpeed's parser is seen to read). Out: one JSON per block of
a Recipe or Model: `{"tool", "version", "keys"}`; a key says what its value may be:
`is` (number, integer, whole, text, bool, list, map, null), `one_of`, and `keys` of a map. A model
type also has its `aliases`, its whole and boolean `defaults`, and PEFT's `lora_targets` for it.

`python tests/tools/upstream_keys.py` rewrites the files; a test compares them with this.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import types
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

os.environ.setdefault("DS_ACCELERATOR", "cpu")

FOLDER = Path(__file__).resolve().parents[2] / "llmops" / "specs" / "upstream"
MODEL_TYPES = (
    "bloom", "cohere", "deepseek_v3", "falcon", "gemma", "gemma2", "gemma3_text", "glm4", "gpt2",
    "gpt_neo", "gpt_neox", "granite", "llama", "mistral", "mixtral", "mpt", "olmo2", "opt", "phi",
    "phi3", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "smollm3", "stablelm",
)  # fmt: skip
PLAIN = {bool: "bool", int: "integer", float: "number", str: "text", type(None): "null"}
LISTS = (list, tuple, set, frozenset)


def said(annotation: Any) -> dict[str, Any]:
    """What a value of this annotation may be; `{}` where that cannot be told."""
    words: set[str] = set()
    one_of: list[Any] = []
    for member in _members(annotation):
        word = _word(member)
        if word:
            words.add(word)
        elif get_origin(member) is Literal:
            one_of += get_args(member)
        elif isinstance(member, type) and issubclass(member, Enum):
            one_of += [item.value for item in member]
        else:
            return {}
    if any("[" in str(word) for word in one_of):  # a pattern, written as one of the words
        return {}
    if one_of:
        words.discard("text")
    found: dict[str, Any] = {"is": sorted(words)} if words else {}
    return found | ({"one_of": sorted(set(one_of), key=str)} if one_of else {})


def _members(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for part in get_args(annotation) for inner in _members(part)]
    return [annotation]


def _word(member: Any) -> str | None:
    origin = get_origin(member) or member
    if origin in PLAIN:
        return PLAIN[origin]
    if origin in LISTS:
        return "list"
    if origin is dict or dataclasses.is_dataclass(origin) or hasattr(origin, "__total__"):
        return "map"
    return None


def of_dataclass(cls: type, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The keys of a dataclass with what each may hold."""
    fields = [f for f in dataclasses.fields(cls) if f.init and f.name not in without]
    try:
        hints = get_type_hints(cls)
    except (NameError, TypeError):
        hints = {f.name: f.type for f in fields}
    return {f.name: said(hints.get(f.name, f.type)) for f in fields}


def of_pydantic(model: Any) -> dict[str, Any]:
    """The keys of a DeepSpeed config model; deprecated ones are left out."""
    keys: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if (field.json_schema_extra or {}).get("deprecated"):
            continue
        inner = [m for m in _members(field.annotation) if hasattr(m, "model_fields")]
        keys[field.alias or name] = (
            {"is": ["map"], "keys": of_pydantic(inner[0])} if inner else said(field.annotation)
        )
    return keys


def of_call(*calls: Any) -> dict[str, Any]:
    """The keyword parameters of constructors, told apart by their defaults."""
    keys: dict[str, Any] = {}
    for call in calls:
        for name, given in inspect.signature(call).parameters.items():
            if name not in ("self", "params", "model_params", "optimizer", "defaults"):
                word = PLAIN.get(type(given.default)) if given.default is not None else None
                if isinstance(given.default, LISTS):
                    keys[name] = {}
                elif word in ("number", "integer"):
                    keys[name] = {"is": ["number"]}
                else:
                    keys.setdefault(name, {"is": [word]} if word else {})
    return keys


def lora() -> dict[str, Any]:
    from peft import LoraConfig, __version__

    return _file("peft", __version__, of_dataclass(LoraConfig))


def training() -> dict[str, Any]:
    from transformers import TrainingArguments, __version__

    return _file("transformers", __version__, of_dataclass(TrainingArguments))


def architecture() -> dict[str, Any]:
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as TARGETS
    from transformers import PreTrainedConfig, __version__
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    common = frozenset(f.name for f in dataclasses.fields(PreTrainedConfig))
    keys = {}
    for name in MODEL_TYPES:
        config = CONFIG_MAPPING[name]
        own = of_dataclass(config, without=common)
        other = {a: own[b] for a, b in config.attribute_map.items() if b in own}
        if "rope_parameters" in own:  # taken as well, and folded into rope_parameters
            other |= {"rope_theta": {"is": ["number"]}, "rope_scaling": own["rope_parameters"]}
        keys[name] = {
            "is": ["map"],
            "keys": {"model_type": {"is": ["text"]}, **own, **other},
            "aliases": {a: b for a, b in sorted(config.attribute_map.items()) if b in own},
            "defaults": _sizes(config, own),
            "lora_targets": sorted(TARGETS.get(name) or ()),
        }
    return _file("transformers", __version__, keys)


def _sizes(config: type, own: dict[str, Any]) -> dict[str, Any]:
    """Defaults of the keys that can decide how many parameters there are."""
    found = {f.name: f.default for f in dataclasses.fields(config) if f.name in own}
    return {k: v for k, v in sorted(found.items()) if isinstance(v, int)}


class _Seen(dict[str, Any]):
    """A config that notes which keys its reader asks for, with the defaults it would take."""

    def __init__(self, content: dict[str, Any] | None = None) -> None:
        super().__init__(content or {})
        self.asked: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        self.asked[key] = default if self.asked.get(key) is None else self.asked[key]
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.setdefault(str(key), None)
        return super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        self.asked.setdefault(key, None)
        return super().__getitem__(key)

    def keys(self) -> Any:
        return self


def _asked(content: dict[str, Any] | None = None) -> dict[str, Any]:
    from deepspeed.runtime.config import DeepSpeedConfig

    config, seen = object.__new__(DeepSpeedConfig), _Seen(content)
    config._initialize_params(seen)
    return seen.asked


def _by_default(asked: dict[str, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for name, default in asked.items():
        word = PLAIN.get(type(default)) if default is not None else None
        word = "number" if word in ("integer", "number") else word
        keys[name] = {"is": [word]} if word else {"is": ["map"]} if default == {} else {}
    return keys


def deepspeed() -> dict[str, Any]:
    import deepspeed as tool
    from deepspeed.compile.config import CompileConfig
    from deepspeed.runtime import lr_schedules
    from deepspeed.runtime.activation_checkpointing import config as activation
    from deepspeed.runtime.precision_config import DeepSpeedBF16Config, DeepSpeedFP16Config
    from deepspeed.runtime.zero.config import DeepSpeedZeroConfig

    keys = _by_default(_asked())
    for name in ("checkpoint", "data_types", "torch_autocast", "timers"):
        inner = _Seen()
        _asked({name: inner})
        keys[name] = {"is": ["map"], "keys": _by_default(inner.asked)}
    for name, model in (
        ("zero_optimization", DeepSpeedZeroConfig),
        ("fp16", DeepSpeedFP16Config),
        ("bf16", DeepSpeedBF16Config),
        ("compile", CompileConfig),
    ):
        keys[name] = {"is": ["map"], "keys": of_pydantic(model)}
    keys["activation_checkpointing"] = {
        "is": ["map"],
        "keys": _by_default(activation.ACT_CHKPT_DEFAULT),
    }
    keys["optimizer"] = {"is": ["map"], "keys": _optimizer(keys)}
    schedules = [getattr(lr_schedules, name) for name in lr_schedules.VALID_LR_SCHEDULES]
    keys["scheduler"] = {
        "is": ["map"],
        "keys": {
            "type": {"one_of": sorted(lr_schedules.VALID_LR_SCHEDULES)},
            "params": {"is": ["map"], "keys": of_call(*schedules)},
        },
    }
    for deprecated in ("bfloat16",):
        keys.pop(deprecated, None)
    return _file("deepspeed", tool.__version__, _whole(keys))


def _optimizer(keys: dict[str, Any]) -> dict[str, Any]:
    from deepspeed.ops.adagrad import DeepSpeedCPUAdagrad
    from deepspeed.ops.adam import DeepSpeedCPUAdam, FusedAdam
    from deepspeed.ops.lion import DeepSpeedCPULion
    from deepspeed.runtime import config
    from torch.optim import SGD, AdamW

    params = of_call(FusedAdam, DeepSpeedCPUAdam, DeepSpeedCPUAdagrad, DeepSpeedCPULion, SGD, AdamW)
    switches = {config.TORCH_ADAM_PARAM: {"is": ["bool"]}, "adam_w_mode": {"is": ["bool"]}}
    return {
        "type": {"is": ["text"]},
        "params": {"is": ["map"], "keys": params | switches},
        "legacy_fusion": {"is": ["bool"]},
    }


def _whole(value: Any) -> Any:
    """DeepSpeed takes 5e8 where a whole number is meant; so do we."""
    if isinstance(value, list):
        return ["whole" if word == "integer" else word for word in value]
    return {k: _whole(v) for k, v in value.items()} if isinstance(value, dict) else value


def _file(tool: str, version: str, keys: dict[str, Any]) -> dict[str, Any]:
    return {"tool": tool, "version": version, "keys": dict(sorted(keys.items()))}


FILES = {
    "lora": lora,
    "training": training,
    "architecture": architecture,
    "deepspeed": deepspeed,
}


def text(name: str) -> str:
    """The content of one file, as it should be."""
    return json.dumps(FILES[name](), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file in FILES:
        (FOLDER / f"{file}.json").write_text(text(file), encoding="utf-8")
        print(f"wrote {file}.json")
