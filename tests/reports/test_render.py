"""Laws of every format, over any plan and verdict."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmops.jobs.base import (
    Change,
    FieldChange,
    Job,
    NotNeeded,
    Plan,
    PlannedGate,
    Resources,
    Selection,
    Step,
    TreeName,
)
from llmops.jobs.wire import plan_from_json
from llmops.reports.escape import hidden, size
from llmops.reports.layout import width_of
from llmops.reports.render import FORMATS, render_changes, render_plan, render_verdict
from llmops.rules.base import (
    Case,
    Cause,
    Finding,
    JudgeQuality,
    Loosened,
    Outcome,
    Outputs,
    Verdict,
    Waived,
)
from llmops.specs.base import Ref

LIMIT_BYTES = 60_000
EVIL = st.sampled_from(
    ["@octocat", "</details>", "-->", "```", "|", "\n# x", "\x1b[2J", "\u202e", "$x$", "客服", "&"]
)
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.lists(EVIL, max_size=6).map("".join),
    st.builds(lambda c, n: c * n, st.sampled_from(["$", "`", "文", "\x1b", "@"]), st.just(1000)),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PAIRS = st.none() | st.tuples(NUMBERS, NUMBERS)
REFS = st.builds(Ref, st.sampled_from(["Recipe", "Dataset"]), st.text(min_size=1, max_size=20))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)
ROLES = st.sampled_from(["descriptive", "static", "gate", "placement", "job: [train]"])
FIELDS = st.builds(FieldChange, WORDS, JSON, JSON, ROLES)


def some(kind: Any, most: int = 4) -> Any:
    return st.lists(kind, max_size=most).map(tuple)


CHANGES = st.builds(
    Change,
    REFS,
    st.sampled_from(["added", "removed", "changed", "follows"]),
    WORDS,
    st.sampled_from(["train", "gate", "descriptive"]),
    some(FIELDS),
    some(WORDS),
)
JOBS = st.builds(
    Job,
    type=st.sampled_from(["train", "evaluate"]),
    subject=REFS,
    closure=WORDS,
    spec=st.dictionaries(WORDS, JSON, max_size=2),
    resources=st.builds(Resources, st.integers(1, 8), gpu=st.none() | WORDS),
    side=st.sampled_from(["head", "base"]),
)
STEPS = st.builds(Step, JOBS, st.sampled_from(["run", "reuse"]), WORDS, st.none() | WORDS)
TREES = st.builds(TreeName, WORDS, WORDS, st.none() | WORDS, st.booleans())
GATES = st.builds(
    PlannedGate,
    WORDS,
    st.sampled_from(["require", "regression", "slice"]),
    WORDS,
    st.sampled_from(["head", "base"]),
    WORDS,
    st.none() | st.integers(0, 10**6),
    st.none() | st.booleans(),
    WORDS,
    WORDS,
)
LEFT = st.builds(
    NotNeeded, st.sampled_from(["train", "curate"]), REFS, WORDS | st.just("cannot run: x failed")
)
PLANS = st.builds(
    Plan,
    base=st.none() | TREES,
    head=TREES,
    policy_tree=st.none() | WORDS,
    changes=some(CHANGES),
    steps=some(STEPS),
    gates=some(GATES),
    not_needed=some(LEFT),
    selected=st.none() | st.builds(Selection, some(WORDS, 2), some(WORDS, 2), some(WORDS, 2)),
    tool_version=WORDS,
)
FINDINGS = st.builds(
    Finding,
    rule=WORDS | st.just("policy-looser"),
    gate=WORDS | st.builds("Evaluation/{}/{}".format, WORDS, WORDS),
    outcome=st.sampled_from(Outcome),
    message=WORDS,
    hint=WORDS,
    place=WORDS | st.builds("{}:{}:1".format, WORDS, st.integers(1, 99)),
    judged_by=st.sampled_from(["head", "base"]),
    metric=WORDS,
    value=st.none() | NUMBERS,
    bound=WORDS | st.builds("min {}".format, NUMBERS),
    interval=PAIRS,
    n=st.none() | st.integers(0),
    base_value=st.none() | NUMBERS,
    difference=st.none() | NUMBERS,
    difference_interval=PAIRS,
    about_more=st.none() | st.integers(1),
    evidence=WORDS,
    controls=some(WORDS, 2),
    waived_by=st.just("") | WORDS,
    unwaived=st.just("") | WORDS,
    causes=some(st.builds(Cause, WORDS, WORDS, WORDS), 2),
)
WAIVERS = st.builds(
    Waived, WORDS, WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=2), WORDS, WORDS,
    WORDS | st.just("in use"), st.integers(-99, 99),
)  # fmt: skip
CASES = st.builds(Case, WORDS, WORDS, WORDS, st.none() | WORDS, WORDS)
OUTPUTS = st.builds(Outputs, some(WORDS, 2), some(CASES, 2), st.integers(0, 99), st.integers(0, 99))
LOOSE = st.builds(Loosened, WORDS, WORDS, WORDS, WORDS, WORDS, some(WORDS, 2))


@st.composite
def verdicts_of_any_kind(draw: st.DrawFn) -> Verdict:
    plan = draw(PLANS)
    return Verdict(
        outcome=draw(st.sampled_from(Outcome)),
        findings=draw(some(FINDINGS)),
        base=plan.base,
        head=plan.head,
        policy_tree=plan.policy_tree,
        changes=plan.changes,
        plan=plan,
        loosened=draw(some(LOOSE, 3)),
        worst_cases=draw(some(CASES, 3)),
        worse_count=draw(st.integers(0, 99)),
        better_count=draw(st.integers(0, 99)),
        outputs=draw(st.none() | OUTPUTS),
        slices=draw(some(st.dictionaries(WORDS, NUMBERS | WORDS, max_size=3), 2)),
        waivers=draw(some(WAIVERS, 2)),
        notes=draw(some(WORDS, 2)),
        judged_at=draw(WORDS),
        tool_version=draw(WORDS),
        extra=draw(st.just({}) | st.just({"source_url": "https://git.example/a/b/blob/c0de"})),
    )


VERDICTS = verdicts_of_any_kind()
# Each example is a whole verdict: generating one costs more than rendering it.
LAW = settings(max_examples=25)


def nothing_hidden(text: str) -> bool:
    return not any(hidden(char) for char in text if char != "\n")


@LAW
@given(VERDICTS, st.integers(0, 140))
def test_no_verdict_prints_a_hidden_character(verdict: Verdict, width: int) -> None:
    for fmt in FORMATS:
        text = render_verdict(verdict, fmt, width=width)
        assert nothing_hidden(text), fmt
        text.encode("utf-8")


@LAW
@given(PLANS, st.integers(0, 140))
def test_no_plan_prints_a_hidden_character_or_a_line_too_wide(plan: Plan, width: int) -> None:
    for fmt in FORMATS:
        assert nothing_hidden(render_plan(plan, fmt, width=width)), fmt
        assert nothing_hidden(render_changes(plan.changes, fmt, width=width)), fmt
    lines = render_plan(plan, "text", width=width).split("\n")
    assert max(width_of(line) for line in lines) <= max(40, width)


@LAW
@given(VERDICTS)
def test_comment_fits_and_begins_with_marker_and_verdict(verdict: Verdict) -> None:
    text = render_verdict(verdict, "markdown")
    assert size(text) <= LIMIT_BYTES
    first, second, *_, last = text.split("\n")
    assert re.fullmatch(r"<!-- llmops:gate v1 tree=[0-9a-f]* -->", first)
    assert second.startswith(f"### {verdict.outcome.mark} llmops: {verdict.outcome.word} — ")
    assert last.startswith("<sub>tree ")


@LAW
@given(PLANS)
def test_plan_comment_fits_and_begins_with_the_total(plan: Plan) -> None:
    text = render_plan(plan, "markdown")
    assert size(text) <= LIMIT_BYTES
    assert text.startswith("### llmops plan: ")


OURS = (
    "h3 p ul li table thead tbody tr th td details summary sub span br code pre blockquote strong"
)


@LAW
@given(VERDICTS)
def test_comment_holds_only_our_own_tags_and_links(verdict: Verdict) -> None:
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        render_verdict(verdict, "markdown")
    )
    tags = set(re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", page)) - set(OURS.split())
    assert tags <= {"a"}
    assert all(href.startswith("https://git.example/a/b/blob/c0de/")
               for href in re.findall(r'href="([^"]*)"', page))  # fmt: skip
    outside = re.sub(r"<code.*?</code>", "", page, flags=re.DOTALL)
    assert not re.search(r"@(?!\u200b)", outside)
    assert page.count("<details>") == page.count("</details>")


@LAW
@given(PLANS)
def test_plan_json_reads_back_as_the_plan(plan: Plan) -> None:
    assert plan_from_json(json.loads(render_plan(plan, "json"))) == plan


@LAW
@given(VERDICTS)
def test_verdict_json_loses_nothing(verdict: Verdict) -> None:
    data = json.loads(render_verdict(verdict, "json"))
    assert data["format_version"] == 1
    assert data["outcome"] == verdict.outcome.word
    assert plan_from_json(data["plan"]) == verdict.plan
    assert tuple(map(finding_of, data["findings"])) == verdict.findings
    assert tuple(Case(**case) for case in data["worst_cases"]) == verdict.worst_cases
    assert tuple(data["notes"]) == verdict.notes
    assert data["loosened"] == [
        {k: list(v) if isinstance(v := getattr(one, k), tuple) else v for k in one.__slots__}
        for one in verdict.loosened
    ]


def finding_of(data: Mapping[str, Any]) -> Finding:
    pairs = {
        key: None if data[key] is None else tuple(data[key])
        for key in ("interval", "difference_interval", "controls")
    }
    pairs["causes"] = tuple(Cause(**one) for one in data["causes"])
    quality = data["quality"]
    if quality is not None:
        read = {k: tuple(v) if isinstance(v, list) else v for k, v in quality.items()}
        pairs["quality"] = JudgeQuality(**read)
    return Finding(**{**data, **pairs, "outcome": Outcome[data["outcome"].upper()]})


@LAW
@given(VERDICTS)
def test_equal_values_give_equal_text(verdict: Verdict) -> None:
    twin = copy.deepcopy(verdict)
    for fmt in FORMATS:
        assert render_verdict(verdict, fmt) == render_verdict(twin, fmt)
        assert render_plan(verdict.plan, fmt) == render_plan(twin.plan, fmt)


@pytest.mark.parametrize("char", ["$", "@", "文", "\x1b", "`", "|", "\U0001f600"])
def test_the_largest_comment_of_costly_characters_still_fits(char: str) -> None:
    words = char * 2000
    finding = Finding("require", f"Evaluation/x/{words}", Outcome.FAILED, words, words, words)
    tree = TreeName(words, words, words, dirty=True)
    change = Change(
        Ref("Recipe", words), "changed", words, "train", (FieldChange(words, "a", words, "gate"),)
    )
    verdict = Verdict(
        Outcome.FAILED,
        tuple(replace(finding, gate=f"Evaluation/x/{i}{words}", bound=words) for i in range(400)),
        tree,
        tree,
        words,
        (change,) * 300,
        Plan(
            tree, tree, words, (change,) * 300, (), (), (), Selection((words,) * 50, (), ()), words
        ),
        loosened=(Loosened(words, words, words, words, words, (words,)),) * 100,
        worst_cases=(Case(words, words, words, words, words),) * 100,
        worse_count=10**6,
        outputs=Outputs(
            (words,) * 9, (Case(words, words, words, words, words),) * 100, 10**6, 10**6
        ),
        slices=({words: words},) * 100,
        notes=(words,) * 100,
        judged_at=words,
        tool_version=words,
    )
    text = render_verdict(verdict, "markdown")
    assert size(text) <= LIMIT_BYTES
    assert text.split("\n")[1] == "### ❌ llmops: failed — 400 of 400 gates"
    assert size(render_plan(verdict.plan, "markdown")) <= LIMIT_BYTES
    assert size(render_changes(verdict.changes, "markdown")) <= LIMIT_BYTES


def test_numbers_that_json_does_not_have_become_null(verdicts: Mapping[str, Verdict]) -> None:
    finding = replace(verdicts["failed"].findings[0], value=float("nan"), interval=None)
    data = json.loads(render_verdict(replace(verdicts["failed"], findings=(finding,)), "json"))
    assert data["findings"][0]["value"] is None


def test_an_unknown_format_is_refused(verdicts: Mapping[str, Verdict]) -> None:
    with pytest.raises(KeyError, match="html"):
        render_verdict(verdicts["failed"], "html")
