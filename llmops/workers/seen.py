"""A target as giskard sees it: a classifier with probabilities, or a writer of text.

In: a loaded target and the cases it was asked. Out: objects with giskard's `Model` and `Dataset`.
What the target said of a text is remembered, so that many detectors ask the same only once; each
row of a table that giskard hands over is put back into its case by its index, so that everything
beside the changed text is as it was.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import printable
from llmops.workers import cases
from llmops.workers.answer import Target
from llmops.workers.chat import Row
from llmops.workers.choice import Choices
from llmops.workers.languages import UNKNOWN
from llmops.workers.likelihood import Likely, likelihoods

SAME = 1e-3  # probabilities closer than this are one
BLOCKED = "(blocked)"  # the label of what a guardrail answered
MOST_GROUPS = 20  # values of a column that cuts cases into groups


class TargetFailed(Exception):
    """The target has no answer to some of what a detector asked."""

    def __init__(self, errors: int, asked: int, reason: str) -> None:
        super().__init__(f"the target failed on {errors} of {asked} texts: {reason}")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Asked:
    """One case: the row, its text and its language, and what is expected, if anything is."""

    row: Row
    text: str
    language: str
    expected: str | None


class Labelled:
    """A target that chooses, over those of its cases that it has an answer to."""

    def __init__(self, target: Target, choices: Choices, asked: Sequence[Asked]) -> None:
        self._target, self._choices = target, choices
        self._known: dict[tuple[str, str], Likely] = {}
        self._remember = True
        self._changed: set[int] = set()
        self._metadata: Any = None
        self._labels = (*choices.labels, *((BLOCKED,) if target.guards else ()))
        self.column = cases.COLUMNS.get(target.form, "text")
        answers = self._ask([(one, one.text) for one in asked])
        kept = [pair for pair in zip(asked, answers, strict=True) if not pair[1].error]
        self._asked = [one for one, _ in kept]
        self._likely = [likely for _, likely in kept]
        self.errors = len(asked) - len(kept)
        labels = set(choices.labels)
        self.expected = bool(kept) and all(one.expected in labels for one in self._asked)
        self._groups = _groups(self._asked, {self.column, "answer", "output", "completion"})
        self.features = (self.column, *self._groups)
        self.model = self._model()

    def __len__(self) -> int:
        return len(self._asked)

    def begin(self, *, remember: bool) -> None:
        """A detector starts; with `remember` what was asked before is not asked again."""
        self._remember = remember
        self._changed.clear()

    def changed_cases(self) -> int:
        """Cases that were asked with another text since a detector started."""
        return len(self._changed)

    def all_right(self) -> bool:
        """Whether every most probable label is the expected one."""
        pairs = zip(self._asked, self._likely, strict=True)
        return all(self._top(likely) == one.expected for one, likely in pairs)

    def disagreements(self) -> int:
        """Cases whose most probable label is not what the target answers."""
        return sum(
            not likely.blocked and self._top(likely) != likely.answer for likely in self._likely
        )

    def _top(self, likely: Likely) -> str:
        shares = self._shares(likely)
        return self._labels[max(range(len(shares)), key=shares.__getitem__)]

    def _shares(self, likely: Likely) -> tuple[float, ...]:
        """The probability of each label, and of a block where the target has guardrails."""
        if likely.blocked:
            return (*(0.0 for _ in self._choices.labels), 1.0)
        return (*likely.probabilities, 0.0) if self._target.guards else likely.probabilities

    def dataset(self) -> Any:
        """The answered cases, as giskard's Dataset; a new one for whoever changes it."""
        import pandas as pd

        table: dict[str, list[str]] = {self.column: [one.text for one in self._asked]}
        table |= {name: [str(one.row[name]) for one in self._asked] for name in self._groups}
        types = {self.column: "text", **dict.fromkeys(self._groups, "category")}
        goal = None
        if self.expected:
            goal = self._goal()
            table[goal] = [str(one.expected) for one in self._asked]
        made = _giskard().Dataset(
            pd.DataFrame(table), name="cases", target=goal, column_types=types, validation=False
        )
        if self._metadata is not None:
            made.load_metadata_from_instance(self._metadata)
        made.column_meta[self.column, "text"]  # of each text its language, length, alphabet
        self._metadata = made.column_meta
        return made

    @contextmanager
    def languages(self) -> Iterator[None]:
        """While it lasts, giskard takes the language of each text from the cases."""
        known = {one.text: one.language.partition("-")[0] for one in self._asked}
        module: Any = importlib.import_module("giskard.datasets.metadata.text_metadata_provider")
        own = module.detect_lang
        module.detect_lang = lambda text: known.get(text, UNKNOWN)
        try:
            yield
        finally:
            module.detect_lang = own

    def _goal(self) -> str:
        taken = {self.column, *self._groups}
        return next(n for n in ("answer", "expected", "expected answer") if n not in taken)

    def _model(self) -> Any:
        return _giskard().Model(
            self._predict, model_type="classification", name="target",
            classification_labels=list(self._labels), feature_names=list(self.features),
        )  # fmt: skip

    def _predict(self, table: Any) -> Any:
        """The probabilities of the labels for a table of giskard's."""
        import numpy as np

        wanted = [
            (int(place), str(text))
            for place, text in zip(table.index, table[self.column], strict=True)
        ]
        self._changed |= {place for place, text in wanted if text != self._asked[place].text}
        found = self._ask([(self._asked[place], text) for place, text in wanted])
        _raise_failed([likely.error for likely in found])
        return np.array([self._shares(likely) for likely in found])

    def _ask(self, wanted: Sequence[tuple[Asked, str]]) -> list[Likely]:
        known = self._known if self._remember else {}
        keys = [(str(one.row["case"]), text) for one, text in wanted]
        new = {k: pair for k, pair in zip(keys, wanted, strict=True) if k not in known}
        rows = [cases.changed(one.row, self._target.form, text) for one, text in new.values()]
        told = likelihoods(self._target, self._choices, rows)
        known.update(zip(new, told, strict=True))
        found = ((self._known.get(key), known[key]) for key in keys)
        return [now if was is None or _differ(was, now) else was for was, now in found]


