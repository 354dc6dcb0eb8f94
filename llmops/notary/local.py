"""A verdict that counts on this machine: attempts in the ledger, and all of it in the log.

In: a plan whose attempts were recorded when it ran, approvals as somebody asserts them, a key.
Out: the verdict, whose `extra` says where it stands in the log, or why nobody signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any

from llmops import counted
from llmops.notary import record
from llmops.notary.base import Pen, Unsigned
from llmops.notary.given import Said
from llmops.notary.pen import pen
from llmops.pipeline import Planned, authors_of, verdict
from llmops.project import Project
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.rules.base import Verdict
from llmops.rules.facts import Approval
from llmops.signing.base import Signer


def judged(
    project: Project,
    planned: Planned,
    now: datetime,
    approvals: tuple[Approval, ...],
    key: Callable[[], Signer | None],
) -> Verdict:
    """The verdict. What it rests on stands in the log before its rows are judged.

    Of a part that was selected nothing is signed. Raises UsageError, LogError, GitError.
    """
    pen_ = _pen(project, planned, now, key)
    if not isinstance(pen_, Pen):
        made = _closed(project, planned, now, approvals)
        return made if pen_ is None else with_extra(made, {NOT_SIGNED: pen_.why})
    begun = record.begin(pen_, project, planned)
    made = _closed(project, planned, now, approvals)
    counted.told(project.store, made, _about(planned, made))
    authors = authors_of(project, planned.both, approvals, frozenset())
    seal = record.finish(pen_, begun, project, planned, Said(approvals, authors), made)
    return with_extra(made, {SEAL: asdict(seal)})


def _about(planned: Planned, made: Verdict) -> str:
    """Whom a verdict is about: the change as it was named, or the commit."""
    change = planned.claims.change if planned.claims is not None else ""
    return change or made.head.commit or made.head.tree


def with_extra(made: Verdict, more: Mapping[str, Any]) -> Verdict:
    """The verdict with something said beside it."""
    return replace(made, extra={**made.extra, **more})


def _closed(
    project: Project, planned: Planned, now: datetime, approvals: tuple[Approval, ...]
) -> Verdict:
    """The verdict as the ledger counts it, and what became of each attempt written down there."""
    assert planned.claims is not None
    counting = counted.read(project.store, planned.claims)
    made = verdict(project, planned, now=now, approvals=approvals, counting=counting)
    counted.close(project.store, planned.claims, made)
    return made


def _pen(
    project: Project, planned: Planned, now: datetime, key: Callable[[], Signer | None]
) -> Pen | Unsigned | None:
    """Whose pen it is; None where base has no trust root, or only a part is judged."""
    base = planned.both.base
    if base is None or planned.plan.selected is not None:
        return None
    return pen(base.tree, project.repository, key, clock=partial(_at, now))


def _at(now: datetime) -> datetime:
    return now
