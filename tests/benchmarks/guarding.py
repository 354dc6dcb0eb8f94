"""What the filter engine takes for one 2 KB message: 1,000 words (half Chinese) and 10 patterns."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from llmops.guardrails.base import GuardConfig, Layer, Lexicon, Word
from llmops.guardrails.engine import Guard

SIZE = 2_048  # bytes of a message
RUNS = 2_000
PATTERNS = (
    r"\b[A-Z]{2}-\d{6}\b", r"(?i)ignore (all|any) previous instructions", r"(?i)system prompt",
    r"\bsk-[A-Za-z0-9]{20,}\b", r"\bAKIA[0-9A-Z]{16}\b", r"<(script|iframe)\b",
    r"\b\d{1,3}(\.\d{1,3}){3}\b", r"\bhttps?://[^\s]+", r"\p{Han}{2,4}密码是\S+",
    r"-----BEGIN [A-Z ]+KEY-----",
)  # fmt: skip
ENGLISH = "the customer asked about the card that was declined in town, and we told them to wait. "
CHINESE = "客户问起在城里被拒的那张银行卡，我们请他等到下一个工作日再来办理。还有别的事情吗？"


def words() -> list[str]:
    """1,000 words of made-up letters, the same each time."""
    dice = random.Random(1)
    han = [chr(code) for code in range(0x4E00, 0x9000)]
    chinese = ["".join(dice.choices(han, k=dice.randint(2, 5))) for _ in range(500)]
    latin = [
        "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(4, 10)))
        for _ in range(500)
    ]
    return [*chinese, *latin]


def guard() -> Guard:
    """The guard that is measured."""
    lexicon = Lexicon(tuple(Word(f"w{i}", word) for i, word in enumerate(words())))
    layers = [Layer("words", "block", lexicon=lexicon)]
    layers += [Layer(f"p{i}", "mask", pattern=pattern) for i, pattern in enumerate(PATTERNS)]
    return Guard(GuardConfig(tuple(layers)))


def messages() -> dict[str, str]:
    """Messages of 2 KB, by what is in them."""
    mixed = filled(CHINESE + ENGLISH, SIZE)
    return {
        "English": filled(ENGLISH, SIZE),
        "Chinese": filled(CHINESE, SIZE),
        "mixed": mixed,
        "mixed, with a word and a pattern": filled(CHINESE + ENGLISH, SIZE - 40)
        + f" {words()[700]} at 10.0.0.1",
    }


def filled(piece: str, size: int) -> str:
    """A text of at most `size` bytes made of one piece again and again."""
    return piece * (size // len(piece.encode("utf-8")))


def microseconds(work: Callable[[], object]) -> float:
    """Median of many runs, after a warm-up."""
    work()
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return 1e6 * statistics.median(taken)


def per_message() -> dict[str, tuple[float, float]]:
    """Microseconds of a decision, and of encoding the same text once, by kind of message."""
    found = guard()
    return {
        name: (
            microseconds(lambda t=text: found.decide(t)),  # type: ignore[misc]
            microseconds(lambda t=text: t.encode("utf-8")),  # type: ignore[misc]
        )
        for name, text in messages().items()
    }
