"""Fills the made parts of README.md and llmops/docs/ from the code and the scenarios.

In: pages with marks, `<!-- made: NAME -->` … `<!-- end -->`. Out: the same pages, each marked part
as `BLOCKS[NAME]` says it now; all else stays as it was written.
`python -m tests.tools.make_docs` rewrites the pages; `tests/test_readme.py` holds them to it.
"""

from __future__ import annotations

import argparse
import ast
import importlib
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
from llmops.specs.load import KINDS, RULE_PARAMETERS
from llmops.statistics import attempts, binomial, judged, paired
from tests.tools import docs_kinds, docs_story

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "llmops" / "docs" / "en"
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
    "routes-measured": "an Application has routes",
}
# What judges whatever a policy says.
ALWAYS = {
    "policy-looser": "On every change that has a base.",
    "approval": "On every change, where base's policies have an approval `when: machine_author`.",
    "waiver": "On every change, where base's policies or head's have `waivers`.",
}
MARK = re.compile(r"<!-- made: (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)


def pages() -> tuple[Path, ...]:
    """Every page with made parts, or that may have some."""
    return (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))


def fill(text: str) -> str:
    """The page with every made part as it is now. KeyError for a part that nobody makes."""
    return MARK.sub(
        lambda m: f"<!-- made: {m['name']} -->\n{BLOCKS[m['name']]()}\n<!-- end -->", text
    )


# ---- the scenario ---------------------------------------------------------------------------


def plan() -> str:
    """What `llmops plan` prints in the scenario, as a fence."""
    return fence((STORY / "plan.out").read_text("utf-8"))


def comment() -> str:
    """What `llmops gate --format markdown` makes in the scenario, as a quote."""
    lines = (STORY / "gate.out").read_text("utf-8").splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def fence(text: str, language: str = "text") -> str:
    """Text as it is printed."""
    return f"```{language}\n{text.rstrip()}\n```"


# ---- commands -------------------------------------------------------------------------------


def commands() -> str:
    """The table of commands."""
    rows = [(f"`llmops {name}`", line) for name, (line, _) in cli.COMMANDS.items()]
    return table(("command", "does"), rows)


def exits() -> str:
    """The table of exit codes."""
    return table(("code", "means"), [(f"`{code}`", means) for code, means in exit_codes()])


def exit_codes() -> Iterator[tuple[str, str]]:
    """The codes of `cli.main.EXITS` with their meaning."""
    for line in cli.EXITS.splitlines()[1:]:
        yield from re.findall(r"(\d+) (.+?)(?=\s{2,}\d|$)", line)


def command_pages() -> str:
    """Each command with its options, examples and what its exit code says."""
    found = ["## Options of every command", "", _options(of_every_command), ""]
    for name, (line, module) in cli.COMMANDS.items():
        table = getattr(importlib.import_module(module), "SUBCOMMANDS", {})
        found += _command_page(f"## llmops {name}", line, module, options=not table)
        for action, (about, inner) in table.items():
            found += _command_page(f"### llmops {name} {action}", about, inner)
    return "\n".join(found).strip()


def _command_page(title: str, line: str, module: str, *, options: bool = True) -> list[str]:
    plugin = importlib.import_module(module)
    ends = (plugin.main.__doc__ or "").strip().splitlines()[0]
    found = [title, "", f"{line[0].upper()}{line[1:]}.", ""]
    found += [f"Exit code: {ends}", "", _options(plugin.add), ""] if options else []
    examples = "\n".join(one.strip() for one in plugin.EXAMPLES.splitlines())
    return [*found, fence(examples, "sh"), ""]


def _options(add: Callable[[argparse.ArgumentParser], None]) -> str:
    parser = argparse.ArgumentParser(add_help=False)
    add(parser)
    rows = [(_option(action), action.help or "") for action in parser._actions]
    return table(("option", "does"), rows)


def _option(action: argparse.Action) -> str:
    value = "\\|".join(map(str, action.choices)) if action.choices else action.metavar
    shown = ", ".join(action.option_strings)
    if not shown:
        return f"`{value}`" + (" …" if action.nargs == "*" else "")
    return f"`{shown}`" if action.nargs == 0 else f"`{shown} {value}`"


# ---- rules ----------------------------------------------------------------------------------


def rules() -> str:
    """Every rule: what it asks, why, what to do, its parameters."""
    return "\n\n".join(_rule(name, INFOS[name]) for name in sorted(INFOS))


