"""`llmops policy show RULE`: why a rule is, what to do about it, its parameters, two examples."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmops.cli import common
from llmops.cli.output import columns
from llmops.cli.parser import listed
from llmops.cli.policy_rules import asks, graph_of, severity
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError

EXAMPLES = """\
  llmops policy show license
  llmops policy show require --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `policy show`."""
    rule = parser.add_argument("rule", metavar="RULE", help="a rule's id, as `policy rules` has it")
    listed(rule, _ids)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def _ids() -> Iterator[str]:
    from llmops.rules.verdict import INFOS

    yield from INFOS


def main(args: argparse.Namespace) -> int:
    """0; 2 for a rule that is not there."""
    from llmops.rules.verdict import INFOS

    if args.rule not in INFOS:
        hint = did_you_mean(args.rule, INFOS, otherwise="llmops policy rules lists them")
        raise UsageError(f'there is no rule "{printable(args.rule)}"', hint=hint)
    told = _told(args.rule, severity(args.rule, graph_of(args)))
    as_json = args.format == "json"
    common.say(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _text(told))
    return 0


def _told(rule: str, here: str) -> Mapping[str, Any]:
    from llmops.rules.verdict import INFOS

    info = INFOS[rule]
    return {
        "format_version": 1,
        "rule": rule,
        "asks": asks(rule),
        "more": _more(rule),
        "why": info.why,
        "fix": info.fix,
        "evidence": "needed" if info.needs_evidence else "none",
        "here": here,
        "controls": list(info.controls),
        "parameters": [field._asdict() for field in _parameters(rule)],
        "good": info.good,
        "bad": info.bad,
    }


def _more(rule: str) -> str:
    module = importlib.import_module(f"llmops.rules.{rule.replace('-', '_')}")
    return (module.__doc__ or "").strip().partition("\n\n")[2]


def _parameters(rule: str) -> tuple[Any, ...]:
    from llmops.specs import describe
    from llmops.specs.policy import RULE_PARAMETERS

    given = RULE_PARAMETERS.get(rule)
    return describe.fields(given) if given is not None else ()


def _text(told: Mapping[str, Any]) -> str:
    about = told["asks"]
    parts = [f"{told['rule']}: {about}", told["more"], "\n".join(_facts(told))]
    fields = told["parameters"]
    if fields:
        rows = [[f["path"], f["form"], f["default"], f["doc"]] for f in fields]
        listed = columns([["path", "form", "default", "doc"], *rows])
        parts.append("\n".join(["parameters (under `with`)", *(f"  {line}" for line in listed)]))
    for name in ("good", "bad"):
        shown = "".join(f"  {line}\n" for line in told[name].splitlines())
        parts.append(f"{name}\n{shown.rstrip()}" if shown else "")
    return "\n\n".join(part for part in parts if part)


def _facts(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"why       {told['why']}"
    yield f"mend      {told['fix']}"
    yield f"evidence  {told['evidence']}"
    yield f"here      {told['here']}"
    if told["controls"]:
        yield f"controls  evidence for {', '.join(told['controls'])}"
