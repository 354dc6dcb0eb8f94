"""A checkpoint is whole and of this job, or nothing of it is loaded."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.workers import checkpoints
from llmops.workers.checkpoints import MANIFEST, Choice, Maker
from llmops.workers.contract import WorkerError

MAKER = Maker("sha256:" + "a" * 64, 2, {"llmops": "0.1.0", "torch": "2.13.0"})
FILES = {
    "adapter_model.safetensors": b"weights of step ",
    "latest": b"global_step",
    "global_step/mp_rank_00_model_states.pt": b"model",
    "global_step/zero_pp_rank_0_mp_rank_00_optim_states.pt": b"shard 0",
    "global_step/zero_pp_rank_1_mp_rank_00_optim_states.pt": b"shard 1",
    "rng_state_0.pth": b"random",
    "trainer_state.json": b"{}",
}


def make(root: Path, *steps: int, maker: Maker = MAKER) -> Path:
    """A folder of sealed checkpoints."""
    for step in steps:
        folder = checkpoints.folder_of(root, step)
        for name, data in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data + b" %d" % step)
        checkpoints.seal(folder, step, maker)
    return root


def chosen(root: Path, maker: Maker = MAKER) -> Choice:
    return checkpoints.choose(root, maker)


def test_the_newest_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    make(tmp_path, 8, 120, 16)
    assert chosen(tmp_path) == Choice(tmp_path / "checkpoint-120", 120)
    assert chosen(tmp_path / "nothing") == Choice()


def remove_shard(folder: Path) -> None:
    (folder / "global_step/zero_pp_rank_1_mp_rank_00_optim_states.pt").unlink()


def empty_latest(folder: Path) -> None:
    (folder / "latest").write_bytes(b"")


def unfinished(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def shard_of_another_step(folder: Path) -> None:
    name = "global_step/zero_pp_rank_0_mp_rank_00_optim_states.pt"
    shutil.copy(folder.with_name("checkpoint-8") / name, folder / name)


def another_step_under_its_name(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("checkpoint-8"), folder)


def a_file_too_many(folder: Path) -> None:
    (folder / "global_step/zero_pp_rank_2_mp_rank_00_optim_states.pt").write_bytes(b"shard 2")


def a_link(folder: Path) -> None:
    moved = (folder / "latest").rename(folder.parent / "elsewhere")
    (folder / "latest").symlink_to(moved)


def the_manifest_of_another(folder: Path) -> None:
    shutil.copy(folder.with_name("checkpoint-8") / MANIFEST, folder / MANIFEST)


def a_manifest_rewritten(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"processes":2', '"processes":4'))


def a_manifest_of_other_bytes(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text() + "\n")


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (remove_shard, "zero_pp_rank_1_mp_rank_00_optim_states.pt is missing"),
    (empty_latest, "latest is not as it was written"),
    (unfinished, "it was not finished"),
    (shard_of_another_step, "optim_states.pt is not as it was written"),
    (another_step_under_its_name, "it holds step 8"),
    (a_file_too_many, "zero_pp_rank_2_mp_rank_00_optim_states.pt does not belong to it"),
    (a_link, "latest is not as it was written"),
    (the_manifest_of_another, "it holds step 8"),
    (a_manifest_rewritten, "manifest.json is not as it was written"),
    (a_manifest_of_other_bytes, "manifest.json is not as it was written"),
]


@pytest.mark.parametrize(("damage", "told"), DAMAGES, ids=lambda d: getattr(d, "__name__", ""))
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(
    tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    make(tmp_path, 8, 16)
    damage(tmp_path / "checkpoint-16")
    choice = chosen(tmp_path)
    assert (choice.folder, choice.step) == (tmp_path / "checkpoint-8", 8)
    assert choice.damaged["checkpoint-16"].endswith(told)


def test_when_none_is_whole_all_are_named(tmp_path: Path) -> None:
    make(tmp_path, 8, 16)
    for step in (8, 16):
        unfinished(tmp_path / f"checkpoint-{step}")
    told = dict.fromkeys(("checkpoint-8", "checkpoint-16"), "it was not finished")
    assert chosen(tmp_path) == Choice(damaged=told)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Other bytes: a bit flipped, cut short, grown, or a stretch exchanged."""
    at = dice.randrange(len(data))
    kind = dice.randrange(4)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + dice.randbytes(1 + dice.randrange(3)) + data[at:]
    other = dice.randbytes(len(data) - at)
    return data[:at] + other if other != data[at:] else data[:at]


