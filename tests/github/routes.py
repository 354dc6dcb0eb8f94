"""The table of all operations that the fake knows."""

from __future__ import annotations

from functools import cache

from tests.github import (
    routes_actions,
    routes_apps,
    routes_checks,
    routes_git,
    routes_issues,
    routes_people,
    routes_pulls,
    routes_settings,
)
from tests.github.wire import Route, precedence

ROUTES: tuple[Route, ...] = (
    *routes_pulls.ROUTES,
    *routes_issues.ROUTES,
    *routes_checks.ROUTES,
    *routes_git.ROUTES,
    *routes_actions.ROUTES,
    *routes_people.ROUTES,
    *routes_apps.ROUTES,
    *routes_settings.ROUTES,
)


@cache
def find(method: str) -> tuple[Route, ...]:
    """The operations of a method; a path without a wildcard before one with."""
    same = [r for r in ROUTES if r.method == method]
    return tuple(sorted(same, key=lambda r: precedence(r.pattern, r.path)))
