"""Records -> runs of an MLflow tracking store: a folder, a database file, or a server.

Each record is one run whose tag `llmops.evidence` is its key; a run is whole when it has the tag
`llmops.whole` as well. What is whole is left as it is, but for the tags that say with which change
it was exported last; a run that was cut short is removed and made again. MLflow is imported here
and nowhere else, with its own telemetry switched off.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llmops.diagnostics import printable
from llmops.errors import ExportError, LlmopsError, UsageError
from llmops.exports.base import Record

KEY = "llmops.evidence"
WHOLE = "llmops.whole"
LOCAL = ("file", "sqlite")
SERVERS = ("http", "https")
MOVING = ("llmops.tree", "llmops.commit", "llmops.dirty", "llmops.base", "llmops.policy",
          "llmops.verdict", "llmops.version", "llmops.side")  # fmt: skip
AT_ONCE = 100  # parameters, metrics or tags that one call may hold
# MLflow asks config.mlflow-telemetry.io unless it is told not to (3.17, seen in a test).
SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
            "MLFLOW_ALLOW_FILE_STORE": "true"}  # fmt: skip
# A server that is not there is told after seconds; MLflow alone would try for four minutes.
USUAL = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where runs go: a store's address, the name of the experiment, and the folder of its files.

    `folder` is None where the store itself says where files of runs lie.
    """

    uri: str
    experiment: str
    folder: Path | None = None

    @property
    def local(self) -> bool:
        """Whether it lies on this machine."""
        return urlsplit(self.uri).scheme in LOCAL


@dataclass(slots=True)
class Sent:
    """What an export did: runs that were added, were there already, or got other tags."""

    added: int = 0
    there: int = 0
    moved: int = 0


def target(uri: str, experiment: str, folder: Path) -> Target:
    """The place that an address names. UsageError for one that is none, or holds a password."""
    parts = urlsplit(uri)
    if parts.scheme not in (*LOCAL, *SERVERS):
        what = f'"{printable(uri, 80)}" is no tracking address'
        raise UsageError(what, hint="write file:…, sqlite:///…, http://… or https://…")
    if "@" in parts.netloc:
        hint = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD hold them"
        raise UsageError("a tracking address holds no user and no password", hint=hint)
    return Target(uri, experiment, folder if parts.scheme == "sqlite" else None)


def send(place: Target, records: Iterable[tuple[Record, Sequence[Path]]]) -> Sent:
    """Writes each record once, with its files. Raises ExportError where the store refuses."""
    if not place.local and os.environ.get("LLMOPS_OFFLINE", "") not in ("", "0"):
        where = urlsplit(place.uri).hostname
        raise ExportError(f"export mlflow asks {where}, but LLMOPS_OFFLINE=1")
    with _quiet(place):
        client = _client(place.uri)
        experiment = _experiment(client, place)
        there = _there(client, experiment)
        sent = Sent()
        for record, files in records:
            _one(client, experiment, there, record, files, sent)
        return sent


def _one(
    client: Any,
    experiment: str,
    there: dict[str, Any],
    record: Record,
    files: Sequence[Path],
    sent: Sent,
) -> None:
    run = there.get(record.key)
    if run is not None and run.data.tags.get(WHOLE) == "true":
        sent.there += 1
        sent.moved += _move(client, run, record.tags)
        return
    if run is not None:
        client.delete_run(run.info.run_id)  # it was cut short
    _add(client, experiment, record, files)
    sent.added += 1


def _move(client: Any, run: Any, tags: Mapping[str, str]) -> bool:
    """The tags of the change that it is exported with now; whether any differed."""
    other = {n: tags[n] for n in MOVING if n in tags and run.data.tags.get(n) != tags[n]}
    for name, value in other.items():
        client.set_tag(run.info.run_id, name, value)
    return bool(other)


def _add(client: Any, experiment: str, record: Record, files: Sequence[Path]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    run = client.create_run(
        experiment, start_time=record.started_ms, run_name=record.name, tags={KEY: record.key}
    )
    name = run.info.run_id
    metrics = [Metric(k, v, record.finished_ms, 0) for k, v in record.metrics.items()]
    params = [Param(k, v) for k, v in record.parameters.items()]
    tags = [RunTag(k, v) for k, v in record.tags.items()]
    for part in _parts(metrics):
        client.log_batch(name, metrics=part)
    for part in _parts(params):
        client.log_batch(name, params=part)
    for part in _parts(tags):
        client.log_batch(name, tags=part)
    for file in files:
        client.log_artifact(name, str(file))
    client.set_terminated(
        name, "FINISHED" if record.good else "FAILED", end_time=record.finished_ms
    )
    client.set_tag(name, WHOLE, "true")


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def _client(uri: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _experiment(client: Any, place: Target) -> str:
    """The experiment's id; it is made where it is not there yet."""
    found = client.get_experiment_by_name(place.experiment)
    if found is None:
        where = place.folder.as_uri() if place.folder is not None else None
        return str(client.create_experiment(place.experiment, artifact_location=where))
    if found.lifecycle_stage != "active":
        what = f'experiment "{printable(place.experiment, 80)}" was deleted'
        raise ExportError(what, hint="restore it in MLflow, or name another with --experiment")
    return str(found.experiment_id)


def _there(client: Any, experiment: str) -> dict[str, Any]:
    """Our runs of the experiment by their key."""
    found: dict[str, Any] = {}
    token = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        found |= {run.data.tags[KEY]: run for run in page if KEY in run.data.tags}
        token = page.token
        if not token:
            return found


@contextmanager
def _quiet(place: Target) -> Iterator[None]:
    """Its errors as ours, its words and warnings unsaid, its telemetry off."""
    set_ = SETTINGS | {name: value for name, value in USUAL.items() if name not in os.environ}
    before = {name: os.environ.get(name) for name in set_}
    os.environ.update(set_)
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [one.level for one in loggers]
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            _expect_installed(place)
            importlib.import_module("mlflow.tracking")  # which sets its logger's level
            for one in loggers:
                one.setLevel(logging.ERROR)
            yield
    except LlmopsError:
        raise
    except Exception as error:  # MLflow raises its own, its database's, and its HTTP client's
        raise ExportError(f"MLflow refused: {_first(error)}", hint=_HINT) from error
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


_HINT = "nothing that was whole is changed; run it again to go on"


def _expect_installed(place: Target) -> None:
    """ExportError where MLflow, or what its database files need, is not there."""
    needed = {"mlflow": "MLflow"}
    if urlsplit(place.uri).scheme == "sqlite":
        needed |= {"sqlalchemy": "SQLAlchemy", "alembic": "alembic"}
    for module, called in needed.items():
        if importlib.util.find_spec(module) is None:
            raise ExportError(
                f"{called} is not installed", hint="in a clone of llmops: pip install '.[mlflow]'"
            )


def _first(error: Exception) -> str:
    """Its first line, without what looks like an address's password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = re.sub(r"//[^/@\s]+@", "//…@", lines[0] if lines else type(error).__name__)
    return printable(text, 300)