def test_a_thousand_mutations_of_a_checkpoint_are_all_found(tmp_path: Path) -> None:
    dice = random.Random(20261125)
    make(tmp_path, 16)
    folder = tmp_path / "checkpoint-16"
    missed = []
    for number in range(1000):
        path = folder / dice.choice([*FILES, MANIFEST])
        before = path.read_bytes()
        path.write_bytes(mutated(before, dice))
        if chosen(tmp_path).folder is not None:
            missed.append((number, path.name))
        path.write_bytes(before)
    assert missed == []
    assert chosen(tmp_path).step == 16


@pytest.mark.parametrize(
    ("change", "told", "hint"),
    [
        ({"closure": "sha256:" + "b" * 64}, "belongs to another job, sha256:bbbb", "remove"),
        ({"processes": 4}, "was made by 4 processes, these are 2", "resume: never"),
        ({"versions": {"llmops": "0.0.9", "torch": "2.13.0"}},
         "was made by llmops 0.0.9, this is llmops 0.1.0", "go on with llmops 0.0.9"),
        ({"versions": {"llmops": "0.1.0", "torch": "2.12.1"}},
         "was made by torch 2.12.1, this is torch 2.13.0", "resume: never"),
        ({"versions": {"llmops": "0.1.0", "torch": "2.13.0", "deepspeed": "1"}},
         "was made by deepspeed 1, this is deepspeed none", "resume: never"),
    ],
)  # fmt: skip
def test_a_checkpoint_made_by_others_is_refused_with_words(
    tmp_path: Path, change: dict[str, object], told: str, hint: str
) -> None:
    make(tmp_path, 8)
    make(tmp_path, 16, maker=replace(MAKER, **change))  # type: ignore[arg-type]
    with pytest.raises(WorkerError, match=told) as caught:
        chosen(tmp_path)
    assert caught.value.message.startswith("checkpoint-16 ")
    assert hint in caught.value.hint


def test_the_newest_that_are_whole_stay(tmp_path: Path) -> None:
    make(tmp_path, 4, 8, 12, 16, 20)
    unfinished(tmp_path / "checkpoint-20")
    checkpoints.prune(tmp_path, 2, {"checkpoint-16"})
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"checkpoint-{n}" for n in (8, 12, 16, 20)}
    checkpoints.prune(tmp_path, None, ())
    assert len(list(tmp_path.iterdir())) == 4


def test_a_removal_that_is_interrupted_leaves_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, 4, 8)

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.prune(tmp_path, 1, ())
    assert chosen(tmp_path) == Choice(tmp_path / "checkpoint-8", 8)
    unfinished(tmp_path / "checkpoint-8")
    assert chosen(tmp_path).damaged["checkpoint-4"] == "it was not finished"


@pytest.mark.parametrize("name", ["checkpoint-16", "checkpoint-x", "other", "checkpoint-16.tmp"])
def test_what_is_no_checkpoint_is_no_trouble(tmp_path: Path, name: str) -> None:
    make(tmp_path, 8)
    (tmp_path / name).write_text("a file")
    assert chosen(tmp_path).step == 8
    checkpoints.discard(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "real", 8)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(WorkerError, match="is a link"):
        chosen(tmp_path / "link")


def test_the_manifest_is_written_when_all_else_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, write = os.fsync, checkpoints.write_atomically

    def synced(descriptor: int) -> None:
        order.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def written(path: Path, data: bytes) -> None:
        order.append("manifest")
        write(path, data)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(checkpoints, "write_atomically", written)
    make(tmp_path, 8)
    folder = tmp_path / "checkpoint-8"
    before = order[: order.index("manifest")]
    assert set(before) >= {str(folder / name) for name in FILES}
    assert order[-2:] == [str(folder), str(tmp_path)]
