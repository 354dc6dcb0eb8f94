"""Constraints of a prompt: the texts that a model is told, and the checks that its answers get."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH = 0.95  # the share that a test without a rate asks for
MEASURED = ("regex", "max_chars", "max_tokens")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Texts(str):
    """`{{ constraints }}` is a line for each text, `{{ constraints.zh }}` those in one language."""


def texts(told: Sequence[Any]) -> Texts:
    """The texts of constraints, each one text or one per language.

    A text without languages stands in all of them, and so does one that a language lacks: a model
    must not be told less in Chinese than in English.
    """
    spoken = sorted({language for text in told if isinstance(text, Mapping) for language in text})
    found = Texts("\n".join(line for text in told for line in _lines(text)))
    for language in filter(_LANGUAGE.fullmatch, spoken):
        chosen = (_lines(text, language) for text in told)
        setattr(found, language, "\n".join(line for lines in chosen for line in lines))
    return found


def _lines(text: Any, language: str = "") -> list[str]:
    if not isinstance(text, Mapping):
        return [f"- {text}"]
    spoken = [text[language]] if language in text else [text[name] for name in sorted(text)]
    return [f"- {said}" for said in spoken]


def checks(spec: Mapping[str, Any]) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    """The tests of a Prompt as checks of an Evaluation, each with its place among constraints."""
    given = enumerate(spec.get("constraints") or ())
    return tuple((i, _check(entry)) for i, entry in given if "test" in entry)


def _check(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    test = entry["test"]
    measured = {key: test[key] for key in MEASURED if key in test}
    metric = "builtin/matches" if "regex" in test else "builtin/within"
    upper = "max_rate" in test
    bound = {"max": test["max_rate"]} if upper else {"min": test.get("min_rate", ENOUGH)}
    return {"name": entry["name"], "metric": metric, "with": measured, "require": bound}
