"""What comes with weights is not opened unless it is safetensors, JSON or words (SECURITY T11)."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.workers import safe
from llmops.workers.contract import WorkerError

HEADER = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def weights(header: Any = HEADER, data: bytes = bytes(8)) -> bytes:
    said = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + data


class Planted:
    """Unpickled it leaves a folder: whoever finds it knows that code of a stranger ran."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.mark),))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name, value in {
        "config.json": {"model_type": "llama"}, "tokenizer.json": {"model": {}},
        "tokenizer_config.json": {"chat_template": "{{ auto_map }}"},
        "model.safetensors.index.json": {"weight_map": {"a": "model-1.safetensors"}},
    }.items():  # fmt: skip
        (folder / name).write_text(json.dumps(value))
    (folder / "model-1.safetensors").write_bytes(weights())
    for name in ("README.md", "LICENSE", "NOTICE.txt", "merges.txt", "chat_template.jinja"):
        (folder / name).write_text("words")
    return folder


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    config = {"peft_type": "LORA", "r": 4, "auto_mapping": None, "megatron_core": "megatron.core"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "adapter_model.safetensors").write_bytes(weights())
    return folder


def test_what_consists_of_safetensors_json_and_words_may_be_opened(
    model: Path, adapter: Path
) -> None:
    safe.expect_model(model)
    safe.expect_adapter(adapter)


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl", "optimizer.pt2",
        "modeling_evil.py", "evil.so", "model.gguf", "tf_model.h5", "flax_model.msgpack",
        "model.onnx", "weights.npz", "more.zip", "conftest.pyc", "original/consolidated.00.pth",
        "custom_generate/generate.py", "MODEL.SafeTensors.bin", "noext",
    ],
)  # fmt: skip
def test_any_other_file_beside_the_weights_is_refused_by_name(model: Path, name: str) -> None:
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_bytes(b"x")
    with pytest.raises(WorkerError, match="of no kind that a model may consist of") as caught:
        safe.expect_model(model)
    assert name in caught.value.message
    assert "only safetensors, JSON and texts are read" in caught.value.hint


Edit = Callable[[Path], object]


def config(**more: Any) -> Edit:
    return lambda folder: (folder / "config.json").write_text(json.dumps(more))


def index(*names: Any) -> Edit:
    said = {"weight_map": {str(i): name for i, name in enumerate(names)}}
    return lambda folder: (folder / "model.safetensors.index.json").write_text(json.dumps(said))


def holds(name: str, data: bytes) -> Edit:
    return lambda folder: (folder / name).write_bytes(data)


def linked(folder: Path) -> None:
    (folder / "model-2.safetensors").symlink_to(folder / "model-1.safetensors")


def folder_linked(folder: Path) -> None:
    (folder / "more").symlink_to(folder.parent)


def piped(folder: Path) -> None:
    os.mkfifo(folder / "model-2.safetensors")


def sparse(folder: Path) -> None:
    with (folder / "generation_config.json").open("wb") as file:
        file.truncate(20 << 20)


