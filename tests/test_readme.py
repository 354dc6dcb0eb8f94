"""README.md and the manual say what the code does: no page is believed, each is held to it."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from llmops.cli import manual, tale
from llmops.cli.main import COMMANDS, EXITS, _parser
from llmops.drills.table import PLANTS
from llmops.forge.base import CHECK
from llmops.jobs.gates import ALPHA
from llmops.rules.verdict import INFOS
from llmops.source.document import parse
from llmops.specs.base import API_VERSION
from llmops.specs.load import KINDS, load_one, roles
from llmops.specs.schema import PATH as SCHEMA
from llmops.statistics.attempts import level
from tests.tools import docs_story
from tests.tools.make_docs import (
    BLOCKS,
    DOCS,
    MARK,
    ROOT,
    STORY,
    fill,
    language,
    pages,
    speaker,
)  # fmt: skip

README = ROOT / "README.md"
TINY = ROOT / "llmops" / "examples" / "tiny"
PAGES = pages()
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
each_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def made(name: str, page: Path = README) -> str:
    """A made part of a page as it stands there."""
    found = [m[0] for m in MARK.finditer(text_of(page)) if m["name"] == name]
    assert len(found) == 1, f"{page.name} has {len(found)} parts called {name}"
    return "\n".join(found[0].splitlines()[1:-1])


def rows(table: str) -> list[tuple[str, ...]]:
    """The rows of a Markdown table, without its header."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()[2:]]
    return [tuple(cell.strip() for cell in row) for row in cells]


# ---- made parts -----------------------------------------------------------------------------


@each_page
def test_made_parts_are_what_the_code_makes(page: Path, golden) -> None:
    golden(page, fill(text_of(page), speaker(language(page))))


def test_every_made_part_is_on_some_page() -> None:
    shown = {m["name"] for page in PAGES for m in MARK.finditer(text_of(page))}
    assert shown == set(BLOCKS)
    assert all(text_of(p).count("<!-- made:") == len(MARK.findall(text_of(p))) for p in PAGES)


def unquoted(text: str) -> list[str]:
    return [re.sub(r"^> ?", "", line) for line in text.splitlines()]


def test_the_manual_shows_the_whole_comment_of_the_scenario() -> None:
    kept = (STORY / "gate.out").read_text("utf-8").splitlines()
    shown = unquoted(made("whole-comment", DOCS / "how-to" / "ci.md"))
    assert shown == [line.rstrip() for line in kept]


def test_readme_shows_what_is_not_folded_of_that_comment() -> None:
    shown = unquoted(made("comment"))
    kept = [line.rstrip() for line in (STORY / "gate.out").read_text("utf-8").splitlines()]
    assert "llmops: failed" in shown[0]
    first = next(i for i, line in enumerate(kept) if line.startswith("<details>"))
    assert [*shown[:-2], ""] == kept[1:first]
    folded = [line for line in kept if line.startswith("<details>")]
    assert len(folded) == shown[-1].count(";") + 1


def test_readme_shows_the_plan_of_the_scenario() -> None:
    assert made("plan") == "```text\n" + (STORY / "plan.out").read_text("utf-8") + "```"


def test_readme_has_every_exit_code() -> None:
    told = rows(made("exits"))
    said = " ".join(EXITS.split())
    for code, means in told:
        assert f"{code.strip('`')} {means}" in said
        said = said.replace(f"{code.strip('`')} {means}", "", 1)
    assert said.strip() == "exit codes:"


def test_readme_has_every_command() -> None:
    assert rows(made("commands")) == [(f"`llmops {n}`", line) for n, (line, _) in COMMANDS.items()]


def test_the_manual_has_every_field_and_every_rule() -> None:
    kinds = text_of(DOCS / "reference" / "kinds.md")
    for kind in KINDS:
        section = kinds.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        fields = [path for path in roles(kind) if not path.startswith("metadata.")]
        assert [path for path in fields if f"| `{path}` |" not in section] == []
    headings = re.findall(r"^## (.+)$", text_of(DOCS / "reference" / "rules.md"), re.MULTILINE)
    assert headings == sorted(INFOS)


# ---- what is named exists ---------------------------------------------------------------------


