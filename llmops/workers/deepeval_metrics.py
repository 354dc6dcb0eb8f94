"""Engine `deepeval`: the library's own metric classes, one `measure()` a case.

- `exact_match`: 1 when response and expected answer are equal without surrounding white space.
- `pattern_match`: 1 when the whole response matches `pattern` (Python `re`), `ignore_case` or not.

What the adapter adds, and why: telemetry and dotenv are off and its folder is moved into the run
folder *before* the import, since it is configured by the environment and would read `.deepeval` in
the working folder; whatever it prints goes to the log. `evaluate()` of the library is not used: it
prints, writes files, and tells skipped and missing cases as a colour. An empty response, which the
library refuses to score, is wrong (0) unless an empty one is expected: as an invalid cell a target
could hide its hard cases there.
A text that looks like the library's image mark stays text, for the same reason.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from llmops.diagnostics import printable
from llmops.workers.contract import WorkerError
from llmops.workers.measure import Answered, Metric, Unscorable, check_options


def metric(name: str, options: Mapping[str, Any], scratch: Path) -> Metric:
    """The metric `deepeval/<name>`. Raises WorkerError if there is none, or for its options."""
    if name not in _BUILD:
        raise WorkerError(f'no metric "deepeval/{name}"', hint=f"known are {', '.join(_BUILD)}")
    quiet(scratch)
    with contextlib.redirect_stdout(sys.stderr):
        metrics = importlib.import_module("deepeval.metrics")
        test_case = importlib.import_module("deepeval.test_case").LLMTestCase
        built = _BUILD[name](metrics, options)
    needs_expected = name == "exact_match"

    def score(case: Answered) -> float:
        expected = case.expectation() if needs_expected else case.expected
        if case.response == "":
            return float(needs_expected and not (expected or "").strip())
        made = test_case(input=case.input, actual_output=case.response, expected_output=expected)
        made.multimodal = False
        return _measure(built, made)

    return Metric(score, "deepeval", metadata.version("deepeval"))


def _measure(built: Any, case: Any) -> float:
    """The score, if the library gave one. Raises Unscorable with its error else."""
    built.error, built.skipped = None, False
    try:
        with contextlib.redirect_stdout(sys.stderr):
            score: float = built.measure(case, _show_indicator=False)
    except Exception as error:  # whatever a foreign metric raises belongs to this cell alone
        shown = printable(f"{type(error).__name__}: {error}")
        raise Unscorable(shown) from error
    if built.skipped or built.error:
        raise Unscorable(printable(f"skipped by deepeval: {built.error or 'no reason given'}"))
    return score


def quiet(scratch: Path) -> None:
    """Settings that must stand before the library is imported."""
    os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] = "YES"
    os.environ["DEEPEVAL_DISABLE_DOTENV"] = "1"
    os.environ["DEEPEVAL_CACHE_FOLDER"] = str(scratch / ".deepeval")


def _exact_match(metrics: Any, options: Mapping[str, Any]) -> Any:
    check_options("deepeval/exact_match", options, {})
    return metrics.ExactMatchMetric()


def _pattern_match(metrics: Any, options: Mapping[str, Any]) -> Any:
    check_options("deepeval/pattern_match", options, {"pattern": str, "ignore_case": bool})
    if not options.get("pattern"):
        raise WorkerError('deepeval/pattern_match needs the option "pattern"')
    try:
        return metrics.PatternMatchMetric(**options)
    except ValueError as error:
        raise WorkerError(printable(str(error)), hint="the syntax is that of Python re") from error


_BUILD: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "exact_match": _exact_match,
    "pattern_match": _pattern_match,
}
