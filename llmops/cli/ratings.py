"""What people rated, from a spreadsheet or a tool -> rated rows, one for each answer.

In: CSV or JSON Lines, a row for each rating (`id, input, response, rating, rater`) or for each
answer with a column for each rater (`rating_1`, `rating_2`); Chinese names of columns are known.
Out: one row for each answer, with the majority of its ratings (of graded ones the mean), and how
well the raters agree. Raters' names go no further. Every mistake is told at once, with its line.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from llmops.diagnostics import Diagnostic, Span, nearest, printable
from llmops.errors import UsageError
from llmops.statistics import agreement

ENCODINGS = ("utf-8", "gb18030")
# What a column may be called, beside its own name.
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("case_id", "编号", "序号"),
    "input": ("prompt", "question", "输入", "问题", "提问"),
    "response": ("output", "reply", "回复", "回答", "输出"),
    "rating": ("score", "label", "评分", "打分", "标注"),
    "rater": ("annotator", "reviewer", "评分人", "标注人", "标注员"),
    "expected": ("reference", "参考答案", "标准答案"),
    "control": ("对照", "对照项"),
}
_OF_RATER = re.compile(r"(?:rating|score|label|评分|打分|标注)[ _:：-]+(\S.*)", re.IGNORECASE)
_WORDS = {
    **dict.fromkeys(("good", "yes", "pass", "true", "好", "是", "对", "合格", "通过"), 1.0),
    **dict.fromkeys(
        ("bad", "no", "fail", "false", "坏", "差", "否", "错", "不合格", "不通过"), 0.0
    ),
}
_CONTROLS = {
    "good": "good", "bad": "bad", "injection": "injection", "好": "good", "坏": "bad",
    "注入": "injection",
}  # fmt: skip
MOST_SHOWN = 50
SHEET_HINT = "save the sheet as UTF-8, or say --encoding gb18030"


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers that raters gave: the worst and the best."""

    low: float = 0.0
    high: float = 1.0

    def share(self, number: float) -> float | None:
        """A rating from 0 (bad) to 1 (good); None when it is off the scale."""
        inside = self.low <= number <= self.high
        return (number - self.low) / (self.high - self.low) if inside else None


@dataclass(slots=True)
class Item:
    """One answer: where it first stands, what it is, and who rated it how."""

    line: int
    row: dict[str, Any]
    control: str | None
    ratings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """All answers of a file in order, its mistakes, and the columns of its own that it keeps."""

    items: tuple[Item, ...]
    wrong: tuple[Diagnostic, ...]
    kept: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def read(name: str, data: bytes, encoding: str, scale: Scale) -> Read:
    """The rated answers of a file called `name`. Raises UsageError for one that is no table."""
    reading = _Reading(name, scale)
    for line, row in _rows(name, data, encoding, reading):
        reading.take(line, row)
    return reading.done()


def _rows(
    name: str, data: bytes, encoding: str, reading: _Reading
) -> Iterator[tuple[int, dict[str, Any]]]:
    from llmops.workers import rows

    media = {".csv": "csv", ".jsonl": "jsonl"}.get(PurePosixPath(name).suffix.lower())
    if media is None:
        raise UsageError(f"{name} is neither .csv nor .jsonl", hint="save the sheet as CSV")
    if encoding != "utf-8":
        try:
            data = data.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{name} is not {encoding} at byte {error.start + 1}") from error
    for found in rows.READERS[media](io.BytesIO(data)):
        if isinstance(found, rows.Bad):
            hint = SHEET_HINT if "UTF-" in found.what else ""
            reading.complain(found.line, found.what, hint)
        else:
            yield found.line, found.value


