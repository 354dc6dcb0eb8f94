"""Bases made real: a model and its tokenizer, from nothing or from a folder, adapters merged.

In: the `base` block of a job and its inputs. Out: a `Base` in float32 (on a GPU: in the folder's
own precision). Only safetensors weights and JSON are read, never pickles, never code that comes
with a model. A base that is made from `init` is the same tensors on every machine: its seed, its
tokenizer's rows and the pinned tools decide it, so whoever needs it builds it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)

from llmops.workers import safe
from llmops.workers.chat import ROLES, texts
from llmops.workers.contract import WorkerError

PAD, END = "<|pad|>", "<|end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
# What a token never spans. As in GPT-2, but with "_" inside words: a label is few tokens.
_WORDS = r"'(?:[sdmt]|ll|ve|re)\b| ?[\p{L}\p{N}_]+| ?[^\s\p{L}\p{N}_]+|\s+(?!\S)|\s+"


@dataclass(frozen=True, slots=True)
class Base:
    """A causal language model with the tokenizer that belongs to it."""

    model: Any
    tokenizer: Any


def device() -> torch.device:
    """The accelerator if the executor shows one to this process, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def materialise(base: Mapping[str, Any], inputs: Mapping[str, Path]) -> Base:
    """The base of a job with its adapters (inputs `adapter/0`, `adapter/1`, ...) merged in order.

    Raises WorkerError when a folder or an adapter cannot be loaded.
    """
    if "init" in base:
        made = from_init(base["init"], _required(inputs, "tokenizer"))
    else:
        made = from_folder(_required(inputs, "model"))
    for adapter in adapters(inputs):
        made = Base(merged(with_adapter(made.model, adapter)), made.tokenizer)
    return made


def adapters(inputs: Mapping[str, Path]) -> list[Path]:
    """The adapters among a job's inputs, in the order in which they are merged."""
    names = [name for name in inputs if name.startswith("adapter/")]
    return [inputs[name] for name in sorted(names, key=lambda name: int(name.split("/")[1]))]


def _required(inputs: Mapping[str, Path], name: str) -> Path:
    if name not in inputs:
        raise WorkerError(f'the job has no input "{name}", which its base needs')
    return inputs[name]


def from_init(init: Mapping[str, Any], rows: Path) -> Base:
    """A fresh model and a tokenizer trained on the texts of `rows` (JSON lines)."""
    trained = init["tokenizer"]["train"]
    tokenizer = train_tokenizer(_texts_of(rows), trained["algorithm"], trained["vocab_size"])
    return Base(_fresh_model(init["architecture"], tokenizer, init.get("seed", 0)), tokenizer)


