"""T6: a report is forged or swapped: a row, an aggregate, a missing row, a number that is none.

A1 or A6 owns the runner: every digest in the pack is made anew after the forgery, so that the
manifest, the statement and its artifacts agree with each other. What does not agree is what the
gate computes itself: aggregates from rows, exact cells from responses, cases from the plan.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.gating.base import PullRequest
from llmops.gating.reconcile import reconcile
from tests.gating.world import World

Value = dict[str, Any]
AGGREGATE = {
    "metric": "accuracy", "sample_size": 480, "tool": "llmops", "version": "0", "rows": None,
}  # fmt: skip


def rewritten(folder: Path, change: Callable[[list[Value], Value], None]) -> None:
    """The kept evidence of head's evaluation after a forgery, with every digest made anew."""
    for file in sorted((folder / "evidence").rglob("*.json")):
        statement = json.loads(file.read_bytes())
        result = statement["predicate"]["result"]
        if result["type"] != "evaluate":
            continue
        path = folder / "runs" / file.parent.name / "artifacts" / "rows.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        change(rows, result)
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        path.write_bytes(data)
        for artifact in result["artifacts"]:
            if artifact["name"] == "rows.jsonl":
                artifact |= {"digest": of_bytes(data), "size_bytes": len(data)}
        for measured in result["measurements"]:
            measured["rows"] = of_bytes(data) if measured.get("rows") else measured.get("rows")
        for subject in statement["subject"]:
            if subject["name"] == "artifacts/rows.jsonl":
                subject["digest"]["sha256"] = of_bytes(data).removeprefix("sha256:")
        file.unlink()
        made = canonical(statement) if finite(statement) else json.dumps(statement).encode()
        name = of_bytes(made).removeprefix("sha256:")
        (file.parent / f"{name}.json").write_bytes(made)


def finite(value: Any) -> bool:
    try:
        canonical(value)
    except ValueError:
        return False
    return True


def better_row(rows: list[Value], result: Value) -> None:
    row = next(r for r in rows if r["cells"]["accuracy"]["value"] == 0.0)
    row["cells"]["accuracy"]["value"] = 1.0
    right = sum(r["cells"]["accuracy"]["value"] for r in rows)
    for measured in result["measurements"]:
        if measured["metric"].endswith("accuracy"):
            measured["value"] = right / len(rows)


def better_answer(rows: list[Value], result: Value) -> None:
    row = next(r for r in rows if r["cells"]["accuracy"]["value"] == 0.0)
    row["response"] = row["expected"]
    better_row(rows, result)


def better_aggregate(rows: list[Value], result: Value) -> None:
    result["measurements"] = [{**AGGREGATE, "value": 0.999}]


def missing_row(rows: list[Value], result: Value) -> None:
    rows.remove(next(r for r in rows if r["cells"]["accuracy"]["value"] == 0.0))
    for measured in result["measurements"]:
        measured["sample_size"] -= 1


def not_a_number(rows: list[Value], result: Value) -> None:
    rows[0]["cells"]["accuracy"]["value"] = float("nan")


def nor_an_aggregate(rows: list[Value], result: Value) -> None:
    result["measurements"] = [{**AGGREGATE, "value": float("nan")}]


def nothing_at_all(rows: list[Value], result: Value) -> None:
    rows.clear()


FORGERIES = (
    better_row, better_answer, better_aggregate, missing_row, not_a_number, nor_an_aggregate,
    nothing_at_all,
)  # fmt: skip


@pytest.mark.parametrize(
    "forgeries",
    [(better_row, missing_row, not_a_number), pytest.param(FORGERIES, marks=pytest.mark.slow)],
    ids=["some", "all"],
)
def test_no_forgery_gets_through(world: World, tmp_path: Path, forgeries: Any) -> None:
    pull = world.pull(by="mallory")
    done = world.worked(world.repo.tip(), pull.head_sha)
    run = world.fake.run(world.repo, pull.head_sha)
    for forge in forgeries:
        folder = tmp_path / forge.__name__
        shutil.copytree(done, folder)
        rewritten(folder, forge)
        run.artifacts.clear()
        run.upload("llmops-evidence-all", packed_as_it_lies(world, folder, run))
        run.finish()
        settled = reconcile(world.desk(forge.__name__), PullRequest(pull.number))
        assert settled.exit_code != 0, forge.__name__
        assert world.conclusion(pull.head_sha) == "action_required", forge.__name__
        assert settled.notes, forge.__name__
        world.repo.git.set("refs/heads/llmops-evidence", None)


def packed_as_it_lies(world: World, folder: Path, run: Any) -> dict[str, bytes]:
    """A pack with a manifest of its own, whether or not our packer would have made it."""
    from llmops.evidence.manifest import Listed, Manifest, Origin, encode

    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] in ("evidence", "runs")
    }
    kept = {n: d for n, d in found.items() if n.startswith("evidence/") or "/artifacts/" in n}
    origin = Origin(world.name, run.id, run.attempt, run.head_sha)
    listed = {name: Listed(of_bytes(data), len(data)) for name, data in kept.items()}
    return {**kept, "manifest.json": encode(Manifest(origin, listed))}


def test_the_same_hands_without_a_forgery_get_through(world: World) -> None:
    """So that the refusals above are for the forgery, and not for how this test packs."""
    pull = world.pull()
    done = world.worked(world.repo.tip(), pull.head_sha)
    run = world.fake.run(world.repo, pull.head_sha)
    run.upload("llmops-evidence-all", packed_as_it_lies(world, done, run))
    run.finish()
    assert reconcile(world.desk(), PullRequest(pull.number)).state == "passed"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x00" * 4096])
def test_what_is_no_pack_at_all_is_said(world: World, content: bytes) -> None:
    pull = world.pull()
    run = world.fake.run(world.repo, pull.head_sha)
    run.upload("llmops-evidence-all", content)
    run.finish()
    settled = reconcile(world.desk(), PullRequest(pull.number))
    assert (settled.state, settled.exit_code) == ("not judged", 3)
    assert settled.notes[0].startswith(f"llmops-evidence-all of run {run.id}")
