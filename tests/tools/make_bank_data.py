"""Writes the example's data, `specs/data/bank/*.jsonl`, from `bank_phrases.txt`.

In: phrases written by hand, each marked with the part that alone may show it. Out: the same
bytes on every machine, because all dice are sha256. `python tests/tools/make_bank_data.py`
rewrites the files; the data card beside them says what the rows are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

HERE = Path(__file__).resolve().parent
PHRASES = HERE / "bank_phrases.txt"
FOLDER = HERE.parents[1] / "specs" / "data" / "bank"
LANGUAGES = ("en", "zh")

T = TypeVar("T")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One file: `rows` per intent and language, `own_rows` of them in wordings of its own."""

    name: str
    groups: tuple[str, ...]
    rows: int
    own: str = ""  # mark of the phrases that only this part shows, "" for none
    own_rows: int = 0
    most_per_customer: int = 1


PARTS = (
    Part("base", ("known",), rows=120, most_per_customer=4),
    Part("rehearsal", ("known",), rows=60, most_per_customer=4),
    Part("new", ("new",), rows=150, most_per_customer=4),
    Part("validation", ("known", "new"), rows=15, own="v", own_rows=5),
    Part("test", ("known", "new"), rows=30, own="t", own_rows=10),
)

# Of 100 rows, how the question is written; greetings and letter case come on top.
STYLES = (("plain", 40), ("typo", 20), ("mixed", 16), ("aside", 24))


@dataclass(slots=True)
class Dice:
    """A stream of choices that depends on its seed text alone."""

    seed: str
    count: int = 0

    def below(self, n: int) -> int:
        """An integer in [0, n)."""
        self.count += 1
        data = hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()
        return int.from_bytes(data[:8], "big") % n

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100 cases."""
        return self.below(100) < percent

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The same items in another order."""
        keys = [self.below(1 << 60) for _ in items]
        return [items[i] for i in sorted(range(len(items)), key=lambda i: keys[i])]


