"""The house rules that a table can break: every plug-in has its file, its words and its tests."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.cli import main as cli
from llmops.executors.run import EXECUTORS
from llmops.jobs import curate, evaluate, generate, guard, metrics, scan, tools, train
from llmops.reports import render
from llmops.rules import verdict
from llmops.specs import load
from llmops.specs import metrics as spec_metrics
from llmops.specs.base import JobType
from llmops.workers import __main__ as workers
from llmops.workflows import lint

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
REVISIONS = TESTS / "golden" / "worker-revisions.json"
HEAVY = (
    "torch", "transformers", "peft", "accelerate", "deepspeed", "deepeval", "giskard", "numpy",
    "scipy",
)  # fmt: skip
WATCHED = (
    "llmops.workers.", "llmops.guardrails.", "llmops.statistics.", "llmops.prompts.",
    "llmops.digest",
)  # fmt: skip
BUILT = {
    "curate": curate.HOW.revision,
    "train": train.HOW.revision,
    "generate": generate.HOW.revision,
    "evaluate": evaluate.REVISION,
    "scan": scan.HOW.revision,
    "guard": guard.REVISION,
}
PLUGINS = [
    *(("specs", re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()) for kind in load.KINDS),
    *(("jobs", job_type) for job_type in BUILT),
    *(("workers", job_type) for job_type in workers.WORKERS),
    *(("rules", rule.replace("-", "_")) for rule in verdict.INFOS),
    *(("reports", name) for name in render.VERDICTS),
    *(("reports", page.renderer.partition(".")[0]) for page in render.REPORTS.values()),
    *(("executors", name) for name in EXECUTORS),
    *(("workflows", check.replace("-", "_")) for check in lint.CHECKS),
    *(("cli", name.replace("-", "_")) for name in cli.COMMANDS),
]


@pytest.mark.parametrize(("room", "name"), PLUGINS, ids=lambda word: word)
def test_a_plug_in_has_its_file_and_its_docstring(room: str, name: str) -> None:
    file = ROOT / "llmops" / room / f"{name}.py"
    assert file.is_file(), f"{room}: nothing is in {file.name}"
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    assert len(said) >= 20, f"{file} has no docstring: it is the plug-in's documentation"


@pytest.mark.parametrize(("room", "name"), PLUGINS, ids=lambda word: word)
def test_a_plug_in_has_tests(room: str, name: str) -> None:
    own = TESTS / room / f"test_{name}.py"
    word = re.compile(rf"\b{name.replace('_', '[-_]')}\b", re.IGNORECASE)
    of_room = (p.read_text(encoding="utf-8") for p in (TESTS / room).glob("test_*.py"))
    assert own.is_file() or any(map(word.search, of_room)), f"no test in {room} tests {name}"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_has_a_test_file_of_its_own(name: str) -> None:
    assert (TESTS / "cli" / f"test_{name.replace('-', '_')}.py").is_file()


def test_a_command_has_what_the_table_needs() -> None:
    for name, (line, module) in cli.COMMANDS.items():
        plugin = importlib.import_module(module)
        assert module == f"llmops.cli.{name.replace('-', '_')}"
        assert line[0].islower()
        assert not line.endswith(".")
        assert plugin.EXAMPLES.startswith(f"  llmops {name}")
        assert callable(plugin.add)
        assert callable(plugin.main)


def test_a_rule_has_one_name_in_all_its_spellings() -> None:
    for rule, info in verdict.INFOS.items():
        module = importlib.import_module(f"llmops.rules.{rule.replace('-', '_')}")
        assert module.INFO is info
        assert info.id == rule
        assert info.why
        assert info.fix
        assert f"`{rule}`" in (inspect.getdoc(module) or "")


def test_what_a_policy_may_name_is_what_is_built() -> None:
    from llmops.specs.policy import ALWAYS_JUDGED, RULE_PARAMETERS

    assert set(verdict.ALWAYS) == set(ALWAYS_JUDGED)  # no policy can make one of them a warning
    assert set(RULE_PARAMETERS) == set(verdict.INFOS) - set(ALWAYS_JUDGED)


def test_every_format_renders_all_there_is_to_render() -> None:
    assert set(render.PLANS) == set(render.CHANGES) == set(render.FORMATS) < set(render.VERDICTS)
    assert set(render.VERDICTS) - set(render.DIAGNOSTICS) == set(render.FORMATS)


def test_an_executor_is_called_as_its_table_says() -> None:
    assert {name: make().name for name, make in EXECUTORS.items()} == {n: n for n in EXECUTORS}


def test_every_job_type_that_is_planned_has_a_worker() -> None:
    assert set(workers.WORKERS) == set(BUILT)
    assert set(BUILT) <= set(JobType.__args__)  # type: ignore[attr-defined]


def test_metrics_that_specs_may_name_are_those_that_can_be_judged() -> None:
    judged = {name for name in metrics.METRICS if not name.startswith("guardrail/")}
    assert judged == set(spec_metrics.METRICS)


def test_pinned_tools_are_those_that_install_installs() -> None:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").split()
    installed = dict(line.split("==") for line in lines if "==" in line)
    assert {name: installed.get(name) for name in tools.PINS} == dict(tools.PINS)


def imported(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after running `code`."""
    code += "\nimport sys; print('\\n'.join({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_little_is_imported_to_say_little(words: list[str]) -> None:
    code = (
        "from llmops.cli.main import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass"
    )  # fmt: skip
    assert not imported(code) & {"pydantic", "rich", "jinja2", *HEAVY}


