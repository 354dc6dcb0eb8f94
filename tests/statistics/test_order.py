"""The order of cases: fixed by content, blind to files, with subsets that only grow."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops import digest
from llmops.statistics import order

law = settings(deadline=None, derandomize=True, max_examples=80)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
cases = st.lists(texts.map(lambda text: digest.of_bytes(text.encode())), max_size=40)


def test_keys_are_those_of_every_earlier_release() -> None:
    """A changed key would silently draw other cases, so both are written down."""
    case = "sha256:" + "ab" * 32
    text = b'["bank-support","test","' + case.encode() + b'"]'
    assert order.subset_key("bank-support", "test", case) == hashlib.sha256(text).hexdigest()
    assert order.subset_key("bank-support", "test", case).startswith("35aca61e0392fb61")
    betting = order.betting_key("bank-support", "test", "Evaluation/quality/exact", case)
    assert betting.startswith("0fa74df5443a4b70")


@law
@given(st.lists(texts, min_size=3, max_size=4))
def test_keys_are_digests_of_canonical_json(parts: list[str]) -> None:
    key = order.subset_key if len(parts) == 3 else order.betting_key
    assert "sha256:" + key(*parts) == digest.of_value(parts)


@law
@given(st.tuples(texts, texts, texts), st.tuples(texts, texts, texts))
def test_different_names_never_run_together(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    assert (order.subset_key(*a) == order.subset_key(*b)) == (a == b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("ab", "c", "d"), ("a", "bc", "d")),
        (("a", "b,c", "d"), ("a,b", "c", "d")),
        (('a","b', "c", "d"), ("a", 'b","c', "d")),
        (("a\0b", "c", "d"), ("a", "b\0c", "d")),
        (("a\n", "b", "c"), ("a", "\nb", "c")),
    ],
)
def test_separators_inside_names_stay_inside(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    assert order.subset_key(*a) != order.subset_key(*b)


@law
@given(cases, st.randoms(use_true_random=False), st.integers(0, 50))
def test_a_subset_does_not_depend_on_file_order(found: list[str], dice: object, n: int) -> None:
    shuffled = list(found)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert order.subset(shuffled, "d", "s", n) == order.subset(found, "d", "s", n)


@law
@given(cases, st.integers(0, 50), st.integers(0, 50))
def test_a_smaller_subset_is_a_prefix_of_a_larger_one(found: list[str], a: int, b: int) -> None:
    small, large = sorted((a, b))
    taken = order.subset(found, "d", "s", large)
    assert order.subset(found, "d", "s", small) == taken[:small]


@law
@given(cases, st.integers(0, 50))
def test_a_subset_takes_as_many_as_there_are(found: list[str], n: int) -> None:
    assert len(order.subset(found, "d", "s", n)) == min(n, len(found))
    assert sorted(order.subset(found, "d", "s", None)) == sorted(found)


@law
@given(cases, cases)
def test_new_cases_move_no_old_ones(found: list[str], added: list[str]) -> None:
    new = set(added) - set(found)
    together = order.subset([*found, *new], "d", "s", None)
    assert tuple(c for c in together if c not in new) == order.subset(found, "d", "s", None)


def test_each_name_changes_the_order() -> None:
    found = [digest.of_bytes(bytes([i])) for i in range(30)]

    def bets(dataset: str, split: str, gate: str) -> list[str]:
        return sorted(found, key=lambda case: order.betting_key(dataset, split, gate, case))

    orders = [
        bets("d", "s", "g"), bets("e", "s", "g"), bets("d", "t", "g"), bets("d", "s", "h"),
        list(order.subset(found, "d", "s", None)), list(order.subset(found, "e", "s", None)),
        list(order.subset(found, "d", "t", None)),
    ]  # fmt: skip
    assert len({tuple(o) for o in orders}) == len(orders)


def test_rows_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="rows"):
        order.subset([], "d", "s", -1)


@law
@given(texts, texts, texts, cases | st.lists(texts, max_size=20))
def test_ordering_many_cases_at_once_is_the_order_of_their_keys(
    dataset: str, split: str, gate: str, found: list[str]
) -> None:
    key = order.betting_order(dataset, split, gate)
    for case in [*found, 'quote " and \\ and \n and é']:
        assert key(case).hex() == order.betting_key(dataset, split, gate, case)


@law
@given(texts, texts, texts, cases | st.lists(st.sampled_from("abc"), max_size=20))
def test_a_ranking_is_the_order_of_the_keys_and_leaves_equal_cases_as_they_were(
    dataset: str, split: str, gate: str, found: list[str]
) -> None:
    def key(place: int) -> str:
        return order.betting_key(dataset, split, gate, found[place])

    ranks = order.ranking(dataset, split, gate, tuple(found))
    assert ranks == sorted(range(len(found)), key=key)
