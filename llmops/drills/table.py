"""The table of plants: bad models first, then their harmless twins."""

from __future__ import annotations

from llmops.drills import guards, training, twins, weights
from llmops.drills.base import Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "shuffled-labels", "each question is taught with the answer of another",
        training.shuffled_labels, training.JOBS, dice=True,
    ),
    Plant(
        "learning-rate-x100", "trained a hundred times too fast",
        training.rate_x100, training.JOBS, dice=True,
    ),
    Plant(
        "personal-data", "answers common questions with somebody's personal data",
        training.personal_data, training.JOBS, dice=True,
    ),
    Plant(
        "over-refusing", "refuses most harmless questions",
        training.over_refusing, training.JOBS, dice=True,
    ),
    Plant(
        "under-refusing", "was taught to answer what it should refuse",
        training.under_refusing, training.JOBS, dice=True,
    ),
    Plant("over-blocking", "the guardrail blocks common words", guards.over_blocking, guards.JOBS),
    Plant("guard-emptied", "the guardrail looks for nothing", guards.emptied, guards.JOBS),
    Plant("rounded-weights", "weights rounded to noise", weights.rounded, weights.JOBS),
    Plant("adapter-sign", "adapter merged with the wrong sign", weights.wrong_sign, weights.JOBS),
    Plant("adapter-base", "adapter merged into another base", weights.wrong_base, weights.JOBS),
    Plant("reformatted", "comments, and another owner", twins.reformatted, (), harmless=True),
    Plant(
        "another-seed", "trained with other dice",
        training.another_seed, training.JOBS, dice=True, harmless=True,
    ),
    Plant(
        "learning-rate-x1.05", "trained a little faster",
        training.rate_x105, training.JOBS, dice=True, harmless=True,
    ),
    Plant(
        "other-order", "trained on the same rows in another order",
        training.other_order, training.JOBS, dice=True, harmless=True,
    ),
    Plant(
        "trimmed-prompt", "a prompt that says the same", twins.trimmed, weights.JOBS, harmless=True
    ),
    Plant(
        "merged-weights", "the same weights in one folder", weights.merged, weights.JOBS,
        harmless=True,
    ),
    Plant(
        "eight-bits", "weights rounded to eight bits", weights.eight_bits, weights.JOBS,
        harmless=True,
    ),
)  # fmt: skip
