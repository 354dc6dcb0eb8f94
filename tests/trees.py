"""Trees in memory: texts by path -> graphs, for tests of the dry rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmops.diagnostics import Diagnostic
from llmops.digest import of_bytes
from llmops.graph.build import Graph, build
from llmops.jobs.check import check
from llmops.source.tree import Blob
from llmops.specs.tree import LoadedTree, load_blobs

HEAD = "apiVersion: llmops/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n"


@dataclass(frozen=True)
class Read:
    """A tree in memory, read."""

    loaded: LoadedTree
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]


def read(files: Mapping[str, str]) -> Read:
    """Specs under `specs/` and `policies/`, other files as they are."""
    data = {path: text.encode("utf-8") for path, text in files.items()}
    specs = [p for p in data if p.startswith(("specs/", "policies/")) and p.endswith(".yaml")]
    blobs = [Blob(p, "100644", of_bytes(data[p])[7:47], len(data[p])) for p in specs]
    loaded = load_blobs(blobs, lambda paths: {p: data[p] for p in paths}, {})
    digests = {path: of_bytes(content) for path, content in data.items()}
    built = build(loaded.specs, digests, loaded.span, data, loaded.broken)
    problems = [*loaded.diagnostics, *built.diagnostics]
    if built.graph is not None:
        problems += check(built.graph, loaded.span)
    return Read(loaded, built.graph, tuple(problems))


def graph(files: Mapping[str, str]) -> Graph:
    """The graph of files that must be right."""
    found = read(files)
    assert not found.diagnostics, found.diagnostics
    assert found.graph is not None
    return found.graph


def spec(kind: str, name: str, body: str) -> str:
    """The text of one spec; `body` is what stands under `spec:`."""
    indented = "".join(f"  {line}\n" for line in body.strip("\n").split("\n"))
    return HEAD.format(kind=kind, name=name) + "spec:\n" + indented


BANK: Mapping[str, str] = {
    "specs/models/tiny.yaml": spec(
        "Model", "tiny",
        "init:\n"
        "  architecture: {model_type: llama, hidden_size: 32, num_hidden_layers: 1}\n"
        "  tokenizer: {train: {algorithm: byte_level_bpe, vocab_size: 300, data: bank#train}}\n"
        "  seed: 0\nlicense: Apache-2.0",
    ),
    "specs/datasets/bank.yaml": spec(
        "Dataset", "bank",
        "purpose: [sft, evaluation]\n"
        "sources: [{name: all, file: specs/data/bank.jsonl, license: Apache-2.0,"
        " origin: first_party}]\n"
        "format: qa\n"
        "splits: {method: hash, seed: 1, parts: {train: 0.5, test: 0.5}}",
    ),
    "specs/recipes/base.yaml": spec(
        "Recipe", "base",
        "base_model: tiny\nmethod: sft\ndata: [{dataset: bank#train}]\nfull: {}\n"
        "training: {learning_rate: 1.0e-3, max_steps: 10}\nseed: 1",
    ),
    "specs/recipes/adapter.yaml": spec(
        "Recipe", "adapter",
        "base_model: Recipe/base\nmethod: sft\ndata: [{dataset: bank#train}]\n"
        "lora: {r: 8, lora_alpha: 16, target_modules: [q_proj, v_proj], task_type: CAUSAL_LM}\n"
        "training: {learning_rate: 1.0e-3, max_steps: 10}\nseed: 1",
    ),
    "specs/prompts/ask.yaml": spec(
        "Prompt", "ask",
        "template: jinja2\ninputs: {question: {type: string}}\n"
        "messages: [{role: user, content: '{{ question }}'}]\n"
        "output: {format: choice, labels: {dataset: bank, column: answer}}",
    ),
    "specs/applications/bot.yaml": spec(
        "Application", "bot", "model: Recipe/adapter\nprompt: ask"
    ),
    "specs/evaluations/quality.yaml": spec(
        "Evaluation", "quality",
        "target: Application/bot\ndataset: bank#test\nengine: builtin\nsample: {rows: 200}\n"
        "checks:\n  - {name: accuracy, metric: builtin/accuracy, require: {min: 0.8},"
        " regression: {margin: 0.02}}\n"
        "slices:\n  - {name: by-language, column: language, check: accuracy,"
        " require: {min: 0.7}}",
    ),
    "policies/default.yaml": spec(
        "Policy", "default",
        "rules:\n  - {name: evidence, rule: evidence-present, severity: error}\n"
        "approvals:\n  - {name: looser, when: policy_looser, from: [team-compliance], count: 1}",
    ),
    "specs/data/bank.jsonl": '{"question": "a", "answer": "b", "language": "en"}\n',
}  # fmt: skip


def changed(path: str, old: str, new: str, files: Mapping[str, str] = BANK) -> dict[str, str]:
    """`files` with one replacement that must hit."""
    assert old in files[path], (old, files[path])
    return {**files, path: files[path].replace(old, new)}
