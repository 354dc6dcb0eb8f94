"""The ground under a training: ranks that find each other, DeepSpeed's extension, its config.

DeepSpeed on CPU compiles a small C++ extension the first time (about half a minute) and needs
ninja and a compiler for it. `prepare` checks that before anything else, and lets one rank at a
time load it: two ranks that compile together, or a lock file left by a killed one, would wait
for ever.
"""

from __future__ import annotations

import copy
import fcntl
import logging
import os
import shutil
import socket
import subprocess
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers.utils.logging import disable_progress_bar

from llmops.errors import LlmopsError
from llmops.workers.contract import WorkerError

T = TypeVar("T")

_EXTENSION = "deepspeed_shm_comm"


def world_size() -> int:
    """How many processes train together, as torchrun says it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def prepare(spec: Mapping[str, Any], processes: int) -> None:
    """Checks that this process can train as the job asks. Raises WorkerError with a hint."""
    if world_size() != processes:
        raise WorkerError(
            f"the job asks for {processes} processes, {world_size()} were started",
            hint=f"torchrun --standalone --nproc_per_node {processes} -m llmops.workers RUN",
        )
    quiet()
    if spec.get("deepspeed") is None:
        return
    on_cpu = not torch.cuda.is_available()
    if on_cpu:
        preflight(extensions())
        os.environ["DS_ACCELERATOR"] = "cpu"
    if processes == 1:
        _alone()
    if on_cpu:
        load_extension(extensions())
    _let_restore()


def _let_restore() -> None:
    """What DeepSpeed keeps beside tensors in its own checkpoints; all else stays refused."""
    from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    kept = [DynamicLossScaler, LossScaler, ZeroStageEnum, fragment_address]
    torch.serialization.add_safe_globals(kept)


def quiet() -> None:
    """Warnings and errors of the libraries only; progress is told in `progress.jsonl`."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "warning")
    for name in ("DeepSpeed", "accelerate", "torch.distributed", "transformers"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
    disable_progress_bar()


def _alone() -> None:
    """One process without torchrun: DeepSpeed still wants a rendezvous, and else looks for MPI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    alone = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_PORT": port}
    for name, value in alone.items():
        os.environ.setdefault(name, str(value))
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")


def extensions() -> Path:
    """The folder in which torch keeps compiled extensions."""
    from torch.utils.cpp_extension import get_default_build_root

    return Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root())


def preflight(root: Path) -> None:
    """Raises WorkerError if DeepSpeed's extension can neither be found nor be built."""
    if shutil.which("ninja") is None:
        raise WorkerError(
            "DeepSpeed needs ninja, which is not on PATH",
            hint="put the bin folder of the Python environment on PATH (pip install ninja)",
        )
    compiler = os.environ.get("CXX", "c++")
    if not _is_warm(root) and not any(shutil.which(name) for name in (compiler, "g++", "clang++")):
        raise WorkerError(
            "DeepSpeed has to compile an extension once, and there is no C++ compiler on PATH",
            hint="install g++ (Debian: apt-get install g++), or leave deepspeed out of the Recipe",
        )


def _is_warm(root: Path) -> bool:
    return any(root.rglob(f"{_EXTENSION}/*.so")) if root.is_dir() else False


def load_extension(root: Path) -> None:
    """Loads DeepSpeed's extension, compiling it if need be, one process at a time."""
    from deepspeed.accelerator import get_accelerator

    builder = get_accelerator().create_op_builder("ShareMemCommBuilder")
    with _alone_in(root):
        for stale in root.rglob(f"{_EXTENSION}/lock"):
            stale.unlink(missing_ok=True)
        if builder is not None and builder.is_compatible():
            _compile(builder)


def _compile(builder: Any) -> None:
    try:
        builder.load(verbose=False)
    except (subprocess.SubprocessError, ImportError, RuntimeError, OSError) as error:
        traceback.print_exc()
        raise WorkerError(
            f"DeepSpeed's extension cannot be compiled: {error}",
            hint="the log has the compiler's words; mend it, or leave deepspeed out of the Recipe",
        ) from error


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    with (root / "llmops.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def deepspeed_config(given: Mapping[str, Any], *, on_cpu: bool) -> dict[str, Any]:
    """The spec's DeepSpeed block with what Trainer fills in marked `auto`.

    Without an `optimizer` Trainer's own (`training.optim`) is used. On CPU an Adam of DeepSpeed
    is torch's, so nothing has to be compiled for it. ZeRO 3 gathers whole weights for saving.
    """
    config = copy.deepcopy(dict(given))
    for key in _AUTO:
        config.setdefault(key, "auto")
    zero = config.setdefault("zero_optimization", {"stage": 0})
    if zero.get("stage") == 3:
        zero["stage3_gather_16bit_weights_on_model_save"] = True
    if "optimizer" in config:
        params = config["optimizer"].setdefault("params", {})
        for key in ("lr", "weight_decay"):
            params.setdefault(key, "auto")
        if on_cpu and config["optimizer"].get("type") in ("Adam", "AdamW"):
            params.setdefault("torch_adam", True)
    elif "offload_optimizer" in zero:
        config.setdefault("zero_force_ds_cpu_optimizer", False)
    return config


_AUTO = (
    "train_batch_size",
    "train_micro_batch_size_per_gpu",
    "gradient_accumulation_steps",
    "gradient_clipping",
)


def barrier() -> None:
    """Waits for all ranks, if there are several."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


def from_first(make: Callable[[], T]) -> T:
    """What rank 0 makes, on all ranks. Raises WorkerError on all of them if it does there.

    Anything else that it raises ends rank 0, and with it the others: torchrun sees to that.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return make()
    found: list[Any] = [_told(make) if torch.distributed.get_rank() == 0 else None]
    torch.distributed.broadcast_object_list(found, src=0)
    value, error = found[0]
    if error is not None:
        raise WorkerError(error[0], hint=error[1])
    return value


def _told(make: Callable[[], T]) -> tuple[T | None, tuple[str, str] | None]:
    try:
        return make(), None
    except LlmopsError as error:
        return None, (error.message, error.hint)


def leave() -> None:
    """Ends the process group; without it a rank may abort while the interpreter ends."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def anywhere(flags: tuple[bool, ...]) -> tuple[bool, ...]:
    """For each flag whether it is set on any rank: all ranks get the same answer."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return flags
    on = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tensor = torch.tensor([float(flag) for flag in flags], device=on)
    torch.distributed.all_reduce(tensor, torch.distributed.ReduceOp.MAX)
    return tuple(bool(flag) for flag in tensor.tolist())


def most(value: float) -> float:
    """The largest value of any rank: all ranks get the same answer, and none goes on before."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return value
    on = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tensor = torch.tensor([value], device=on)
    torch.distributed.all_reduce(tensor, torch.distributed.ReduceOp.MAX)
    return float(tensor)