LONG = (1 << 60).to_bytes(8, "little") + b"{}"
PLANTED: list[tuple[str, Edit, str]] = [
    ("code named by the config", config(auto_map={"AutoModel": "evil.X"}), "auto_map names code"),
    ("code named deep inside", config(text=[{"auto_map": {"a": "b"}}]), "auto_map names code"),
    ("code named by the tokenizer",
     holds("tokenizer_config.json", b'{"auto_map": ["x.Y", null]}'), "auto_map names code"),
    ("weights above the folder", index("../secret.safetensors"), "no weights file beside it"),
    ("weights at the root", index("/etc/x.safetensors"), "no weights file beside it"),
    ("weights that are a pickle", index("pytorch_model.bin"), "no weights file beside it"),
    ("weights that are not there", index("model-9.safetensors"), "no weights file beside it"),
    ("weights that are no name", index(7), "no weights file beside it"),
    ("an index of nothing", holds("model.safetensors.index.json", b"[]"), "no weights file"),
    ("a base that is elsewhere", holds("adapter_config.json", b"{}"), "weights that are elsewhere"),
    ("a link", linked, "it is a link, or no plain file"),
    ("a link to a folder", folder_linked, "it is a link, or no plain file"),
    ("a pipe", piped, "it is a link, or no plain file"),
    ("a large config", sparse, "it has more than 16,777,216 bytes"),
    ("a deep config", holds("config.json", b"[" * 200_000), "it is not JSON"),
    ("a config that is none", holds("config.json", b"\x80\x04N."), "it is not JSON"),
    ("a long header", holds("model-1.safetensors", LONG), "its header is longer than it may be"),
    ("a cut file", holds("model-1.safetensors", b"\x00"), "its header is longer than it may be"),
    ("a header that is none", holds("model-1.safetensors", weights(b"{")), "is none of safeten"),
    ("a deep header", holds("model-1.safetensors", weights(b'{"a":' * 99_999)), "none of safeten"),
    ("a list for a header", holds("model-1.safetensors", weights([])), "is none of safetensors"),
    ("tensors over each other",
     holds("model-1.safetensors", weights({**HEADER, "b": HEADER["a"]})), "one after another"),
    ("a gap", holds("model-1.safetensors", weights(data=bytes(9))), "not what the file holds"),
    ("less than it says", holds("model-1.safetensors", weights(data=b"")), "not what the file"),
    ("a tensor before its start",
     holds("model-1.safetensors", weights({"a": {"data_offsets": [-8, 8]}})), "none of safeten"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "why"), [one[1:] for one in PLANTED], ids=[p[0] for p in PLANTED])
def test_what_leads_a_loader_elsewhere_is_found_before_it_is_called(
    model: Path, edit: Edit, why: str
) -> None:
    edit(model)
    with pytest.raises(WorkerError) as caught:
        safe.expect_model(model)
    assert why in caught.value.message
    assert caught.value.message.startswith('"model" holds ')


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (holds("adapter_model.bin", b"x"), "an adapter consists of two files"),
        (holds("modeling.py", b"x"), "an adapter consists of two files"),
        (holds("adapter_config.json", b'{"peft_type": "LOHA"}'), "not that of a LoRA"),
        (holds("adapter_config.json", b"[]"), "not that of a LoRA"),
        (
            holds("adapter_config.json", b'{"peft_type":"LORA","megatron_config":{"a":1}}'),
            "megatron_config could load what no digest names",
        ),
        (
            holds(
                "adapter_config.json", b'{"peft_type":"LORA","corda_config":{"cache_file":"/x"}}'
            ),
            "corda_config could load",
        ),
        (
            holds("adapter_config.json", b'{"peft_type":"LORA","auto_mapping":{"x":"y"}}'),
            "auto_mapping could load",
        ),
        (holds("adapter_model.safetensors", LONG), "longer than it may be"),
        (linked, "it is a link"),
    ],
)
def test_an_adapter_that_could_load_more_than_itself_is_refused(
    adapter: Path, edit: Edit, why: str
) -> None:
    edit(adapter)
    with pytest.raises(WorkerError) as caught:
        safe.expect_adapter(adapter)
    assert why in caught.value.message


UNPICKLE = """
import sys, torch
from llmops.workers import safe
safe.unpickle_nothing()
for more in ({}, {"weights_only": False}, {"weights_only": False, "map_location": "cpu"}):
    try:
        torch.load(sys.argv[1], **more)
    except Exception as error:
        print(type(error).__name__)
print(torch.load(sys.argv[2], weights_only=False).tolist())
"""


def test_a_worker_unpickles_nothing_but_tensors_whoever_asks_and_however(tmp_path: Path) -> None:
    import torch

    mark, evil, good = tmp_path / "ran", tmp_path / "evil.pt", tmp_path / "good.pt"
    torch.save({"state": Planted(mark)}, evil)
    torch.save(torch.ones(2), good)
    done = subprocess.run(
        [sys.executable, "-c", UNPICKLE, evil, good], capture_output=True, text=True,
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
    )  # fmt: skip
    assert done.stdout.split("\n")[:4] == ["UnpicklingError"] * 3 + ["[1.0, 1.0]"], done.stderr
    assert not mark.exists()
    pickle.loads(pickle.dumps(Planted(mark)))  # by whoever does unpickle
    assert mark.exists(), "the plant is no plant"