def code(page: Path) -> Iterator[str]:
    """Every line of a fence, then every inline code."""
    text = text_of(page)
    for fence in re.findall(r"^```[a-z]+\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from (line.removeprefix("$ ").partition("  #")[0] for line in fence.splitlines())
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


# What a command cannot do without, where a page names it alone.
NEEDED = {
    "why": ("Kind/name",),
    "why-not": ("Kind/name",),
    "explain": ("Kind",),
    "show": ("run", "ID"),
    "guard": ("check", "TEXT"),
    "completion": ("bash",),
    "export": ("mlflow",),
    "import": ("human", "FILE", "--check", "NAME", "--out", "PATH"),
    "policy": ("rules",),
    "prompt": ("test",),
    "waiver": ("ls",),
    "keys": ("show",),
    "verify": ("bundle.zip",),
    "log": ("show",),
    "evidence": ("ls",),
}


@each_page
def test_every_llmops_command_can_be_given(page: Path, monkeypatch) -> None:
    for name in list(os.environ):
        if name.startswith("LLMOPS_"):
            monkeypatch.delenv(name)
    for line in code(page):
        if not re.match(r"llmops [a-z-]", line):
            continue
        given = line.partition(" > ")[0]  # what a shell does with the output is not ours
        words = [word for word in shlex.split(given)[1:] if word != "--help"]
        assert words[0] in COMMANDS, line
        needed = NEEDED.get(words[0], ()) if len(words) == 1 else ()
        parsed = _parser(words[0]).parse_args([*words, *needed])
        assert parsed.command == words[0]


@each_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {line.split()[1] for line in code(page) if re.match(r"make [a-z]+\s*$", line)}
    assert named <= targets


def test_readme_names_the_two_commands_first() -> None:
    first = text_of(README).partition("## ")[0] + text_of(README).partition("<!-- end -->")[2]
    assert re.findall(r"^make \w+", first, re.MULTILINE)[:2] == ["make demo", "make test"]


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    outside = MARK.sub("", text_of(page)) if page == README else text_of(page)
    for target in re.findall(r"\]\(([^)\s]+)\)", outside):
        path, _, anchor = target.partition("#")
        if path.startswith("https://") and any(map(page.match, OUTSIDE)):
            continue
        assert not path.startswith(("http", "/")), f"{target} leads out of the repository"
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in {name for _, _, name in manual.anchors(text_of(file))}, target


# Pages that speak of others and of their formats, and say where they speak for themselves.
OUTSIDE = ("explanation/comparison.md", "how-to/audit.md", "how-to/log.md")


@each_page
def test_every_path_of_this_repository_exists(page: Path) -> None:
    top = r"(?:specs|policies|tests|llmops|\.ci|\.github)/[\w./-]*"
    outside = MARK.sub("", text_of(page))
    named = {path for path in re.findall(rf"`({top})`", outside) if not PLACE.search(path)}
    assert [path for path in sorted(named) if path not in MADE_BY_INIT and missing(path)] == []


PLACE = re.compile(r"KIND|RULE_ID|TYPE|NAME")  # to be written, in the guide for contributors
MADE_BY_INIT = {
    f"{folder}/{path.relative_to(TINY).as_posix().partition('/')[2]}"
    for folder in ("specs", "policies", ".github")
    for path in (TINY / folder).rglob("*")
} | {
    SCHEMA,
    CHECK,
    ".github/llmops/runner-scale-set.yaml",
    "policies/trust/",
    "policies/trust/1.root.json",
}


def missing(path: str) -> bool:
    return not any((top / path).exists() for top in (ROOT, ROOT / "llmops"))


def options() -> set[str]:
    """The variable of every option of every command."""
    found = set()
    for name, (_, module) in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=name)
        importlib.import_module(module).add(parser)
        found |= {f"LLMOPS_{one.dest.upper()}" for one in parser._actions if one.option_strings}
    return found


def test_every_variable_is_read_somewhere() -> None:
    source = "\n".join(p.read_text("utf-8") for p in (ROOT / "llmops").rglob("*.py"))
    own, templates = ROOT / ".github" / "workflows", ROOT / "llmops" / "workflows" / "templates"
    workflows = [*own.glob("*.yml"), *templates.iterdir()]
    asked = set(re.findall(r"vars\.(\w+)", "\n".join(p.read_text("utf-8") for p in workflows)))
    for page in PAGES:
        for name in set(re.findall(r"\bLLMOPS_[A-Z_]+\b", text_of(page))) - options() - asked:
            assert f'"{name}"' in source, f"{page.name} names {name}"
    assert 'f"LLMOPS_{action.dest.upper()}"' in source