def _texts_of(rows: Path) -> Iterator[str]:
    for row in read_rows(rows):
        yield from texts(row)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file. Raises WorkerError naming the line that is none."""
    rows = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise WorkerError(f"{path.name}:{number} is no JSON: {error}") from error
            if not isinstance(row, dict):
                raise WorkerError(f"{path.name}:{number} is no JSON object")
            rows.append(row)
    return rows


def train_tokenizer(given: Iterable[str], algorithm: str, vocab_size: int) -> Any:
    """A byte-level BPE tokenizer with control tokens and a chat template of its own.

    Every text can be encoded and comes back unchanged (bytes are the smallest units). The same
    texts give the same tokenizer. Raises WorkerError when there is nothing to learn from.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    if algorithm != "byte_level_bpe":
        raise WorkerError(f'no tokenizer algorithm "{algorithm}"', hint="known: byte_level_bpe")
    special = [PAD, END, *(f"<|{role}|>" for role in ROLES)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if vocab_size < len(special) + len(alphabet):
        raise WorkerError(
            f"tokenizer.train.vocab_size {vocab_size} is too small",
            hint=f"bytes and control tokens alone need {len(special) + len(alphabet)}",
        )
    corpus = list(given)
    if not corpus:
        raise WorkerError("the tokenizer's data has no text", hint="check its format and columns")
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special,
        initial_alphabet=sorted(alphabet),
        show_progress=False,
    )
    raw.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=special[2:],
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def _fresh_model(architecture: Mapping[str, Any], tokenizer: Any, seed: int) -> Any:
    known = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
    }
    try:
        config = AutoConfig.for_model(**{**known, **architecture})
    except (ValueError, TypeError, KeyError) as error:
        raise WorkerError(
            f"init.architecture: {_first_line(error)}", hint="its keys are those of Transformers"
        ) from error
    if config.vocab_size < len(tokenizer):
        raise WorkerError(
            f"init.architecture.vocab_size {config.vocab_size} is smaller than the tokenizer's "
            f"{len(tokenizer)} tokens",
            hint="leave vocab_size out, or raise it",
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            return AutoModelForCausalLM.from_config(
                config, dtype=torch.float32, trust_remote_code=False
            )
        except (ValueError, TypeError, RuntimeError, ZeroDivisionError) as error:
            raise WorkerError(f"init.architecture: {_first_line(error)}") from error


def from_folder(folder: Path) -> Base:
    """A model and its tokenizer from a Transformers folder with safetensors weights.

    Raises WorkerError if the folder has other weights, or anything that `safe` does not let open.
    """
    if not list(folder.glob("*.safetensors")):
        raise WorkerError(
            f'the model folder "{folder.name}" holds no *.safetensors',
            hint="weights in other formats are not read; convert them first",
        )
    safe.expect_model(folder)
    local = {"local_files_only": True, "trust_remote_code": False}
    dtype: Any = "auto" if device().type == "cuda" else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", **local)
        model = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, dtype=dtype, **local
        )
    except Exception as error:  # the loaders raise a dozen kinds for one reason: a bad folder
        raise WorkerError(
            f'the model folder "{folder.name}" cannot be loaded: {_first_line(error)}'
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Base(model, tokenizer)


def with_adapter(model: Any, folder: Path) -> Any:
    """The model under a PEFT adapter (not merged). Raises WorkerError if it does not fit."""
    from peft import PeftModel

    if not (folder / "adapter_model.safetensors").is_file():
        raise WorkerError(f'"{folder.name}" holds no adapter_model.safetensors')
    safe.expect_adapter(folder)
    try:
        return PeftModel.from_pretrained(model, str(folder), torch_device="cpu")
    except Exception as error:  # as above: one reason, a dozen kinds
        raise WorkerError(f"the adapter does not fit its base: {_first_line(error)}") from error


def merged(peft_model: Any) -> Any:
    """The plain model with the adapter's weights added. Raises WorkerError if they are NaN."""
    try:
        return peft_model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise WorkerError(f"the adapter cannot be merged: {_first_line(error)}") from error


def save_model(model: Any, tokenizer: Any, state: Mapping[str, Any], folder: Path) -> None:
    """Safetensors, config and tokenizer of a full model."""
    model.save_pretrained(folder, state_dict=dict(state), safe_serialization=True)
    tokenizer.save_pretrained(folder)


def save_adapter(model: Any, state: Mapping[str, Any], folder: Path) -> None:
    """`adapter_model.safetensors` and an `adapter_config.json` without paths, in stable order."""
    model.save_pretrained(
        folder, state_dict=dict(state), safe_serialization=True, save_embedding_layers=False
    )
    (folder / "README.md").unlink(missing_ok=True)
    config = folder / "adapter_config.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    values["base_model_name_or_path"] = None
    stable = {key: _stable(value) for key, value in values.items()}
    config.write_text(json.dumps(stable, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _stable(value: Any) -> Any:
    # PEFT keeps target_modules in a set, whose order changes from process to process.
    named = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return sorted(value) if named else value


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]


def version_of(package: str) -> str:
    """The installed version of a tool."""
    return metadata.version(package)


def pad_left(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask of a batch, aligned at its right edge."""
    width = max(map(len, rows))
    ids = [[pad] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)
