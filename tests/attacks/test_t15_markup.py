"""T15: text of others tries to act on whoever reads a pull request.

The attacker (A1, a fork's author; A4, a model or a row of a dataset) controls every text there is:
names of specs, fields, gates and branches, paths, messages, answers of models, reasons of waivers,
errors of servers. He wants a mention that notifies people, a link or picture that is fetched or
followed, HTML or Markdown that hides or forges a verdict, a second marker that takes the sticky
comment over, a terminal or right-to-left control, a workflow command, an output of his own.

Each surface is rendered by GitHub's own Markdown parser and the HTML is looked through; what is
plain text there must have nothing hidden in it.
"""

from __future__ import annotations

import base64
import gzip
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.forge.base import COMMENT, Publication
from llmops.reports import github_landed, github_outputs, github_states
from llmops.reports.escape import size
from llmops.rules.base import Outcome, Verdict
from tests.reports import pulls
from tests.reports.conftest import FAILED, a_verdict
from tests.reports.pulls import SUBJECT
from tests.reports.rendered import Page, dead, plain
from tests.reports.test_render import PLANS, VERDICTS, WORDS

HOMES = (SUBJECT.source_url + "/", SUBJECT.details_url, SUBJECT.report_url)
LAW = settings(max_examples=20, deadline=None)
MISTAKES = st.lists(
    st.builds(
        Diagnostic,
        st.builds(Span, WORDS, st.integers(1, 99), st.integers(1, 99)),
        WORDS, WORDS, WORDS, st.sampled_from(Severity),
    ),
    max_size=4,
)  # fmt: skip


def texts(value: Any) -> Iterator[str]:
    """Every text of a payload."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def harmless(found: Publication) -> None:
    """Every surface of a publication is dead and within its limit."""
    check = dict(found.check or {})
    output = dict(check.pop("output", {}))
    for page in (found.comment, output.pop("summary", ""), output.pop("text", "")):
        dead(page or "", HOMES)
        assert size(page or "") <= 60_000
    assert found.comment is None or found.comment.startswith(COMMENT)
    assert (found.comment or COMMENT).count(COMMENT) == 1
    for text in texts([check, output, found.annotations, found.status, found.labels]):
        plain(text)
    if found.sarif:
        plain(gzip.decompress(base64.b64decode(found.sarif["sarif"])).decode("utf-8"))


@pytest.mark.parametrize("name", pulls.every())
def test_no_state_is_alive_with_the_texts_that_we_know(name: str) -> None:
    harmless(pulls.every()[name])


@LAW
@given(VERDICTS)
def test_no_verdict_is_alive_whatever_it_holds(verdict: Verdict) -> None:
    harmless(github_states.judged(SUBJECT, verdict))
    dead(github_outputs.step_summary(verdict), (*HOMES, "https://git.example/a/b/blob/c0de/"))


@LAW
@given(PLANS, st.integers(0, 9))
def test_no_plan_is_alive_whatever_it_holds(plan: Any, done: int) -> None:
    harmless(github_states.running(SUBJECT, plan, done, 9))
    dead(github_outputs.plan_summary(plan), HOMES)


@LAW
@given(WORDS, WORDS, MISTAKES)
def test_no_message_of_the_world_is_alive(what: str, hint: str, found: list[Diagnostic]) -> None:
    harmless(github_states.not_judged(SUBJECT, what, hint))
    harmless(github_states.waiting_for_person(SUBJECT, what, hint, what))
    harmless(github_states.invalid(SUBJECT, found))


@LAW
@given(WORDS, WORDS, WORDS)
def test_no_word_about_what_landed_is_alive(tree: str, branch: str, why: str) -> None:
    harmless(github_landed.as_judged(pulls.LANDED, tree, "passed", why))
    harmless(github_landed.unjudged(pulls.LANDED, tree, why))
    issue = github_landed.issue(pulls.LANDED, tree, branch, why)
    dead(str(issue["body"]), HOMES)
    plain(str(issue["title"]))


def test_a_hundred_backticks_do_not_make_a_gates_name_alive() -> None:
    """GitHub's parser knows no code between more than 80; a longer fence did not help there."""
    name = f"@octocat {'`' * 100} ![x](http://e.example)"
    found = replace(FAILED, gate=f"Evaluation/x/{name}", place=f"{name}:1:1", message=name)
    harmless(github_states.judged(SUBJECT, a_verdict(Outcome.FAILED, found)))