KIND_OF = {
    **{f"specs/{kind.lower()}s": kind for kind in KINDS},
    "specs/safety": "SafetyTest",
    "policies": "Policy",
}


def examples(page: Path) -> Iterator[tuple[str, str]]:
    """Path and text of every spec that a page shows with its path."""
    for fence in re.findall(r"^```yaml\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE):
        for one in fence.split("---\n"):
            if found := re.match(r"# ((?:specs|policies)/\S+\.yaml)\n", one):
                yield found[1], one


@each_page
def test_every_spec_that_is_shown_can_be_read(page: Path) -> None:
    for path, text in examples(page):
        file = PurePosixPath(path)
        head = f"apiVersion: {API_VERSION}\nkind: {KIND_OF[str(file.parent)]}\n"
        whole = f"{head}metadata: {{name: {file.stem}}}\n{text}"
        document = parse(path, whole.encode()).document
        assert document is not None
        spec, mistakes = load_one(document)
        assert [one.message for one in mistakes] == []
        assert spec is not None


def test_some_pages_show_specs() -> None:
    assert sum(1 for page in PAGES for _ in examples(page)) >= 7


# ---- what is shipped ---------------------------------------------------------------------------


def test_the_wheel_carries_what_the_demo_needs() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["llmops"]  # with all that stands in it, pages too
    sent = wheel["force-include"]
    assert {name: f"llmops/_example/{name}" for name in tale.SHIPPED} == sent
    assert all((ROOT / name).exists() for name in sent)


WITHOUT_TOOLS = """
import sys
from llmops.cli.main import main

class Refuse:
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] not in sys.argv[1].split(","), name

sys.meta_path.insert(0, Refuse())
sys.exit(main(sys.argv[2:]))
"""


def test_the_core_alone_is_enough_for_all_but_run_demo_and_export(tmp_path: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = settings["project"]["optional-dependencies"]
    heavy = [re.split(r"[=>;]", one)[0] for one in (*extras["workers"], *extras["github"])]
    repo = docs_story.example(tmp_path / "repo")
    subject = ["Evaluation/support-quality"]
    given = {"why": subject, "why-not": subject, "explain": subject, "doctor": ["--quick"]}
    given["completion"] = ["bash"]
    given["app"] = ["--manifest", "--url", "https://gate.example.org"]
    given["guard"] = ["check", "hello"]
    given["init"] = [str(tmp_path / "mine")]
    sheet = tmp_path / "ratings.csv"
    sheet.write_text("input,response,rating\nq,r,1\n", encoding="utf-8")
    given["import"] = ["human", str(sheet), "--check", "a", "--out", str(tmp_path / "o.jsonl")]
    given["policy"], given["prompt"], given["waiver"] = ["rules"], ["test"], ["ls"]
    given["evidence"], given["keys"], given["log"] = ["ls"], ["show"], ["show", "--help"]
    given["bundle"], given["verify"] = ["--help"], ["--help"]  # both want a signed log
    for name in COMMANDS.keys() - {"run", "demo", "show", "export"}:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_TOOLS, ",".join([*heavy, "numpy"]), name,
             *given.get(name, ())],
            cwd=repo.path, env={**os.environ, "LLMOPS_CACHE": str(tmp_path / "cache"),
                                "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == "", name
        assert done.returncode == (1 if name == "gate" else 0), name


# ---- odds -----------------------------------------------------------------------------------


ODDS = DOCS / "explanation" / "how-it-works.md"


def test_the_odds_that_are_told_are_those_of_the_code() -> None:
    text = text_of(ODDS)
    assert "the first of three is judged at 2.5 %" in text
    assert level(0.05, 1, 3) == 0.025
    assert sum(level(0.05, k, 3) for k in (1, 2, 3)) == pytest.approx(0.05)
    assert "5 % unless a policy says less" in text
    assert ALPHA == 0.05


def test_the_plants_that_are_told_are_planted() -> None:
    told = {
        "shuffled labels": "shuffled-labels", "learning rate x 100": "learning-rate-x100",
        "weights that are noise": "rounded-weights", "an emptied guardrail": "guard-emptied",
    }  # fmt: skip
    text = " ".join(text_of(ODDS).split())
    assert all(words in text for words in told)
    assert {plant.name for plant in PLANTS} >= set(told.values())
