"""Kinds as Markdown: every field with its form, default, role and one line, from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from llmops.jobs.metrics import METRICS, Metric
from llmops.specs import describe, not_yet, owned
from llmops.specs import metrics as given_metrics
from llmops.specs.blocks import Metadata
from llmops.specs.fields import Block
from llmops.specs.load import KINDS
from tests.tools.words import Say

ROOT = Path(__file__).resolve().parents[2]

# What a change of a field costs, by its role.
ROLES: Mapping[str, str] = {
    "curate, train, generate, evaluate, scan": "jobs of these types run again, and what follows",
    "gate": "no job: the kept rows are judged again",
    "static": "no job: the rules that need no evidence are judged again",
    "placement": "no job: only where or how a job runs",
    "descriptive": "nothing",
}


def kind_pages(say: Say) -> str:
    """Each kind: what it is, an example, its fields, what is refused by name."""
    found = [f"## {say('metadata, of every kind')}", block_table(Metadata, say)]
    for name, model in KINDS.items():
        about = say((model.__doc__ or "").strip())
        found += [f"## {name}", about, *_example(name, say), block_table(model, say)]
        refused = "; ".join(_refused(name, say))
        if refused:
            said = say("Not built yet, and refused by name: {all}.")
            found.append(said.replace("{all}", refused))
    return "\n\n".join(found)


def _example(kind: str, say: Say) -> Iterator[str]:
    """The first file of the running example that declares the kind, if there is one."""
    files = sorted((ROOT / "specs").glob("*/*.yaml")) + sorted((ROOT / "policies").glob("*.yaml"))
    line = f"kind: {kind}"
    for found in (p for p in files if line in p.read_text("utf-8").splitlines()):
        path = found.relative_to(ROOT).as_posix()
        yield f"{say('Example:')} [`{path}`](../../../../{path})"
        return


def _refused(kind: str, say: Say) -> Iterator[str]:
    for path, feature in not_yet.KEYS.get(kind, {}).items():
        yield f"`{path}` ({say(feature)})"
    for path, words in not_yet.VALUES.get(kind, {}).items():
        for word, feature in words.items():
            name = say("a name")
            shown = name if word == not_yet.TEXT else word.lower() if word == "True" else word
            yield f"`{path}: {shown}` ({say(feature)})"


def block_table(model: type[Block], say: Say) -> str:
    """The fields of a block or kind as a table, fields of inner blocks by their path."""
    lines = head(say, "field", "form", "default", "role", "")
    for f in describe.fields(model):
        form = say(f.form).replace("|", "\\|")
        doc = escaped(say(f.doc))
        lines.append(f"| `{f.path}` | {form} | {say(f.default)} | {f.role} | {doc} |")
    return "\n".join(lines)


def head(say: Say, *names: str) -> list[str]:
    """The first two lines of a table."""
    cells = " | ".join(say(name) for name in names)
    return [f"| {cells} |".replace("  |", " |"), f"|{'---|' * len(names)}"]


def joined(say: Say, names: Sequence[str]) -> str:
    """A list of things as a language writes it."""
    return say("{one}, {next}").replace("{one}", "").replace("{next}", "").join(map(say, names))


def escaped(text: str) -> str:
    """Text whose `<` is no tag."""
    return text.replace("<", "&lt;")


def roles(say: Say) -> str:
    """What a change costs, by role."""
    lines = head(say, "role", "a change costs")
    return "\n".join([*lines, *(f"| {role} | {say(costs)} |" for role, costs in ROLES.items())])


def metrics(say: Say) -> str:
    """The metrics with their scale, and how a bound on them is judged."""
    lines = head(say, "metric", "a case's value", "better", "with", "a bound is judged by")
    for name, metric in METRICS.items():
        given = given_metrics.METRICS.get(name, {})
        needs = given_metrics.REQUIRED.get(name, ())
        needed = say("(needed)")
        shown = ", ".join(f"`{p}`{f' {needed}' if p in needs else ''}" for p in given)
        value, by = _values(metric, say), say(_by(metric))
        lines.append(f"| `{name}` | {value} | {say(metric.better)} | {shown} | {by} |")
    return "\n".join(lines)


def _values(metric: Metric, say: Say) -> str:
    if metric.kind == "binary":
        return say("0 or 1")
    low, high = metric.lower, metric.upper
    form = "{low} to {high}" if low is None else "from {low} to {high}"
    form = "from {low} up" if high is None else form
    said = say(form).replace("{low}", "" if low is None else f"{low:g}")
    return said.replace("{high}", "" if high is None else f"{high:g}")


def _by(metric: Metric) -> str:
    return {
        "binary": "exact binomial bounds",
        "score": "STaR-Bets on the mean",
        "unbounded": "nothing: the spec is refused without `statistic` or `pass_at`",
    }[metric.kind]


def tools(say: Say) -> str:
    """The tools whose words a spec quotes, with the version whose keys are known."""
    lines = head(say, "block", "tool", "known keys")
    blocks = (("Recipe `lora`", "lora"), ("Recipe `training`", "training"))
    blocks += (("Recipe `deepspeed`", "deepspeed"), ("Model `init.architecture`", "architecture"))
    for block, name in blocks:
        path = ROOT / "llmops" / "specs" / "upstream" / f"{name}.json"
        listing = json.loads(path.read_text("utf-8"))
        unit = f" {say('model types')}" if name == "architecture" else ""
        version = f"{listing['tool']} {listing['version']}"
        lines.append(f"| {block} | {version} | {len(listing['keys'])}{unit} |")
    return "\n".join(lines)


def refused_keys(say: Say) -> str:
    """Keys of the quoted tools that a spec does not set, and where to say it instead."""
    lines = head(say, "key", "instead")
    given = {
        "lora": owned.LORA,
        "training": {**owned.TRAINING, **{f"{k}…": v for k, v in owned.TRAINING_PREFIXES.items()}},
        "deepspeed": owned.DEEPSPEED,
    }
    for block, keys in given.items():
        for hint in dict.fromkeys(keys.values()):
            names = ", ".join(f"`{block}.{key}`" for key, said in keys.items() if said == hint)
            lines.append(f"| {names} | {say(hint)} |")
    return "\n".join(lines)
