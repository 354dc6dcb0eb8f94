"""giskard's detectors over a target: each looks for one weakness and says what it found.

In: the cases that the target was asked, and the target as giskard sees it (a classifier whose
probabilities are those of its labels, or a writer of text). Out: for each detector one line with
how many cases it looked at, how many it could not, and its findings; and giskard's own issues, for
giskard's own report. A detector that throws, or that has nothing to look at, says so in its line
(status error) and takes no other with it.

- `text_perturbation`, `ethical_bias`: the answer changes when the text is changed in form, or in
  words of gender, religion and country.
- `performance_bias`, `overconfidence`, `underconfidence`: a part of the cases that is answered
  worse, or with more certainty than is right, or less. From 100 cases on.
- `spurious_correlation`: an answer goes with a part of the cases. From 20 cases on.
- `data_leakage`, `stochasticity`: an answer depends on what else is asked, or on chance.
- `prompt_injection`: prompts that try to take the target over; answers are matched as text. A
  prompt that the target's own limits keep out (its length, its inputs' schema) is not counted.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.diagnostics import printable
from llmops.workers import giskard_tools
from llmops.workers.seen import Labelled, TargetFailed, Written

SEVERITIES: Mapping[str, str] = {"major": "high", "medium": "medium", "minor": "low"}
_ORDER = ("high", "medium", "low")
INJECTION = "prompt_injection"
PERTURBATIONS = ("text_perturbation", "ethical_bias")
UNREMEMBERED = ("data_leakage", "stochasticity")  # what was answered before must not answer again
_AT_MOST: Mapping[str, int] = {"data_leakage": 100, "stochasticity": 100}
_AT_LEAST: Mapping[str, int] = {
    "performance_bias": 100, "overconfidence": 100, "underconfidence": 100,
    "spurious_correlation": 20,
}  # fmt: skip
_EXPECTED = ("performance_bias", "overconfidence")
MOST_EXAMPLES = 3
LONGEST_EXAMPLE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """What one detector said. `reason` is why its status is error, or what it left out."""

    detector: str
    status: str = "ok"
    reason: str = ""
    cases: int = 0
    errors: int = 0
    findings: tuple[Mapping[str, Any], ...] = ()
    issues: tuple[Any, ...] = field(default=(), repr=False)  # giskard's own

    def value(self) -> dict[str, Any]:
        """The line of `findings.jsonl`."""
        return {
            "detector": self.detector,
            "status": self.status,
            "reason": self.reason,
            "cases": self.cases,
            "errors": self.errors,
            "findings": list(self.findings),
        }


def failed(detector: str, reason: str, errors: int = 0) -> Line:
    """A detector that looked at nothing."""
    return Line(detector, "error", printable(reason, 300), 0, errors)


def run(name: str, labelled: Labelled | None, written: Written, seed: int) -> Line:
    """One detector; whatever it throws is its line."""
    giskard_tools.seed(seed)
    try:
        if name == INJECTION:
            return _injections(written)
        if labelled is None:
            return failed(name, "it needs a target that chooses one of some labels")
        return _looked(name, labelled)
    except TargetFailed as error:
        return failed(name, str(error), error.errors)
    except Exception as error:  # a foreign detector: nothing it throws may lose the others
        text = str(error).strip().splitlines() or [""]
        return failed(name, f"it threw {type(error).__name__}: {text[0]}")


def _looked(name: str, labelled: Labelled) -> Line:
    """A detector of a classifier."""
    if why := _nothing_to_see(name, labelled):
        return failed(name, why, labelled.errors)
    if name == "overconfidence" and labelled.all_right():
        return Line(name, "ok", "no answer is wrong", len(labelled), labelled.errors)
    labelled.begin(remember=name not in UNREMEMBERED)
    detector = _class(name)()
    with giskard_tools.at_work(), labelled.languages():
        issues = detector.run(labelled.model, labelled.dataset(), list(labelled.features))
    cases = min(len(labelled), _AT_MOST.get(name, len(labelled)))
    if name in PERTURBATIONS:
        cases = labelled.changed_cases()
        if not cases:
            return failed(name, "it found nothing to change in any text", labelled.errors)
    return _line(name, cases, labelled.errors, issues)


def _nothing_to_see(name: str, labelled: Labelled) -> str:
    """Why a detector cannot say anything of these cases: giskard's own would say nothing at all."""
    if not len(labelled):
        return "no case was answered"
    if name in _EXPECTED and not labelled.expected:
        return "the cases have no expected answer that is one of the labels"
    least = _AT_LEAST.get(name, 1)
    if len(labelled) < least:
        return f"giskard looks for it in {least} cases or more, there are {len(labelled)}"
    return ""


