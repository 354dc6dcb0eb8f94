"""promptfoo's assertions -> checks, each bounded as promptfoo means it: on every case that has it.

An assertion of all tests is a check; one of some tests is a check with a slice of those rows. The
bound is the largest that all cases right can show (0.05 ** (1/n), one-sided 95 %), so it passes
when every case passes, and not when one fails. What has no metric here is noted, never run.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.diagnostics import printable
from llmops.importers.base import Draft, NotCarriedError, slug, told
from llmops.importers.foo_tests import Test, words
from llmops.importers.keys import number
from llmops.specs.base import Ref
from llmops.specs.problem import block
from llmops.statistics import binomial

ALPHA = 0.05
HALF = 0.5
MOST_CHECKS = 40
_VARIABLE = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}")
_ANY = r"[\s\S]*"
_RUN = "code is never run by an import; write what it measures as a check"


@dataclass(frozen=True, slots=True)
class Check:
    """A check before it has a name: metric, its parameters, its bound."""

    metric: str
    given: Mapping[str, Any] = field(default_factory=dict)
    limit: float | None = None  # a maximum of a percentile; without it every case must pass
    pass_at: float | None = None  # from which score a case passes, where scores are no 0 or 1

    @property
    def key(self) -> str:
        """Equal for equal checks."""
        return json.dumps([self.metric, dict(self.given), self.limit, self.pass_at], sort_keys=True)


@dataclass(slots=True)
class Measured:
    """The checks of a suite, with how many of the rows have each, and who grades."""

    checks: list[tuple[str, Check, int]] = field(default_factory=list)  # name, check, rows
    rows: int = 0
    grader: str = ""

    @property
    def asks_judge(self) -> bool:
        """Whether any of them needs a judge."""
        return any(check.metric in _JUDGED for _, check, _ in self.checks)


_JUDGED = ("deepeval/g_eval", "deepeval/answer_relevancy", "deepeval/faithfulness")


def _pattern(
    make: Callable[[str], str], *, ignore_case: bool = False
) -> Callable[..., list[Check]]:
    def checks(value: Any, one: Mapping[str, Any]) -> list[Check]:
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(v, str | int | float) for v in values):
            raise NotCarriedError("its value is no text")
        case = {"ignore_case": True} if ignore_case else {}
        return [
            Check("deepeval/pattern_match", {"pattern": make(words(v)), **case}) for v in values
        ]

    return checks


def _any_of(*, ignore_case: bool = False) -> Callable[..., list[Check]]:
    def checks(value: Any, one: Mapping[str, Any]) -> list[Check]:
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(v, str | int | float) for v in values):
            raise NotCarriedError("its value is no list of texts")
        inner = "|".join(_escaped(words(v)) for v in values)
        case = {"ignore_case": True} if ignore_case else {}
        return [Check("deepeval/pattern_match", {"pattern": f"{_ANY}(?:{inner}){_ANY}", **case})]

    return checks


def _rubric(value: Any, one: Mapping[str, Any]) -> list[Check]:
    if not isinstance(value, str) or not value.strip():
        raise NotCarriedError("its value is no text")
    return [Check("deepeval/g_eval", {"criteria": value}, pass_at=_pass_at(one))]


def _pass_at(one: Mapping[str, Any]) -> float:
    """The threshold, or half of what a judge can give."""
    given = one.get("threshold")
    found = HALF if given is None else float(number(given))
    if not 0 < found <= 1:
        raise NotCarriedError("a judge's score is above 0 and at most 1")
    return found


def _latency(value: Any, one: Mapping[str, Any]) -> list[Check]:
    limit = float(number(one.get("threshold")))
    if limit <= 0:
        raise NotCarriedError("no answer takes less than no time")
    return [Check("builtin/latency_ms", {}, limit)]


def _refusal(value: Any, one: Mapping[str, Any]) -> list[Check]:
    return [Check("builtin/refusal")]


def _judged(metric: str, given: Mapping[str, Any] | None = None) -> Callable[..., list[Check]]:
    return lambda value, one: [Check(metric, given or {}, pass_at=_pass_at(one))]


def _escaped(text: str) -> str:
    """The text as a pattern of itself; blanks stay blanks, for people to read."""
    return re.sub(r"([\\\\.^$*+?{}\[\]|()])", r"\\\1", text)


def _contains(text: str) -> str:
    return f"{_ANY}{_escaped(text)}{_ANY}"


def _searched(text: str) -> str:
    return f"{_ANY}(?:{text}){_ANY}"


def _starts(text: str) -> str:
    return f"{_escaped(text)}{_ANY}"


def _absent(inner: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: f"(?!{inner(text)}){_ANY}"


# What each assertion becomes; `equals` stands apart, since its value is the row's answer.
TYPES: Mapping[str, Callable[..., list[Check]]] = {
    "contains": _pattern(_contains),
    "icontains": _pattern(_contains, ignore_case=True),
    "contains-all": _pattern(_contains),
    "icontains-all": _pattern(_contains, ignore_case=True),
    "contains-any": _any_of(),
    "icontains-any": _any_of(ignore_case=True),
    "starts-with": _pattern(_starts),
    "regex": _pattern(_searched),
    "not-contains": _pattern(_absent(_contains)),
    "not-icontains": _pattern(_absent(_contains), ignore_case=True),
    "not-regex": _pattern(_absent(_searched)),
    "llm-rubric": _rubric,
    "model-graded-closedqa": _rubric,
    "answer-relevance": _judged("deepeval/answer_relevancy"),
    "context-faithfulness": _judged("deepeval/faithfulness", {"context": "context"}),
    "is-refusal": _refusal,
    "latency": _latency,
}
_WITHOUT_THRESHOLD = ("equals", *(name for name in TYPES if "contains" in name or "regex" in name))
NOT_CARRIED: Mapping[str, str] = {
    "is-json": "answers as JSON are not built yet",
    "contains-json": "answers as JSON are not built yet",
    "is-xml": "no metric reads XML",
    "javascript": _RUN,
    "python": _RUN,
    "ruby": _RUN,
    "webhook": "nothing is sent away",
    "similar": "no metric compares embeddings; builtin/rouge_l compares words",
    "cost": "what an endpoint costs is in price: of its Model, and bounded by a Policy's budgets",
    "levenshtein": "builtin/token_f1 and builtin/rouge_l compare texts",
    "rouge-n": "builtin/rouge_l compares the longest common words, which is another number",
    "factuality": "write deepeval/g_eval with criteria, and the fact as answer",
    "perplexity": "no metric reads probabilities",
}


def measured(draft: Draft, tests: Sequence[Test]) -> Measured:
    """The checks of all tests; each row is marked with those that it has, and gets its answer."""
    found = Measured(rows=len(tests))
    by_key: dict[str, tuple[Check, list[int], str]] = {}
    for i, test in enumerate(tests):
        for check, label in _of(draft, test, found):
            _, places, _ = by_key.setdefault(check.key, (check, [], label))
            if not places or places[-1] != i:
                places.append(i)
    taken: set[str] = set()
    for check, places, label in list(by_key.values())[:MOST_CHECKS]:
        name = _name(label, check, taken)
        found.checks.append((name, check, len(places)))
        if len(places) < len(tests):
            for i in places:
                tests[i].marks[_mark(name)] = "asked"
    for check, places, _ in list(by_key.values())[MOST_CHECKS:]:
        why = f"more than {MOST_CHECKS} different checks; write the value as answer, and compare"
        draft.note_in(tests[places[0]].span, told(check.metric, dict(check.given)), why)
    found.grader = found.grader or _grader(draft)
    return found


def _mark(name: str) -> str:
    return f"check:{name}"


def _name(label: str, check: Check, taken: set[str]) -> str:
    base = slug(label, "check")
    name, number_ = base, 1
    while name in taken:
        number_ += 1
        name = f"{base[:58]}-{number_}"
    taken.add(name)
    return name


def _of(draft: Draft, test: Test, found: Measured) -> Iterator[tuple[Check, str]]:
    for one in _flat(draft, test, test.asserts):
        kind, value = one.get("type"), _filled(one.get("value"), test.variables)
        _note_words(draft, test, one, found)
        label = one["metric"] if isinstance(one.get("metric"), str) else str(kind)
        if kind == "equals" and isinstance(value, str | int | float) and test.expected in (
            None, words(value)
        ):  # fmt: skip
            test.expected = words(value)
            yield Check("builtin/exact_match"), label
            continue
        try:
            for check in _checks(kind, value, one):
                yield check, label
        except NotCarriedError as error:
            value = one.get("value", one.get("threshold"))
            what = told(str(kind), value) if value is not None else printable(str(kind), 60)
            draft.note_in(test.span, f"assert {what}", str(error))


def _checks(kind: Any, value: Any, one: Mapping[str, Any]) -> list[Check]:
    if not isinstance(kind, str):
        raise NotCarriedError("an assertion has a type")
    if isinstance(value, str) and value.startswith("file://"):
        raise NotCarriedError("values in files of their own are not read")
    if kind not in TYPES:
        raise NotCarriedError(NOT_CARRIED.get(kind.removeprefix("not-"), "no metric measures this"))
    return TYPES[kind](value, one)


def _flat(
    draft: Draft, test: Test, given: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """Assertions of a set that must all hold stand for themselves."""
    for one in given:
        if one.get("type") != "assert-set":
            if "$ref" in one:
                draft.note_in(test.span, "$ref", "write the assertion where it is meant")
            else:
                yield one
        elif one.get("threshold") is not None:
            why = "some of a set may fail; every check must hold here"
            draft.note_in(test.span, "assert-set", why)
        else:
            inner = one.get("assert")
            yield from (i for i in inner if isinstance(i, dict)) if isinstance(inner, list) else ()


def _note_words(draft: Draft, test: Test, one: Mapping[str, Any], found: Measured) -> None:
    for name in ("transform", "rubricPrompt", "contextTransform", "config"):
        if one.get(name):
            draft.note_in(
                test.span, f"{name} of {one.get('type')}", "no check has it; it is not run"
            )
    if one.get("weight") not in (None, 1, 1.0):
        draft.note_in(test.span, told("weight", one["weight"]), "every check must hold by itself")
    if one.get("threshold") is not None and one.get("type") in _WITHOUT_THRESHOLD:
        why = "write pass_at: in the check, in the unit of its metric"
        draft.note_in(test.span, told("threshold", one["threshold"]), why)
    provider = one.get("provider")
    if isinstance(provider, str):
        found.grader = found.grader or provider


def _grader(draft: Draft) -> str:
    options = block(draft.document.value, "defaultTest", "options")
    provider = options.get("provider")
    return provider if isinstance(provider, str) else ""


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value with its variables put in, where they are plain."""
    if isinstance(value, list):
        return [_filled(one, variables) for one in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    return _VARIABLE.sub(
        lambda m: words(variables[m[1]]) if m[1] in variables else m[0], value
    )  # fmt: skip


# ---- what is written -------------------------------------------------------------------------


def put(draft: Draft, ref: Ref, found: Measured, judge: Ref | None) -> None:
    """The checks and slices of an Evaluation."""
    checks, slices = [], []
    for name, check, rows in found.checks:
        made: dict[str, Any] = {"name": name, "metric": check.metric}
        if check.given:
            made["with"] = dict(check.given)
        if check.pass_at is not None:
            made["pass_at"] = check.pass_at
        if check.limit is not None:
            made["statistic"] = "p95"
        if rows == found.rows or check.limit is not None:
            made["require"] = _bound(check, rows)
        else:
            column = {
                "name": f"{name[:58]}-rows",
                "column": _mark(name),
                "values": ["asked"],
                "check": name,
            }
            slices.append({**column, "require": _bound(check, rows)})
        checks.append(made)
    if not checks:
        checks = [{"name": "tokens", "metric": "builtin/tokens"}]
        draft.say(ref, "checks", "no assertion has a metric here; this one only counts")
    draft.put(ref, "checks", checks, ("tests",))
    if any(check["metric"].startswith("deepeval/") for check in checks):
        draft.put(ref, "engine", "deepeval")
    if slices:
        draft.put(ref, "slices", slices, ("tests",))
        draft.say(ref, "slices", "only the rows that have the assertion are bounded")
    if judge is not None:
        draft.put(ref, "judge", {"model": judge.name}, ("tests",))
    draft.say(ref, "checks", f"promptfoo wants every case right; {found.rows} rows show so much")


def _bound(check: Check, rows: int) -> Mapping[str, float]:
    if check.limit is not None:
        return {"max": check.limit}
    return {"min": every(rows)}


def every(rows: int) -> float:
    """The largest bound, in whole 10,000ths, that all of so many cases right can show."""
    bound = math.floor(1e4 * binomial.lower(rows, rows, ALPHA)) / 1e4 if rows else 0.0
    while bound > 0 and binomial.smallest_passing_count(rows, bound, ALPHA) is None:
        bound = round(bound - 1e-4, 4)
    return bound
