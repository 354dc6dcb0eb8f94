"""How well raters agree beyond chance: Cohen's kappa of two, Fleiss' kappa of several.

For printing beside rated rows; they decide nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence


def cohen(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Kappa of two raters who rated the same things; None where chance alone would agree fully."""
    if not pairs:
        return None
    n = len(pairs)
    agreed = sum(1 for a, b in pairs if a == b) / n
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = math.fsum(first[word] * second[word] for word in first) / (n * n)
    return None if chance >= 1 else (agreed - chance) / (1 - chance)


def fleiss(ratings: Sequence[Sequence[Hashable]]) -> float | None:
    """Kappa of several raters, the same number for each thing; None as for two.

    Raises ValueError for unequal numbers, or fewer than two.
    """
    sizes = {len(words) for words in ratings}
    if not ratings:
        return None
    if len(sizes) > 1 or min(sizes) < 2:
        raise ValueError(f"things have {sorted(sizes)} ratings, not one number of at least 2")
    (k,), n = sizes, len(ratings)
    counts = [Counter(words) for words in ratings]
    same = math.fsum(c * (c - 1) for one in counts for c in one.values()) / (n * k * (k - 1))
    words = Counter(word for one in ratings for word in one)
    chance = math.fsum((c / (n * k)) ** 2 for c in words.values())
    return None if chance >= 1 else (same - chance) / (1 - chance)
