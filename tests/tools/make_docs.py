"""Fills the made parts of README.md and llmops/docs/ from the code and the scenarios.

In: pages with marks, `<!-- made: NAME -->` … `<!-- end -->`. Out: the same pages, each marked part
as `BLOCKS[NAME]` says it now, in the language of the page; all else stays as it was written.
`python -m tests.tools.make_docs` rewrites the pages; `tests/test_readme.py` holds them to it.
`--missing` and `--take` are for the words of another language (see `words`).
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from llmops.cli import main as cli
from llmops.cli.parser import common as of_every_command
from llmops.rules.facts import Info
from llmops.rules.verdict import INFOS, RULES
from llmops.specs import not_yet
from llmops.specs.load import KINDS
from llmops.specs.policy import RULE_PARAMETERS
from llmops.statistics import attempts, binomial, judged, paired
from tests.tools import docs_checks, docs_import, docs_kinds, docs_pulls, docs_story, words
from tests.tools.words import Say

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "llmops" / "docs"
DOCS = MANUAL / "en"
STORY = ROOT / "tests" / "scenarios" / "forgets"
# Where a docstring names the design notes, which are not part of what is shipped.
INTERNAL = re.compile(r" \([A-Z]+\.md[^)]*\)| [A-Z]+\.md [\d.]+(?=\s|$)")
# What declares a gate that no policy has to switch on.
DECLARED = {
    "require": "a check of an Evaluation or SafetyTest, or a test of a Guardrail, has it",
    "regression": "a check of an Evaluation or SafetyTest, or a slice of an Evaluation, has it",
    "slices": "a slice of an Evaluation has `require`",
    "gap": "a slice of an Evaluation has it",
    "fail-on": "a SafetyTest has it and a gating suite has detectors",
    "bank-classes": "a gating bank of a SafetyTest has `min_per_class`",
    "budget": "a Policy has `budgets`",
    "split-overlap": "a target that learned from rows is asked",
    "evidence-fresh": "a Policy has `max_evidence_age_days`",
    "holdout": "a Policy has `budgets.holdout_looks_per_dataset`",
    "reuse-audit": "a Policy has `reuse_audit`, or a result did not come again",
    "routes-measured": "an Application has routes",
    "prompt-tests": "a Prompt has `tests` without `expect`",
}
# What judges whatever a policy says.
ALWAYS = {
    "policy-looser": "On every change that has a base.",
    "approval": "On every change, where base's policies have an approval `when: machine_author`.",
    "waiver": "On every change, where base's policies or head's have `waivers`.",
}
MARK = re.compile(r"<!-- made: (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)


def pages() -> tuple[Path, ...]:
    """Every page with made parts, or that may have some, in every language."""
    guide = ROOT / ".github" / "CONTRIBUTING.md"
    return (*sorted(ROOT.glob("README*.md")), *sorted(MANUAL.rglob("*.md")), guide)


def language(page: Path) -> str:
    """The language of a page: that of its folder, or of `README.zh.md`."""
    if page.is_relative_to(MANUAL):
        return page.relative_to(MANUAL).parts[0]
    return page.stem.partition(".")[2] or "en"


def speaker(name: str) -> Say:
    """What says the texts of the code in a language."""
    return words.english if name == "en" else words.read(name)


def fill(text: str, say: Say = words.english) -> str:
    """The page with every made part as it is now. KeyError for a part that nobody makes."""
    return MARK.sub(
        lambda m: f"<!-- made: {m['name']} -->\n{BLOCKS[m['name']](say)}\n<!-- end -->", text
    )


# ---- the scenario ---------------------------------------------------------------------------


def plan(_: Say) -> str:
    """What `llmops plan` prints in the scenario, as a fence."""
    return fence((STORY / "plan.out").read_text("utf-8"))


def comment(say: Say) -> str:
    """What `llmops gate --format markdown` makes in the scenario, without the folded parts."""
    text = (STORY / "gate.out").read_text("utf-8")
    shown = text[text.index("### ") : text.index("<details>")].rstrip()
    folded = re.findall(r"<summary>(.+?) ?\(?(?:\(.*)?</summary>", text)
    rest = say("Folded below it: {all}.").replace("{all}", "; ".join(map(say, folded)))
    return quoted(f"{shown}\n\n<sub>{rest}</sub>")


def whole_comment(_: Say) -> str:
    """All of it."""
    return quoted((STORY / "gate.out").read_text("utf-8"))


def quoted(text: str) -> str:
    """Markdown inside a quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def fence(text: str, language: str = "text") -> str:
    """Text as it is printed."""
    return f"```{language}\n{text.rstrip()}\n```"


