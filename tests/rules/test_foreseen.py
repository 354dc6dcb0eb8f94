from __future__ import annotations

import pytest

from llmops.jobs.metrics import METRICS
from llmops.rules import foreseen
from llmops.rules.foreseen import Known
from llmops.statistics import binomial, star
from llmops.statistics.forecast import Spread

ACCURACY, F1 = METRICS["builtin/accuracy"], METRICS["builtin/token_f1"]


def test_a_share_says_the_rate_that_its_rows_decide_and_the_rows_that_would() -> None:
    found = foreseen.share(300, {"min": 0.95}, Known(0.97), 0.05)
    assert found.note == (
        "300 rows decide 0.95 only when the true rate is 0.979 or more (80 % power); "
        "900 rows would decide it at 0.97 (92 %), as base has it"
    )
    assert (found.decidable, found.needed) == (True, 900)
    assert found.needed_for == "0.97 (92 %), as base has it"


def test_the_rate_it_passes_at_has_the_power_said_and_no_lower_rate_has() -> None:
    for n, t in ((300, 0.95), (1000, 0.9), (59, 0.95)):
        rate = foreseen.share(n, {"min": t}, Known(), 0.05).passes_at
        assert rate is not None
        assert binomial.power(n, t, rate + 1e-9) >= 0.8 > binomial.power(n, t, rate - 1e-6)


def test_at_most_is_at_least_of_what_does_not_happen() -> None:
    most, least = (
        foreseen.share(300, bound, Known(rate), 0.05)
        for bound, rate in (({"max": 0.05}, 0.03), ({"min": 0.95}, 0.97))
    )
    assert most.needed == least.needed == 900
    assert most.passes_at == pytest.approx(1 - (least.passes_at or 0))
    assert "true rate is 0.021 or less" in most.note


def test_without_kept_rows_the_rate_is_half_way_to_perfection() -> None:
    found = foreseen.share(300, {"min": 0.95}, Known(), 0.05)
    assert found.needed == binomial.stable_cases_for_power(0.95, 0.975)
    assert "base" not in found.note


def test_enough_rows_say_at_how_many_they_pass() -> None:
    found = foreseen.share(1000, {"min": 0.9}, Known(0.95), 0.05)
    assert found.note == "passes at 916 of 1000, likely when the true rate is 0.923 or more"
    assert (found.needed or 0) <= 1000
    assert foreseen.share(1000, {"max": 0.1}, Known(0.05), 0.05).note.startswith(
        "passes at 84 of 1000 or fewer"
    )


def test_what_no_result_can_show_is_not_decidable_and_says_how_many_rows_could() -> None:
    found = foreseen.share(2000, {"min": 0.9997}, Known(), 0.05)
    assert (found.decidable, found.needed) == (False, 9985)
    assert found.note == (
        "2000 rows cannot show 0.9997, not even without a miss; 9985 without a miss would"
    )
    assert foreseen.share(9985, {"min": 0.9997}, Known(), 0.05).decidable is True
    assert foreseen.share(58, {"max": 0.05}, Known(), 0.05).decidable is False
    assert foreseen.share(59, {"max": 0.05}, Known(), 0.05).decidable is True
    never = foreseen.share(10**6, {"min": 1.0}, Known(), 0.05)
    assert (never.decidable, never.needed) == (False, None)


def test_a_smaller_level_needs_more_rows() -> None:
    assert foreseen.share(59, {"min": 0.95}, Known(), 0.025).decidable is False
    assert foreseen.share(12_294, {"min": 0.9997}, Known(), 0.025).decidable is False
    assert foreseen.share(12_295, {"min": 0.9997}, Known(), 0.025).decidable is True


def test_two_bounds_that_no_result_shows_together_cannot_be_decided() -> None:
    assert foreseen.share(100, {"min": 0.5, "max": 0.55}, Known(), 0.05).decidable is False
    assert foreseen.share(1000, {"min": 0.4, "max": 0.6}, Known(), 0.05).decidable is True


def test_rows_that_are_not_known_leave_it_open() -> None:
    assert foreseen.share(None, {"min": 0.9}, Known(), 0.05).decidable is None
    assert foreseen.mean(None, {"min": 0.9}, (0, 1), Known(), 0.05).decidable is None
    assert foreseen.percentile(None, {"max": 500}, 0.95, (), 0.05).decidable is None


@pytest.mark.parametrize(("q", "n"), [(0.95, 59), (0.99, 299)])
def test_a_percentile_needs_as_many_values_as_its_share(q: float, n: int) -> None:
    assert foreseen.percentile(n, {"max": 500}, q, (), 0.05).decidable is True
    found = foreseen.percentile(n - 1, {"max": 500}, q, (), 0.05)
    assert (found.decidable, found.needed) == (False, n)
    assert found.note == f"{n - 1} rows cannot bound p{round(100 * q)}, it takes {n}"


