"""The same command line as in tests/cli, for whoever means it harm or has bad luck."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Said, bank, llmops, own_world

__all__ = ["Said", "bank", "judged", "llmops", "own_world"]


@pytest.fixture
def judged(llmops, bank) -> Callable[..., Said]:
    """`judged()`: runs the jobs of the good change on main and judges it."""

    def both(*words: str) -> Said:
        assert llmops("run", "-C", bank.path, "--accept-undecidable").code == 0
        return llmops("gate", "-C", bank.path, *words)

    return both
