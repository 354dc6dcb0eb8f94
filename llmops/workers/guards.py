"""The guardrails of a job, compiled, and what they make of questions and answers.

In: the `guardrails` block of a job (layers as JSON, as `jobs/guarded.py` writes it) and the words
of its lexicons as inputs. Out: texts as they may go on, or the message a user reads instead; and
for each find its guardrail, stage, layer, rule and span, never what was found.

On the way in every text of a row that reaches the prompt and that the user may have written is
looked at; on the way out the whole answer. Several guardrails all look at the original text: one
that blocks blocks, with its message (the first's, in the Application's order); masks add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.guardrails.base import GuardConfig, Hit, Word
from llmops.guardrails.engine import Guard, decision
from llmops.workers import rows
from llmops.workers.chat import Row
from llmops.workers.contract import RunFolder, WorkerError

STAGES = ("input", "output")
# What a user writes in a row of each format, when no Prompt names its inputs.
ASKED = {
    "qa": ("question",),
    "alpaca": ("instruction", "input"),
    "completion": ("prompt",),
    "attack": ("prompt",),
    "messages": ("messages",),
    "sharegpt": ("conversations",),
}
DEFAULT_MESSAGE = {
    "en": "This request cannot be answered.",
    "zh": "该请求无法回答。",
}
Told = Mapping[str, Any]
Look = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One guardrail of a job, by stage."""

    name: str
    stages: Mapping[str, Guard]
    message: Any = None


@dataclass(slots=True)
class Screened:
    """What one case met at one stage: `told` for each find; `message` when it was blocked."""

    told: list[Told] = field(default_factory=list)
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """All guardrails of a job, in order; falsy when it has none."""

    guardrails: tuple[Guardrail, ...] = ()

    @classmethod
    def of(cls, run: RunFolder) -> Guards:
        """Compiled. Raises WorkerError for a lexicon that cannot be used."""
        given = run.spec.get("guardrails") or ()
        return cls(tuple(guardrail(one, run.inputs) for one in given))

    def __bool__(self) -> bool:
        return bool(self.guardrails)

    def question(self, row: Row, form: str, inputs: Sequence[str] | None) -> tuple[Row, Screened]:
        """The row as it may be asked. `inputs`: names of a Prompt's inputs, None without one."""
        screened = Screened()

        def look(text: str, column: str) -> str:
            return self.look("input", text, screened, column)

        columns = ASKED.get(form, ()) if inputs is None else inputs
        if form == "attack":
            columns = ("prompt", *columns)
        in_turns = ("messages", "conversations") if inputs is None else ()
        changed = {
            column: (_turns if column in in_turns else _each)(row[column], column, look)
            for column in dict.fromkeys(columns)
            if column in row
        }
        return {**row, **changed}, screened

    def answer(self, text: str) -> tuple[str, Screened]:
        """The answer as it may be given: itself, masked, or the message instead."""
        screened = Screened()
        shown = self.look("output", text, screened, "response")
        return shown if screened.message is None else screened.message, screened

    def look(self, stage: str, text: str, screened: Screened, column: str) -> str:
        """One text at one stage, masked where that was found; what was found is told."""
        hits: list[Hit] = []
        for one in self.guardrails:
            if stage not in one.stages:
                continue
            found = one.stages[stage].decide(text)
            hits += found.hits
            screened.told += [_told(one.name, stage, column, hit) for hit in found.hits]
            if found.action == "block" and screened.message is None:
                screened.message = message_in(one.message, text)
        return decision(text, hits).text


def guardrail(given: Mapping[str, Any], inputs: Mapping[str, Path]) -> Guardrail:
    """One guardrail of a job's payload. Raises WorkerError naming what cannot be used."""
    name = str(given["name"])
    stages = {}
    for stage in STAGES:
        config = given.get(stage)
        if config is not None and config["layers"]:
            stages[stage] = _compiled(name, config, inputs)
    return Guardrail(name, stages, given.get("message"))


def _compiled(name: str, config: Mapping[str, Any], inputs: Mapping[str, Path]) -> Guard:
    files = {
        layer["lexicon"]["words"]: layer["name"] for layer in config["layers"] if "lexicon" in layer
    }
    words = {file: tuple(lexicon(inputs[file])) for file in files}
    try:
        return Guard(GuardConfig.from_json(config, words))
    except ValueError as error:
        raise WorkerError(
            f'guardrail "{name}", {error}', hint="mend the lexicon, or the layer that names it"
        ) from error


def lexicon(path: Path) -> Iterator[Word]:
    """The words of a curated lexicon. Raises WorkerError for a row without a word."""
    for row in rows.read_kept(path):
        word = row.get("word")
        if not isinstance(word, str) or not word:
            raise WorkerError(
                f'row "{row.get("id")}" of a lexicon has no word',
                hint="a dataset of format lexicon has one word a row, in the column word",
            )
        yield Word(str(row["id"]), word)


def message_in(message: Any, text: str) -> str:
    """The message in the language of a text: zh where it has Chinese characters, else en."""
    texts: Any = message or DEFAULT_MESSAGE
    if isinstance(texts, str):
        return texts
    chinese = any("\u4e00" <= char <= "\u9fff" for char in text)
    order = ["zh", "en"] if chinese else ["en", "zh"]
    return str(next(texts[key] for key in (*order, *sorted(texts)) if key in texts))


def _told(name: str, stage: str, column: str, hit: Hit) -> Told:
    return {
        "guardrail": name,
        "stage": stage,
        "column": column,
        "layer": hit.layer,
        "rule": hit.rule,
        "action": hit.action,
        "start": hit.start,
        "end": hit.end,
    }


def _each(value: Any, column: str, look: Look) -> Any:
    """A value with every text in it looked at."""
    if isinstance(value, str):
        return look(value, column)
    if isinstance(value, list):
        return [_each(inner, f"{column}[{i}]", look) for i, inner in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _each(inner, f"{column}.{key}", look) for key, inner in value.items()}
    return value


def _turns(value: Any, column: str, look: Look) -> Any:
    """A conversation with every turn of the user looked at; what is none is left to the reader."""
    if not isinstance(value, list):
        return value
    return [_turn(turn, f"{column}[{i}]", look) for i, turn in enumerate(value)]


def _turn(turn: Any, column: str, look: Look) -> Any:
    if not isinstance(turn, Mapping) or turn.get("role", turn.get("from")) not in ("user", "human"):
        return turn
    said = {k: _each(turn[k], f"{column}.{k}", look) for k in ("content", "value") if k in turn}
    return {**turn, **said}