@pytest.mark.parametrize(
    "path", ["../../../../attacker/repo", "a/../../../../x", "//evil.example/x", "%2e%2e/x\\y"]
)
def test_a_place_leads_to_the_tree_that_was_judged_and_nowhere_else(path: str) -> None:
    """A browser takes `..` out of an address: a link would lead to another repository."""
    found = replace(FAILED, place=f"{path}:1:1")
    page = github_states.judged(SUBJECT, a_verdict(Outcome.FAILED, found))
    harmless(page)
    assert [one for one in Page(page.comment or "").links if "#L" in one] == []


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "https://evil.example/)[x](http://y", 'https://e.example/"onclick="x',
     "data:text/html,x", "https://e.example/a b", "https://é.example/", "//e.example", "x" * 2_000],
)  # fmt: skip
def test_an_address_that_is_none_is_no_link(address: str) -> None:
    subject = github_states.Subject(SUBJECT.repo, 1, SUBJECT.head_sha, address, address, address)
    found = github_states.judged(subject, pulls.JUDGED["failed"])
    assert Page(found.comment or "").links == []
    assert "details_url" not in (found.check or {})
    assert "target_url" not in (found.status or {})


def test_a_case_of_a_hundred_thousand_characters_costs_its_row_and_nothing_else() -> None:
    found = pulls.every()["hostile"]
    assert size(found.comment or "") < 30_000
    assert "### ❌ llmops: failed" in (found.comment or "")[:400]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_value_becomes_an_output_of_its_own(value: str) -> None:
    """Read as the runner reads the file: name=value, or name<<delimiter up to its line."""
    found = github_outputs.outputs({"verdict": value, "jobs": "[]"}, secrets.token_hex(16))
    assert read_outputs(found) == {"verdict": value, "jobs": "[]"}


def read_outputs(text: str) -> dict[str, str]:
    """What the runner makes of `$GITHUB_OUTPUT` (lines end with a line feed, maybe after CR)."""
    found: dict[str, str] = {}
    lines = text.split("\n")
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        name, equals, value = line.partition("=")
        if "<<" in name or not equals:
            name, _, delimiter = line.partition("<<")
            end = lines.index(delimiter)
            value, lines = "\n".join(lines[:end]), lines[end + 1 :]
        found[name] = value
    return found


def test_a_delimiter_that_could_be_guessed_or_is_in_the_value_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        github_outputs.outputs({"verdict": "a\nb"}, "EOF")
    with pytest.raises(ValueError, match="holds the delimiter"):
        github_outputs.outputs({"verdict": "a" * 32 + "\nx=1"}, "a" * 32)
    with pytest.raises(ValueError, match="no output"):
        github_outputs.outputs({"path\nx": "1"}, "b" * 32)


def test_the_eyes_of_this_test_see_what_is_alive() -> None:
    """Each attack, put in as it is, is found; so what is not found above is not there."""
    for attack in ("@octocat", "#12", "GH-7", "https://e.example", "www.e.example", ":tada:",
                   "$x$", "[x](http://e.example)", "![x](http://e.example)", "<img src=x>",
                   "<!-- x -->", "</details>", "\x1b[31m", "\u202e", "# head\n\n###### x",
                   "mail a@e.example"):  # fmt: skip
        with pytest.raises(AssertionError):
            dead(f"word {attack}\n\n{attack}", HOMES)
