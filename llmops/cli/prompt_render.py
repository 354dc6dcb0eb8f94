"""`llmops prompt render`: the messages that a Prompt makes of some values, as a model gets them.

The chat template of a model's tokenizer comes after: what is shown is what that template is given.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from llmops.cli import common, prompts
from llmops.cli.output import complain
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError
from llmops.executors.rendering import rendered
from llmops.prompts import golden
from llmops.specs.base import Spec

EXAMPLES = """\
  llmops prompt render support --input question="My card is lost"
  llmops prompt render support --test plain --format json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `prompt render`."""
    parser.add_argument("prompt", metavar="PROMPT", help="name of a Prompt")
    parser.add_argument(
        "--input", action="append", default=[], metavar="NAME=VALUE",
        help="a value; text where the input is text, else JSON; NAME=@FILE reads a file",
    )  # fmt: skip
    parser.add_argument("--test", metavar="NAME", help="the values of a render test")
    parser.add_argument(
        "--row", metavar="FILE:LINE", help="the values of a row of a JSONL file, as a job reads it"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 1 when the values cannot be rendered; 2 for what is not there."""
    found = prompts.find(args, [args.prompt])
    (prompt,) = found.prompts
    values = {**_tested(args.test, prompt), **_row(args), **_given(args, prompt)}
    said = rendered(prompts.asked(found, prompt, {"values": values}, probe=False))
    if "values" not in said.messages:
        why = said.errors.get("values", said.broken)
        complain(f"llmops: {prompt.ref}: {_complaint(why)}")
        return 1
    messages = said.messages["values"]
    if args.format == "json":
        told = {"format_version": 1, "prompt": str(prompt.ref), "messages": messages}
        common.say(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        common.say("\n".join(f"== {m['role']}\n{golden.visible(m['content'])}" for m in messages))
    return 0


def _complaint(text: str) -> str:
    return printable(text.replace("the row", "what was given"), 400)


def _tested(name: str | None, prompt: Spec) -> dict[str, Any]:
    tests = {test["name"]: test["inputs"] for test in prompt.spec.get("tests", ())}
    if name is None:
        return {}
    if name not in tests:
        hint = did_you_mean(name, tests, otherwise=f"known are {', '.join(tests) or 'none'}")
        raise UsageError(f'{prompt.ref} has no test "{printable(name)}"', hint=hint)
    return dict(tests[name])


def _row(args: argparse.Namespace) -> dict[str, Any]:
    """The row of a file below the repository, by its line."""
    if args.row is None:
        return {}
    path, _, line = args.row.rpartition(":")
    if not path or not line.isdecimal():
        raise UsageError(f'"{printable(args.row)}" is not FILE:LINE')
    lines = _bytes(args, path).split(b"\n")
    try:
        row = json.loads(lines[int(line) - 1]) if 0 < int(line) <= len(lines) else None
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise UsageError(f"{printable(path)} has no JSON object in line {line}")
    return row


def _bytes(args: argparse.Namespace, path: str) -> bytes:
    tree = common.project(args).repository.work_tree()
    if path not in tree.blobs():
        hint = did_you_mean(path, tree.blobs(), otherwise="paths are from the repository's root")
        raise UsageError(f'no file "{printable(path)}" in this tree', hint=hint)
    return tree.read(path)


def _given(args: argparse.Namespace, prompt: Spec) -> dict[str, Any]:
    schemas = prompt.spec.get("inputs", {})
    found: dict[str, Any] = {}
    for word in args.input:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f'"{printable(word)}" is not NAME=VALUE')
        if name not in schemas:
            hint = did_you_mean(name, schemas, otherwise=f"known are {', '.join(schemas)}")
            raise UsageError(f'{prompt.ref} has no input "{printable(name)}"', hint=hint)
        if value.startswith("@"):
            value = _bytes(args, value[1:]).decode("utf-8", "replace")
        found[name] = _typed(name, value, schemas[name])
    return found


def _typed(name: str, value: str, schema: Any) -> Any:
    """Text for an input that may be text, else the JSON that it is."""
    kinds = schema.get("type", "string" if "properties" not in schema else "object")
    if "string" in ([kinds] if isinstance(kinds, str) else kinds):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise UsageError(f'--input {name}: "{printable(value, 40)}" is no JSON') from error
