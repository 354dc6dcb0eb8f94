"""llmops beside other tools, on repositories of equal size; they come from the package registry."""

from __future__ import annotations

import pytest

from tests.benchmarks import peers


@pytest.mark.online
@pytest.mark.timeout(3600)
def test_no_peer_comes_near_a_plan_of_the_same_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cold at least twice as fast in CPU seconds, unchanged fifteen times; RESULTS.md has more."""
    monkeypatch.setattr(peers, "ROUNDS", 1)
    (_, cold, again), *others = peers.per_peer()
    for name, theirs, unchanged in others:
        if not name.startswith("llmops"):
            assert theirs.cpu > 2 * cold.cpu, name
            assert unchanged.cpu > 15 * again.cpu, name
