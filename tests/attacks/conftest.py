"""The world that attackers share with everybody."""

from tests.gating.conftest import world

__all__ = ["world"]