# ---- commands -------------------------------------------------------------------------------


def commands(say: Say) -> str:
    """The table of commands."""
    rows = [(f"`llmops {name}`", say(line)) for name, (line, _) in cli.COMMANDS.items()]
    return table(said(say, "command", "does"), rows)


def exits(say: Say) -> str:
    """The table of exit codes."""
    rows = [(f"`{code}`", say(means)) for code, means in exit_codes()]
    return table(said(say, "code", "means"), rows)


def exit_codes() -> Iterator[tuple[str, str]]:
    """The codes of `cli.main.EXITS` with their meaning."""
    for line in cli.EXITS.splitlines()[1:]:
        yield from re.findall(r"(\d+) (.+?)(?=\s{2,}\d|$)", line)


def command_pages(say: Say) -> str:
    """Each command with its options, examples and what its exit code says."""
    head = say("Options of every command")
    found = [f"## {head}", "", _options(of_every_command, say), ""]
    for name, (line, module) in cli.COMMANDS.items():
        table = getattr(importlib.import_module(module), "SUBCOMMANDS", {})
        found += _command_page(f"## llmops {name}", line, module, say, options=not table)
        for action, (about, inner) in table.items():
            found += _command_page(f"### llmops {name} {action}", about, inner, say)
    return "\n".join(found).strip()


def _command_page(
    title: str, line: str, module: str, say: Say, *, options: bool = True
) -> list[str]:
    plugin = importlib.import_module(module)
    found = [title, "", say(_sentence(line)), ""]
    if options:
        ends = (plugin.main.__doc__ or "").strip().splitlines()[0]
        found += [f"{say('Exit code:')} {say(ends)}", "", _options(plugin.add, say), ""]
    examples = "\n".join(one.strip() for one in plugin.EXAMPLES.splitlines())
    return [*found, fence(examples, "sh"), ""]


def _options(add: Callable[[argparse.ArgumentParser], None], say: Say) -> str:
    parser = argparse.ArgumentParser(add_help=False)
    add(parser)
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    rows = [(_option(action), say(action.help or "")) for action in shown]
    return table(said(say, "option", "does"), rows)


def _option(action: argparse.Action) -> str:
    value = "\\|".join(map(str, action.choices)) if action.choices else action.metavar
    shown = ", ".join(action.option_strings)
    if not shown:
        return f"`{value}`" + (" …" if action.nargs == "*" else "")
    return f"`{shown}`" if action.nargs == 0 else f"`{shown} {value}`"


# ---- rules ----------------------------------------------------------------------------------


def rules(say: Say) -> str:
    """Every rule: what it asks, why, what to do, its parameters."""
    return "\n\n".join(_rule(name, INFOS[name], say) for name in sorted(INFOS))


def _rule(name: str, info: Info, say: Say) -> str:
    module = importlib.import_module(f"llmops.rules.{name.replace('-', '_')}")
    first, _, more = INTERNAL.sub("", module.__doc__ or "").strip().partition("\n\n")
    asked = first.partition(": ")[2]
    parts = [f"## {name}", say(f"{asked[0].upper()}{asked[1:]}")]
    parts += [say(one) for one in more.split("\n\n")]
    parts.append(f"*{say('Why.')}* {say(_sentence(info.why))}")
    parts.append(f"*{say('What to do.')}* {say(_sentence(info.fix))}")
    parts.append(f"*{say('Judged.')}* {say(_when(name, info))}")
    given = RULE_PARAMETERS.get(name)
    if given is not None and given.model_fields:
        parts.append(docs_kinds.block_table(given, say))
    if info.controls:
        controls = ", ".join(f"`{one}`" for one in info.controls)
        parts.append(f"*{say('Evidence for.')}* {controls}")
    told = [docs_kinds.escaped(part) for part in parts if part]
    told += [f"*{say('Good.')}*", fence(info.good, "yaml")]
    told += [f"*{say('Bad.')}*", fence(info.bad, "yaml")]
    return "\n\n".join(told)


