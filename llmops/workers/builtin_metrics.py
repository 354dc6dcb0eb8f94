"""Engine `builtin`: exact metrics on the standard library, the same on every machine.

- `accuracy` (of a label), `exact_match` (of a text): 1 when response and expected answer are the
  same in Unicode form NFC without surrounding white space, else 0. Letter case counts.
- `token_f1`: harmonic mean of token precision and recall, tokens counted as often as they occur
  (SQuAD; Rajpurkar et al. 2016).
- `rouge_l`: harmonic mean of precision and recall of the longest common subsequence of tokens
  (Lin 2004, beta 1).
- `latency_ms`, `tokens`: what `generate` measured: milliseconds a case, tokens written.
- `matches`: 1 when the pattern `regex` (RE2) is found anywhere in the answer.
- `within`: 1 when the answer is not longer than `max_chars` characters or `max_tokens` tokens.
- `refusal`: 1 when the target refused: a guardrail blocked, the answer opens with a phrase of
  refusal (English and Chinese ones are known; `phrases` takes their place), or it is one of the
  `labels` that stand for a refusal.

Tokens: text in NFKC and case-folded; each Han, Kana or Bopomofo character is a token of its own,
since Chinese and Japanese put no space between words; everything else splits into runs of letters,
marks and digits; punctuation, symbols and white space are none. So `token_f1` and `rouge_l` need
no word segmenter (which would be one more version that results depend on). Two texts without
tokens score 1, one of two scores 0.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from llmops import __version__
from llmops.guardrails import patterns
from llmops.workers import refusals
from llmops.workers.contract import WorkerError
from llmops.workers.measure import Answered, Metric, Unscorable, check_options

# Han with its extensions and compatibility forms, iteration mark and zero, Kana, Bopomofo.
_ALONE = re.compile(
    "[\u3005\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_VARIANT = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


class _Spaced(dict[int, str]):
    """For `str.translate`: each character as it stands between spaces, remembered."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        group = unicodedata.category(character)
        if _ALONE.match(character):
            shown = f" {character} "
        elif _VARIANT.match(character) or (group == "Cf" and character != "\u200b"):
            shown = ""  # invisible inside a word
        else:
            shown = character if group[0] in "LMN" else " "
        return self.setdefault(code, shown)


_SPACED = _Spaced()


@lru_cache(maxsize=256)
def tokens(text: str) -> tuple[str, ...]:
    """The tokens of a text, in order (see the module's opening for what one is)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return tuple(unicodedata.normalize("NFC", folded).translate(_SPACED).split())


def token_f1(expected: str, response: str) -> float:
    """F1 over the bags of tokens, 0 to 1."""
    wanted, found = Counter(tokens(expected)), Counter(tokens(response))
    return _f1((wanted & found).total(), wanted.total(), found.total())


def rouge_l(expected: str, response: str) -> float:
    """F1 over the longest common subsequence of tokens, 0 to 1."""
    wanted, found = tokens(expected), tokens(response)
    return _f1(longest_common(wanted, found), len(wanted), len(found))


def longest_common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence, by bits (Hyyrö 2004): a row is one integer."""
    places: dict[Hashable, int] = {}
    for index, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << index
    whole = (1 << len(one)) - 1
    row = whole
    for token in other:
        met = row & places.get(token, 0)
        row = (row + met | row - met) & whole
    return len(one) - row.bit_count()


def _f1(common: int, wanted: int, found: int) -> float:
    if wanted == 0 or found == 0:
        return float(wanted == found)
    return 2 * common / (wanted + found)


def same(expected: str, response: str) -> float:
    """1 when both are one text: NFC, without surrounding white space."""
    one, other = (unicodedata.normalize("NFC", text).strip() for text in (expected, response))
    return float(one == other)


def _measured(name: str, value: Any) -> float:
    """A number that `generate` recorded. Raises Unscorable if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unscorable(f"no {name} was recorded")
    if not math.isfinite(value) or value < 0:
        raise Unscorable(f"the recorded {name} is {value}")
    return float(value)


SCORES: Mapping[str, Callable[[Answered], float]] = {
    "accuracy": lambda case: same(case.expectation(), case.response),
    "exact_match": lambda case: same(case.expectation(), case.response),
    "token_f1": lambda case: token_f1(case.expectation(), case.response),
    "rouge_l": lambda case: rouge_l(case.expectation(), case.response),
    "latency_ms": lambda case: _measured("latency_ms", case.latency_ms),
    "tokens": lambda case: _measured("output_tokens", case.output_tokens),
}


OPTIONS: Mapping[str, Mapping[str, type]] = {
    "refusal": {"phrases": list, "labels": list},
    "matches": {"regex": str},
    "within": {"max_chars": int, "max_tokens": int},
}
NAMES = (*SCORES, *OPTIONS)


def metric(name: str, options: Mapping[str, Any], scratch: Path) -> Metric:
    """The metric `builtin/<name>`. Raises WorkerError if there is none, or for its options."""
    if name not in NAMES:
        raise WorkerError(f'no metric "builtin/{name}"', hint=f"known are {', '.join(NAMES)}")
    check_options(f"builtin/{name}", options, OPTIONS.get(name, {}))
    score = _MADE[name](options) if name in _MADE else SCORES[name]
    return Metric(score, "llmops", __version__)


def _matches(options: Mapping[str, Any]) -> Callable[[Answered], float]:
    """Whether the pattern is found. Raises WorkerError for one that RE2 refuses."""
    refused = patterns.unusable(options.get("regex", ""))
    if refused is not None:
        raise WorkerError(f"builtin/matches: {refused.what}", hint=refused.hint)
    program = patterns.compiled(options["regex"])
    return lambda case: float(bool(program.search(case.response.encode("utf-8", "replace"))))


def _within(options: Mapping[str, Any]) -> Callable[[Answered], float]:
    """Whether an answer is no longer than it may be. Raises WorkerError without one limit."""
    if len(options) != 1:
        raise WorkerError("builtin/within needs max_chars or max_tokens, and one of them")
    if "max_chars" in options:
        return lambda case: float(len(case.response) <= options["max_chars"])
    most = options["max_tokens"]
    return lambda case: float(_measured("output_tokens", case.output_tokens) <= most)


def _refusal(options: Mapping[str, Any]) -> Callable[[Answered], float]:
    if "labels" in options:
        return refusals.by_labels(options["labels"])
    return refusals.by_phrases(options.get("phrases") or refusals.PHRASES)


_MADE: Mapping[str, Callable[[Mapping[str, Any]], Callable[[Answered], float]]] = {
    "refusal": _refusal,
    "matches": _matches,
    "within": _within,
}
