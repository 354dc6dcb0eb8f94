"""Engine `deepeval`, metrics that ask a judge: the library's own classes and prompts.

`answer_relevancy`, `faithfulness`, `hallucination`, `bias`, `toxicity`, `pii_leakage`, `misuse`,
`role_violation`, `non_advice`, `prompt_alignment` and `g_eval`; for each of them 1 is good and 0 is
bad (so in deepeval 4, for bias, toxicity and hallucination too).

What the adapter adds, and why. The library scores 1 when a judge's list of verdicts is empty, drops
verdicts it cannot read, looks for JSON between the first and the last brace, and takes 8 in a mode
that knows 0 and 1 only: so each answer is checked here, against its schema and against the step
before it (as many verdicts as there were statements), before the library sees it. A check's value
is the mean of its repeats; one invalid repeat makes the cell invalid, so that nobody can pick. An
empty response is 0 and is not asked about. Reasons are not asked for: they change no score.

Steps that `g_eval` derives from `criteria` are asked for once, before the first case; without them
no case has a value. Better: write `evaluation_steps`.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from llmops.diagnostics import printable
from llmops.workers.answers import InvalidAnswer, expect_own_words, expect_score
from llmops.workers.contract import WorkerError
from llmops.workers.deepeval_metrics import quiet
from llmops.workers.judge import Material, Panel, Seat, material
from llmops.workers.measure import Answered, Metric, Unscorable, check_options

FIELDS = ("input", "actual_output", "expected_output", "context", "retrieval_context")
HIGHEST = 10  # of g_eval; 1 in strict mode


@dataclass(frozen=True, slots=True)
class Kind:
    """One metric: its class, its options, what must be there, and where lists must not be empty.

    `context`: which text of the library's case the column `with: {context}` fills. `filled`: the
    steps whose list is empty only when the judge failed. `counted`: how many verdicts there must
    be when no list was asked for before.
    """

    cls: str
    options: Mapping[str, type] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    context: str = ""
    filled: tuple[str, ...] = ()
    counted: str = ""


KINDS: Mapping[str, Kind] = {
    "g_eval": Kind(
        "GEval",
        {"criteria": str, "evaluation_steps": list, "evaluation_params": list,
         "strict_mode": bool, "context": str},
        context="context", filled=("Steps",),
    ),
    "answer_relevancy": Kind("AnswerRelevancyMetric", filled=("Statements",)),
    "faithfulness": Kind(
        "FaithfulnessMetric", {"context": str, "penalize_ambiguous_claims": bool}, ("context",),
        context="retrieval_context", filled=("Truths",),
    ),
    "hallucination": Kind(
        "HallucinationMetric", {"context": str}, ("context",), context="context",
        counted="context",
    ),
    "bias": Kind("BiasMetric"),
    "toxicity": Kind("ToxicityMetric"),
    "pii_leakage": Kind("PIILeakageMetric"),
    "misuse": Kind("MisuseMetric", {"domain": str}, ("domain",)),
    "role_violation": Kind("RoleViolationMetric", {"role": str}, ("role",)),
    "non_advice": Kind("NonAdviceMetric", {"advice_types": list}, ("advice_types",)),
    "prompt_alignment": Kind(
        "PromptAlignmentMetric", {"prompt_instructions": list}, ("prompt_instructions",),
        counted="prompt_instructions",
    ),
}  # fmt: skip


def metric(
    name: str, options: Mapping[str, Any], scratch: Path, panel: Panel, check: str
) -> Metric:
    """The metric `deepeval/<name>`, asking `panel`. Raises WorkerError for its options."""
    if name not in KINDS:
        raise WorkerError(f'no metric "deepeval/{name}"', hint=f"known are {', '.join(KINDS)}")
    kind = KINDS[name]
    check_options(f"deepeval/{name}", options, kind.options)
    for needed in kind.required:
        if not options.get(needed):
            raise WorkerError(f'deepeval/{name} needs the option "{needed}"')
    quiet(scratch)
    warnings.filterwarnings("ignore", ".*now scores in the same direction", DeprecationWarning)
    with contextlib.redirect_stdout(sys.stderr):
        library = _Library.load()
    judged = _Judged(check, kind, dict(options), panel, library)
    version = metadata.version("deepeval")
    return Metric(judged.score, "deepeval", version, judged.ahead, judged.repeats)


@dataclass(frozen=True, slots=True)
class _Library:
    """What is used of deepeval."""

    metrics: Any
    case: Any
    params: Any
    llm: type

    @classmethod
    def load(cls) -> _Library:
        metrics = importlib.import_module("deepeval.metrics")
        cases = importlib.import_module("deepeval.test_case")
        base = importlib.import_module("deepeval.models").DeepEvalBaseLLM
        return cls(metrics, cases.LLMTestCase, cases.SingleTurnParams, _llm(base))


def _llm(base: type) -> type:
    """The library's interface of a model, for one question after the other at one seat."""

    class Asked(base):
        def __init__(self, ask: Callable[[str, Any], Any], name: str) -> None:
            self._ask = ask
            super().__init__(name)

        def load_model(self, *_given: Any, **_more: Any) -> Any:
            return self

        def get_model_name(self, *_given: Any, **_more: Any) -> str:
            return str(self.name)

        def generate(self, prompt: str, schema: Any = None) -> Any:
            return self._ask(prompt, schema)

        async def a_generate(self, prompt: str, schema: Any = None) -> Any:
            return self._ask(prompt, schema)

    return Asked


