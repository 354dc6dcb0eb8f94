"""A git repository of N synthetic specs: six kinds that refer to each other, about 0.9 KB each."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

ENV = {
    **os.environ,
    "GIT_AUTHOR_NAME": "bench", "GIT_AUTHOR_EMAIL": "bench@example.com",
    "GIT_COMMITTER_NAME": "bench", "GIT_COMMITTER_EMAIL": "bench@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip
HEAD = "apiVersion: llmops/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n" + (
    "  title: {{en: 'Number {i} of the synthetic {kind}s', zh: 合成规格}}\n"
    "  description: |\n    One of many specs of a synthetic repository, written to measure how\n"
    "    long it takes to compile a change; it says nothing about any real system at all.\n"
    "  owner: team-{i}\n  labels: {{domain: bank, tier: 't{i}'}}\n"
)
KINDS = ("models", "datasets", "recipes", "prompts", "applications", "evaluations")
DIGEST = "sha256:" + "0" * 64


def texts(i: int) -> dict[str, str]:
    """The six specs of group `i`, by path."""
    name = f"g{i}"
    sha = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    bodies = {
        "Model": f"""spec:
  init:
    architecture: {{model_type: llama, hidden_size: 128, intermediate_size: 256, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 4, max_position_embeddings: 256}}
    tokenizer: {{train: {{algorithm: byte_level_bpe, vocab_size: 2048, data: {name}#train}}}}
    seed: {i}
  license: Apache-2.0
""",
        "Dataset": f"""spec:
  purpose: [sft, evaluation]
  sources:
    - name: first
      uri: https://data.example.com/{name}.jsonl
      digest: {sha}
      license: Apache-2.0
      origin: first_party
      country: CN
  format: qa
  columns: {{question: text, answer: category}}
  language: [zh, en]
  splits: {{method: hash, seed: {i}, parts: {{train: 0.8, test: 0.2}}}}
""",
        "Recipe": f"""spec:
  base_model: {name}
  method: sft
  data:
    - {{dataset: {name}#train}}
  lora: {{r: 8, lora_alpha: 16, lora_dropout: 0.05, target_modules: [q_proj, v_proj], bias: none, task_type: CAUSAL_LM}}
  training:
    learning_rate: 2.0e-4
    lr_scheduler_type: cosine
    max_steps: 100
    per_device_train_batch_size: 8
    weight_decay: 0.0
  deepspeed: {{zero_optimization: {{stage: 2}}}}
  seed: {i}
""",
        "Prompt": f"""spec:
  template: jinja2
  inputs:
    question: {{type: string, maxLength: 4000, untrusted: true}}
  system: |
    You are assistant number {i} of a bank. Answer with one intent, nothing else.
    Do not give legal advice, and hand over to a person when you are not sure.
  messages: [{{role: user, content: "{{{{ question }}}}"}}]
  output: {{format: text}}
  parameters: {{temperature: 0.0, max_tokens: 64}}
""",
        "Application": f"""spec:
  intended_purpose: {{en: Answers questions of customers number {i}., zh: 回答客户的问题。}}
  jurisdictions: [CN, EU]
  oversight: {{human_in_loop: escalation, owner_on_call: team-{i}}}
  model: Recipe/{name}
  prompt: {name}
""",
        "Evaluation": f"""spec:
  target: Application/{name}
  dataset: {name}#test
  engine: builtin
  sample: {{rows: 800}}
  checks:
    - {{name: accuracy, metric: builtin/accuracy, require: {{min: 0.8}}, regression: {{margin: 0.02}}}}
    - {{name: f1, metric: builtin/token_f1, require: {{min: 0.7}}}}
  slices:
    - {{name: by-language, column: language, check: accuracy, require: {{min: 0.7}}}}
  alpha: 0.05
""",
    }
    return {
        f"specs/{folder}/{name}.yaml": HEAD.format(kind=kind, name=name, i=i) + bodies[kind]
        for folder, kind in zip(KINDS, bodies, strict=True)
    }


POLICY = """apiVersion: llmops/v1alpha1
kind: Policy
metadata: {name: default, owner: team-0}
spec:
  rules:
    - {name: evidence, rule: evidence-present, severity: error}
"""


def repository(root: Path, specs: int) -> None:
    """Commit about `specs` specs on `main`, and stand on a branch `one` for changes."""
    files = {"policies/default.yaml": POLICY, ".gitignore": "/reports/\n"}
    for i in range(max(1, specs // len(KINDS))):
        files |= texts(i)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "base")
    git(root, "commit", "-q", "--allow-empty", "-m", "second")
    git(root, "switch", "-q", "-c", "one")


def change(root: Path, number: int) -> None:
    """Commit one Recipe that no run has seen yet."""
    path = root / "specs/recipes/g0.yaml"
    text = re.sub(r"seed: \d+", f"seed: {1000 + number}", path.read_text("utf-8"))
    path.write_text(text, encoding="utf-8")
    git(root, "commit", "-q", "-am", f"one recipe, {number}")


def git(root: Path, *words: str) -> None:
    """Run git, quietly."""
    subprocess.run(["git", "-C", str(root), *words], env=ENV, check=True, capture_output=True)
