"""What may be opened of a folder that somebody else made: safetensors, JSON and words.

In: a model's or an adapter's folder, whose bytes the job names by digest. Out: nothing, or a
WorkerError that names the file. Loaders follow what they find: a second weights file that is a
pickle, `auto_map` to code beside the weights, an index that names files elsewhere, an
`adapter_config.json` that leads to another base, a module that a config names. A digest says that
these are the bytes that were meant, not that they are harmless; so each of these is looked for
before any loader is called, and `torch.load` unpickles nothing but plain tensors in any worker.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from llmops.workers.contract import WorkerError

WEIGHTS = ".safetensors"
_READ = frozenset({WEIGHTS, ".json", ".jinja", ".txt", ".model"})  # .model: SentencePiece
_BESIDE = frozenset({".md", ".png", ".jpg", ".jpeg", ".svg", ".webp", ".gif", ".pdf"})
_WORDS = frozenset({"license", "licence", "notice", ".gitattributes", ".gitignore", "use_policy"})
_MOST_TEXT_BYTES = 512 << 20  # a tokenizer of a million words has some ten megabytes
_MOST_CONFIG_BYTES = 16 << 20
_MOST_HEADER_BYTES = 100 << 20  # as the library has it
_MOST_FILES = 4096
# What of a LoRA's config imports a module by its name, or reads a file that no digest names.
_EMPTY = ("auto_mapping", "megatron_config", "corda_config", "lora_ga_config")
_ADAPTER = frozenset({"adapter_config.json", "adapter_model.safetensors", "README.md"})


def unpickle_nothing() -> None:
    """From now on `torch.load` refuses all but tensors, whoever calls it and however."""
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)


def expect_model(folder: Path) -> None:
    """Raises WorkerError unless a model's folder holds what may be opened, and nothing else."""
    names = _names(folder)
    for name in names:
        _expect_kind(folder, name)
    if "adapter_config.json" in names:
        raise _refused(folder, "adapter_config.json", "it leads to weights that are elsewhere")
    for name in names:
        if name.endswith(".json"):
            _expect_json(folder, name, names)
        elif name.endswith(WEIGHTS):
            _expect_weights(folder, name)


def expect_adapter(folder: Path) -> None:
    """Raises WorkerError unless an adapter's folder holds a LoRA of ours, and nothing else."""
    names = _names(folder)
    for name in sorted(names - _ADAPTER):
        raise _refused(folder, name, "an adapter consists of two files")
    config = _json(folder, "adapter_config.json", _MOST_CONFIG_BYTES)
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise _refused(folder, "adapter_config.json", "it is not that of a LoRA")
    for key in _EMPTY:
        if config.get(key) not in (None, {}):
            raise _refused(folder, "adapter_config.json", f"{key} could load what no digest names")
    _expect_weights(folder, "adapter_model.safetensors")


def _names(folder: Path) -> set[str]:
    """The files below a folder. Raises WorkerError for a link and for what is no file."""
    found: set[str] = set()
    for entry in _entries(folder):
        name = os.path.relpath(entry.path, folder)
        if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            raise _refused(folder, name, "it is a link, or no plain file")
        found.add(PurePosixPath(name).as_posix())
        if len(found) > _MOST_FILES:
            raise WorkerError(f'"{folder.name}" holds more than {_MOST_FILES:,} files')
    return found


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All below a folder that is no folder itself, links not followed. Raises WorkerError."""
    try:
        with os.scandir(folder) as found:
            for entry in sorted(found, key=lambda one: one.name):
                if entry.is_dir(follow_symlinks=False):
                    yield from _entries(Path(entry.path))
                else:
                    yield entry
    except OSError as error:
        raise WorkerError(f'"{folder.name}" cannot be read: {error.strerror}') from error


def _expect_kind(folder: Path, name: str) -> None:
    path = PurePosixPath(name.lower())
    if path.suffix in _READ | _BESIDE or path.stem in _WORDS or path.name in _WORDS:
        return
    hint = "remove it and name the folder's new digest: only safetensors, JSON and texts are read"
    raise _refused(folder, name, "it is of no kind that a model may consist of", hint)


def _expect_json(folder: Path, name: str, names: set[str]) -> None:
    """No config that names code, no index that names other files than those that are there."""
    large = PurePosixPath(name).name in ("tokenizer.json", "vocab.json")
    value = _json(folder, name, _MOST_TEXT_BYTES if large else _MOST_CONFIG_BYTES)
    if large:
        return
    if _says(value, "auto_map"):
        raise _refused(folder, name, "auto_map names code; code that comes with weights is not run")
    if not name.endswith(".index.json"):
        return
    listed = value.get("weight_map") if isinstance(value, dict) else None
    beside = PurePosixPath(name).parent
    for file in listed.values() if isinstance(listed, dict) else [None]:
        weights = isinstance(file, str) and file.endswith(WEIGHTS)
        if not weights or (beside / str(file)).as_posix() not in names:
            shown = str(file)[:80]
            raise _refused(folder, name, f'it names "{shown}", which is no weights file beside it')


def _json(folder: Path, name: str, most: int) -> Any:
    path = folder / name
    try:
        if path.stat().st_size > most:
            raise _refused(folder, name, f"it has more than {most:,} bytes")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise WorkerError(f'"{folder.name}" holds no {name}: {error.strerror}') from error
    except (ValueError, RecursionError) as error:
        raise _refused(folder, name, "it is not JSON") from error


def _says(value: Any, key: str) -> bool:
    """Whether a key stands anywhere in a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get(key):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _expect_weights(folder: Path, name: str) -> None:
    """The header of a safetensors file, read as the format has it, before a library maps it.

    8 bytes of length, JSON of that length, tensors that fill the rest without a gap
    (https://github.com/huggingface/safetensors, "Format").
    """
    try:
        with (folder / name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _MOST_HEADER_BYTES):
                raise _refused(folder, name, "its header is longer than it may be")
            header = json.loads(file.read(length))
        spans = sorted(_spans(header))
    except OSError as error:
        raise WorkerError(f'"{folder.name}" holds no {name}: {error.strerror}') from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused(folder, name, "its header is none of safetensors") from error
    end = 0
    for start, stop in spans:
        if start != end or stop < start:
            raise _refused(folder, name, "its tensors do not lie one after another")
        end = stop
    if end != size - 8 - length:
        raise _refused(folder, name, "its tensors are not what the file holds")


def _spans(header: Any) -> Iterator[tuple[int, int]]:
    """From where to where each tensor lies. Raises ValueError, TypeError or KeyError."""
    if not isinstance(header, dict):
        raise TypeError("a header is an object")
    for name, tensor in header.items():
        if name != "__metadata__":
            start, stop = tensor["data_offsets"]
            if type(start) is not int or type(stop) is not int or start < 0:
                raise ValueError(name)
            yield start, stop


def _refused(folder: Path, name: str, why: str, hint: str = "") -> WorkerError:
    return WorkerError(f'"{folder.name}" holds {name[:160]!r}: {why}', hint=hint)