class _Reading:
    """One file on its way: answers by id, and every mistake."""

    def __init__(self, name: str, scale: Scale) -> None:
        self.name, self.scale = name, scale
        self.items: dict[str, Item] = {}
        self.wrong: list[Diagnostic] = []
        self.columns: dict[str, str] = {}  # theirs: ours, of the columns seen so far
        self.own: dict[str, bool] = {}  # other columns: whether each answer has one value in it

    def complain(self, line: int, what: str, hint: str = "") -> None:
        """Adds a mistake."""
        self.wrong.append(Diagnostic(Span(self.name, line), "rated-row", what, hint))

    def take(self, line: int, row: Mapping[str, Any]) -> None:
        """Adds one row: an answer, or one more rating of it."""
        ours = self._named(line, row)
        if ours is None:
            return
        item = self._item(line, ours)
        if item is None:
            return
        before = len(self.wrong)
        given = self._given(line, ours)
        if item.control is None and not given and len(self.wrong) == before:
            self.complain(line, "no rating")
        for rater, rating in given.items():
            who = rater or str(len(item.ratings) + 1)
            if who in item.ratings:
                self.complain(line, f'"{printable(who, 60)}" rated this answer twice')
            item.ratings[who] = rating

    def _named(self, line: int, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row under our names."""
        ours: dict[str, Any] = {}
        for theirs, value in row.items():
            name = self._name(theirs)
            if name in ours:
                self.complain(line, f'two columns are the {name}, one is "{printable(theirs, 60)}"')
                return None
            ours[name] = value
        for needed in ("input", "response"):
            if needed not in ours:
                near = nearest(needed, row)
                hint = f'did you mean "{near}"?' if near else f"known are {_known(needed)}"
                self.complain(line, f"no column {needed}", hint)
                return None
            if not isinstance(ours[needed], str):
                self.complain(line, f"the {needed} is not text")
                return None
        return ours

    def _name(self, theirs: str) -> str:
        if theirs not in self.columns:
            plain = theirs.strip().lower()
            found = next((o for o, names in NAMES.items() if plain == o or plain in names), None)
            self.columns[theirs] = found or theirs
        return self.columns[theirs]

    def _item(self, line: int, ours: Mapping[str, Any]) -> Item | None:
        """The answer of a row, new or known; None for one that contradicts what was known."""
        key = str(ours.get("id") or "") or repr((ours["input"], ours["response"]))
        control = self._control(line, ours)
        row = {n: ours[n] for n in ("id", "input", "response", "expected") if _filled(ours, n)}
        known = self.items.get(key)
        if known is None:
            known = self.items[key] = Item(line, row, control)
        elif any(known.row.get(n) != row.get(n) for n in ("input", "response", "expected")):
            self.complain(line, f"the same id as line {known.line}, and another answer")
            return None
        elif known.control != control:
            self.complain(line, f"line {known.line} says another control of the same answer")
            return None
        self._others(known, ours)
        return known

    def _others(self, item: Item, ours: Mapping[str, Any]) -> None:
        """Columns of the file's own: kept as long as an answer has one value in them."""
        for name, value in ours.items():
            if name not in NAMES and name not in ("case", "check") and not _OF_RATER.match(name):
                same = item.row.setdefault(name, value) == value
                self.own[name] = self.own.get(name, True) and same

    def _control(self, line: int, ours: Mapping[str, Any]) -> str | None:
        if not _filled(ours, "control"):
            return None
        word = str(ours["control"]).strip().lower()
        if word not in _CONTROLS:
            said = f'control "{printable(word, 40)}" is none of good, bad, injection'
            self.complain(line, said)
        return _CONTROLS.get(word)

    def _given(self, line: int, ours: Mapping[str, Any]) -> dict[str, float]:
        """Ratings of a row by rater, "" where nobody is named."""
        found: dict[str, float] = {}
        for name, value in ours.items():
            of = _OF_RATER.match(name)
            who = of[1] if of else str(ours.get("rater") or "").strip()
            if (name == "rating" or of) and value not in (None, ""):
                rating = self._number(value)
                if rating is None:
                    self.complain(line, *self._off(value))
                else:
                    found[who] = rating
        return found

    def _off(self, value: Any) -> tuple[str, str]:
        low, high = self.scale.low, self.scale.high
        what = f'rating "{printable(str(value), 40)}" is no number from {low:g} to {high:g}'
        return what, "another scale is said as in --scale 1-5"

    def _number(self, value: Any) -> float | None:
        if isinstance(value, bool):
            return float(value)
        word = str(value).strip().lower()
        if word in _WORDS:
            return _WORDS[word]
        try:
            return self.scale.share(float(word))
        except ValueError:
            return None

    def done(self) -> Read:
        """What was read; columns that differ within an answer are left out of its row."""
        kept = tuple(name for name, same in self.own.items() if same)
        left = tuple(name for name, same in self.own.items() if not same)
        for item in self.items.values():
            for name in left:
                item.row.pop(name, None)
        if not self.items and not self.wrong:
            self.complain(1, "the file has no rows")
        return Read(tuple(self.items.values()), tuple(self.wrong), kept, left)


def _filled(row: Mapping[str, Any], name: str) -> bool:
    return row.get(name) not in (None, "")


def _known(name: str) -> str:
    return ", ".join((name, *NAMES[name]))


# One rating for each answer


@dataclass(frozen=True, slots=True)
class Agreed:
    """Rated rows in the order of the file, the answers that were tied, and the words on both."""

    rows: tuple[dict[str, Any], ...]
    tied: tuple[Item, ...]
    agreement: str


def agree(found: Read, check: str) -> Agreed:
    """One rating for each answer: the majority of yes or no, the mean of graded ones."""
    binary = all(r in (0, 1) for item in found.items for r in item.ratings.values())
    rows: list[dict[str, Any]] = []
    tied: list[Item] = []
    for item in found.items:
        rating = _rating(list(item.ratings.values()), binary=binary)
        if rating is None and item.ratings:
            tied.append(item)
            continue
        row = {**item.row, "check": check}
        row |= {"control": item.control} if item.control else {}
        rows.append(row if rating is None or item.control else {**row, "rating": rating})
    return Agreed(tuple(rows), tuple(tied), _agreement(found.items, binary=binary))


def _rating(given: Sequence[float], *, binary: bool) -> float | None:
    """One rating of several; None for none, and for a tie."""
    if not given:
        return None
    mean = math.fsum(given) / len(given)
    if not binary:
        return round(mean, 6)
    return None if mean == 0.5 else float(mean > 0.5)


def _agreement(items: Sequence[Item], *, binary: bool) -> str:
    """`2 raters agree on 0.93 of 120 answers, Cohen's kappa 0.85`; "" where nobody can disagree."""
    several = [item for item in items if len(item.ratings) > 1]
    if not several:
        return ""
    of = f"{len(several)} answers that several people rated"
    if not binary:
        apart = [max(i.ratings.values()) - min(i.ratings.values()) for i in several]
        return f"ratings of one answer lie {math.fsum(apart) / len(apart):.2f} apart, over {of}"
    same = sum(1 for i in several if len(set(i.ratings.values())) == 1) / len(several)
    return f"all raters agree on {same:.2f} of {of}{_kappa(several)}"


def _kappa(several: Sequence[Item]) -> str:
    raters = sorted({who for item in several for who in item.ratings})
    if len(raters) == 2:
        pairs = [(i.ratings[raters[0]], i.ratings[raters[1]]) for i in several]
        name, kappa = "Cohen's", agreement.cohen(pairs)
    elif len({len(item.ratings) for item in several}) == 1:
        name, kappa = "Fleiss'", agreement.fleiss([list(i.ratings.values()) for i in several])
    else:
        return "; no kappa, since not all were rated by as many"
    return f"; {name} kappa {kappa:.2f}" if kappa is not None else "; no kappa: all said the same"
