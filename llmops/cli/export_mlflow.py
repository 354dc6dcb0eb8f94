"""`llmops export mlflow`: the evidence of a change and its verdict, as runs of MLflow.

Without an address everything stays here, in `reports/mlflow.db`. An address is said by the option
or by the environment; nothing else ever leaves the machine, and rows of a Dataset that is personal
or bound to a place never go to a server.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from llmops.cli import common, gate
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.evidence.store import Store
from llmops.exports import mlflow
from llmops.exports.base import Record, records
from llmops.graph.build import Graph
from llmops.project import Project

EXAMPLES = """\
  llmops export mlflow
  llmops export mlflow --base origin/main --artifacts rows --experiment support"""
ARTIFACTS = ("none", "statement", "rows", "all")
ROWS = (".jsonl", ".json", ".csv")
CLOSE = ("personal", "special")  # rows of such Datasets go to no server


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `export mlflow`."""
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    parser.add_argument(
        "--tracking-uri", metavar="URI",
        help="where (default: MLFLOW_TRACKING_URI, else reports/mlflow.db)",
    )  # fmt: skip
    parser.add_argument(
        "--experiment", metavar="NAME", help="name of the experiment (default: the repository's)"
    )
    parser.add_argument(
        "--artifacts", choices=ARTIFACTS, default="statement", help="files of each run (statement)"
    )
    gate.add_judging(parser)


def main(args: argparse.Namespace) -> int:
    """0 when the runs are there, whatever the verdict says; 3 when the store refuses them."""
    found, planned, judged = gate.judge(args)
    place = _place(args, found)
    graph = planned.both.head.graph
    if graph is not None:
        _expect_open(args, place, graph)
    told = list(records(planned.plan, judged, found.store.proven()))
    sent = mlflow.send(place, _with_files(args, found.store, told))
    waiting = len(planned.plan.steps) - sum(1 for one in told if one.closure)
    common.say(_told(place, sent, waiting))
    return 0


def _place(args: argparse.Namespace, found: Project) -> mlflow.Target:
    """The address that was said, or the file of this repository."""
    root = found.repository.root
    uri = args.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or ""
    if not uri:
        found.store.prepare()
        uri = f"sqlite:///{found.reports / 'mlflow.db'}"
    name = args.experiment if args.experiment is not None else root.name
    if not name.strip() or len(name) > 200:
        raise UsageError(f'--experiment "{printable(name, 60)}" is no name')
    return mlflow.target(uri, name, found.reports.resolve() / "mlruns")


def _expect_open(args: argparse.Namespace, place: mlflow.Target, graph: Graph) -> None:
    """Raises UsageError where rows would leave the machine that may not."""
    if place.local or args.artifacts in ("none", "statement"):
        return
    for dataset in graph.of_kind("Dataset"):
        why = dataset.spec.get("sensitivity")
        if why in CLOSE or dataset.spec.get("residency"):
            said = f"is {why}" if why in CLOSE else "is bound to a place by its residency"
            raise UsageError(
                f"{dataset.ref} {said}, so its rows go to no server",
                hint="export with --artifacts statement, or to a store on this machine",
            )


def _with_files(
    args: argparse.Namespace, store: Store, told: list[Record]
) -> Iterator[tuple[Record, list[Path]]]:
    for record in told:
        yield record, list(_files(args.artifacts, store, record)) if record.closure else []


def _files(asked: str, store: Store, record: Record) -> Iterator[Path]:
    """The files of one run that were asked for, as far as they are kept and whole."""
    if asked == "none":
        return
    yield store.statement(record.closure, record.evidence)
    gone = store.missing(record.closure)
    for name in record.artifacts:
        wanted = asked == "all" or (asked == "rows" and name.endswith(ROWS))
        if wanted and name not in gone:
            yield store.artifact(record.closure, name)


def _told(place: mlflow.Target, sent: mlflow.Sent, waiting: int) -> str:
    where = "here" if place.local else printable(place.uri, 80)
    lines = [
        f'experiment "{printable(place.experiment, 80)}" {where}: {sent.added} runs added, '
        f"{sent.there} there already, {sent.moved} of them with newer tags"
    ]
    if waiting:
        lines.append(f"{waiting} jobs have no evidence yet: llmops run, then export again")
    if place.local:
        lines.append(f"look at it: mlflow ui --backend-store-uri {printable(place.uri, 200)}")
    return "\n".join(lines)
