"""Rewrites what the cards of the example's data say in numbers, between two marks of each.

In: the rows as they stand in `specs/data/bank` and `specs/data/guard`. Out: both `README.md`, with
tables of rows, lengths, styles, repetitions and likeness between the parts, in English and
Chinese. `python -m tests.tools.data_cards` writes them; a test holds them to the rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from llmops.workers import alike
from tests.tools import make_bank_data, make_guard_data

DATA = Path(__file__).resolve().parents[2] / "specs" / "data"
BEGIN, END = "<!-- numbers -->", "<!-- end of numbers -->"
LANGUAGES = ("en", "zh")
TRAINING = ("base", "rehearsal", "new")
JUDGING = ("validation", "test")
SIZES = {"en": 4, "zh": 2}  # characters of an n-gram when likeness is measured
RUNS = (4, 6, 8)
Row = Mapping[str, str]


@cache
def rows(folder: str, name: str) -> tuple[Row, ...]:
    """The rows of one file."""
    lines = (DATA / folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def written(folder: str) -> str:
    """The card of a folder with its numbers made anew."""
    card = (DATA / folder / "README.md").read_text(encoding="utf-8")
    head, _, rest = card.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = bank() if folder == "bank" else guard()
    return f"{head}{BEGIN}\n\n{chr(10).join(lines)}\n\n{END}{tail}"


def table(head: Sequence[str], body: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table of Markdown."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(map(str, line))} |" for line in body)


def bank() -> Iterator[str]:
    """Numbers of the questions."""
    parts = (*TRAINING, *JUDGING)
    every = [row for part in parts for row in rows("bank", part)]
    plain = {alike.plain(row["question"]) for row in every}
    yield f"{len(every):,} rows, {len(plain):,} distinct when case, width, blanks and marks are"
    yield f"ignored, in {wordings():,} distinct wordings."
    yield f"共 {len(every):,} 行，忽略大小写、全半角、空格和标点后仍有 {len(plain):,} 行互不相同；"
    yield f"不同句式 {wordings():,} 种。"
    yield ""
    head = ("part · 部分", "rows · 行", "en", "zh", "intents · 意图", "wordings · 句式")
    yield from table(head, (_bank_part(part) for part in parts))
    yield ""
    head = ("part · 部分", "language · 语言", "characters · 字符 (10 %, 50 %, 90 %, max)")
    yield from table(head, (_lengths(part, lang) for part in parts for lang in LANGUAGES))
    yield ""
    styles = sorted({row["style"] for row in every})
    shares = [Counter(row["style"] for row in rows("bank", part)) for part in parts]
    yield from table(
        ("part · 部分", *styles),
        (
            (f"`{part}`", *(f"{count[s] / count.total():.2f}" for s in styles))
            for part, count in zip(parts, shares, strict=True)
        ),
    )
    yield ""
    yield "Likeness of a judged row to the most alike training row of its language (Jaccard index"
    yield f"of character n-grams, {SIZES['en']} for English, {SIZES['zh']} for Chinese), and share"
    yield "of judged rows that have a run of so many words or Chinese characters in common with any"
    yield "training row."
    yield "评测行与同语言最相似训练行的相似度（字符 n-gram 的 Jaccard 指数），"
    yield "以及与任一训练行有连续若干词（字）相同的比例。"
    yield ""
    head = (
        "part · 部分", "language · 语言", "likeness · 相似度 (50 %, 90 %, max)",
        *(f"run of {n} · 连续 {n}" for n in RUNS),
    )  # fmt: skip
    yield from table(head, (_likeness(part, lang) for part in JUDGING for lang in LANGUAGES))


def wordings() -> int:
    """Distinct sentences of the phrases file."""
    return sum(len(texts) for texts in _wordings().values())


@cache
def _wordings() -> Mapping[str, frozenset[str]]:
    """Mark -> the plain form of its wordings."""
    phrases = make_bank_data.read_phrases(make_bank_data.PHRASES.read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for intent in phrases.intents:
        for marks in intent.phrases.values():
            for mark, texts in marks.items():
                found.setdefault(mark, set()).update(alike.plain(t) for t in texts)
    return {mark: frozenset(texts) for mark, texts in found.items()}


def _bank_part(part: str) -> tuple[object, ...]:
    own = rows("bank", part)
    spoken = Counter(row["language"] for row in own)
    intents = len({row["answer"] for row in own})
    mark = next(p.mark for p in make_bank_data.PARTS if p.name == part)
    shown = f"{len(_wordings()[mark]):,}" if mark else "shared · 共用"
    return f"`{part}`", f"{len(own):,}", spoken["en"], spoken["zh"], intents, shown


def _lengths(part: str, language: str) -> tuple[object, ...]:
    sizes = [len(r["question"]) for r in rows("bank", part) if r["language"] == language]
    return f"`{part}`", language, ", ".join(map(str, quantiles(sizes, (0.1, 0.5, 0.9, 1.0))))


def quantiles(values: Sequence[float], at: Sequence[float]) -> list[float]:
    """The values at some shares of their order."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in at]


