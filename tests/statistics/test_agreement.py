"""Kappas against figures that were published, and against their own definition."""

from __future__ import annotations

import pytest

from llmops.statistics.agreement import cohen, fleiss


def test_cohens_kappa_of_a_published_table() -> None:
    """Two readers of 50 grant proposals: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen(pairs) == pytest.approx(0.4)


def test_fleiss_kappa_of_a_published_table() -> None:
    """Fourteen raters, ten things, five words (Fleiss' method, the worked example): 0.210."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    ratings = [[word for word, n in enumerate(row) for _ in range(n)] for row in table]
    assert fleiss(ratings) == pytest.approx(0.210, abs=5e-4)


def test_who_always_agrees_has_kappa_one_and_who_disagrees_has_less_than_none() -> None:
    assert cohen([(1, 1), (0, 0)]) == fleiss([[1, 1], [0, 0]]) == 1.0
    assert cohen([(1, 0), (0, 1)]) == fleiss([[1, 0], [0, 1]]) == -1.0


def test_where_all_say_one_word_there_is_no_kappa() -> None:
    assert cohen([(1, 1)] * 3) is None
    assert fleiss([[1, 1, 1]] * 3) is None
    assert cohen([]) is fleiss([]) is None


@pytest.mark.parametrize("ratings", [[[1]], [[1, 0], [1, 0, 1]]])
def test_unequal_numbers_of_ratings_have_no_kappa(ratings: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="ratings"):
        fleiss(ratings)
