"""Verdicts without workers: two trees in memory and rows made up per target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.digest import of_bytes
from llmops.graph.diff import diff
from llmops.jobs.base import Proof, Selection, Side, TreeName
from llmops.jobs.exam import exams, made_of
from llmops.jobs.make import Made
from llmops.jobs.plan import Trees, plan
from llmops.rules import forecast
from llmops.rules.base import Finding, Verdict
from llmops.rules.facts import Approval, Facts, Row
from llmops.rules.forecast import Sight
from llmops.rules.verdict import judge
from llmops.specs.base import Ref
from llmops.specs.load import roles
from tests.trees import BANK, read

Rows = Sequence[Row] | None


def row(i: int, checks: Mapping[str, Any], **columns: Any) -> dict[str, Any]:
    """One row: `checks` maps a check's name to its value, None for an invalid cell."""
    cells = {
        name: {"value": value, "valid": value is not None, "reason": ""}
        for name, value in checks.items()
    }
    return {
        "id": f"c{i}", "case": of_bytes(str(i).encode()), "input": f"question {i}",
        "expected": "yes", "response": "yes" if checks.get("accuracy") else "no",
        "columns": columns, "cells": cells,
    }  # fmt: skip


def right(count: int, of: int, check: str = "accuracy") -> list[dict[str, Any]]:
    """`of` rows, the first `count` right; languages alternate."""
    return [row(i, {check: float(i < count)}, language="zh" if i % 2 else "en") for i in range(of)]


@dataclass
class World:
    """Two trees and what each target answered. `head_rows` is used for base too unless given."""

    head: Mapping[str, str] = field(default_factory=lambda: BANK)
    base: Mapping[str, str] | None = field(default_factory=lambda: BANK)
    head_rows: Callable[[Made], Rows] = lambda made: right(190, 200)
    base_rows: Callable[[Made], Rows] | None = None
    approvals: tuple[Approval, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)  # "train/adapter" -> reason
    owners: tuple[str, ...] = ()
    authors: frozenset[str] = frozenset()
    anchors: Callable[[Made], Rows] = lambda made: None
    selected: tuple[str, ...] = ()  # askers
    counted: int | None = None  # cases that curation says the part holds
    learned: Mapping[str, Sequence[str] | None] = field(
        default_factory=dict
    )  # "bank#train" -> asked
    finished: Mapping[str, str] = field(default_factory=dict)  # "evaluate/quality" -> when
    texts: Mapping[str, str] = field(default_factory=dict)  # files of head beside its specs
    judged_at: str = "2026-11-23T00:00:00Z"

    def facts(self) -> Facts:
        """What the rules see."""
        after = read(self.head)
        assert after.graph is not None, after.diagnostics
        before = read(self.base) if self.base is not None else None
        base = before.graph if before else None
        part = Selection(self.selected, (), self.selected) if self.selected else None
        asked = exams(base, after.graph, part)
        rows: dict[str, Rows] = {}
        rated: dict[str, Rows] = {}
        proven: dict[str, Proof] = {}
        for side in ("base", "head"):
            answer = self.base_rows or self.head_rows if side == "base" else self.head_rows
            for made in made_of(asked, side):  # type: ignore[arg-type]
                reason = self.failed.get(made.job.id) if side == "head" else None
                status = "quality_failed" if reason else "ok"
                held = {"rows_test": self.counted} if self.counted is not None else {}
                proven[made.job.closure] = Proof(
                    of_bytes(b"e"),
                    status,
                    reason or "",
                    frozenset(),
                    held,
                    finished_at=self.finished.get(made.job.id, "2026-11-22T00:00:00Z"),
                )
                if made.job.type == "evaluate":
                    rows[made.job.closure] = answer(made)
                    rated[made.job.closure] = self.anchors(made)
        names = Trees(
            TreeName("main", "b" * 40) if base else None, TreeName("head", "a" * 40), "p" * 40
        )
        changes = diff(base, after.graph, roles)
        planned = plan(base, after.graph, changes, proven, names, selected=part)

        names_of = {
            made.job.closure: made.job.subject.name
            for exam in asked
            for put in (exam.head, exam.base)
            for made in (put.all() if put is not None else ())
        }

        def digests(closure: str, part: str) -> list[tuple[str, str]] | None:
            """What is asked in a part: by default every part of its own."""
            named = f"{names_of[closure]}#{part}"
            said = self.learned.get(named, [f"{named} {i}" for i in range(4)])
            return said and [(text, f"{part}-{i}") for i, text in enumerate(said)]

        def place(side: Side, ref: Ref, loc: tuple[str | int, ...]) -> str:
            tree = before if side == "base" and before else after
            return str(tree.loaded.span(ref, loc))

        sight = Sight(proven, base or after.graph, rows.get, place)
        planned = replace(planned, gates=forecast.gates(asked, sight))
        return Facts(
            base=base, head=after.graph, plan=planned, exams=asked, proven=proven,
            rows=rows.get, place=place, approvals=self.approvals, owners=self.owners,
            authors=self.authors, anchors=rated.get, digests=digests,
            text={**self.head, **self.texts}.get,
        )  # fmt: skip

    def verdict(self) -> Verdict:
        """The verdict on this world."""
        return judge(self.facts(), judged_at=self.judged_at, tool_version="0")

    def found(self, rule: str) -> list[Finding]:
        """The findings of one rule."""
        return [f for f in self.verdict().findings if f.rule == rule]
