from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from llmops.diagnostics import Severity
from llmops.workflows.base import System
from llmops.workflows.lint import CHECKS, INFOS, lint

ROOT = Path(__file__).parents[2]
PATHS = {
    System.WORKFLOW: ".github/workflows/sample.yml",
    System.ACTION: ".github/actions/sample/action.yml",
    System.GITLAB: ".gitlab-ci.yml",
    System.JENKINS: "Jenkinsfile",
}


def linted(text: str, system: System = System.WORKFLOW) -> list[str]:
    """`line:col severity rule` of all that is found in one file."""
    found = lint({PATHS[system]: text.encode()}).diagnostics
    return [f"{d.span.line}:{d.span.column} {d.severity.value} {d.rule}" for d in found]


def rules(text: str, system: System = System.WORKFLOW) -> set[str]:
    return {line.split()[2] for line in linted(text, system)}


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_has_one_name_in_all_its_spellings(name: str) -> None:
    module = importlib.import_module(f"llmops.workflows.{name.replace('-', '_')}")
    info = INFOS[name]
    assert module.INFO is info
    assert CHECKS[name] is module.check
    assert info.id == name
    assert f"`{name}`" in (module.__doc__ or "")
    assert len(info.why) > 20
    assert len(info.fix) > 20


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_finds_its_bad_sample_and_nothing_is_wrong_with_its_good_one(name: str) -> None:
    info = INFOS[name]
    assert name in rules(info.bad, info.systems[0])
    assert linted(info.good, info.systems[0]) == []


def test_a_finding_names_its_place() -> None:
    info = INFOS["template-injection"]
    line = next(n for n, one in enumerate(info.bad.split("\n"), 1) if "title" in one)
    column = info.bad.split("\n")[line - 1].index("${{") + 1
    assert f"{line}:{column} error template-injection" in linted(info.bad)


def test_the_place_inside_a_block_of_lines_is_that_of_the_expression() -> None:
    text = INFOS["template-injection"].bad.replace(
        'run: echo "thanks for', 'run: |\n          cd x\n          echo "thanks for'
    )
    line = next(n for n, one in enumerate(text.split("\n"), 1) if "title" in one)
    assert f"{line}:28 error template-injection" in linted(text)


def test_a_finding_is_silenced_only_with_a_reason() -> None:
    bad = INFOS["unpinned-uses"].bad
    at = "      - uses: actions/setup-python@v7"
    assert at in bad
    why = bad.replace(at, f"{at}  # lint-ci: ignore[unpinned-uses] our mirror checks it")
    assert linted(why) == []
    above = bad.replace(at, f"      # lint-ci: ignore[unpinned-uses] our mirror\n{at}")
    assert linted(above) == []
    other = bad.replace(at, f"{at}  # lint-ci: ignore[permissions] our mirror")
    assert rules(other) == {"unpinned-uses"}
    silent = bad.replace(at, f"{at}  # lint-ci: ignore[unpinned-uses]")
    assert rules(silent) == {"unpinned-uses", "ignored"}
    unknown = bad.replace(at, f"{at}  # lint-ci: ignore[pinned] all is well")
    assert rules(unknown) == {"unpinned-uses", "ignored"}


def test_anchors_are_told_and_the_rest_is_still_checked() -> None:
    text = INFOS["unpinned-uses"].bad.replace("permissions: {}", "permissions: &none {}", 1)
    text += "  again:\n    permissions: *none\n    runs-on: ubuntu-24.04\n    steps:\n"
    text += "      - run: echo ${{ github.head_ref }}\n"
    last = len(text.split("\n")) - 1
    assert f"{last}:19 error template-injection" in linted(text)
    assert {"yaml-alias", "unpinned-uses"} <= rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "# nothing\n", "[]\n", "on: [", "on: push\njobs: 3\n", "jobs:\n  a: [1]\n",
        "on: {pull_request: 7}\njobs: {gate: {steps: {a: b}, needs: {x: y}, if: [1]}}\n",
        "on:\n  - pull_request: {}\njobs:\n  gate:\n    steps: [1, null, {uses: 3, run: [x]}]\n",
        "on: x\njobs: {a: {uses: '@', permissions: [write], concurrency: 1, environment: []}}\n",
        "jobs: &a {b: *a}\n", "\ufeffon: push\n", "on: push\non: pull_request\n",
        "on: {schedule: [{cron: 1}]}\njobs: {a: {strategy: 1, container: [x], services: {b: 1}}}\n",
        "on: pull_request_target\njobs: {a: {steps: [{uses: actions/checkout, with: {ref: 1}}]}}\n",
        "runs: {using: composite, steps: {a: 1}}\n", "x: !reference [a, b]\n", "a: 1\n---\nb: 2\n",
        "on: push\njobs: {a: {steps: [{run: '${{ ((((((( }} ${{ a[ }} ${{ }}'}]}}\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("system", PATHS)
def test_no_text_is_a_surprise(text: str, system: System) -> None:
    for place in linted(text, system):
        line, column = map(int, place.split()[0].split(":"))
        assert 1 <= line <= len(text.split("\n"))
        assert column >= 1


def test_what_cannot_be_read_is_an_error_and_never_clean() -> None:
    for text in ("on: [", "[]\n", "", "on: push\n\tjobs: {}\n", "a: no\n" * 1 + "b: no\n" * 200):
        found = lint({PATHS[System.WORKFLOW]: text.encode()}).diagnostics
        assert any(d.severity is Severity.ERROR for d in found), text
    many = "".join(f"k{i}: no\n" for i in range(200))
    found = lint({PATHS[System.WORKFLOW]: many.encode()}).diagnostics
    assert [d.rule for d in found] == ["ambiguous-scalar"]


def test_messages_are_phrases_and_hints_say_what_to_do() -> None:
    for info in INFOS.values():
        for one in lint({PATHS[info.systems[0]]: info.bad.encode()}).diagnostics:
            assert not one.message.endswith("."), one
            assert not re.match(r"[A-Z][a-z]", one.message), one
            assert one.hint, one
