"""Kinds as Markdown: every field with its form, default, role and one line, from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from llmops.jobs.metrics import METRICS, Metric
from llmops.specs import describe, not_yet, owned
from llmops.specs import metrics as given_metrics
from llmops.specs.blocks import Metadata
from llmops.specs.fields import Block
from llmops.specs.load import KINDS

ROOT = Path(__file__).resolve().parents[2]

# What a change of a field costs, by its role.
ROLES: Mapping[str, str] = {
    "curate, train, generate, evaluate, scan": "jobs of these types run again, and what follows",
    "gate": "no job: the kept rows are judged again",
    "static": "no job: the rules that need no evidence are judged again",
    "placement": "no job: only where or how a job runs",
    "descriptive": "nothing",
}


def kind_pages() -> str:
    """Each kind: what it is, an example, its fields, what is refused by name."""
    found = ["## metadata, of every kind", block_table(Metadata)]
    for name, model in KINDS.items():
        found += [f"## {name}", (model.__doc__ or "").strip(), *_example(name), block_table(model)]
        refused = list(_refused(name))
        if refused:
            found.append(f"Not built yet, and refused by name: {'; '.join(refused)}.")
    return "\n\n".join(found)


def _example(kind: str) -> Iterator[str]:
    """The first file of the running example that declares the kind, if there is one."""
    files = sorted((ROOT / "specs").glob("*/*.yaml")) + sorted((ROOT / "policies").glob("*.yaml"))
    line = f"kind: {kind}"
    for found in (p for p in files if line in p.read_text("utf-8").splitlines()):
        path = found.relative_to(ROOT).as_posix()
        yield f"Example: [`{path}`](../../../../{path})"
        return


def _refused(kind: str) -> Iterator[str]:
    for path, feature in not_yet.KEYS.get(kind, {}).items():
        yield f"`{path}` ({feature})"
    for path, words in not_yet.VALUES.get(kind, {}).items():
        for word, feature in words.items():
            shown = "a name" if word == not_yet.TEXT else word.lower() if word == "True" else word
            yield f"`{path}: {shown}` ({feature})"


def block_table(model: type[Block]) -> str:
    """The fields of a block or kind as a table, fields of inner blocks by their path."""
    lines = ["| field | form | default | role | |", "|---|---|---|---|---|"]
    for f in describe.fields(model):
        form = f.form.replace("|", "\\|")
        lines.append(f"| `{f.path}` | {form} | {f.default} | {f.role} | {escaped(f.doc)} |")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Text whose `<` is no tag."""
    return text.replace("<", "&lt;")


def roles() -> str:
    """What a change costs, by role."""
    lines = ["| role | a change costs |", "|---|---|"]
    return "\n".join([*lines, *(f"| {role} | {costs} |" for role, costs in ROLES.items())])


def metrics() -> str:
    """The metrics with their scale, and how a bound on them is judged."""
    lines = ["| metric | a case's value | better | with | a bound is judged by |"]
    lines.append("|---|---|---|---|---|")
    for name, metric in METRICS.items():
        given = given_metrics.METRICS.get(name, {})
        needs = given_metrics.REQUIRED.get(name, ())
        shown = ", ".join(f"`{p}`{' (needed)' if p in needs else ''}" for p in given)
        lines.append(
            f"| `{name}` | {_values(metric)} | {metric.better} | {shown} | {_by(metric)} |"
        )
    return "\n".join(lines)


def _values(metric: Metric) -> str:
    if metric.kind == "binary":
        return "0 or 1"
    low = "" if metric.lower is None else f"from {metric.lower:g}"
    return f"{low} to {metric.upper:g}" if metric.upper is not None else f"{low} up"


def _by(metric: Metric) -> str:
    return {
        "binary": "exact binomial bounds",
        "score": "STaR-Bets on the mean",
        "unbounded": "nothing: the spec is refused without `statistic` or `pass_at`",
    }[metric.kind]


def tools() -> str:
    """The tools whose words a spec quotes, with the version whose keys are known."""
    lines = ["| block | tool | known keys |", "|---|---|---|"]
    blocks = (("Recipe `lora`", "lora"), ("Recipe `training`", "training"))
    blocks += (("Recipe `deepspeed`", "deepspeed"), ("Model `init.architecture`", "architecture"))
    for block, name in blocks:
        path = ROOT / "llmops" / "specs" / "upstream" / f"{name}.json"
        listing = json.loads(path.read_text("utf-8"))
        size = f"{len(listing['keys'])}{' model types' if name == 'architecture' else ''}"
        lines.append(f"| {block} | {listing['tool']} {listing['version']} | {size} |")
    return "\n".join(lines)


def refused_keys() -> str:
    """Keys of the quoted tools that a spec does not set, and where to say it instead."""
    lines = ["| key | instead |", "|---|---|"]
    given = {
        "lora": owned.LORA,
        "training": {**owned.TRAINING, **{f"{k}…": v for k, v in owned.TRAINING_PREFIXES.items()}},
        "deepspeed": owned.DEEPSPEED,
    }
    for block, keys in given.items():
        for hint in dict.fromkeys(keys.values()):
            names = ", ".join(f"`{block}.{key}`" for key, said in keys.items() if said == hint)
            lines.append(f"| {names} | {hint} |")
    return "\n".join(lines)
