"""`llmops prompt test`: every render test, every golden text, every untrusted input; no model.

What is rendered is what a worker gives to a model, in a process with limits on time and memory.
Each untrusted input is given the battery of hostile texts (`llmops/prompts/probes.py`). `--update`
writes the golden texts anew, for a reviewer to read in the diff.
"""

from __future__ import annotations

import argparse
import copy
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops.cli import common, edits, prompts
from llmops.diagnostics import printable
from llmops.executors.rendering import Rendered, rendered
from llmops.prompts import golden
from llmops.prompts.probes import Probed
from llmops.rules.prompt_tests import meaning_of
from llmops.specs.base import Spec

EXAMPLES = """\
  llmops prompt test
  llmops prompt test support --update"""
MOST_LINES = 40  # of one difference
WEAK = ("closes",)  # what is told, and fails nothing


@dataclass(frozen=True, slots=True)
class Line:
    """One test: `wrong` says why it failed; `text` is the golden text as it is rendered now."""

    test: str
    wrong: str = ""
    path: str = ""
    text: str = ""
    difference: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One Prompt with its tests."""

    prompt: Spec
    lines: tuple[Line, ...]
    probed: Probed | None
    broken: str

    @property
    def held(self) -> bool:
        """Whether nothing is to be mended."""
        weak = self.probed.weaknesses if self.probed else ()
        severe = any(w.kind not in WEAK for w in weak)
        return not self.broken and not severe and not any(line.wrong for line in self.lines)


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `prompt test`."""
    parser.add_argument("prompts", nargs="*", metavar="PROMPT", help="only these, by name")
    parser.add_argument("--update", action="store_true", help="write the golden texts anew")
    edits.add_force(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 1 when a test failed, or a stranger's text can change more than itself."""
    found = prompts.find(args, args.prompts)
    told = [_tested(found, prompt) for prompt in found.prompts]
    if args.update:
        told = _update(args, found, told)
    common.say(_json(told) if args.format == "json" else _text(told))
    return 0 if all(one.held for one in told) else 1


def _tested(found: prompts.Found, prompt: Spec) -> Told:
    tests: Sequence[Mapping[str, Any]] = prompt.spec.get("tests", ())
    values = {test["name"]: test["inputs"] for test in tests}
    said = rendered(prompts.asked(found, prompt, values, probe=True))
    lines = tuple(_line(found, prompt, i, said) for i in range(len(tests)))
    return Told(prompt, lines, said.probed, said.broken)


def _line(found: prompts.Found, prompt: Spec, i: int, said: Rendered) -> Line:
    test = prompt.spec["tests"][i]
    name, expected = test["name"], test.get("expect", {})
    wrong, messages = said.errors.get(name), said.messages.get(name)
    if wrong is None and messages is None:
        return Line(name, "it was not rendered")
    if "error" in expected:
        return Line(name, _refused(expected["error"], wrong))
    if messages is None:
        return Line(name, str(wrong))
    if expected:
        return Line(name, _missed(expected, [m["content"] for m in messages]))
    text = golden.text(f"{prompt.ref}, test {name}", meaning_of(found.graph, prompt, i), messages)
    return _compared(found, Line(name, "", golden.path(prompt.path, prompt.ref.name, name), text))


def _refused(wanted: str, wrong: str | None) -> str:
    if wrong is None:
        return f'it is rendered, and should be refused with "{wanted}"'
    return "" if wanted in wrong else f'it is refused with "{wrong}", not with "{wanted}"'


def _missed(expected: Mapping[str, Any], contents: Sequence[str]) -> str:
    for text in expected.get("contains", ()):
        if not any(text in content for content in contents):
            return f'no message holds "{text}"'
    for text in expected.get("absent", ()):
        if any(text in content for content in contents):
            return f'a message holds "{text}"'
    return ""


def _compared(found: prompts.Found, line: Line) -> Line:
    """The line held against the golden text that is kept."""
    tree = found.state.tree
    if line.path not in tree.blobs():
        return Line(line.test, "there is no golden text yet", line.path, line.text)
    kept = tree.read(line.path).decode("utf-8", "replace")
    if kept == line.text:
        return line
    old, new = kept.splitlines(), line.text.splitlines()
    shown = list(difflib.unified_diff(old, new, "golden", "rendered", n=1, lineterm=""))[2:]
    told = tuple(s for s in shown if not s.startswith("@@") and not s[1:].startswith("# Prompt/"))
    wrong = "the golden text is another" if told else "its golden text names another prompt"
    return Line(line.test, wrong, line.path, line.text, told)


def _update(args: argparse.Namespace, found: prompts.Found, told: list[Told]) -> list[Told]:
    """Golden texts written; what they are of holds now."""
    root = common.project(args).repository.root
    lines = [line for one in told for line in one.lines]
    wanted = {line.path: line.text for line in lines if line.text and line.wrong}
    there = [root / path for path in wanted if (root / path).exists()]
    ours = all(golden.rendered_from(_kept(path)) for path in there)
    how = copy.copy(args)
    how.force = args.force or ours  # what was rendered once can be rendered again
    edits.write(how, {root / path: text.encode("utf-8") for path, text in wanted.items()})
    if args.format == "text":
        for path in wanted:
            common.say(f"wrote {printable(path)}")
    return [
        Told(o.prompt, tuple(Line(n.test, "" if n.text else n.wrong, n.path) for n in o.lines),
             o.probed, o.broken)
        for o in told
    ]  # fmt: skip


def _kept(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _text(told: Sequence[Told]) -> str:
    lines = [line for one in told for line in _shown(one)]
    tests = [line for one in told for line in one.lines]
    failed = sum(bool(line.wrong) for line in tests)
    weak = sum(len(one.probed.weaknesses) for one in told if one.probed)
    prompts_ = "1 Prompt" if len(told) == 1 else f"{len(told)} Prompts"
    lines.append(f"{prompts_}: {len(tests)} tests, {failed} failed, {weak} weaknesses")
    return "\n".join(lines)


def _shown(one: Told) -> Iterator[str]:
    yield str(one.prompt.ref)
    for line in one.lines:
        yield f"  x {line.test}: {printable(line.wrong, 300)}" if line.wrong else f"  = {line.test}"
        yield from (f"      {printable(d, 160)}" for d in line.difference[:MOST_LINES])
        if len(line.difference) > MOST_LINES:
            yield f"      … {len(line.difference) - MOST_LINES} more lines"
    if one.broken and not any(line.test == one.broken.partition(":")[0] for line in one.lines):
        yield f"  x {printable(one.broken, 300)}"
    if one.probed is not None:
        yield from _probed(one.probed)


def _probed(probed: Probed) -> Iterator[str]:
    refused = f", {probed.refused} refused by their type" if probed.refused else ""
    yield f"  = {probed.tried} hostile texts in untrusted inputs{refused}"
    for weakness in probed.weaknesses:
        sign = "!" if weakness.kind in WEAK else "x"
        yield f"  {sign} {weakness.kind}: {printable(weakness.message, 300)} ({weakness.probe})"
    for name, why in probed.unprobed.items():
        yield f"  ? {name} was not tried: {printable(why, 300)}"


def _json(told: Sequence[Told]) -> str:
    shown = [
        {
            "prompt": str(one.prompt.ref),
            "held": one.held,
            "broken": one.broken,
            "tests": [
                {"name": n.test, "held": not n.wrong, "wrong": n.wrong, "golden": n.path}
                for n in one.lines
            ],
            "probed": asdict(one.probed) if one.probed else None,
        }
        for one in told
    ]
    return json.dumps({"format_version": 1, "prompts": shown}, ensure_ascii=False, indent=2)