def _likeness(part: str, language: str) -> tuple[object, ...]:
    found = likeness(part, language)
    middle = ", ".join(f"{v:.2f}" for v in quantiles(found, (0.5, 0.9, 1.0)))
    return f"`{part}`", language, middle, *(f"{shared(part, language, n):.3f}" for n in RUNS)


@cache
def likeness(part: str, language: str) -> tuple[float, ...]:
    """For each judged row its Jaccard index with the most alike training row."""
    size = SIZES[language]
    trained = [_grams(text, size) for text in _texts(TRAINING, language)]
    holders: dict[str, list[int]] = {}
    for number, grams in enumerate(trained):
        for gram in grams:
            holders.setdefault(gram, []).append(number)
    return tuple(_best(_grams(t, size), trained, holders) for t in _texts((part,), language))


def _best(
    own: frozenset[str], trained: Sequence[frozenset[str]], holders: Mapping[str, Sequence[int]]
) -> float:
    common = Counter(number for gram in own for number in holders.get(gram, ()))
    return max((n / (len(own) + len(trained[i]) - n) for i, n in common.items()), default=0.0)


def _grams(text: str, size: int) -> frozenset[str]:
    plain = alike.plain(text)
    return frozenset(plain[i : i + size] for i in range(max(1, len(plain) - size + 1)))


def shared(part: str, language: str, size: int) -> float:
    """Share of judged rows that have a run of `size` tokens in common with a training row."""
    trained = {run for text in _texts(TRAINING, language) for run in alike.ngrams(text, size)}
    asked = _texts((part,), language)
    return sum(not trained.isdisjoint(alike.ngrams(text, size)) for text in asked) / len(asked)


def _texts(parts: Iterable[str], language: str) -> list[str]:
    every = [row for part in parts for row in rows("bank", part)]
    return [row["question"] for row in every if row["language"] == language]


def guard() -> Iterator[str]:
    """Numbers of the banks and the word list."""
    names = ("refuse", "comply")
    words = [alike.plain(row["word"]) for row in rows("guard", "words")]
    head = ("file · 文件", "rows · 行", "distinct · 互不相同", "each class, language · 每类每语言")
    yield from table(head, (_guard_file(name) for name in names))
    yield f"| `words.jsonl` | {len(words)} | {len(set(words))} | |"
    yield ""
    head = ("risk · 风险", "wishes · 应拒", "questions · 应答", "words · 词")
    risks = make_guard_data.phrases()
    yield from table(head, (_risk(risk) for risk in risks))
    yield ""
    refused = rows("guard", "refuse")
    held = sum(any(w in alike.plain(row["prompt"]) for w in words) for row in refused)
    disguised = sum(row["style"] == "disguised" for row in refused)
    yield f"{disguised} of the rows to refuse are disguised. {held} of them hold a word of the list"
    yield "once the disguise is undone."
    yield f"应拒题中 {disguised} 条经过伪装；还原后有 {held} 条含词表中的词。"


def _guard_file(name: str) -> tuple[object, ...]:
    own = rows("guard", name)
    cells = Counter((row["risk"], row["language"]) for row in own)
    least, most = min(cells.values()), max(cells.values())
    distinct = len({alike.plain(row["prompt"]) for row in own})
    return f"`{name}.jsonl`", len(own), distinct, least if least == most else f"{least} to {most}"


def _risk(risk: make_guard_data.Risk) -> tuple[object, ...]:
    wanted = sum(map(len, risk.wanted.values()))
    return f"`{risk.name}`", wanted, sum(map(len, risk.asked.values())), len(risk.words)


def main() -> None:
    """Rewrite both cards."""
    for folder in ("bank", "guard"):
        text = written(folder)
        (DATA / folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
