"""SARIF, JUnit and annotations: one note for each rule and gate, and nothing that is obeyed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.reports import github, junit, notes, sarif
from llmops.reports.base import Page
from llmops.reports.render import render_diagnostics, render_verdict
from llmops.rules.base import Outcome
from tests.reports.conftest import EVIL, FAILED, FINE, VERDICTS, a_verdict, hostile, require

SCHEMA = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
PAGE = Page()
MISTAKES = (
    Diagnostic(Span("specs/recipes/a b.yaml", 12, 5), "unknown-field", 'no field "x"', "did you?"),
    Diagnostic(Span("specs/推荐.yaml", 1, 1), "owner", "has no owner", severity=Severity.WARNING),
    Diagnostic(Span(f"specs/{EVIL}.yaml", 1, 1), EVIL, EVIL, EVIL),
)
NAMES = ("failed", "loosened", "quiet", "two-sides", "chinese", "hostile", "400-gates")


@pytest.fixture(scope="module")
def schema():
    """The published schema of SARIF 2.1.0: by its digest, from the mirror of public data."""
    file = Path(os.environ.get("LLMOPS_MIRROR", "")) / "sha256" / SCHEMA
    if not file.is_file():
        pytest.skip(f"LLMOPS_MIRROR holds no {SCHEMA[:12]} (sarif-schema-2.1.0.json of OASIS)")
    data = json.loads(file.read_text("utf-8"))
    return jsonschema.validators.validator_for(data)(data)


@pytest.mark.mirror
@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_is_sarif_as_published(schema, name: str) -> None:
    schema.validate(json.loads(render_verdict(VERDICTS[name], "sarif")))


@pytest.mark.mirror
def test_diagnostics_are_sarif_as_published(schema) -> None:
    schema.validate(json.loads(render_diagnostics(MISTAKES, "sarif")))
    schema.validate(json.loads(render_diagnostics((), "sarif")))


@pytest.mark.parametrize("fmt", ["sarif", "junit", "github"])
@pytest.mark.parametrize("name", ["failed", "quiet", "hostile"])
def test_a_verdict_reads_as_agreed(golden, name: str, fmt: str) -> None:
    golden(f"reports/verdict-{name}.{fmt}", render_verdict(VERDICTS[name], fmt) + "\n")


@pytest.mark.parametrize("fmt", ["sarif", "junit", "github"])
def test_diagnostics_read_as_agreed(golden, fmt: str) -> None:
    golden(f"reports/diagnostics.{fmt}", render_diagnostics(MISTAKES, fmt) + "\n")


def results(text: str) -> list[dict]:
    return json.loads(text)["runs"][0]["results"]


def test_one_result_for_each_rule_and_gate_by_its_worst() -> None:
    twice = a_verdict(Outcome.FAILED, replace(FAILED, judged_by="head", outcome=Outcome.WARNED),
                      FAILED, FINE)  # fmt: skip
    (found,) = results(sarif.render(twice, PAGE))
    assert (found["ruleId"], found["level"]) == ("require", "error")
    assert found["properties"]["outcome"] == "failed"


def test_a_fingerprint_stays_when_numbers_and_lines_move() -> None:
    later = replace(FAILED, value=0.6, message="other words", place="specs/x.yaml:99:1")
    prints = [results(sarif.render(a_verdict(Outcome.FAILED, f), PAGE))[0]["partialFingerprints"]
              for f in (FAILED, later, replace(FAILED, gate="Evaluation/x/other"))]  # fmt: skip
    assert prints[0] == prints[1] != prints[2]


def test_what_is_mended_is_no_result_so_it_closes_itself() -> None:
    assert results(sarif.render(VERDICTS["passed"], PAGE)) == []


def test_no_more_results_than_code_scanning_takes_the_worst_first() -> None:
    many = [require(f"c{i}", Outcome.WARNED, 0.5) for i in range(6_000)]
    run = json.loads(sarif.render(a_verdict(Outcome.FAILED, *many, FAILED), PAGE))["runs"][0]
    assert len(run["results"]) == sarif.MOST
    assert run["results"][0]["properties"]["outcome"] == "failed"
    assert run["properties"] == {"results_left_out": 1_001}


def test_a_place_is_a_relative_reference_whatever_its_name() -> None:
    for found in results(sarif.diagnostics(MISTAKES, PAGE)):
        uri = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
        assert not uri.startswith("/")


def test_junit_counts_what_it_holds() -> None:
    for name in NAMES:
        tree = ElementTree.fromstring(junit.render(VERDICTS[name], PAGE))
        assert tree.tag == "testsuites"
        for suite in tree:
            assert suite.tag == "testsuite"
            assert int(suite.attrib["tests"]) == len(suite)
            assert int(suite.attrib["failures"]) == len(suite.findall("*/failure"))
            assert int(suite.attrib["errors"]) == len(suite.findall("*/error"))


def test_undecided_is_an_error_and_warned_passes_with_its_word() -> None:
    tree = ElementTree.fromstring(junit.render(VERDICTS["loosened"], PAGE))
    assert [e.attrib["type"] for e in tree.iter("error")] == ["inconclusive"]
    tree = ElementTree.fromstring(junit.render(VERDICTS["approved"], PAGE))
    assert not list(tree.iter("failure"))
    assert all((e.text or "").startswith("warned: ") for e in tree.iter("system-out"))


@pytest.mark.parametrize("char", ["\0", "\x08", "\x0b", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_stands_as_an_escape(char: str) -> None:
    verdict = a_verdict(Outcome.FAILED, replace(FAILED, message=f"a{char}b", gate=f"x/{char}"))
    tree = ElementTree.fromstring(junit.render(verdict, PAGE).encode("utf-8"))
    (failure,) = tree.iter("failure")
    assert failure.attrib["message"] == f"a{char.encode('unicode_escape').decode()}b"


def test_nothing_is_found_in_clean_specs() -> None:
    tree = ElementTree.fromstring(junit.diagnostics((), PAGE))
    assert [case.attrib["name"] for case in tree.iter("testcase")] == ["specs"]
    assert github.diagnostics((), PAGE) == ""


def test_an_annotation_is_one_command_on_one_line() -> None:
    for text in (github.render(hostile(), PAGE), github.diagnostics(MISTAKES, PAGE)):
        for line in text.split("\n"):
            assert re.fullmatch(r"::(error|warning|notice) [^:]*::.*", line)
            assert line.isprintable()


def test_a_name_cannot_add_a_property() -> None:
    bad = replace(FAILED, gate="x,line=1::y", place="a,col=9:b.yaml:3:4")
    line = github.render(a_verdict(Outcome.FAILED, bad), PAGE).splitlines()[0]
    given = line.partition("::")[2].partition("::")[0].partition(" ")[2].split(",")
    assert [one.partition("=")[0] for one in given] == ["title", "file", "line", "col"]
    assert "file=a%2Ccol=9%3Ab.yaml" in line


def test_no_more_annotations_than_github_shows() -> None:
    many = [require(f"c{i}", Outcome.FAILED, 0.5) for i in range(300)]
    lines = github.render(a_verdict(Outcome.FAILED, *many), PAGE).splitlines()
    assert len(lines) == github.MOST + 2
    assert (
        lines[-2] == "::notice title=llmops::100 of 300 are not annotated; llmops gate lists them"
    )
    assert lines[-1] == "::notice title=llmops::verdict: failed"


def test_errors_of_specs_are_annotated_before_warnings_and_the_rest_is_counted() -> None:
    warnings = [
        Diagnostic(Span("a.yaml", n), "owner", f"w{n}", severity=Severity.WARNING)
        for n in range(1, 301)
    ]
    info = Diagnostic(Span("a.yaml", 500), "told", "i", severity=Severity.INFO)
    error = Diagnostic(Span("z.yaml"), "unknown-field", "e")
    lines = github.diagnostics([*warnings, info, error], PAGE).splitlines()
    assert lines[0] == "::error title=unknown-field,file=z.yaml,line=1,col=1::error: e"
    assert len(lines) == github.MOST + 1
    last = "::notice title=llmops::102 of 302 are not annotated; llmops validate lists them"
    assert lines[-1] == last
    assert github.diagnostics([info], PAGE).startswith("::notice title=told,file=a.yaml,line=500,")


@pytest.mark.parametrize(
    ("place", "wanted"),
    [("a.yaml:3:4", ("a.yaml", 3, 4)), ("a:b:3:4", ("a:b", 3, 4)), ("", ("", 1, 1)),
     ("a.yaml", ("", 1, 1)), ("a:0:0", ("a", 1, 1)), ("a:99999999999:1", ("", 1, 1))],
)  # fmt: skip
def test_a_place_is_read_or_none(place: str, wanted: tuple[str, int, int]) -> None:
    assert notes.placed(place) == wanted