def _sentence(text: str) -> str:
    first = text[0] if text.startswith("llmops ") else text[0].upper()
    return f"{first}{text[1:]}."


def _when(name: str, info: Info) -> str:
    if name in RULES:
        needs = "With evidence." if info.needs_evidence else "Without evidence, by `validate` too."
        return f"Where a Policy has it under `rules`. {needs}"
    if name in ALWAYS:
        return ALWAYS[name]
    said = "an error" if name == "routes-measured" else "a warning"
    return f"Wherever {DECLARED[name]}; a Policy may make it {said}."


# ---- kinds, rooms, numbers -------------------------------------------------------------------


def kinds(say: Say) -> str:
    """The kinds, one line each."""
    rows = [(f"`{name}`", say((model.__doc__ or "").strip())) for name, model in KINDS.items()]
    return table(said(say, "kind", "is"), rows)


def not_built(say: Say) -> str:
    """What is announced and refused by name, kind by kind."""
    rows = []
    for kind in KINDS:
        words = not_yet.VALUES.get(kind, {}).values()
        told = [*not_yet.KEYS.get(kind, {}).values(), *(w for one in words for w in one.values())]
        if features := sorted(set(told)):
            rows.append((f"`{kind}`", docs_kinds.joined(say, features)))
    return table(said(say, "kind", "refused today"), rows)


