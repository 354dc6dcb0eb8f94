"""`python -m tests.benchmarks peers`: dbt parse, dvc status and check-jsonschema beside `plan`.

Each tool gets a repository of about 1,000 files or entries of its own kind, in its own virtual
environment, which is filled from the package registry (`LLMOPS_PEERS` names a folder that keeps
them). All run by turns in one run, each round first cold (what a tool keeps for itself is removed),
then once more with nothing changed; the table has medians of wall and CPU seconds. They do not do
the same: what is compared with what stands in RESULTS.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import synthetic
from tests.benchmarks.process import ROOT, Took, medians, run

COUNT = 1_000
ROUNDS = int(os.environ.get("LLMOPS_ROUNDS", "5"))
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "dbt": ("dbt-core<1.12", "dbt-duckdb"),  # newer ones download a parser while they are built
    "dvc": ("dvc",),
    "check-jsonschema": ("check-jsonschema",),
}


@dataclass(frozen=True)
class Tool:
    """A command in a repository of its own, and the folders in which it keeps what it knows."""

    name: str
    command: Sequence[str]
    folder: Path
    keeps: Sequence[Path] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def forget(self) -> None:
        """What a fresh clone does not have is gone."""
        for path in self.keeps:
            shutil.rmtree(path, ignore_errors=True)


def per_peer() -> list[tuple[str, Took, Took]]:
    """Name, medians cold, medians with nothing changed; llmops first."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        kept = os.environ.get("LLMOPS_PEERS")
        tools = _tools(scratch, Path(kept).resolve() if kept else scratch / "venvs")
        for tool in tools:
            _run(tool)  # compiles its modules, and shows that it works
        times: list[list[tuple[Took, Took]]] = [[] for _ in tools]
        for _ in range(ROUNDS):
            for tool, found in zip(tools, times, strict=True):
                tool.forget()
                found.append((_run(tool), _run(tool)))
                print(f"{tool.name}: cold {found[-1][0]}, again {found[-1][1]}", flush=True)
    return [
        (tool.name, medians([cold for cold, _ in found]), medians([again for _, again in found]))
        for tool, found in zip(tools, times, strict=True)
    ]


def _run(tool: Tool) -> Took:
    return run(tool.command, tool.env, tool.folder)


def _tools(scratch: Path, venvs: Path) -> list[Tool]:
    specs, cache = _folder(scratch / "llmops"), scratch / "cache"
    synthetic.repository(specs, COUNT)
    ours = [sys.executable, "-m", "llmops"]
    env = {"LLMOPS_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    plan = [*ours, "plan", "--base", "main", "--head", "main"]
    return [
        Tool("llmops plan", plan, specs, (cache,), env),
        Tool("llmops validate", [*ours, "validate"], specs, (cache,), env),
        _schema(scratch, specs, _installed(venvs, "check-jsonschema"), ours),
        _dbt(_folder(scratch / "dbt"), _installed(venvs, "dbt")),
        _dvc(_folder(scratch / "dvc"), _installed(venvs, "dvc")),
    ]


def _installed(venvs: Path, name: str) -> Path:
    """The `bin` of a peer's virtual environment, made where there is none."""
    home = venvs / name
    if not (home / "bin" / name).exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES[name]], check=True)
    return home / "bin"


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _schema(scratch: Path, specs: Path, tools: Path, ours: Sequence[str]) -> Tool:
    """The same specs against the schema that llmops gives editors: no references."""
    schema = scratch / "schema.json"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    text = subprocess.run([*ours, "schema"], env=env, check=True, capture_output=True).stdout
    schema.write_bytes(text)
    files = [str(p) for p in sorted(specs.rglob("*.yaml"))]
    command = [str(tools / "check-jsonschema"), "--schemafile", str(schema), *files]
    return Tool("check-jsonschema", command, specs)


DBT = {
    "dbt_project.yml": "name: bench\nversion: '1.0'\nprofile: bench\nmodel-paths: [models]\n",
    "profiles.yml": "bench:\n  target: dev\n  outputs:\n"
    "    dev: {type: duckdb, path: ':memory:'}\n",
}
MODEL = """version: 2
models:
  - name: m{i}
    description: |
      One of many models of a synthetic project, written to measure how long it takes to
      compile a change; it says nothing about any real system at all, as the specs beside it.
    meta: {{owner: team-{i}, domain: bank, tier: t{i}}}
    columns:
      - name: id
        description: The number of a customer's question, unique in this model.
        data_tests: [unique, not_null]
      - name: question
        description: What the customer asked, in the language in which it was asked.
        data_tests: [not_null]
      - name: answer
        description: The intent that answers it.
        data_tests:
          - accepted_values: {{arguments: {{values: [card, cash, transfer, limit, identity]}}}}
"""


def _dbt(folder: Path, tools: Path) -> Tool:
    """Half as many models, each with a file of SQL that refers to another and one of YAML."""
    (folder / "models").mkdir()
    for name, text in DBT.items():
        (folder / name).write_text(text)
    for i in range(COUNT // 2):
        before = f"{{{{ ref('m{i - 1}') }}}}" if i % 10 else "(select 1 as id)"
        (folder / f"models/m{i}.sql").write_text(f"select * from {before}\n")
        (folder / f"models/m{i}.yml").write_text(MODEL.format(i=i))
    command = [str(tools / "dbt"), "--quiet", "parse", "--profiles-dir", "."]
    env = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    return Tool("dbt parse", command, folder, (folder / "target", folder / "logs"), env)


def _dvc(folder: Path, tools: Path) -> Tool:
    """Stages that have run: a file in, a file out, ten to a folder; nothing is out of date."""
    for i in range(COUNT // 10):
        _stages(_folder(folder / f"part{i}"))
    state = folder / "state"
    env = {
        "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(state), "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }  # fmt: skip
    for words in (["git", "init", "-q"], [str(tools / "dvc"), "init", "-q"]):
        run(words, env, folder)
    return Tool(
        "dvc status", [str(tools / "dvc"), "status"], folder, (state, folder / ".dvc/tmp"), env
    )


def _stages(folder: Path) -> None:
    stages, lock = "stages:\n", "schema: '2.0'\nstages:\n"
    for i in range(10):
        text = f"{folder.name} {i}\n" * 8
        for name in (f"in{i}.txt", f"out{i}.txt"):
            (folder / name).write_text(text)
        md5, size = hashlib.md5(text.encode()).hexdigest(), len(text)
        command = f"cp in{i}.txt out{i}.txt"
        stages += f"  s{i}:\n    cmd: {command}\n    deps: [in{i}.txt]\n"
        stages += f"    outs: [{{out{i}.txt: {{cache: false}}}}]\n"
        known = f"hash: md5\n      md5: {md5}\n      size: {size}\n"
        lock += f"  s{i}:\n    cmd: {command}\n    deps:\n    - path: in{i}.txt\n      {known}"
        lock += f"    outs:\n    - path: out{i}.txt\n      {known}"
    (folder / "dvc.yaml").write_text(stages)
    (folder / "dvc.lock").write_text(lock)