def _injections(written: Written) -> Line:
    """Every prompt of giskard's collection that the target can read, in giskard's own detector."""
    module = importlib.import_module("giskard.llm.loaders.prompt_injections")
    loader = module.PromptInjectionDataLoader(  # the copy that comes with giskard, never the net
        injection_data_url=str(module.LOCAL_INJECTION_DATA_PATH),
        giskard_meta_url=str(module.LOCAL_GISKARD_META_PATH),
    )
    prompts = [str(prompt) for prompt in loader.df["prompt"]]
    unread = written.unread(prompts)
    read = [text for text, why in zip(prompts, unread, strict=True) if not why]
    failures = [why for why in written.ask(read) if why]
    if not read or len(failures) == len(read):
        first = next(why for why in (*failures, *unread) if why)
        return failed(INJECTION, f"the target answered no prompt: {first}", len(failures))
    loader._df = loader.df[[written.answered(text) for text in prompts]]
    detector = _class(f"llm_{INJECTION}")()
    detector._data_loader = loader
    with giskard_tools.at_work():
        issues = detector.run(written.model, written.dataset(), [written.column])
    cases, reason = len(read) - len(failures), _left_out(unread, failures)
    return _line(INJECTION, cases, len(failures), issues, reason)


def _left_out(unread: Sequence[str], failures: Sequence[str]) -> str:
    """What of giskard's prompts was not answered: those that cannot reach the target are none."""
    never = [why for why in unread if why]
    told = []
    if never:
        count = f"{len(never)} of {len(unread)} prompts"
        told.append(f"{count} cannot be put to the target, as in: {never[0]}")
    if failures:
        told.append(f"the target failed on {len(failures)} prompts, as in: {failures[0]}")
    return printable("; ".join(told), 400)


def _class(name: str) -> Callable[[], Any]:
    registry = importlib.import_module("giskard.scanner.registry").DetectorRegistry
    found: Callable[[], Any] = registry.get_detector_classes()[name]
    return found


def _line(name: str, cases: int, errors: int, issues: Iterable[Any], reason: str = "") -> Line:
    given = tuple(issues)
    found = sorted((finding(issue) for issue in given), key=_rank)
    return Line(name, "ok", reason, cases, errors, tuple(found), given)


def _rank(found: Mapping[str, Any]) -> tuple[int, list[str]]:
    words = [str(found[key]) for key in ("group", "description", "slice")]
    return _ORDER.index(found["severity"]), words


def finding(issue: Any) -> dict[str, Any]:
    """One of giskard's issues as plain values."""
    meta = issue.meta
    place = issue.slicing_fn or issue.transformation_fn or meta.get("domain") or ""
    return {
        "severity": SEVERITIES[issue.level.value],
        "group": issue.group.name,
        "description": " ".join(issue.description.split()),
        "metric": str(meta.get("metric", "")),
        "value": _number(meta.get("metric_value")),
        "slice": str(place),
        "cases": _cases(meta),
        "examples": _examples(issue.examples(MOST_EXAMPLES)),
    }


def _number(value: Any) -> float | None:
    """A number to six digits: what lies below them is the machine's, not the target's."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return round(number, 6) if math.isfinite(number) else None


def _cases(meta: Mapping[str, Any]) -> int | None:
    """How many cases the finding rests on, where giskard says so."""
    if "slice_size" in meta:
        return int(meta["slice_size"])
    return len(meta["input_prompts"]) if "input_prompts" in meta else None


def _examples(table: Any) -> list[dict[str, str]]:
    rows: Sequence[Mapping[Any, Any]] = table.to_dict("records")
    return [{str(k): printable(str(v), LONGEST_EXAMPLE) for k, v in row.items()} for row in rows]


def report(lines: Sequence[Line], labelled: Labelled | None, written: Written) -> str:
    """Giskard's own report of what all detectors found, as HTML."""
    module = importlib.import_module("giskard.scanner.report")
    seen = labelled or written
    issues = [issue for line in lines for issue in line.issues]
    names = [line.detector for line in lines]
    with giskard_tools.at_work():
        html: str = module.ScanReport(issues, seen.model, seen.dataset(), names).to_html()
    return html
