"""`llmops policy rules`: every rule, whether it needs evidence, and how severe it is here."""

from __future__ import annotations

import argparse
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmops.cli import common
from llmops.cli.output import columns
from llmops.graph.build import Graph
from llmops.project import read

EXAMPLES = """\
  llmops policy rules
  llmops policy rules --format json"""
HEAD = ("rule", "evidence", "here", "asks")
WARNS = ("routes-measured",)  # a warning where no policy names it


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `policy rules`."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0."""
    rows = list(_rows(graph_of(args)))
    if args.format == "json":
        data = {"format_version": 1, "rules": [dict(zip(HEAD, row, strict=True)) for row in rows]}
        common.say(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        common.say("\n".join(columns([HEAD, *rows])))
    return 0


def graph_of(args: argparse.Namespace) -> Graph:
    """The graph of the work tree. InvalidSpecs, with every mistake told, where specs are wrong."""
    found = common.project(args)
    return common.valid(read(found, found.repository.work_tree(), head=True))


def _rows(graph: Graph) -> Iterator[tuple[str, ...]]:
    from llmops.rules.verdict import INFOS

    for rule, info in sorted(INFOS.items()):
        needs = "needed" if info.needs_evidence else "none"
        yield rule, needs, severity(rule, graph), asks(rule)


def asks(rule: str) -> str:
    """What a rule asks, in one line: the first of its module."""
    module = importlib.import_module(f"llmops.rules.{rule.replace('-', '_')}")
    first = (module.__doc__ or "").strip().partition("\n\n")[0]
    return re.sub(r"\s+", " ", first).partition(": ")[2].rstrip(".")


def severity(rule: str, graph: Graph) -> str:
    """`error`, `warning`, `always` for what no policy can soften, `off` for what none asks."""
    from llmops.rules.facts import covers
    from llmops.rules.verdict import ALWAYS, RULES

    if rule in ALWAYS:
        return "always"
    named = [
        entry["severity"]
        for policy in graph.of_kind("Policy")
        if covers(policy.spec, graph)
        for entry in _entries(policy.spec)
        if entry["rule"] == rule
    ]
    unnamed = "off" if rule in RULES else "warning" if rule in WARNS else "error"
    return "error" if "error" in named else named[0] if named else unnamed


def _entries(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = policy.get("rules", [])
    return found