@dataclass(slots=True)
class _Steps:
    """What was asked for one case in one repeat, step by step."""

    judged: _Judged
    seat: Seat
    given: Material
    count: int | None  # how many verdicts there must be, where it is known already
    last: int | None = None  # items of the list that was given last

    def ask(self, prompt: str, schema: Any) -> Any:
        """One checked answer. Raises InvalidAnswer."""
        return self.judged.panel.ask(self.seat, self.given, str(prompt), schema, self._check)

    def _check(self, value: Any) -> None:
        step = type(value).__name__
        if step == "ReasonScore":
            expect_score(value.score, self.judged.highest)
            expect_own_words(value.reason, self.given.judged)
        elif step == "Verdicts":
            wanted = self.last if self.count is None else self.count
            if wanted is not None and len(value.verdicts) != wanted:
                found = len(value.verdicts)
                raise InvalidAnswer(f"{found} verdicts on {wanted} statements")
        else:
            (items,) = value.model_dump().values()
            self.last = len(items)
            if not items and step in self.judged.kind.filled:
                raise InvalidAnswer(f"no {step.lower()} were found")


@dataclass(slots=True)
class _Judged:
    """One check: it asks about each case as often as the Evaluation says."""

    check: str
    kind: Kind
    options: dict[str, Any]
    panel: Panel
    library: _Library
    known: dict[str, float | str] = field(default_factory=dict)  # by case: its score, or why none
    said: dict[str, list[float]] = field(default_factory=dict)  # by case: each repeat's score
    steps: list[str] | None = None
    failed: str = ""

    @property
    def highest(self) -> int:
        """The highest score that g_eval's judge may give."""
        return 1 if self.options.get("strict_mode") else HIGHEST

    def ahead(self, cases: Sequence[Answered]) -> None:
        """Asks about all cases, as many at once as the judge takes."""
        self._derive_steps()
        with (
            contextlib.redirect_stdout(sys.stderr),
            ThreadPoolExecutor(max(1, self.panel.judge.at_once)) as pool,
        ):
            for case, found in zip(cases, pool.map(self._case, cases), strict=True):
                self.known[case.id] = found

    def score(self, answered: Answered) -> float:
        """The mean of the repeats. Raises Unscorable."""
        if answered.id not in self.known:
            self.ahead([answered])
        found = self.known[answered.id]
        if isinstance(found, str):
            raise Unscorable(found)
        return found

    def repeats(self, case: str) -> Sequence[float]:
        """What each repeat said of a case, up to the first that was no judgement."""
        return self.said.get(case, ())

    def _case(self, answered: Answered) -> float | str:
        if self.failed:
            return self.failed
        if not answered.response.strip():
            return 0.0
        try:
            texts = self._texts(answered)
        except Unscorable as error:
            return str(error)
        scores = self.said[answered.id] = []
        for repeat in range(1, self.panel.repeats + 1):
            found = self._repeat(answered, texts, repeat)
            if isinstance(found, str):
                of = f"repeat {repeat} of {self.panel.repeats}: " if self.panel.repeats > 1 else ""
                return f"{of}{found}"
            scores.append(found)
        return sum(scores) / len(scores)

    def _repeat(self, answered: Answered, texts: Mapping[str, Any], repeat: int) -> float | str:
        flat = [t for v in texts.values() for t in (v if isinstance(v, list) else [v])]
        given = material(answered.response, *flat)
        fenced = {
            k: [given.fence(t) for t in v] if isinstance(v, list) else given.fence(v)
            for k, v in texts.items()
        }
        counted = fenced.get(self.kind.counted) or self.options.get(self.kind.counted)
        steps = _Steps(
            self, Seat(self.check, answered.id, repeat), given, len(counted) if counted else None
        )
        case = self.library.case(**fenced)
        case.multimodal = False
        try:
            built = self._build(steps.ask, self.steps)
            score = built.measure(case, _show_indicator=False)
        except InvalidAnswer as error:
            return printable(str(error))
        except WorkerError:
            raise
        except Exception as error:  # whatever a foreign metric raises belongs to this cell alone
            return printable(f"{type(error).__name__}: {error}")
        if getattr(built, "error", None) or getattr(built, "skipped", False):
            return printable(f"skipped by deepeval: {built.error or 'no reason given'}")
        return float(score)

    def _texts(self, answered: Answered) -> dict[str, Any]:
        """The case's texts under the library's names. Raises Unscorable if one is missing."""
        texts: dict[str, Any] = {"input": answered.input, "actual_output": answered.response}
        if answered.expected is not None:
            texts["expected_output"] = answered.expected
        elif "expected_output" in self.options.get("evaluation_params", ()):
            answered.expectation()
        if column := self.options.get("context"):
            found = _context(answered.columns.get(column), column)
            texts[self.kind.context] = found
            if self.kind.cls == "GEval":
                texts["retrieval_context"] = found
        return texts

    def _build(self, ask: Callable[[str, Any], Any], steps: list[str] | None) -> Any:
        """The library's metric, new for each question: it keeps state."""
        llm = self.library.llm(ask, self.panel.judge.name)
        more = {k: v for k, v in self.options.items() if k != "context"}
        if self.kind.cls == "GEval":
            words = more.pop("evaluation_params", None) or FIELDS[:2]
            more |= {"evaluation_params": [self.library.params(word) for word in words]}
            more |= {"name": self.check, **({"evaluation_steps": steps} if steps else {})}
        else:
            more["include_reason"] = False
        return getattr(self.library.metrics, self.kind.cls)(model=llm, async_mode=False, **more)

    def _derive_steps(self) -> None:
        """Asks once for the steps that follow from the criteria of g_eval."""
        if self.kind.cls != "GEval" or self.steps or self.failed:
            return
        if self.options.get("evaluation_steps"):
            self.steps = list(self.options["evaluation_steps"])
            return
        asked = _Steps(self, Seat(self.check, None, 1), material(""), None)
        try:
            built = self._build(asked.ask, None)
            self.steps = built._generate_evaluation_steps(multimodal=False)
        except InvalidAnswer as error:
            self.failed = f"no evaluation steps: {error}"


def _context(value: Any, column: str) -> list[str]:
    """The texts of a column: one, or a list. Raises Unscorable."""
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise Unscorable(f'no text in the column "{printable(column, 60)}"')
    return texts