def test_the_whole_stream_imports_no_heavy_tool() -> None:
    code = "import llmops.pipeline, llmops.rules.verdict, llmops.reports.render"
    assert not imported(code) & set(HEAVY)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_no_command_imports_a_heavy_tool(name: str) -> None:
    module = cli.COMMANDS[name][1]
    code = f"import importlib; importlib.import_module({module!r})"  # `import` is a word of its own
    assert not imported(code) & set(HEAVY)


def test_the_exit_codes_of_the_readme_are_those_of_help() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| *`(\d+)` *\| *(.+?) *\|", text, re.MULTILINE))
    if not table:
        pytest.skip("README has no table of exit codes yet")
    told = dict(re.findall(r"(?:^|\s{2,})(\d+) (\S.*?)(?=\s{3}|\n|$)", cli.EXITS))
    assert set(told) == {"0", "1", "2", "3", "130"}
    assert table == told


def test_no_file_is_too_long_to_read() -> None:
    long = {
        p.relative_to(ROOT).as_posix(): n
        for p in (ROOT / "llmops").rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long


# ---- revisions of workers ------------------------------------------------------------------


def sources(module: str) -> set[str]:
    """A worker's module and those of its room that it imports, at any depth and in any place."""
    found: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        file = ROOT / f"{name.replace('.', '/')}.py"
        if name in found or not file.is_file():
            continue
        found.add(name)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
                todo += [n for n in names if n.startswith(WATCHED)]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # modules that are imported by their name in a table
                todo += [node.value] if re.fullmatch(r"llmops\.workers\.\w+", node.value) else []
    return found


def recorded() -> dict[str, dict[str, object]]:
    """What each worker is now: its revision, and the digest of each of its sources."""
    return {
        job_type: {
            "revision": BUILT[job_type],
            "sources": {
                name: hashlib.sha256(
                    (ROOT / f"{name.replace('.', '/')}.py").read_bytes()
                ).hexdigest()
                for name in sorted(sources(workers.WORKERS[job_type]))
            },
        }
        for job_type in sorted(BUILT)
    }


def test_whoever_edits_a_worker_decides_whether_results_can_change(request) -> None:
    now = recorded()
    if request.config.getoption("--update-golden"):
        REVISIONS.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    kept = json.loads(REVISIONS.read_text(encoding="utf-8"))
    changed = sorted(
        f"{job_type} (revision {now[job_type]['revision']}): {name}"
        for job_type in now
        for name, digest in now[job_type]["sources"].items()  # type: ignore[attr-defined]
        if kept.get(job_type, {}).get("sources", {}).get(name) != digest
    )
    assert not changed, (
        "a worker's source changed:\n  " + "\n  ".join(changed) + "\n"
        "If its results can change, bump REVISION in llmops/jobs/<type>.py (kept evidence is then "
        "made again). Either way, record the decision: pytest tests/test_house.py --update-golden"
    )
    assert kept == now, "a revision moved: pytest tests/test_house.py --update-golden"


def test_a_worker_is_watched_with_its_helpers() -> None:
    train_on = sources(workers.WORKERS["train"])
    assert {"llmops.workers.train", "llmops.workers.chat", "llmops.workers.models"} <= train_on
    assert "llmops.workers.builtin_metrics" in sources(workers.WORKERS["evaluate"])
    assert "llmops.statistics.order" in sources(workers.WORKERS["generate"])
    assert "llmops.digest" in sources(workers.WORKERS["curate"])


def float_sums(code: str) -> list[str]:
    """Calls of functions whose result for floats depends on Python's version, as they are written.

    Since 3.12 `sum` compensates for rounding; `math.sumprod` is from then, and `statistics` has
    changed its means. What only counts is the same everywhere.
    """
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        counting = called == "sum" and _counts(node.args[0])
        if called in ("sum", "math.sumprod") and not counting:
            found.append(ast.unparse(node))
        means = re.fullmatch(r"statistics\.\w*(mean|variance|stdev|correlation)", called)
        if means or (called == "map" and "sum" in ast.unparse(node)):
            found.append(ast.unparse(node))
    return found


def _counts(given: ast.expr) -> bool:
    """Whether what is added up are truths, whole constants, or lengths."""
    if not isinstance(given, ast.GeneratorExp | ast.ListComp):
        return False
    one = given.elt
    if isinstance(one, ast.Constant):
        return isinstance(one.value, int)
    called = ast.unparse(one.func) if isinstance(one, ast.Call) else ""
    return isinstance(one, ast.Compare) or called in ("int", "len", "bool")


@pytest.mark.parametrize("room", ["rules", "statistics"])
def test_no_sum_that_reaches_a_verdict_depends_on_the_version_of_python(room: str) -> None:
    files = sorted((ROOT / "llmops" / room).glob("*.py"))
    assert len(files) > 8
    for file in files:
        found = float_sums(file.read_text(encoding="utf-8"))
        assert not found, f"{file.name}: {found}: use math.fsum, which rounds once, everywhere"


def test_sums_that_depend_on_the_version_are_told_from_those_that_count() -> None:
    floats = ["sum(xs)", "sum(x * y for x in xs)", "math.sumprod(a, b)", "statistics.fmean(xs)",
              "sum(map(float, xs))", "statistics.pvariance(xs)", "list(map(sum, rows))",
              "sum(1.0 for x in xs)"]  # fmt: skip
    counts = ["sum(x > 0 for x in xs)", "sum(1 for x in xs)", "math.fsum(xs)",
              "sum(len(x) for x in xs)", "sum(int(x) for x in xs)"]  # fmt: skip
    assert [bool(float_sums(code)) for code in floats] == [True] * len(floats)
    assert [float_sums(code) for code in counts] == [[]] * len(counts)
