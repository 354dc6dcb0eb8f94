"""Rows -> messages -> text pieces: what a model reads, and which part of it is learned.

In: curated rows in one of the dataset formats (qa, messages, alpaca, sharegpt, completion,
attack). Out: messages as `{role, content}`, rendered by the tokenizer's own chat template, cut
into pieces where an assistant's turn begins and ends. Training tokenizes piece by piece and learns
the assistant's pieces only; generation opens the same text, so a prompt has the same tokens in
both. The `completion` format has no chat template: its prompt is text, its completion ends the
sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Message = dict[str, str]

ROLES = ("system", "user", "assistant", "tool")
_SHAREGPT = {"human": "user", "gpt": "assistant", "system": "system", "tool": "tool"}
_TEXT_COLUMNS = (
    *("system", "question", "answer", "instruction", "input", "output"),
    *("prompt", "completion", "messages", "conversations"),
)


class RowError(ValueError):
    """One row cannot be used; the text says what is wrong with it."""


class Piece(NamedTuple):
    """A stretch of text; `learned` when the model has to write it."""

    text: str
    learned: bool


def conversation(row: Row, form: str) -> list[Message]:
    """The row as messages, the assistant's answers included. Raises RowError."""
    reader = _READERS.get(form)
    if reader is None:
        raise RowError(f'format "{form}" holds no conversation')
    return reader(row)


def asked(row: Row, form: str) -> list[Message]:
    """The row's messages before the last answer of the assistant. Raises RowError."""
    messages = _READERS["qa-question" if form == "qa" else form](row)
    ends = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    return messages[: ends[-1]] if ends else messages


def texts(row: Row) -> list[str]:
    """Every text of a row that a model may read or write, whatever the row's format."""
    return [text for column in _TEXT_COLUMNS if column in row for text in _strings(row[column])]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = [value[key] for key in ("content", "value") if key in value]
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise RowError(f'column "{column}" is {"missing" if value is None else "no text"}')
    return value


def _optional(row: Row, column: str, role: str) -> list[Message]:
    return [{"role": role, "content": _text(row, column)}] if row.get(column) else []


def _question(row: Row) -> list[Message]:
    user = {"role": "user", "content": _text(row, "question")}
    return [*_optional(row, "system", "system"), user]


def _qa(row: Row) -> list[Message]:
    return [*_question(row), {"role": "assistant", "content": _text(row, "answer")}]


def _attack(row: Row) -> list[Message]:
    return [{"role": "user", "content": _text(row, "prompt")}]


def _alpaca(row: Row) -> list[Message]:
    task, given = _text(row, "instruction"), row.get("input")
    user = f"{task}\n\n{_text(row, 'input')}" if given else task
    return [
        *_optional(row, "system", "system"),
        {"role": "user", "content": user},
        *_optional(row, "output", "assistant"),
    ]


def _messages(row: Row) -> list[Message]:
    return [_turn(turn, "role", "content") for turn in _turns(row, "messages")]


def _sharegpt(row: Row) -> list[Message]:
    return [_turn(turn, "from", "value") for turn in _turns(row, "conversations")]


def _turns(row: Row, column: str) -> list[Any]:
    turns = row.get(column)
    if not isinstance(turns, list) or not turns:
        raise RowError(f'column "{column}" is no list of turns')
    return turns


def _turn(turn: Any, role_key: str, text_key: str) -> Message:
    if not isinstance(turn, Mapping):
        raise RowError("a turn is no mapping")
    role = _SHAREGPT.get(str(turn.get(role_key)), str(turn.get(role_key)))
    if role not in ROLES:
        raise RowError(f'a turn has the unknown role "{role}"')
    return {"role": role, "content": _text(turn, text_key)}


_READERS: dict[str, Callable[[Row], list[Message]]] = {
    "qa": _qa,
    "qa-question": _question,
    "alpaca": _alpaca,
    "messages": _messages,
    "sharegpt": _sharegpt,
    "attack": _attack,
}


