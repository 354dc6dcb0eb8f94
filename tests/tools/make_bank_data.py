"""Writes the example's data, `specs/data/bank/*.jsonl`, from `bank_phrases.txt`.

In: wordings written one by one, each marked with the part that alone may show it. Out: the same
bytes on every machine, because all dice are sha256. `python -m tests.tools.make_bank_data`
rewrites the files; the data card beside them says what the rows are.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from llmops.workers import alike

HERE = Path(__file__).resolve().parent
PHRASES = HERE / "bank_phrases.txt"
FOLDER = HERE.parents[1] / "specs" / "data" / "bank"
LANGUAGES = ("en", "zh")
ENDS = ".。?？!！"
MARKS = {"en": ".?", "zh": "。？"}
# What a sentence that asks begins with, or holds: only such a one ends in a question mark.
ASKING = {
    "en": re.compile(
        r"(?i)^(how|what|when|where|why|who|which|is|are|can|could|do|does|did|will|would|may|should"
        r"|has|have you|any|was|am i)\b"
    ),
    "zh": re.compile(
        "吗|什么|怎么|怎样|多少|多久|多长|哪|几|谁|为何|为啥|如何|何时|能不能|可不可以|是不是|要不要|呢$"
    ),
}
RUN = 8  # words, or Chinese characters, that a judged question shares with no other part

T = TypeVar("T")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One file: `rows` per intent and language, all in the wordings of one mark."""

    name: str
    groups: tuple[str, ...]
    rows: int
    mark: str = ""  # of the phrases it shows; those of a judging part are shown nowhere else
    most_per_customer: int = 1


PARTS = (
    Part("base", ("known",), rows=100, most_per_customer=4),
    Part("rehearsal", ("known",), rows=50, most_per_customer=4),
    Part("new", ("new",), rows=120, most_per_customer=4),
    Part("validation", ("known", "new"), rows=15, mark="v"),
    Part("test", ("known", "new"), rows=30, mark="t"),
)

# Of 100 rows, how the question is written; greetings and letter case come on top.
STYLES = (
    ("plain", 34), ("twice", 22), ("typo", 14), ("mixed", 10), ("aside", 8), ("detail", 12),
)  # fmt: skip


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
    """All that the phrases file says."""

    intents: tuple[Intent, ...]
    asides: dict[str, dict[str, list[tuple[str, str]]]]  # language, mark -> (its intent, text)
    details: dict[str, dict[str, list[str]]]  # language, mark -> texts
    words: dict[str, dict[str, list[str]]]  # language -> slot -> fillings

    def pairs(self, language: str, name: str) -> list[tuple[str, str]]:
        """Fillings written `from=to`."""
        return [(a, b) for a, _, b in (w.partition("=") for w in self.words[language][name])]