@dataclass(frozen=True, slots=True)
class Intent:
    """One label with its phrases: language -> mark ("", "v", "t") -> texts."""

    label: str
    group: str
    meaning: dict[str, str]
    phrases: dict[str, dict[str, list[str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phrases:
    """All that was written by hand."""

    intents: tuple[Intent, ...]
    asides: dict[str, list[tuple[str, str]]]  # language -> (the intent it names, text)
    words: dict[str, dict[str, list[str]]]  # language -> slot -> fillings

    def pairs(self, language: str, name: str) -> list[tuple[str, str]]:
        """Fillings written `from=to`."""
        return [(a, b) for a, _, b in (w.partition("=") for w in self.words[language][name])]


def read_phrases(text: str) -> Phrases:
    """The phrases file as values. Raises ValueError for a line that it cannot place."""
    intents: list[Intent] = []
    asides: dict[str, list[tuple[str, str]]] = {}
    words: dict[str, dict[str, list[str]]] = {}
    section = language = ""
    for line in (raw.strip() for raw in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("=="):
            section, *about = (p.strip() for p in line[2:].split("|"))
            if about:
                group, en, zh = about
                intents.append(Intent(section, group, {"en": en, "zh": zh}))
        elif line in LANGUAGES:
            language = line
        elif section == "asides":
            label, _, said = line.partition("> ")
            asides.setdefault(language, []).append((label, said))
        elif section == "words":
            slot, _, fillings = line.partition(": ")
            options = [f.strip() for f in fillings.split("|")]
            words.setdefault(language, {})[slot] = options
        else:
            mark, said = (line[0], line[3:]) if line[1:3] == "> " else ("", line)
            intents[-1].phrases.setdefault(language, {}).setdefault(mark, []).append(said)
    return Phrases(tuple(intents), asides, words)


def fill(phrase: str, words: dict[str, list[str]], dice: Dice) -> str:
    """A phrase with its choices made and its slots filled."""
    chosen = re.sub(r"\[([^\]]*)\]", lambda m: dice.pick(m[1].split("|")), phrase)
    filled = re.sub(r"\{(?!n\})(\w+)\}", lambda m: dice.pick(words[m[1]]), chosen)
    amount = dice.pick((5, 12, 20, 35, 49, 80, 99, 120, 150, 260, 400, 750, 1000, 1800, 3000))
    return filled.replace("{n}", str(amount + dice.below(4)))


def english_typo(text: str, dice: Dice) -> str:
    """One or two longer words with a letter swapped, dropped or doubled."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 4 and word.isascii()]
    for i in dice.shuffled(long)[: 1 + dice.below(2)]:
        word, at = words[i], 1 + dice.below(len(words[i]) - 2)
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        dropped = word[:at] + word[at + 1 :]
        words[i] = dice.pick((swapped, dropped, word[: at + 1] + word[at:]))
    return " ".join(words)


def chinese_typo(text: str, slips: list[tuple[str, str]], dice: Dice) -> str:
    """One or two characters taken for others of nearly the same sound."""
    found = [pair for pair in slips if pair[0] in text]
    for right, wrong in dice.shuffled(found)[: 1 + dice.below(2)]:
        text = text.replace(right, wrong, 1)
    return text


def styled(text: str, style: str, intent: Intent, language: str, p: Phrases, dice: Dice) -> str:
    """The question in one of the STYLES."""
    gap = " " if language == "en" else ""
    if style == "typo":
        if language == "en":
            return english_typo(text, dice)
        return chinese_typo(text, p.pairs("zh", "slips"), dice)
    if style == "mixed" and language == "en":
        said = dice.pick(p.words["en"]["mixed"])
        return f"{text} {said}" if dice.chance(70) else f"{said} {text}"
    if style == "mixed":
        found = [(ours, theirs) for ours, theirs in p.pairs("zh", "mixed") if ours in text]
        for ours, theirs in found[:1]:
            text = text.replace(ours, f" {theirs} ", 1).strip()
        return text
    if style == "aside":
        _, said = dice.pick([a for a in p.asides[language] if a[0] != intent.label])
        stop = "." if language == "en" else "。"
        return f"{said}{gap}{text}" if dice.chance(55) else f"{text}{stop}{gap}{said}"
    return text


def mannered(text: str, language: str, words: dict[str, list[str]], dice: Dice) -> str:
    """With a greeting, thanks, marks and letter case as people type them."""
    gap = " " if language == "en" else ""
    if text[-1] not in ".。":
        text += dice.pick(("", "", "?", ".") if language == "en" else ("", "", "？", "。"))
    if dice.chance(35):
        text = dice.pick(words["opener"]) + gap + text
    if dice.chance(30):
        comma = "" if text[-1] in "?.？。" or language == "en" else "，"
        text = text + comma + gap + dice.pick(words["closer"])
    if dice.chance(30):
        return text.lower()
    return text[0].upper() + text[1:] if dice.chance(50) else text


def letters(text: str) -> str:
    """What two questions share when they differ in case, spaces and marks only."""
    return "".join(c for c in text.casefold() if c.isalnum())


@dataclass(slots=True)
class Shown:
    """What earlier rows said: whole questions, and their cores without greetings and thanks."""

    questions: set[str] = field(default_factory=set)
    cores: set[str] = field(default_factory=set)


def asked(part: Part, intent: Intent, language: str, p: Phrases, shown: Shown) -> Iterator[Row]:
    """The rows of one part, intent and language.

    No question comes twice. One that judges (validation, test) also has a core that no row of
    an earlier part has.
    """
    dice = Dice(f"{part.name}/{intent.label}/{language}")
    styles = [name for name, weight in STYLES for _ in range(weight)]
    earlier = frozenset(shown.cores) if part.own else frozenset()
    made = 0
    while made < part.rows:
        own = made < part.own_rows
        phrases = intent.phrases[language][part.own * own]
        style, phrase = (
            dice.pick(styles),
            phrases[made % len(phrases)] if own else dice.pick(phrases),
        )
        plain = fill(phrase, p.words[language], dice)
        core = re.sub(r" +", " ", styled(plain, style, intent, language, p, dice)).strip()
        text = mannered(core, language, p.words[language], dice)
        if letters(text) in shown.questions or letters(core) in earlier:
            continue
        shown.questions.add(letters(text))
        shown.cores.add(letters(core))
        made += 1
        yield {
            "question": text,
            "answer": intent.label,
            "language": language,
            "group": intent.group,
            "style": "plain" if core == plain else style,
            "wording": "unseen" if own else "seen",
        }


def rows(part: Part, p: Phrases, shown: Shown) -> Iterator[Row]:
    """All rows of a part in a mixed order, with ids and customers of its own."""
    intents = [i for i in p.intents if i.group in part.groups]
    made = [row for i in intents for lang in LANGUAGES for row in asked(part, i, lang, p, shown)]
    dice = Dice(f"{part.name}/order")
    customer, left = 0, 0
    for number, row in enumerate(dice.shuffled(made), start=1):
        if left == 0:
            customer, left = customer + 1, 1 + dice.below(part.most_per_customer)
        left -= 1
        subject = f"{part.name}-customer-{customer:04d}"
        yield {"id": f"{part.name}-{number:04d}", **row, "subject_id": subject}


def files(p: Phrases) -> dict[str, bytes]:
    """File name -> its bytes, every part after the other so that no question comes twice."""
    shown = Shown()
    return {
        f"{part.name}.jsonl": "".join(
            json.dumps(row, ensure_ascii=False) + "\n" for row in rows(part, p, shown)
        ).encode()
        for part in PARTS
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in files(read_phrases(PHRASES.read_text(encoding="utf-8"))).items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