def _rule(name: str, info: Info) -> str:
    module = importlib.import_module(f"llmops.rules.{name.replace('-', '_')}")
    first, _, more = INTERNAL.sub("", module.__doc__ or "").strip().partition("\n\n")
    said = first.partition(": ")[2]
    parts = [f"## {name}", f"{said[0].upper()}{said[1:]}", more, f"*Why.* {_sentence(info.why)}"]
    parts += [f"*What to do.* {_sentence(info.fix)}", f"*Judged.* {_when(name, info)}"]
    given = RULE_PARAMETERS.get(name)
    if given is not None and given.model_fields:
        parts.append(docs_kinds.block_table(given))
    if info.controls:
        parts.append(f"*Evidence for.* {', '.join(f'`{one}`' for one in info.controls)}")
    told = [docs_kinds.escaped(part) for part in parts if part]
    told += ["*Good.*", fence(info.good, "yaml"), "*Bad.*", fence(info.bad, "yaml")]
    return "\n\n".join(told)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _when(name: str, info: Info) -> str:
    if name in RULES:
        needs = "With evidence." if info.needs_evidence else "Without evidence, by `validate` too."
        return f"Where a Policy has it under `rules`. {needs}"
    if name in ALWAYS:
        return ALWAYS[name]
    said = "an error" if name == "routes-measured" else "a warning"
    return f"Wherever {DECLARED[name]}; a Policy may make it {said}."


# ---- kinds, rooms, numbers -------------------------------------------------------------------


def kinds() -> str:
    """The kinds, one line each."""
    rows = [(f"`{name}`", (model.__doc__ or "").strip()) for name, model in KINDS.items()]
    return table(("kind", "is"), rows)


def not_built() -> str:
    """What is announced and refused by name, kind by kind."""
    rows = []
    for kind in KINDS:
        words = not_yet.VALUES.get(kind, {}).values()
        said = [*not_yet.KEYS.get(kind, {}).values(), *(w for one in words for w in one.values())]
        if features := sorted(set(said)):
            rows.append((f"`{kind}`", ", ".join(features)))
    return table(("kind", "refused today"), rows)


def rooms() -> str:
    """The rooms from the outside in, each with the first line of what it says about itself."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    names = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    return table(("`llmops/`", ""), [(f"`{name}`", _opening(name)) for name in names])


def _opening(room: str) -> str:
    folder = ROOT / "llmops" / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return re.sub(r"\s+", " ", docstring.partition("\n\n")[0])


def passing() -> str:
    """How many right answers show a bound."""
    bounds = (0.8, 0.9, 0.95, 0.99)
    rows = [
        (str(n), *(_count(binomial.smallest_passing_count(n, t)) for t in bounds))
        for n in (50, 100, 300, 1000, 1200)
    ]
    return table(("cases", *(f"min {t:g}" for t in bounds)), rows)


def _count(number: int | None) -> str:
    return "cannot be shown" if number is None else f"{number:,}"


def margins() -> str:
    """How many cases it takes to show "not worse"."""
    margins_ = (0.05, 0.02, 0.01)
    rows = [
        (f"{share:.0%}", *(_count(paired.cases_for_margin(share, m)) for m in margins_))
        for share in (0.02, 0.05, 0.1)
    ]
    return table(("cases that change sides", *(f"margin {m:g}" for m in margins_)), rows)


def power() -> str:
    """The true share at which so many cases show a bound four times in five."""
    bounds = (0.8, 0.9, 0.95, 0.99)
    rows = [
        (str(n), *(_rate(binomial.rate_for_power(n, t)) for t in bounds))
        for n in (100, 300, 1000, 3000, 10_000)
    ]
    return table(("cases", *(f"min {t:g}" for t in bounds)), rows)


def _rate(rate: float | None) -> str:
    return "cannot be shown" if rate is None else f"{math.ceil(rate * 1e4) / 1e4:.4f}"


def attempts_table() -> str:
    """The level of each attempt, and what it asks of 1,000 cases."""
    rows = []
    for allowed in (1, 2, 3, 5):
        levels = [attempts.level(0.05, k, allowed) for k in range(1, allowed + 1)]
        counts = [_count(binomial.smallest_passing_count(1000, 0.9, level)) for level in levels]
        rows.append((str(allowed), ", ".join(f"{a:.4g}" for a in levels), ", ".join(counts)))
    return table(("attempts", "level of each at 0.05", "right answers of 1,000"), rows)


def judges() -> str:
    """Half widths of rated rows alone and of a judge corrected by them."""
    shares = (0.9, 0.95, 0.98)
    rows = []
    for anchors in (100, 200, 500, 1000):
        found = [
            judged.cost_compare(judged.Expected(0.9, share, share), anchors, 10_000)
            for share in shares
        ]
        human = f"{found[0].human_half_width:.3f}"
        rows.append((str(anchors), human, *(_half_width(one) for one in found)))
    heads = (f"judge right in {share:.0%}" for share in shares)
    return table(("rated rows", "people alone", *heads), rows)


def _half_width(found: judged.Compared) -> str:
    return "decides nothing" if found.labels is None else f"{found.judge_half_width:.3f}"


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "plan": plan,
    "comment": comment,
    "commands": commands,
    "exits": exits,
    "command-pages": command_pages,
    "rules": rules,
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
    "first-typo": lambda: fence(docs_story.said("typo"), "console"),
    "first-diff": lambda: fence(docs_story.said("diff"), "console"),
    "first-plan": lambda: fence(docs_story.said("plan"), "console"),
    "first-why": lambda: fence(docs_story.said("why"), "console"),
    "first-gate": lambda: fence(docs_story.said("gate", since="Gates ("), "console"),
}


def main() -> None:
    """Rewrite the pages."""
    for path in pages():
        path.write_text(fill(path.read_text("utf-8")), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