def test_a_percentile_knows_how_many_values_of_base_are_right() -> None:
    found = foreseen.percentile(300, {"max": 5}, 0.95, [1.0] * 97 + [9.0] * 3, 0.05)
    assert found.needed == 900
    assert found.note.endswith("900 rows would decide it at 0.97 (92 %), as base has it")
    above = foreseen.percentile(300, {"min": 5}, 0.05, [9.0] * 97 + [1.0] * 3, 0.05)
    assert above.needed == 900


def test_a_mean_is_decidable_when_perfect_scores_would_show_it() -> None:
    for n in (2, 3, 5, 8, 13, 30):
        shown = star.rejects_at_most([1.0] * n, 0.9, 0.0, 1.0)
        assert foreseen.mean(n, {"min": 0.9}, (0, 1), Known(), 0.05).decidable is shown
        mirrored = foreseen.mean(n, {"max": 0.1}, (0, 1), Known(), 0.05)
        assert mirrored.decidable is shown
    assert foreseen.mean(500, {"min": 1.0}, (0, 1), Known(), 0.05).decidable is False


def test_a_mean_uses_the_spread_of_kept_rows_and_says_so() -> None:
    kept = foreseen.mean(120, {"min": 0.6}, (0, 1), Known(0.7, Spread(0.01, 0.0)), 0.05)
    assumed = foreseen.mean(120, {"min": 0.6}, (0, 1), Known(), 0.05)
    assert 0.6 < (kept.passes_at or 0) < (assumed.passes_at or 0)
    assert "if scores differ as base's do" in kept.note
    assert "if scores differ as much as they can" in assumed.note
    assert (kept.needed or 0) < 120


def test_a_mean_at_most_mirrors_one_at_least() -> None:
    low = foreseen.mean(400, {"max": 0.3}, (0, 1), Known(0.2, Spread(0.04, 0.0)), 0.05)
    high = foreseen.mean(400, {"min": 0.7}, (0, 1), Known(0.8, Spread(0.04, 0.0)), 0.05)
    assert low.needed == high.needed
    assert low.passes_at == pytest.approx(1 - (high.passes_at or 0))
    assert " or less" in low.note


def difference(rows: int | None, margin: float, **given: object) -> foreseen.Forecast:
    fields: dict[str, object] = {
        "scale": ACCURACY, "seen": Known(), "changed": None, "alpha": 0.05, "proves": False,
    }  # fmt: skip
    return foreseen.difference(rows, margin, **{**fields, **given})  # type: ignore[arg-type]


def test_a_margin_is_told_by_the_cases_that_change_sides() -> None:
    assert difference(480, 0.02).needed == 2500  # PROOF: 10 % discordant
    assert difference(480, 0.01).needed in range(9_800, 10_001)
    assert "if 10 % of cases change sides" in difference(480, 0.02).note
    assert "about 2500 would decide it" in difference(480, 0.02).note
    assert "likely to pass" in difference(3000, 0.02).note


def test_few_cases_can_change_sides_where_base_is_nearly_always_right() -> None:
    found = difference(480, 0.02, seen=Known(0.98))
    assert found.needed == 1050
    assert "if 4 % of cases change sides (base is right in 0.98)" in found.note
    assert difference(480, 0.02, seen=Known(0.6)).needed == 2500


def test_what_changed_sides_already_is_believed_before_any_assumption() -> None:
    found = difference(480, 0.02, changed=0.05)
    assert found.needed == 1250
    assert "as they do now" in found.note


def test_only_a_margin_that_must_be_proven_can_be_undecidable() -> None:
    hopeless = [n for n in range(1, 40) if difference(n, 0.02, proves=True).decidable is False]
    assert hopeless == [
        n for n in range(1, 40) if not star.rejects_at_most([1.0] * n, -0.02, -1, 1)
    ]
    assert hopeless
    assert all(difference(n, 0.02).decidable for n in hopeless)


def test_a_margin_of_zero_is_shown_only_by_an_improvement() -> None:
    found = difference(600, 0.0)
    assert found.needed is None
    assert (found.passes_at or 0) > 0


def test_rows_not_counted_yet_still_say_how_many_would_do() -> None:
    found = difference(None, 0.02)
    assert (found.decidable, found.needed) == (None, 2500)


def test_scores_speak_of_their_range() -> None:
    assert "change by the whole range" in difference(100, 0.02, scale=F1).note
