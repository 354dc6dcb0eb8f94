"""What a judge wrote -> the value it stands for, or why it stands for none.

In: one raw answer and the schema that was asked for. Out: the value, when the whole answer is one
JSON text of exactly that schema. No JSON is looked for inside prose or a code fence: whoever can
make a judge repeat a text would otherwise choose the verdict. A text is no number, `true` is no
score, NaN is none, an unknown key is a mistake.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from llmops.diagnostics import printable

LONGEST = 32_768  # characters; a judgement is a few sentences
SHORTEST_ECHO = 16
_HTML = re.compile(r"\s*<(!doctype|html|head|body|\?xml|[a-z]+[ >])", re.IGNORECASE)
# Sentences that speak to a judge. One in an answer means that the judge repeats its input.
_ORDERS = re.compile(
    r"(ignore|disregard|forget)\s+(all\s+|any\s+)?(the\s+|your\s+)?(previous|prior|above|earlier)"
    r"\s+(instructions?|prompts?|rules?|text)"
    r"|new\s+(system\s+)?instructions?\s*:|<\|(im_start|system|assistant|end)\|>|\[/?INST\]"
    r"|忽略(之前|以上|上面|前面|所有)的?(所有)?(的)?(指令|指示|规则|提示|内容)",
    re.IGNORECASE,
)


class InvalidAnswer(Exception):
    """The answer stands for nothing; the text says why, in one phrase."""


def value_of(text: str, schema: type[BaseModel]) -> BaseModel:
    """The answer as a value of the schema. Raises InvalidAnswer."""
    loaded = _loaded(text)
    try:
        value = schema.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the answer"
        said = printable(f"{where}: {first['msg']}")
        raise InvalidAnswer(f"not what was asked for: {said[:1].lower()}{said[1:]}") from error
    if value.model_dump(mode="json", exclude_unset=True) != loaded:
        raise InvalidAnswer("the answer has keys that were not asked for")
    return value


def _loaded(text: str) -> Any:
    if not text.strip():
        raise InvalidAnswer("the answer is empty")
    if len(text) > LONGEST:
        raise InvalidAnswer(f"the answer is {len(text)} characters long")
    if _HTML.match(text):
        raise InvalidAnswer("the answer is HTML, not JSON")
    try:
        loaded = _DECODER.decode(text)
    except _NotStrict as error:
        raise InvalidAnswer(str(error)) from error
    except (ValueError, RecursionError) as error:
        inside = " alone" if "{" in text and "}" in text else ""
        raise InvalidAnswer(f"the answer is not JSON{inside}") from error
    if not isinstance(loaded, dict):
        raise InvalidAnswer("the answer is JSON, but no object")
    return loaded


class _NotStrict(ValueError):
    """JSON that the standard library takes and the standard does not."""


def _constant(word: str) -> NoReturn:
    raise _NotStrict(f"{word} is no number")


def _float(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise _NotStrict(f"{printable(word, 40)} is no number")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _NotStrict("a key stands twice in the answer")
    return dict(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def expect_score(score: float, highest: int) -> None:
    """Raises InvalidAnswer for a score that is no whole number from 0 to `highest`."""
    if not 0 <= score <= highest:
        raise InvalidAnswer(f"the score {score:g} is not in 0 to {highest}")
    if score != int(score):
        raise InvalidAnswer(f"the score {score:g} is no whole number from 0 to {highest}")


def expect_own_words(text: str, judged: str) -> None:
    """Raises InvalidAnswer for an answer that is copied from, or obeys, what it judges.

    The whole answer must not stand in the judged text, and must not repeat an order to a judge.
    This finds the plain attacks; a judge that was talked into a verdict of its own wording is
    found by control items only.
    """
    said, given = _squeezed(text), _squeezed(judged)
    if len(said) >= SHORTEST_ECHO and said in given:
        raise InvalidAnswer("the answer stands word for word in the text that it judges")
    if _ORDERS.search(text):
        raise InvalidAnswer("the answer repeats an order to the judge")


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
