"""`llmops guard check|explain TEXT|-`: what a Guardrail of the work tree makes of one text.

`check` prints the decision: exit code 1 when the text is blocked. `explain` prints every layer
with what it found and where. The words of a lexicon are curated from the repository's files as a
job would do it; words from outside must have been fetched by `llmops run`, so they are refused.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops.cli import common
from llmops.cli.output import complain
from llmops.diagnostics import did_you_mean, printable, render
from llmops.errors import LlmopsError, UsageError
from llmops.guardrails.base import Decision, GuardConfig, Hit, Layer, Word
from llmops.guardrails.engine import Guard
from llmops.jobs.base import Input, Job
from llmops.jobs.guarded import layers
from llmops.project import State, read
from llmops.specs.base import Ref

EXAMPLES = """\
  llmops guard check "my number is 13800138000"
  llmops guard explain "an answer" --guardrail support-guard --stage output"""
LONGEST = 2_000  # characters of a text that are shown


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `guard`."""
    parser.add_argument("action", choices=("check", "explain"), help="the decision, or all of it")
    parser.add_argument("text", metavar="TEXT|-", help="the text; - reads standard input")
    parser.add_argument("--guardrail", metavar="NAME", help="which one (default: the only one)")
    parser.add_argument(
        "--stage", choices=("input", "output"), default="input", help="which of its layers"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 1 when `check` blocks; 2 for a guardrail that is not there or has no such layers."""
    found = common.project(args)
    state = read(found, found.repository.work_tree(), head=True)
    ref = _chosen(state, args.guardrail)
    config = configuration(state, ref, args.stage)
    text = _given(args.text)
    decision = _compiled(ref, config).decide(text)
    about = f"{ref} {args.stage}"
    if args.format == "json":
        common.say(_json(ref, args.stage, decision))
    else:
        told = _explained(config, text, decision.hits) if args.action == "explain" else ()
        common.say("\n".join([f"{about}: {_words(decision)}", *told]))
    return 1 if args.action == "check" and decision.action == "block" else 0


def configuration(state: State, ref: Ref, stage: str) -> GuardConfig:
    """The layers of one stage with their words. Raises UsageError if they cannot be used here."""
    assert state.graph is not None
    guarded = layers(state.graph, ref, (stage,))
    payload = guarded.payload[stage]
    if not payload["layers"]:
        raise UsageError(f"{ref} has no layers for {stage}")
    curations = {made.job.closure: made.job for made in guarded.before}
    words = {i.name: _lexicon(state, curations[str(i.job)], i) for i in guarded.inputs}
    return GuardConfig.from_json(payload, words)


def _compiled(ref: Ref, config: GuardConfig) -> Guard:
    try:
        return Guard(config)
    except ValueError as error:
        raise UsageError(f"{ref}, {error}", hint="mend the lexicon that the layer names") from error


def _chosen(state: State, name: str | None) -> Ref:
    if state.graph is None:
        complain(render(state.diagnostics, state.texts))
        raise UsageError("the specs of the work tree do not resolve", hint="llmops validate")
    known = [spec.ref.name for spec in state.graph.of_kind("Guardrail")]
    if not known:
        raise UsageError("the work tree has no Guardrail", hint="declare one below specs/")
    if name is None:
        if len(known) > 1:
            raise UsageError("there are several Guardrails", hint=f"--guardrail {'|'.join(known)}")
        name = known[0]
    name = name.removeprefix("Guardrail/")
    if name not in known:
        hint = did_you_mean(name, known, otherwise=f"known are {', '.join(known)}")
        raise UsageError(f'no Guardrail is called "{printable(name)}"', hint=hint)
    return Ref("Guardrail", name)


def _lexicon(state: State, job: Job, words: Input) -> tuple[Word, ...]:
    """The words of one part of a dataset, curated here and now from the files of the tree."""
    from llmops.workers import curate
    from llmops.workers.contract import RunFolder
    from llmops.workers.guards import lexicon

    with tempfile.TemporaryDirectory(prefix="llmops-guard-") as folder:
        root = Path(folder)
        inputs = {}
        for number, source in enumerate(job.inputs):
            if source.file is None:
                raise UsageError(
                    f"{job.subject} has words from outside: {printable(source.uri or source.name)}",
                    hint="llmops run fetches them and tests the guardrail",
                )
            inputs[source.name] = root / str(number)
            inputs[source.name].write_bytes(state.tree.read(source.file))
        run = RunFolder(root, {"id": job.id, "spec": dict(job.spec), "seed": job.seed}, inputs)
        outcome = curate.work(run)
        part = root / "artifacts" / str(words.artifact)
        if outcome.status != "ok" or not part.is_file():
            raise LlmopsError(f"{job.subject}: {outcome.reason or 'it has no such part'}")
        return tuple(lexicon(part))


def _given(text: str) -> str:
    if text != "-":
        return text
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _words(decision: Decision) -> str:
    """`blocked by words`, `masked: …`, `allowed`."""
    if decision.action == "block":
        by = sorted({hit.layer for hit in decision.hits if hit.action == "block"})
        return f"blocked by {', '.join(by)}"
    if decision.action == "mask":
        return f"masked: {printable(decision.text, LONGEST)}"
    return "allowed"


def _explained(config: GuardConfig, text: str, found: Sequence[Hit]) -> Iterator[str]:
    """Every layer with its finds; what was found is shown, for whoever asks typed it here."""
    for layer in config.layers:
        hits = [hit for hit in found if hit.layer == layer.name]
        yield f"  {layer.name} ({layer.action}, {_looks_for(layer)}): {_count(len(hits))}"
        for hit in hits:
            shown = printable(text[hit.start : hit.end], 80)
            yield f'    {hit.start}-{hit.end} {hit.rule} "{shown}"'


def _looks_for(layer: Layer) -> str:
    if layer.lexicon is not None:
        how = ", ".join(layer.lexicon.normalize) or "as they stand"
        return f"{len(layer.lexicon.words)} words: {how}"
    return f"regex {printable(layer.pattern, 80)}" if layer.pattern else ", ".join(layer.entities)


def _count(hits: int) -> str:
    return {0: "nothing", 1: "1 find"}.get(hits, f"{hits} finds")


def _json(ref: Ref, stage: str, decision: Decision) -> str:
    hits: Sequence[Mapping[str, Any]] = [
        {"layer": h.layer, "rule": h.rule, "start": h.start, "end": h.end, "action": h.action}
        for h in decision.hits
    ]
    value = {
        "format_version": 1,
        "guardrail": str(ref),
        "stage": stage,
        "action": decision.action,
        "text": decision.text,
        "hits": hits,
    }
    return json.dumps(value, ensure_ascii=True, indent=2)