def rooms(say: Say) -> str:
    """The rooms from the outside in, each with the first line of what it says about itself."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    names = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    return table(("`llmops/`", ""), [(f"`{name}`", say(_opening(name))) for name in names])


def _opening(room: str) -> str:
    folder = ROOT / "llmops" / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return re.sub(r"\s+", " ", docstring.partition("\n\n")[0])


def passing(say: Say) -> str:
    """How many right answers show a bound."""
    bounds = (0.8, 0.9, 0.95, 0.99)
    rows = [
        (str(n), *(_count(binomial.smallest_passing_count(n, t), say) for t in bounds))
        for n in (50, 100, 300, 1000, 1200)
    ]
    return table((say("cases"), *(f"min {t:g}" for t in bounds)), rows)


def _count(number: int | None, say: Say) -> str:
    return say("cannot be shown") if number is None else f"{number:,}"


def margins(say: Say) -> str:
    """How many cases it takes to show "not worse"."""
    margins_ = (0.05, 0.02, 0.01)
    rows = [
        (f"{share:.0%}", *(_count(paired.cases_for_margin(share, m), say) for m in margins_))
        for share in (0.02, 0.05, 0.1)
    ]
    return table((say("cases that change sides"), *(f"margin {m:g}" for m in margins_)), rows)


def power(say: Say) -> str:
    """The true share at which so many cases show a bound four times in five."""
    bounds = (0.8, 0.9, 0.95, 0.99)
    rows = [
        (str(n), *(_rate(binomial.rate_for_power(n, t), say) for t in bounds))
        for n in (100, 300, 1000, 3000, 10_000)
    ]
    return table((say("cases"), *(f"min {t:g}" for t in bounds)), rows)


def _rate(rate: float | None, say: Say) -> str:
    return say("cannot be shown") if rate is None else f"{math.ceil(rate * 1e4) / 1e4:.4f}"


def attempts_table(say: Say) -> str:
    """The level of each attempt, and what it asks of 1,000 cases."""
    rows = []
    for allowed in (1, 2, 3, 5):
        levels = [attempts.level(0.05, k, allowed) for k in range(1, allowed + 1)]
        counts = [
            _count(binomial.smallest_passing_count(1000, 0.9, level), say) for level in levels
        ]
        rows.append((str(allowed), ", ".join(f"{a:.4g}" for a in levels), ", ".join(counts)))
    return table(said(say, "attempts", "level of each at 0.05", "right answers of 1,000"), rows)


def judges(say: Say) -> str:
    """Half widths of rated rows alone and of a judge corrected by them."""
    shares = (0.9, 0.95, 0.98)
    rows = []
    for anchors in (100, 200, 500, 1000):
        found = [
            judged.cost_compare(judged.Expected(0.9, share, share), anchors, 10_000)
            for share in shares
        ]
        human = f"{found[0].human_half_width:.3f}"
        rows.append((str(anchors), human, *(_half_width(one, say) for one in found)))
    right = say("judge right in {share}")
    heads = (right.format(share=f"{share:.0%}") for share in shares)
    return table((*said(say, "rated rows", "people alone"), *heads), rows)


def _half_width(found: judged.Compared, say: Say) -> str:
    return say("decides nothing") if found.labels is None else f"{found.judge_half_width:.3f}"


def said(say: Say, *texts: str) -> tuple[str, ...]:
    """Several texts in a language."""
    return tuple(say(text) for text in texts)


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def told(name: str, *, since: str = "", until: str = "") -> Callable[[Say], str]:
    """A command of a tutorial with what it printed, or a part of that."""
    return lambda _: fence(docs_story.said(name, since=since, until=until), "console")


BLOCKS: Mapping[str, Callable[[Say], str]] = {
    "plan": plan,
    "comment": comment,
    "whole-comment": whole_comment,
    "commands": commands,
    "exits": exits,
    "command-pages": command_pages,
    "rules": rules,
    "checks": docs_checks.checks,
    "states": docs_pulls.states,
    "page-limits": docs_pulls.page_limits,
    "kinds": kinds,
    "kind-pages": docs_kinds.kind_pages,
    "roles": docs_kinds.roles,
    "metrics": docs_kinds.metrics,
    "tools": docs_kinds.tools,
    "refused-keys": docs_kinds.refused_keys,
    "not-built": not_built,
    "rooms": rooms,
    "passing": passing,
    "margins": margins,
    "power": power,
    "attempts": attempts_table,
    "judges": judges,
    "import-axolotl": docs_import.of("axolotl"),
    "import-llamafactory": docs_import.of("llamafactory"),
    "import-promptfoo": docs_import.of("promptfoo"),
    "import-asserts": docs_import.asserts,
    "first-typo": told("first-typo"),
    "first-diff": told("first-diff"),
    "first-plan": told("first-plan"),
    "first-why": told("first-why"),
    "first-gate": told("first-gate", since="Gates ("),
    "quick-init": told("quick-init"),
    "quick-plan": told("quick-plan", since="Jobs ", until="Gates ("),
    "quick-gate": told("quick-gate"),
    "quick-typo": told("quick-typo"),
    "quick-owner": told("quick-owner", since="Plan: "),
    "quick-diff": told("quick-diff"),
    "quick-worse": told("quick-worse", since="Jobs ", until="Gates ("),
    "quick-failed": told("quick-failed", since="Gates (", until="Worst cases"),
    "quick-case": told("quick-case"),
    "quick-bar": told("quick-bar", since="Looser", until="Worst cases"),
}


def everything(name: str) -> words.Words:
    """A language that was asked for every text of every part."""
    asked = words.read(name)
    for part, make in BLOCKS.items():
        if part.partition("-")[0] not in docs_story.STORIES:  # what a command prints is English
            make(asked)
    return asked


def main() -> None:
    """Rewrite the pages, or work on the words of another language."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--missing", metavar="LANGUAGE", help="print what has no translation")
    parser.add_argument("--take", nargs=2, metavar=("LANGUAGE", "FILE"), help="merge translations")
    args = parser.parse_args()
    if args.missing:
        missing = everything(args.missing).missing
        print(json.dumps(dict.fromkeys(missing, ""), ensure_ascii=False, indent=1))
        return
    if args.take:
        asked = everything(args.take[0])
        given = json.loads(Path(args.take[1]).read_text("utf-8"))
        words.write(asked.language, {**asked.known, **given}, asked.asked)
    for path in pages():
        text = fill(path.read_text("utf-8"), speaker(language(path)))
        path.write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