@dataclass(frozen=True, slots=True)
class Template:
    """A tokenizer's chat template, with contents that cannot forge its control tokens.

    A control token (`<|end|>`) inside a message is written with a zero-width non-joiner after its
    first character, in training and in generation alike: it stays readable and has no power.
    """

    tokenizer: Any
    _control: re.Pattern[str]

    @classmethod
    def of(cls, tokenizer: Any) -> Template:
        """The template that comes with a tokenizer."""
        added = tokenizer.added_tokens_decoder.values()
        special = {str(t) for t in added if t.special} | set(tokenizer.all_special_tokens)
        longest_first = sorted(special, key=lambda text: (-len(text), text))
        return cls(tokenizer, re.compile("|".join(map(re.escape, longest_first)) or r"(?!)"))

    def harmless(self, text: str) -> str:
        """The text without the power of control tokens."""
        return self._control.sub(lambda m: m.group()[0] + "\u200c" + m.group()[1:], text)

    def render(self, messages: Sequence[Message], *, open_turn: bool) -> str:
        """Messages as one text; with `open_turn` it ends where the assistant starts to write."""
        safe = [{**m, "content": self.harmless(m["content"])} for m in messages]
        return str(
            self.tokenizer.apply_chat_template(
                safe, tokenize=False, add_generation_prompt=open_turn
            )
        )

    def pieces(self, messages: Sequence[Message]) -> list[Piece]:
        """The rendered conversation in pieces, each assistant turn (with its end) learned.

        Raises RowError when there is nothing to learn, or when the template rewrites earlier
        turns once later ones are known (then no honest cut exists).
        """
        done, out = "", list[Piece]()
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            opened = self.render(messages[:index], open_turn=True)
            closed = self.render(messages[: index + 1], open_turn=False)
            if not (opened.startswith(done) and closed.startswith(opened)):
                raise RowError("the chat template rewrites earlier turns")
            out += [Piece(opened[len(done) :], False), Piece(closed[len(opened) :], True)]
            done = closed
        if not out:
            raise RowError("no turn of the assistant to learn from")
        return out

    def row_pieces(self, row: Row, form: str) -> list[Piece]:
        """A training row in pieces, by its dataset's format. Raises RowError."""
        if form != "completion":
            return self.pieces(conversation(row, form))
        prompt, completion = _text(row, "prompt"), _text(row, "completion")
        return [Piece(self.harmless(prompt), False), self.ending(completion)]

    def ending(self, completion: str) -> Piece:
        """A plain completion with the token that ends a sequence."""
        return Piece(self.harmless(completion) + (self.tokenizer.eos_token or ""), True)

    def opening(self, row: Row, form: str) -> str:
        """The text a model continues for this row when no Prompt is given. Raises RowError."""
        if form == "completion":
            return self.harmless(_text(row, "prompt"))
        return self.render(asked(row, form), open_turn=True)

    def answer(self, label: str, form: str) -> str:
        """The text an assistant writes to answer exactly `label`, the end of its turn included."""
        if form == "completion":
            return self.ending(label).text
        probe = [{"role": "user", "content": "?"}, {"role": "assistant", "content": label}]
        return self.pieces(probe)[-1].text


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of one training row; labels are -100 wherever nothing is learned."""

    input_ids: list[int]
    labels: list[int]


IGNORED = -100


def examples(
    pieces: Sequence[Sequence[Piece]], tokenizer: Any, max_length: int | None
) -> list[Example]:
    """Pieces as token ids, cut at `max_length`; a row left with nothing to learn is dropped."""
    flat = [piece.text for row in pieces for piece in row]
    ids = iter(tokenizer(flat, add_special_tokens=False)["input_ids"] if flat else [])
    rows = (_example([(piece, next(ids)) for piece in row], max_length) for row in pieces)
    return [row for row in rows if any(label != IGNORED for label in row.labels)]


def _example(parts: Sequence[tuple[Piece, list[int]]], max_length: int | None) -> Example:
    input_ids = [token for _, ids in parts for token in ids]
    labels = [token if piece.learned else IGNORED for piece, ids in parts for token in ids]
    return Example(input_ids[:max_length], labels[:max_length])
