"""A repository's settings -> what guards the gate, and what is missing, with the setting. Dry.

In: `Settings` as they were read, and what is `Asked` of them. Out: `Guard`s: ok, a warning, missing
(a must-have), or unknown, since what a token may not see is never ok. Each that is not ok names the
page and the field that change it. `CHECKS` is the table of questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from llmops.forge import guards_actions, guards_branch
from llmops.forge.guards import Asked, Guard
from llmops.forge.settings import Settings

CHECKS: Mapping[str, Callable[[Settings, Asked], Iterator[Guard]]] = {
    "required-check": guards_branch.check,
    "check-source": guards_branch.source,
    "judged-tree": guards_branch.latest,
    "pull-request": guards_branch.pushes,
    "bypass": guards_branch.bypass,
    "stale-reviews": guards_branch.reviews,
    "owned-paths": guards_branch.paths,
    "evidence-branch": guards_branch.evidence,
    "log-branch": guards_branch.log,
    "gpu-environment": guards_actions.environments,
    "token-permissions": guards_actions.token,
    "fork-approval": guards_actions.forks,
    "own-runners": guards_actions.machines,
    "secrets-in-reach": guards_actions.secrets,
    "allowed-actions": guards_actions.allowed,
}


def judge(settings: Settings, asked: Asked) -> tuple[Guard, ...]:
    """Every guard, in the order of the table."""
    return tuple(guard for check in CHECKS.values() for guard in check(settings, asked))