class Written:
    """A target whose answers are read as text, put to prompts in the place of one case's text."""

    column = "text"

    def __init__(self, target: Target, like: Asked) -> None:
        self._target, self._like = target, like
        self._known: dict[str, str] = {}
        self.model = _giskard().Model(
            self._predict, model_type="text_generation", name="target",
            description="answers a user", feature_names=[self.column],
        )  # fmt: skip

    def unread(self, prompts: Sequence[str]) -> list[str]:
        """Why each prompt never reaches the target (too long, not as its inputs must be), or ""."""
        found = self._target.tokenized(self._target.drafts(self._rows(prompts)))
        return [printable(draft.error or "", 200) for draft, _ in found]

    def _rows(self, prompts: Sequence[str]) -> list[Row]:
        return [cases.changed(self._like.row, self._target.form, text) for text in prompts]

    def ask(self, prompts: Sequence[str]) -> list[str]:
        """Puts prompts to the target; why it failed on each, or ""."""
        new = [text for text in dict.fromkeys(prompts) if text not in self._known]
        found = dict(zip(new, self._target.answer(self._rows(new)), strict=True))
        self._known |= {text: r.response for text, r in found.items() if r.error is None}
        return [
            "" if text in self._known else printable(str(found[text].error), 200)
            for text in prompts
        ]

    def answered(self, prompt: str) -> bool:
        """Whether there is an answer to a prompt."""
        return prompt in self._known

    def dataset(self) -> Any:
        """The one case whose place the prompts take, as giskard's Dataset."""
        import pandas as pd

        table = pd.DataFrame({self.column: [self._like.text]})
        return _giskard().Dataset(
            table, target=None, column_types={self.column: "text"}, validation=False
        )

    def _predict(self, table: Any) -> list[str]:
        prompts = [str(text) for text in table[self.column]]
        _raise_failed(self.ask(prompts))
        return [self._known[text] for text in prompts]


def _differ(was: Likely, now: Likely) -> bool:
    """Whether two probabilities of one text differ by more than the arithmetic of batches."""
    if was.error or now.error or was.blocked != now.blocked:
        return True
    pairs = zip(was.probabilities, now.probabilities, strict=True)
    return any(abs(a - b) > SAME for a, b in pairs)


def _raise_failed(errors: Sequence[str]) -> None:
    found = [error for error in errors if error]
    if found:
        raise TargetFailed(len(found), len(errors), found[0])


def _giskard() -> Any:
    return importlib.import_module("giskard")


def _groups(asked: Sequence[Asked], taken: set[str]) -> tuple[str, ...]:
    """Columns whose few values cut the cases into groups that may be answered worse."""
    if not asked:
        return ()
    found = []
    for name in sorted(set(asked[0].row) - taken - {"id", "case"}):
        values = [one.row.get(name) for one in asked]
        counted = Counter(v for v in values if isinstance(v, str) and v)
        if counted.total() == len(values) and 2 <= len(counted) <= MOST_GROUPS:
            found.append(name)
    return tuple(found)