def read_phrases(text: str) -> Phrases:
    """The phrases file as values. Raises ValueError for a line that it cannot place."""
    p = Phrases((), {}, {}, {})
    intents: list[Intent] = []
    section = language = ""
    for line in (raw.strip() for raw in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("=="):
            section, *about = (part.strip() for part in line[2:].split("|"))
            if about:
                group, en, zh = about
                intents.append(Intent(section, group, {"en": en, "zh": zh}))
        elif line in LANGUAGES:
            language = line
        elif section == "asides":
            head, _, said = line.partition("> ")
            label, _, mark = head.partition(" ")
            p.asides.setdefault(language, {}).setdefault(mark, []).append((label, said))
        elif section == "words":
            slot, _, fillings = line.partition(": ")
            p.words.setdefault(language, {})[slot] = [f.strip() for f in fillings.split("|")]
        else:
            mark, said = (line[0], line[3:]) if line[1:3] == "> " else ("", line)
            texts = p.details if section == "details" else intents[-1].phrases
            texts.setdefault(language, {}).setdefault(mark, []).append(said)
    return Phrases(tuple(intents), p.asides, p.details, p.words)


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
    """The question with typing errors or words of the other language, or as it is."""
    if style == "typo" and language == "en":
        return english_typo(text, dice)
    if style == "typo":
        return chinese_typo(text, p.pairs("zh", "slips"), dice)
    if style == "mixed" and language == "en":
        said = dice.pick(p.words["en"]["mixed"])
        return f"{text} {said}" if dice.chance(70) else f"{said} {text}"
    if style == "mixed":
        found = [(ours, theirs) for ours, theirs in p.pairs("zh", "mixed") if ours in text]
        for ours, theirs in found[:1]:
            text = text.replace(ours, f" {theirs} ", 1).strip()
    return text


def joined(
    text: str, style: str, intent: Intent, language: str, mark: str, p: Phrases, dice: Dice
) -> str:
    """The question with a remark before or behind it, for the styles that have one."""
    if style == "aside":
        said = dice.pick([a[1] for a in p.asides[language][mark] if a[0] != intent.label])
    elif style == "detail":
        said = dice.pick(p.details[language][mark])
    else:
        return text
    return together(said, text, language) if dice.chance(40) else together(text, said, language)


def together(one: str, other: str, language: str) -> str:
    """Two sentences, one after the other."""
    if one[-1] not in ENDS:
        one += MARKS[language][is_asking(one, language)]
    return f"{one} {other}" if language == "en" else f"{one}{other}"


def is_asking(text: str, language: str) -> bool:
    """Whether the last sentence is a question."""
    return bool(ASKING[language].search(re.split(f"[{ENDS}] *", text)[-1]))


def mannered(text: str, language: str, words: dict[str, list[str]], dice: Dice) -> str:
    """With a greeting, thanks, marks and letter case as people type them."""
    gap = " " if language == "en" else ""
    if text[-1] not in ENDS:
        asks = is_asking(text, language)
        text += dice.pick(("", "", MARKS[language][asks], MARKS[language][asks * dice.below(2)]))
    if dice.chance(35):
        text = dice.pick(words["opener"]) + gap + text
    if dice.chance(30):
        comma = "" if text[-1] in ENDS or language == "en" else "，"
        text = text + comma + gap + dice.pick(words["closer"])
    if dice.chance(30):
        return text.lower()
    return text[0].upper() + text[1:] if dice.chance(50) else text


@dataclass(slots=True)
class Shown:
    """What earlier rows said: whole questions, and the runs of tokens of the parts before."""

    questions: set[str] = field(default_factory=set)
    runs: set[bytes] = field(default_factory=set)


def asked(part: Part, intent: Intent, language: str, p: Phrases, shown: Shown) -> Iterator[Row]:
    """The rows of one part, intent and language, each phrase as often as the others.

    No question comes twice, whatever its case, width and marks. One that judges (validation,
    test) shares no RUN of tokens with a row of an earlier part.
    """
    dice = Dice(f"{part.name}/{intent.label}/{language}")
    styles = [name for name, weight in STYLES for _ in range(weight)]
    phrases = dice.shuffled(intent.phrases[language][part.mark])
    made = 0
    for turn in itertools.count():
        if made == part.rows:
            return
        style = dice.pick(styles)
        plain = fill(phrases[turn % len(phrases)], p.words[language], dice)
        if style == "twice":
            other = phrases[(turn + 1 + dice.below(len(phrases) - 1)) % len(phrases)]
            plain = together(plain, fill(other, p.words[language], dice), language)
        said = re.sub(r" +", " ", styled(plain, style, intent, language, p, dice)).strip()
        core = joined(said, style, intent, language, part.mark, p, dice)
        text = mannered(core, language, p.words[language], dice)
        if alike.plain(text) in shown.questions:
            continue
        if part.mark and not shown.runs.isdisjoint(alike.ngrams(text, RUN)):
            continue
        shown.questions.add(alike.plain(text))
        made += 1
        yield {
            "question": text,
            "answer": intent.label,
            "language": language,
            "group": intent.group,
            "style": "plain" if core == plain and style != "twice" else style,
        }


def rows(part: Part, p: Phrases, shown: Shown) -> Iterator[Row]:
    """All rows of a part in a mixed order, with ids and customers of its own."""
    intents = [i for i in p.intents if i.group in part.groups]
    made = [row for i in intents for lang in LANGUAGES for row in asked(part, i, lang, p, shown)]
    shown.runs.update(run for row in made for run in alike.ngrams(row["question"], RUN))
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
