"""`llmops show data DATASET`: what curation makes of the rows, here and now, before any job runs.

The Dataset of the work tree is curated in a temporary folder, as its job would do it: rows and
distinct rows of each part, answers and languages, every step with what it dropped or found, and
whether anybody would be given the rows. Outside content comes from the cache by its digest.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.cli.output import columns, complain
from llmops.diagnostics import did_you_mean, printable, render
from llmops.errors import LlmopsError, UsageError
from llmops.jobs import curate as job
from llmops.jobs.make import Made
from llmops.project import Project, State, read
from llmops.source import fetch
from llmops.specs.base import Ref

MOST_VALUES = 6  # values of a column that are named, the rest is counted


def found(project: Project, args: argparse.Namespace) -> dict[str, Any]:
    """The Dataset by part and by step, as data. Raises UsageError and LlmopsError."""
    state = read(project, project.repository.work_tree(), head=True)
    if state.graph is None:
        complain(render(state.diagnostics, state.texts))
        raise UsageError("the specs of the work tree do not resolve", hint="llmops validate")
    made = job.job(state.graph, _chosen(state, args.id))
    with tempfile.TemporaryDirectory(prefix="llmops-data-") as folder:
        return _told(made, *_curated(state, made, Path(folder)))


def _chosen(state: State, name: str | None) -> Ref:
    assert state.graph is not None
    known = [spec.ref.name for spec in state.graph.of_kind("Dataset")]
    wanted = (name or "").removeprefix("Dataset/")
    if wanted not in known:
        hint = did_you_mean(wanted, known, otherwise=f"known are {', '.join(known)}")
        raise UsageError(f'no Dataset is called "{printable(wanted)}"', hint=hint)
    return Ref("Dataset", wanted)


def _curated(state: State, made: Made, root: Path) -> tuple[Path, str]:
    """The folder of what was curated, and why nobody is given it, or ""."""
    from llmops.workers import curate
    from llmops.workers.contract import RunFolder, WorkerError

    for before in made.before:
        _, reason = _curated(state, before, root)
        if reason:
            raise LlmopsError(f"{before.job.subject}: {reason}")
    path = root / made.job.closure[7:]
    path.mkdir(exist_ok=True)
    inputs = {given.name: _bytes(state, given, root) for given in made.job.inputs}
    run = RunFolder(path, {"id": made.job.id, "spec": dict(made.job.spec), "seed": 0}, inputs)
    try:
        return path, curate.work(run).reason
    except WorkerError as error:
        raise LlmopsError(error.message, hint=error.hint) from error


def _bytes(state: State, given: Any, root: Path) -> Path:
    """A file with the bytes of one input: of the tree, of another Dataset, or from outside."""
    if given.job is not None:
        return root / str(given.job)[7:] / "artifacts" / str(given.artifact)
    if given.file is None:
        return fetch.from_environment().get(given.digest, given.uri, who="llmops show data")
    path = root / str(given.digest).replace(":", "-")
    path.write_bytes(state.tree.read(given.file))
    return path


def _told(made: Made, folder: Path, reason: str) -> dict[str, Any]:
    steps = json.loads((folder / "artifacts" / "funnel.json").read_bytes())
    spec = made.job.spec["dataset"]
    parts = {
        path.stem: _part(path, spec["format"])
        for path in sorted((folder / "artifacts" / "parts").iterdir())
    }
    return {
        "dataset": str(made.job.subject),
        "given": not reason,
        "reason": reason,
        "parts": parts,
        "steps": steps,
    }


def _part(path: Path, form: str) -> dict[str, Any]:
    from llmops.workers import alike
    from llmops.workers.contamination import text_of

    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    texts = [text_of(row, form) for row in rows]
    sizes = sorted(map(len, texts))
    return {
        "rows": len(rows),
        "distinct": len({alike.plain(text) for text in texts}),
        "characters": {"median": sizes[len(sizes) // 2], "max": sizes[-1]},
        "columns": {name: _values(rows, name) for name in ("answer", "risk", "language")},
    }


def _values(rows: list[dict[str, Any]], column: str) -> dict[str, int]:
    counted = Counter(str(row[column]) for row in rows if column in row)
    return dict(counted.most_common())


def text(shown: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    rows = sum(part["rows"] for part in shown["parts"].values())
    yield f"{shown['dataset']}: {rows:,} rows in {len(shown['parts'])} parts"
    head = ("part", "rows", "distinct", "characters", "answers or risks", "languages")
    body = [head, *(_line(name, part) for name, part in shown["parts"].items())]
    yield from (f"  {line}" for line in columns(body, 60)) if shown["parts"] else ()
    yield "steps"
    lines = [("", "in", "out", "found", "first"), *(_step(step) for step in shown["steps"])]
    yield from (f"  {line}" for line in columns(lines, 60))
    if shown["reason"]:
        yield f"nobody is given these rows: {printable(shown['reason'], 600)}"


def _line(name: str, part: Mapping[str, Any]) -> tuple[str, ...]:
    size = part["characters"]
    labels = part["columns"]["answer"] or part["columns"]["risk"]
    return (
        printable(name, 40),
        f"{part['rows']:,}",
        f"{part['distinct']:,}",
        f"median {size['median']}, max {size['max']}",
        _spread(labels),
        _shares(part["columns"]["language"]),
    )


def _spread(counted: Mapping[str, int]) -> str:
    """How many values there are, and how often the rarest and the commonest stand."""
    if not counted:
        return "-"
    least, most = min(counted.values()), max(counted.values())
    return f"{len(counted)}, {least:,} to {most:,} rows each"


def _shares(counted: Mapping[str, int]) -> str:
    named = [f"{printable(v, 20)} {n:,}" for v, n in list(counted.items())[:MOST_VALUES]]
    more = len(counted) - len(named)
    return ", ".join([*named, *([f"{more} more"] if more > 0 else [])]) or "-"


def _step(step: Mapping[str, Any]) -> tuple[str, ...]:
    seen = f"{step['found']:,}" if "found" in step else ""
    first = ", ".join(printable(place, 40) for place in step["sample"][:3])
    name = printable(step["step"], 60)
    return name, f"{step['rows_in']:,}", f"{step['rows_out']:,}", seen, first
