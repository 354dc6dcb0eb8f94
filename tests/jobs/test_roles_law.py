"""Law: every field has one role, and a change of it costs exactly what that role says.

One tree sets every field of every kind; each field is then given another value, and the closures
and fingerprints that move are held against its role. A new field without a mutation here fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from llmops.digest import of_value
from llmops.graph.base import JOB_TYPES
from llmops.graph.build import Graph
from llmops.graph.diff import job_types, leaves, role_of
from llmops.graph.fingerprint import fingerprints
from llmops.jobs.exam import exams, made_of
from llmops.jobs.make import Made
from llmops.specs.load import KINDS, roles
from tests.trees import graph, spec

D = "sha256:" + "1" * 64
META = (
    "metadata:\n  name: {name}\n  title: {{en: A, zh: 甲}}\n  description: text\n  owner: team-a\n"
    "  labels: {{risk: high}}\n  annotations: {{ticket: T-1}}\n"
)


def full(kind: str, name: str, body: str) -> str:
    """A spec with every field of metadata."""
    text = spec(kind, name, body)
    return text.replace(f"metadata: {{name: {name}}}\n", META.format(name=name))


FILES: dict[str, str] = {
    "specs/models/made.yaml": full("Model", "made", (
        "init:\n"
        "  architecture: {model_type: llama, hidden_size: 32, num_hidden_layers: 1}\n"
        "  tokenizer: {train: {algorithm: byte_level_bpe, vocab_size: 300, data: rows#train}}\n"
        "  seed: 1\n"
        "architecture: {parameters: 1M, context_tokens: 128, chat_template: tokenizer}\n"
        "license: Apache-2.0\nprovider: {name: Us, country: CN}\n"
        "filings: [{regime: cn-genai, number: n-1, kind: filing}]"
    )),
    "specs/models/found.yaml": full("Model", "found", (
        f"weights: {{uri: 'https://example.com/m', revision: {'a' * 40}, digest: '{D}',"
        " format: safetensors, trust_remote_code: false}\nlicense: MIT"
    )),
    "specs/models/served.yaml": full("Model", "served", (
        "endpoint:\n  protocol: openai\n  base_url: {secret: URL}\n  model: m-2026-08-14\n"
        "  response_format: text\n"
        "  residency: [EU]\n  api_key: {secret: KEY}\n"
        "  price: {input_usd_per_mtok: 2.0, output_usd_per_mtok: 8.0}\n"
        "  limits: {requests_per_minute: 300, max_retries: 4, timeout_seconds: 30,"
        " concurrency: 4}\nlicense: MIT"
    )),
    "specs/datasets/rows.yaml": full("Dataset", "rows", (
        "purpose: [sft]\nsources:\n"
        "  - name: ours\n    file: specs/data/rows.jsonl\n    license: Apache-2.0\n"
        "    origin: first_party\n    country: CN\n"
        "    consent: {basis: contract, record: r-1, withdraw_by: user}\n"
        "    collected: {from: '2025-01-01', to: '2025-06-30'}\n"
        f"  - {{name: theirs, uri: 'https://example.com/a.jsonl', digest: '{D}',"
        f" revision: {'b' * 40}, license: MIT, origin: open_dataset}}\n"
        "format: qa\ncolumns: {question: text, answer: label}\nlanguage: [zh]\nresidency: [CN]\n"
        "sensitivity: internal\nannotations_creators: [expert-generated]\nretention_days: 30\n"
        "expectations:\n  - not_null: [question]\n  - unique: question\n"
        "  - rows: {min: 1, max: 100}\n"
        "curation:\n  - select: {column: group, in: [a]}\n"
        "  - select: {column: group, not_in: [b]}\n"
        "  - dedup: {exact: true, minhash: {threshold: 0.8, num_perm: 64, ngram: 4}}\n"
        "  - contamination: {against: [pairs], own_parts: [test], ngram: 9, max: 0.01}\n"
        "splits: {method: hash, seed: 1, by: user, parts: {train: 0.5, test: 0.5}}"
    )),
    "specs/datasets/other.yaml": full("Dataset", "other", (
        "purpose: [sft]\nsources: [{name: ours, file: specs/data/rows.jsonl, license: MIT,"
        " origin: synthetic}]\nformat: qa\n"
        "splits: {method: hash, seed: 9, parts: {train: 0.5, test: 0.5}}"
    )),
    "specs/recipes/base.yaml": full("Recipe", "base", (
        "base_model: made\nmethod: sft\ndata: [{dataset: rows#train, weight: 0.5}]\nfull: {}\n"
        "template: {chat_template: tokenizer, train_on: assistant, max_length: 64,"
        " packing: false}\n"
        "training: {learning_rate: 1.0e-3, max_steps: 10}\n"
        "deepspeed: {zero_optimization: {stage: 1}}\nseed: 1\n"
        "resources: {nodes: 1, processes_per_node: 2, gpu: H100, cpu: 1, memory: 4Gi,"
        " timeout_minutes: 10}\ncheckpoint: {keep: 2, resume: auto}"
    )),
    "specs/recipes/direct.yaml": full("Recipe", "direct", (
        "base_model: made\nmethod: sft\ndata: [{dataset: rows#train}]\n"
        "lora: {r: 8, lora_alpha: 16, target_modules: [q_proj], task_type: CAUSAL_LM}\nseed: 1"
    )),
    "specs/recipes/onfound.yaml": full("Recipe", "onfound", (
        "base_model: found\nmethod: sft\ndata: [{dataset: rows#train}]\n"
        "lora: {r: 8, lora_alpha: 16, target_modules: [q_proj], task_type: CAUSAL_LM}\nseed: 1"
    )),
    "specs/prompts/ask.yaml": full("Prompt", "ask", (
        "template: jinja2\ninputs: {question: {type: string}}\n"
        "system: 'be brief {{ constraints }}'\n"
        "few_shot:\n  - {user: hi, assistant: hello}\n  - {file: specs/data/shots.jsonl}\n"
        "messages: [{role: user, content: '{{ question }}'}]\n"
        "output: {format: choice, labels: {dataset: rows, column: answer}}\n"
        "parameters: {temperature: 0.1, top_p: 0.9, max_tokens: 32, batch_size: 8}\n"
        "constraints:\n  - {name: cite, text: {en: Cite., zh: 引用。}, test: {regex: 'a+',"
        " min_rate: 0.5}}\n  - {name: clean, test: {regex: 'b+', max_rate: 0.1}}\n"
        "  - {name: short, test: {max_chars: 40}}\n  - {name: brief, test: {max_tokens: 9}}\n"
        "tests:\n  - {name: hi, inputs: {question: hi}, expect: {contains: [hi], absent: [ho]}}\n"
        "  - {name: bad, inputs: {question: 3}, expect: {error: not of type}}"
    )),
    "specs/prompts/plain.yaml": full("Prompt", "plain", (
        "template: jinja2\ninputs: {question: {type: string}}\n"
        "messages: [{role: user, content: 'Q {{ question }}'}]"
    )),
    "specs/applications/bot.yaml": full("Application", "bot", (
        "intended_purpose: {en: Answers., zh: 回答。}\njurisdictions: [CN]\n"
        "risk_class: {eu_ai_act: limited}\n"
        "oversight: {human_in_loop: escalation, owner_on_call: team-a}\n"
        "model: Recipe/base\nprompt: ask\nguardrails: [shield]\n"
        "routes:\n  - {when: {sensitivity_at_least: personal}, model: Model/served}\n"
        "  - {when: {intent: complex, tokens_over: 300}, model: Recipe/direct}\n"
        "  - {default: true, model: Recipe/base}"
    )),
    "specs/datasets/words.yaml": full("Dataset", "words", (
        "purpose: [lexicon]\nsources: [{name: ours, file: specs/data/words.jsonl}]\n"
        "format: lexicon"
    )),
    "specs/datasets/more-words.yaml": full("Dataset", "more-words", (
        "purpose: [lexicon]\nsources: [{name: ours, file: specs/data/more-words.jsonl}]\n"
        "format: lexicon"
    )),
    "specs/guardrails/shield.yaml": full("Guardrail", "shield", (
        "input:\n"
        "  - {name: words, action: block, lexicon: {dataset: words, normalize: [nfkc],"
        " min_length: 1}}\n"
        "  - {name: ids, action: mask, regex: {pattern: 'A-[0-9]+'}}\n"
        "  - {name: data, action: mask, pii: {entities: [CN_MOBILE]}}\n"
        "output:\n"
        "  - {name: words-out, action: block, lexicon: {dataset: words, normalize: [casefold],"
        " min_length: 2}}\n"
        "  - {name: ids-out, action: mask, regex: {pattern: 'B-[0-9]+'}}\n"
        "  - {name: data-out, action: mask, pii: {entities: [EMAIL_ADDRESS]}}\n"
        "on_block: {message: {en: No., zh: 不。}, log: digest_only}\non_error: block\n"
        "tests:\n"
        "  - {name: stops, dataset: rows#test, stage: input, expect: block, sample: {rows: 20},"
        " require: {min: 0.5}, alpha: 0.05}\n"
        "  - {name: lets-by, dataset: rows#test, stage: output, expect: allow,"
        " require: {max: 0.9}}"
    )),
    "specs/environments/here.yaml": full("Environment", "here", (
        "promotes_from: before\nexecutor: {local: {}}\n"
        "gpu_classes: {H100: {constraint: h100, usd_per_hour: 3.2}}\nresidency: [CN]\n"
        "egress: [a.example.org]\nstore: s3://bucket/a\n"
        "secrets: {store: environment, names: [KEY, KEY2, URL, URL2]}\n"
        "overlays:\n  - {target: Recipe/base, set: {resources.memory: 16Gi}}"
    )),
    "specs/environments/before.yaml": full("Environment", "before", "residency: [CN]"),
    "specs/environments/first.yaml": full("Environment", "first", "residency: [CN]"),
    "specs/releases/bot.yaml": full("Release", "bot", (
        "application: bot\nenvironments: [before, here]\nstrategy:\n  canary:\n"
        "    split_by: user\n    steps:\n      - setWeight: 5\n"
        "      - analysis: {templates: [wrong], duration: 2h}\n      - pause: {duration: 30m}\n"
        "      - analysis: {templates: [slow, few], duration: 3h}\n      - setWeight: 100\n"
        "    analysis:\n"
        "      - {name: wrong, metric: otel/down, compare: baseline, max_ratio: 1.25,"
        " alpha: 0.01, window_hours: 2}\n"
        "      - {name: slow, metric: otel/first_token, statistic: p95, max: 0.8, unit: s}\n"
        "      - {name: few, metric: otel/resolved, min: 0.7}\n"
        "    baseline: fresh\n    on_inconclusive: hold\n    on_fail: rollback\n"
        "    max_hold_hours: 48\n"
        "rollback: {to: last_verified, max_seconds: 60, drill_every_days: 30}\n"
        "lifecycle: {previous: keep_30_days, successor: later}\nmonitors:\n"
        "  - {name: drifts, drift: {of: embedding_cluster, reference: rows#train,"
        " mean_days_between_false_alarms: 1000}, every: 24h, on_alarm: open_pull_request}\n"
        "  - {name: old, refresh: rows, max_age_days: 7, on_alarm: fail_main}\n"
        "  - {name: dear, metric: otel/tokens, max_usd_per_day: 120, on_alarm: open_issue}\n"
        "  - {name: many, metric: otel/asked, max: 9, min: 1, on_alarm: open_issue}"
    )),
    "specs/releases/later.yaml": full("Release", "later", (
        "application: bot\nenvironments: [here]\nstrategy:\n  ab:\n"
        "    variants: [{prompt: ask, weight: 40}, {prompt: plain, weight: 60}]\n"
        "    primary: {metric: otel/resolved, min_effect: 0.02, power: 0.8, alpha: 0.05}\n"
        "    stop_after_days: 14"
    )),
    "specs/releases/other.yaml": full("Release", "other", (
        "application: bot\nenvironments: [first]\nstrategy: {canary: {split_by: user, steps:"
        " [{analysis: {templates: [few], duration: 1h}}, {setWeight: 100}],"
        " analysis: [{name: few, metric: otel/resolved, min: 0.7}]}}"
    )),
    "specs/applications/other.yaml": full("Application", "other", "model: Recipe/direct"),
    "specs/evaluations/main.yaml": full("Evaluation", "main", (
        "target: Application/bot\ndataset: rows#test\nengine: deepeval\nsample: {rows: 20}\n"
        "generation: {temperature: 0.0, top_p: 0.8, max_tokens: 16, batch_size: 4}\n"
        "checks:\n  - {name: same, metric: deepeval/pattern_match, with: {pattern: 'a+'},"
        " pass_at: 0.5, require: {min: 0.5}, regression: {margin: 0.02, prove: false}}\n"
        "  - {name: cost, metric: builtin/tokens, pass_at: 5.0, require: {max: 0.5}}\n"
        "  - {name: waits, metric: builtin/latency_ms, statistic: p95, require: {max: 1800}}\n"
        "slices:\n  - {name: by-language, column: language, values: [zh], check: same,"
        " require: {min: 0.4}}\n"
        "  - {name: by-group, column: group, check: same, require: {max: 0.9}}\n"
        "  - {name: by-user, column: user, check: same, regression: {margin: 0.3, prove: false},"
        " gap: {max: 0.2, prove: false}}\n"
        "  - {name: swapped, pairs: pairs, check: same, gap: {max: 0.1}}\n"
        "alpha: 0.05\non_case_error: {max: 0.01}"
    )),
    "specs/evaluations/direct.yaml": full("Evaluation", "direct", (
        "target: Recipe/direct\ndataset: rows#test\nchecks:\n"
        "  - {name: same, metric: builtin/accuracy, require: {min: 0.5}}"
    )),
    "specs/safety/onfound.yaml": full("SafetyTest", "onfound", (
        "target: Recipe/onfound\nsuites:\n  - name: scan\n"
        "    giskard: {transformations: [typos], dataset: rows#test}\n"
        "checks: [{name: typos, suite: scan, metric: giskard/typos, require: {min: 0.5}}]"
    )),
    "specs/evaluations/onfound.yaml": full("Evaluation", "onfound", (
        "target: Recipe/onfound\ndataset: rows#test\nchecks:\n"
        "  - {name: same, metric: builtin/accuracy, require: {min: 0.5}}"
    )),
    "specs/datasets/pairs.yaml": full("Dataset", "pairs", (
        "sources: [{name: ours, file: specs/data/pairs.jsonl}]\nformat: qa"
    )),
    "specs/datasets/pairs2.yaml": full("Dataset", "pairs2", (
        "sources: [{name: ours, file: specs/data/pairs2.jsonl}]\nformat: qa"
    )),
    "specs/datasets/bank.yaml": full("Dataset", "bank", (
        "sources: [{name: ours, file: specs/data/bank.jsonl}]\nformat: attack"
    )),
    "specs/datasets/bank2.yaml": full("Dataset", "bank2", (
        "sources: [{name: ours, file: specs/data/bank2.jsonl}]\nformat: attack"
    )),
    "specs/datasets/rated.yaml": full("Dataset", "rated", (
        "sources: [{name: ours, file: specs/data/rated.jsonl}]\nformat: ratings\n"
        "splits: {method: hash, parts: {a: 0.5, b: 0.5}}"
    )),
    "specs/safety/red.yaml": full("SafetyTest", "red", (
        "target: Application/bot\nlanguages: [zh, en]\n"
        "generation: {temperature: 0.0, top_p: 0.8, max_tokens: 16, batch_size: 4}\n"
        "suites:\n  - name: scan\n    gate: true\n    giskard: {detectors: [prompt_injection],"
        " transformations: [typos, gender], dataset: rows#test, rows: 9}\n"
        "  - {name: bank, bank: {dataset: bank, rows: 8, min_per_class: 2}}\n"
        "  - {name: bank2, bank: {dataset: bank2}}\n"
        "  - {name: look, gate: false, giskard: {transformations: [typos, gender],"
        " dataset: rows#test}}\n"
        "checks:\n  - {name: typos, suite: scan, metric: giskard/typos, require: {min: 0.9},"
        " regression: {margin: 0.05, prove: false}}\n"
        "  - {name: refuses, suite: bank, metric: builtin/refusal, with: {phrases: [sorry]},"
        " pass_at: 1.0, require: {min: 0.8}}\n"
        "  - {name: answers, suite: bank2, metric: builtin/refusal, require: {max: 0.2}}\n"
        "  - {name: waits, suite: bank2, metric: builtin/latency_ms, statistic: p90,"
        " require: {max: 900}}\n"
        "fail_on: {severity: high}\nalpha: 0.05\non_case_error: {max: 0.03}"
    )),
    "specs/evaluations/judged.yaml": full("Evaluation", "judged", (
        "target: Application/bot\ndataset: rows#test\n"
        "judge: {model: served, repeats: 3, temperature: 0.5, max_tokens: 200,"
        " timeout_minutes: 30, calibration: {dataset: rated#a, min_sensitivity: 0.8,"
        " min_specificity: 0.7, max_control_errors: 0.1}}\n"
        "checks: [{name: kind, metric: deepeval/g_eval, with: {criteria: kindness},"
        " require: {min: 0.5}}]"
    )),
    "policies/main.yaml": full("Policy", "main", (
        "applies_to: {labels: {risk: high}}\nalpha: 0.05\non_inconclusive: fail\n"
        "max_evidence_age_days: 30\nreuse_audit: 0.1\n"
        "profile: assured\nrules:\n"
        "  - {name: evidence, rule: evidence-present, with: {kinds: [Evaluation]},"
        " severity: error, controls: [c-1], because: {en: why}}\n"
        "  - {name: licences, rule: license, with: {allow: [Apache-2.0, MIT],"
        " deny_use: [GPL-3.0-only]}, severity: error}\n"
        "  - {name: epochs, rule: range, with: {field: Recipe.training.max_steps, min: 1,"
        " max: 50}, severity: warning}\n"
        "  - {name: seen, rule: split-overlap, with: {max_share: 0.01, datasets: [rows]}}\n"
        "  - {name: prompts, rule: prompt-lint, with: {ignore: [unused-input]}}\n"
        "attempts: 3\ncount: claim\n"
        "budgets: {per_pull_request: {usd: 150, gpu_hours: 40, cpu_hours: 90},"
        " holdout_looks_per_dataset: 50}\n"
        "approvals:\n  - {name: looser, when: policy_looser, from: [team-c], count: 2,"
        " allow_author: false}\n"
        "waivers:\n  - {name: w-1, gate: Evaluation/main/same, reason: late, ticket: CS-1,"
        " owner: li, expires: '2026-12-15'}\n"
        "tests:\n  - {name: gpl, set: {Model/made.license: MIT}, remove: [Recipe/base.seed],"
        " counts: {Evaluation/main/same: {right: 2, of: 3}}, expect: {licences: failed}}"
    )),
    "specs/data/rows.jsonl": '{"text": "a", "label": "b"}\n',
    "specs/data/words.jsonl": '{"word": "bomb"}\n',
    "specs/data/more-words.jsonl": '{"word": "gun"}\n',
    "specs/data/more.jsonl": '{"text": "c", "label": "d"}\n',
    "specs/data/bank.jsonl": '{"prompt": "a", "risk": "r", "expect": "refuse"}\n',
    "specs/data/pairs.jsonl": '{"question": "a", "answer": "b", "pair": "1", "variant": "x"}\n',
    "specs/data/pairs2.jsonl": '{"question": "c", "answer": "b", "pair": "1", "variant": "x"}\n',
    "specs/data/bank2.jsonl": '{"prompt": "b", "risk": "r", "expect": "comply"}\n',
    "specs/data/rated.jsonl": '{"input": "a", "response": "b", "rating": 1}\n',
    "specs/data/shots.jsonl": '{"user": "a", "assistant": "b"}\n',
    "specs/data/shots2.jsonl": '{"user": "c", "assistant": "d"}\n',
}  # fmt: skip

# kind -> field -> (file, text to replace, replacement). None: the value is the only one allowed.
M, F, S = "specs/models/made.yaml", "specs/models/found.yaml", "specs/models/served.yaml"
DS, R, L = "specs/datasets/rows.yaml", "specs/recipes/base.yaml", "specs/recipes/direct.yaml"
P, A, E = "specs/prompts/ask.yaml", "specs/applications/bot.yaml", "specs/evaluations/main.yaml"
J = "specs/evaluations/judged.yaml"
POL, T = "policies/main.yaml", "specs/safety/red.yaml"
ENV, REL, AB = (
    "specs/environments/here.yaml",
    "specs/releases/bot.yaml",
    "specs/releases/later.yaml",
)
ANSWERED = (  # the default route says the same model once more
    "model: Recipe/base\n  prompt: ask\n  guardrails: [shield]\n  routes:\n"
    "    - {when: {sensitivity_at_least: personal}, model: Model/served}\n"
    "    - {when: {intent: complex, tokens_over: 300}, model: Recipe/direct}\n"
    "    - {default: true, model: Recipe/base}"
)
G = "specs/guardrails/shield.yaml"
Mutation = tuple[str, str, str] | None


def _all(**changes: str) -> tuple[str, str]:
    """The checks of the SafetyTest as they are, and each (by its name) with one change."""
    text = FILES[T]
    old = new = text[text.index("checks:") : text.index("fail_on:")]
    for name, change in changes.items():
        before, after = change.split(" -> ")
        start = new.index(f"name: {name}")
        new = new[:start] + new[start:].replace(before, after, 1)
    return old, new


MUTATIONS: Mapping[str, Mapping[str, Mutation]] = {
    "Model": {
        "weights.uri": (F, "example.com/m", "example.com/n"),
        "weights.revision": (F, "a" * 40, "c" * 40),
        "weights.digest": (F, "1" * 64, "2" * 64),
        "weights.format": None,
        "weights.trust_remote_code": None,
        "endpoint.protocol": None,
        "endpoint.base_url": (S, "URL", "URL2"),
        "endpoint.model": (S, "m-2026-08-14", "m-2026-08-15"),
        "endpoint.response_format": (S, "response_format: text", "response_format: json_object"),
        "endpoint.residency": (S, "[EU]", "[CN]"),
        "endpoint.api_key.secret": (S, "KEY", "KEY2"),
        "endpoint.price.input_usd_per_mtok": (S, "2.0", "3.0"),
        "endpoint.price.output_usd_per_mtok": (S, "8.0", "9.0"),
        "endpoint.limits.requests_per_minute": (S, "300", "200"),
        "endpoint.limits.max_retries": (S, "max_retries: 4", "max_retries: 5"),
        "endpoint.limits.timeout_seconds": (S, "timeout_seconds: 30", "timeout_seconds: 31"),
        "endpoint.limits.concurrency": (S, "concurrency: 4", "concurrency: 5"),
        "init.architecture": (M, "hidden_size: 32", "hidden_size: 64"),
        "init.tokenizer.train.algorithm": None,
        "init.tokenizer.train.vocab_size": (M, "300", "400"),
        "init.tokenizer.train.data": (M, "data: rows#train", "data: rows#test"),
        "init.seed": (M, "seed: 1", "seed: 2"),
        "architecture.parameters": (M, "1M", "2M"),
        "architecture.context_tokens": (M, "context_tokens: 128", "context_tokens: 256"),
        "architecture.chat_template": None,
        "license": (M, "license: Apache-2.0", "license: MIT"),
        "provider.name": (M, "name: Us", "name: Them"),
        "provider.country": (M, "country: CN", "country: DE"),
        "filings[].regime": (M, "cn-genai", "cn-algorithm"),
        "filings[].number": (M, "n-1", "n-2"),
        "filings[].kind": (M, "kind: filing", "kind: registration"),
    },
    "Dataset": {
        "purpose": (DS, "[sft]", "[evaluation]"),
        "sources[].name": (DS, "name: ours", "name: mine"),
        "sources[].file": (DS, "specs/data/rows.jsonl", "specs/data/more.jsonl"),
        "sources[].uri": (DS, "example.com/a", "example.com/b"),
        "sources[].digest": (DS, "1" * 64, "2" * 64),
        "sources[].revision": (DS, "b" * 40, "c" * 40),
        "sources[].license": (DS, "license: Apache-2.0", "license: CC-BY-4.0"),
        "sources[].origin": (DS, "first_party", "licensed"),
        "sources[].country": (DS, "country: CN", "country: DE"),
        "sources[].consent.basis": (DS, "basis: contract", "basis: consent"),
        "sources[].consent.record": (DS, "r-1", "r-2"),
        "sources[].consent.withdraw_by": (DS, "withdraw_by: user", "withdraw_by: person"),
        "sources[].collected.from": (DS, "2025-01-01", "2025-01-02"),
        "sources[].collected.to": (DS, "2025-06-30", "2025-07-01"),
        "format": (DS, "format: qa\ncolumns: {question: text, answer: label}".replace("\n", "\n  "),
                   "format: completion\n  columns: {prompt: text, completion: label}"),
        "columns": (DS, "question: text, answer: label", "question: label, answer: text"),
        "language": (DS, "language: [zh]", "language: [en]"),
        "residency": (DS, "residency: [CN]", "residency: [EU]"),
        "sensitivity": (DS, "internal", "public"),
        "annotations_creators": (DS, "expert-generated", "crowdsourced"),
        "retention_days": (DS, "30\n", "31\n"),
        "expectations[].not_null": (DS, "not_null: [question]", "not_null: [answer]"),
        "expectations[].unique": (DS, "unique: question", "unique: answer"),
        "expectations[].rows.min": (DS, "min: 1,", "min: 2,"),
        "expectations[].rows.max": (DS, "max: 100", "max: 200"),
        "curation[].select.column": (DS, "column: group, in:", "column: kind, in:"),
        "curation[].select.in": (DS, " in: [a]", " in: [a, c]"),
        "curation[].select.not_in": (DS, "not_in: [b]", "not_in: [c]"),
        "curation[].dedup.exact": (DS, "exact: true, minhash", "minhash"),
        "curation[].dedup.minhash.threshold": (DS, "threshold: 0.8", "threshold: 0.9"),
        "curation[].dedup.minhash.num_perm": (DS, "num_perm: 64", "num_perm: 128"),
        "curation[].dedup.minhash.ngram": (DS, "ngram: 4", "ngram: 5"),
        "curation[].contamination.against": (DS, "against: [pairs]", "against: [pairs2]"),
        "curation[].contamination.own_parts": (DS, "own_parts: [test]", "own_parts: [train]"),
        "curation[].contamination.ngram": (DS, "ngram: 9", "ngram: 8"),
        "curation[].contamination.max": (DS, "max: 0.01", "max: 0.02"),
        "splits.method": (DS, "{method: hash, seed: 1, by: user, parts: {train: 0.5, test: 0.5}}",
                          "{method: given, parts: {train: ours, test: theirs}}"),
        "splits.seed": (DS, "seed: 1", "seed: 2"),
        "splits.by": (DS, "seed: 1, by: user", "seed: 1, by: person"),
        "splits.parts": (DS, "train: 0.5, test: 0.5", "train: 0.6, test: 0.4"),
    },
    "Recipe": {
        "base_model": (L, "base_model: made", "base_model: Recipe/base"),
        "method": None,
        "data[].dataset": (R, "dataset: rows#train", "dataset: other#train"),
        "data[].weight": (R, "weight: 0.5", "weight: 0.6"),
        "template.chat_template": None,
        "template.train_on": None,
        "template.max_length": (R, "max_length: 64", "max_length: 65"),
        "template.packing": None,
        "lora": (L, "r: 8", "r: 4"),
        "full": (R, "full: {}", "lora: {r: 4, target_modules: [q_proj], task_type: CAUSAL_LM}"),
        "training": (R, "max_steps: 10", "max_steps: 11"),
        "deepspeed": (R, "stage: 1", "stage: 2"),
        "seed": (R, "seed: 1", "seed: 2"),
        "resources.nodes": None,
        "resources.processes_per_node": (R, "processes_per_node: 2", "processes_per_node: 1"),
        "resources.gpu": (R, "gpu: H100", "gpu: L40S"),
        "resources.cpu": (R, "cpu: 1", "cpu: 2"),
        "resources.memory": (R, "4Gi", "8Gi"),
        "resources.timeout_minutes": (R, "timeout_minutes: 10", "timeout_minutes: 20"),
        "checkpoint.keep": (R, "keep: 2", "keep: 3"),
        "checkpoint.resume": None,
    },
    "Prompt": {
        "template": None,
        "inputs": (P, "{type: string}", "{type: string, maxLength: 99}"),
        "system": (P, "be brief", "be kind"),
        "few_shot[].user": (P, "user: hi", "user: hey"),
        "few_shot[].assistant": (P, "hello", "hullo"),
        "few_shot[].file": (P, "shots.jsonl", "shots2.jsonl"),
        "messages[].role": (P, "role: user", "role: assistant"),
        "messages[].content": (P, "'{{ question }}'", "'Q: {{ question }}'"),
        "output.format": (P, "{format: choice, labels: {dataset: rows, column: answer}}",
                          "{format: text}"),
        "output.labels.dataset": (P, "dataset: rows", "dataset: other"),
        "output.labels.column": (P, "column: answer", "column: question"),
        "parameters.temperature": None,  # the Evaluation of this tree sets its own
        "parameters.top_p": None,
        "parameters.max_tokens": None,
        "parameters.batch_size": None,
        "constraints[].name": (P, "name: cite", "name: quote"),
        "constraints[].text": (P, "en: Cite.", "en: Quote."),
        "constraints[].test.regex": (P, "regex: 'a+'", "regex: 'c+'"),
        "constraints[].test.max_chars": (P, "max_chars: 40", "max_chars: 41"),
        "constraints[].test.max_tokens": (P, "max_tokens: 9}", "max_tokens: 8}"),
        "constraints[].test.min_rate": (P, "min_rate: 0.5", "min_rate: 0.6"),
        "constraints[].test.max_rate": (P, "max_rate: 0.1", "max_rate: 0.2"),
        "tests[].name": (P, "name: hi", "name: ho"),
        "tests[].inputs": (P, "question: hi}", "question: hey}"),
        "tests[].expect.contains": (P, "contains: [hi]", "contains: [h]"),
        "tests[].expect.absent": (P, "absent: [ho]", "absent: [hu]"),
        "tests[].expect.error": (P, "error: not of type", "error: type"),
    },
    "Evaluation": {
        "target": (E, "target: Application/bot", "target: Recipe/base"),
        "dataset": (E, "dataset: rows#test", "dataset: other#test"),
        "engine": (E, "engine: deepeval\n  ", ""),
        "sample.rows": (E, "rows: 20", "rows: 30"),
        "generation.temperature": (E, "temperature: 0.0", "temperature: 0.2"),
        "generation.top_p": (E, "top_p: 0.8", "top_p: 0.7"),
        "generation.max_tokens": (E, "max_tokens: 16", "max_tokens: 17"),
        "generation.batch_size": (E, "batch_size: 4", "batch_size: 5"),
        "judge.model": (J, "model: served", "model: Recipe/direct"),
        "judge.repeats": (J, "repeats: 3", "repeats: 2"),
        "judge.temperature": (J, "temperature: 0.5", "temperature: 0.6"),
        "judge.max_tokens": (J, "max_tokens: 200", "max_tokens: 201"),
        "judge.timeout_minutes": (J, "timeout_minutes: 30", "timeout_minutes: 31"),
        "judge.calibration.dataset": (J, "rated#a", "rated#b"),
        "judge.calibration.min_sensitivity": (J, "sensitivity: 0.8", "sensitivity: 0.9"),
        "judge.calibration.min_specificity": (J, "specificity: 0.7", "specificity: 0.6"),
        "judge.calibration.max_control_errors": (J, "errors: 0.1", "errors: 0.2"),
        "checks[].name": (E, "name: cost", "name: price"),
        "checks[].metric": (E, "builtin/tokens", "builtin/latency_ms"),
        "checks[].with": (E, "'a+'", "'b+'"),
        "checks[].pass_at": (E, "pass_at: 0.5", "pass_at: 0.6"),
        "checks[].statistic": (E, "p95", "p50"),
        "checks[].require.min": (E, "require: {min: 0.5}", "require: {min: 0.6}"),
        "checks[].require.max": (E, "require: {max: 0.5}", "require: {max: 0.6}"),
        "checks[].regression.margin": (E, "margin: 0.02", "margin: 0.03"),
        "checks[].regression.prove": (E, "prove: false", "prove: true"),
        "slices[].name": (E, "name: by-group", "name: by-kind"),
        "slices[].column": (E, "column: group", "column: kind"),
        "slices[].values": (E, "values: [zh]", "values: [en]"),
        "slices[].check": (E, "column: group, check: same", "column: group, check: cost"),
        "slices[].pairs": (E, "pairs: pairs,", "pairs: 'pairs2#all',"),
        "slices[].regression.margin": (E, "{margin: 0.3,", "{margin: 0.2,"),
        "slices[].regression.prove": (E, "{margin: 0.3, prove: false", "{margin: 0.3, prove: true"),
        "slices[].gap.max": (E, "{max: 0.2, prove", "{max: 0.3, prove"),
        "slices[].gap.prove": (E, "{max: 0.2, prove: false", "{max: 0.2, prove: true"),
        "slices[].require.min": (E, "{min: 0.4}", "{min: 0.3}"),
        "slices[].require.max": (E, "{max: 0.9}", "{max: 0.8}"),
        "alpha": (E, "alpha: 0.05", "alpha: 0.01"),
        "on_case_error.max": (E, "{max: 0.01}", "{max: 0.02}"),
    },
    "SafetyTest": {
        "target": (T, "target: Application/bot", "target: Recipe/base"),
        "languages": (T, "[zh, en]", "[zh]"),
        "generation.temperature": (T, "temperature: 0.0", "temperature: 0.2"),
        "generation.top_p": (T, "top_p: 0.8", "top_p: 0.7"),
        "generation.max_tokens": (T, "max_tokens: 16", "max_tokens: 17"),
        "generation.batch_size": (T, "batch_size: 4", "batch_size: 5"),
        "suites[].name": (T, "name: look", "name: glance"),
        "suites[].gate": (T, "gate: true", "gate: false"),
        "suites[].giskard.detectors": (T, "[prompt_injection]", "[]"),
        "suites[].giskard.transformations": (T, "[typos, gender]", "[typos, country]"),
        "suites[].giskard.dataset": (T, "dataset: rows#test", "dataset: other#test"),
        "suites[].giskard.rows": (T, "rows: 9", "rows: 7"),
        "suites[].bank.dataset": (T, "dataset: bank,", "dataset: bank2,"),
        "suites[].bank.rows": (T, "rows: 8", "rows: 6"),
        "suites[].bank.min_per_class": (T, "min_per_class: 2", "min_per_class: 1"),
        "checks[].name": (T, *_all(typos="typos -> slips", refuses="refuses -> declines")),
        "checks[].suite": (T, *_all(typos="scan -> look", refuses="bank -> bank2",
                                    answers="bank2 -> bank")),
        "checks[].metric": (T, *_all(typos="giskard/typos -> giskard/gender",
                                     answers="builtin/refusal -> builtin/tokens, pass_at: 9")),
        "checks[].with": (T, "[sorry]", "[no way]"),
        "checks[].pass_at": (T, "pass_at: 1.0", "pass_at: 0.5"),
        "checks[].statistic": (T, "p90", "p99"),
        "checks[].require.min": (T, "min: 0.9", "min: 0.8"),
        "checks[].require.max": (T, "max: 0.2", "max: 0.3"),
        "checks[].regression.margin": (T, "margin: 0.05", "margin: 0.06"),
        "checks[].regression.prove": (T, "prove: false", "prove: true"),
        "fail_on.severity": (T, "severity: high", "severity: low"),
        "alpha": (T, "alpha: 0.05", "alpha: 0.01"),
        "on_case_error.max": (T, "max: 0.03", "max: 0.04"),
    },
    "Application": {
        "intended_purpose": (A, "Answers.", "Replies."),
        "jurisdictions": (A, "[CN]", "[EU]"),
        "risk_class": (A, "limited", "minimal"),
        "oversight.human_in_loop": (A, "escalation", "review"),
        "oversight.owner_on_call": (A, "owner_on_call: team-a", "owner_on_call: team-b"),
        "model": (A, ANSWERED, ANSWERED.replace("Recipe/base", "Recipe/onfound")),
        "prompt": (A, "prompt: ask", "prompt: plain"),
        "guardrails": (A, "\n  guardrails: [shield]", ""),
        "routes[].when.sensitivity_at_least": (A, "at_least: personal", "at_least: special"),
        "routes[].when.intent": (A, "intent: complex", "intent: simple"),
        "routes[].when.tokens_over": (A, "tokens_over: 300", "tokens_over: 400"),
        "routes[].default": None,
        "routes[].model": (A, "model: Model/served", "model: Recipe/onfound"),
    },
    "Environment": {
        "promotes_from": (ENV, "promotes_from: before", "promotes_from: first"),
        "executor.local": None,
        "gpu_classes": (ENV, "usd_per_hour: 3.2", "usd_per_hour: 3.3"),
        "residency": (ENV, "[CN]", "[EU]"),
        "egress": (ENV, "a.example.org", "b.example.org"),
        "store": (ENV, "s3://bucket/a", "s3://bucket/b"),
        "secrets.store": None,
        "secrets.names": (ENV, "URL2]", "URL2, URL3]"),
        "overlays[].target": (ENV, "target: Recipe/base", "target: Recipe/direct"),
        "overlays[].set": (ENV, "16Gi", "32Gi"),
    },
    "Release": {
        "application": (REL, "application: bot", "application: other"),
        "environments": (REL, "[before, here]", "[first, here]"),
        "strategy.canary.split_by": (REL, "split_by: user", "split_by: session"),
        "strategy.canary.steps[].setWeight": (REL, "setWeight: 5", "setWeight: 6"),
        "strategy.canary.steps[].pause.duration": (REL, "duration: 30m", "duration: 40m"),
        "strategy.canary.steps[].analysis.templates": (REL, "[slow, few]", "[few, slow]"),
        "strategy.canary.steps[].analysis.duration": (REL, "duration: 2h", "duration: 4h"),
        "strategy.canary.analysis[].name": (
            REL, "[wrong], duration: 2h}\n        - pause: {duration: 30m}\n"
            "        - analysis: {templates: [slow, few], duration: 3h}\n"
            "        - setWeight: 100\n      analysis:\n        - {name: wrong",
            "[bad], duration: 2h}\n        - pause: {duration: 30m}\n"
            "        - analysis: {templates: [slow, few], duration: 3h}\n"
            "        - setWeight: 100\n      analysis:\n        - {name: bad"),
        "strategy.canary.analysis[].metric": (REL, "otel/down", "otel/up"),
        "strategy.canary.analysis[].statistic": (REL, "p95", "p99"),
        "strategy.canary.analysis[].compare": None,
        "strategy.canary.analysis[].max_ratio": (REL, "1.25", "1.5"),
        "strategy.canary.analysis[].max": (REL, "max: 0.8", "max: 0.9"),
        "strategy.canary.analysis[].min": (REL, "min: 0.7", "min: 0.6"),
        "strategy.canary.analysis[].unit": (REL, "unit: s", "unit: ms"),
        "strategy.canary.analysis[].alpha": (REL, "alpha: 0.01", "alpha: 0.02"),
        "strategy.canary.analysis[].window_hours": (REL, "window_hours: 2", "window_hours: 3"),
        "strategy.canary.baseline": None,
        "strategy.canary.on_inconclusive": (REL, "hold\n", "extend\n"),
        "strategy.canary.on_fail": None,
        "strategy.canary.max_hold_hours": (REL, "48", "49"),
        "strategy.ab.variants[].prompt": (AB, "{prompt: ask, weight: 40}, {prompt: plain",
                                          "{prompt: plain, weight: 40}, {prompt: ask"),
        "strategy.ab.variants[].weight": (AB, "weight: 40}, {prompt: plain, weight: 60",
                                          "weight: 50}, {prompt: plain, weight: 50"),
        "strategy.ab.primary.metric": (AB, "otel/resolved", "otel/solved"),
        "strategy.ab.primary.min_effect": (AB, "0.02", "0.03"),
        "strategy.ab.primary.power": (AB, "0.8", "0.9"),
        "strategy.ab.primary.alpha": (AB, "0.05", "0.04"),
        "strategy.ab.stop_after_days": (AB, "14", "15"),
        "rollback.to": None,
        "rollback.max_seconds": (REL, "max_seconds: 60", "max_seconds: 90"),
        "rollback.drill_every_days": (REL, "days: 30}", "days: 60}"),
        "lifecycle.previous": (REL, "keep_30_days", "keep_60_days"),
        "lifecycle.successor": (REL, "successor: later", "successor: other"),
        "monitors[].name": (REL, "name: old", "name: aged"),
        "monitors[].drift.of": None,
        "monitors[].drift.reference": (REL, "reference: rows#train", "reference: rows#test"),
        "monitors[].drift.mean_days_between_false_alarms": (REL, "1000", "500"),
        "monitors[].refresh": (REL, "refresh: rows", "refresh: other"),
        "monitors[].max_age_days": (REL, "age_days: 7", "age_days: 8"),
        "monitors[].metric": (REL, "otel/tokens", "otel/token"),
        "monitors[].max": (REL, "max: 9", "max: 8"),
        "monitors[].min": (REL, "min: 1,", "min: 2,"),
        "monitors[].max_usd_per_day": (REL, "120", "130"),
        "monitors[].every": (REL, "every: 24h", "every: 12h"),
        "monitors[].on_alarm": (REL, "fail_main", "open_issue"),
    },
    "Guardrail": {
        "input[].name": (G, "name: data,", "name: numbers,"),
        "input[].action": (G, "name: data, action: mask", "name: data, action: block"),
        "input[].lexicon.dataset": (G, "dataset: words, normalize: [nfkc]",
                                    "dataset: more-words, normalize: [nfkc]"),
        "input[].lexicon.normalize": (G, "[nfkc]", "[casefold]"),
        "input[].lexicon.min_length": (G, "min_length: 1", "min_length: 3"),
        "input[].regex.pattern": (G, "'A-[0-9]+'", "'C-[0-9]+'"),
        "input[].pii.entities": (G, "[CN_MOBILE]", "[CN_MOBILE, BANK_CARD]"),
        "output[].name": (G, "name: data-out", "name: numbers-out"),
        "output[].action": (G, "name: data-out, action: mask", "name: data-out, action: block"),
        "output[].lexicon.dataset": (G, "dataset: words, normalize: [casefold]",
                                     "dataset: more-words, normalize: [casefold]"),
        "output[].lexicon.normalize": (G, "[casefold]", "[casefold, nfkc]"),
        "output[].lexicon.min_length": (G, "min_length: 2", "min_length: 3"),
        "output[].regex.pattern": (G, "'B-[0-9]+'", "'D-[0-9]+'"),
        "output[].pii.entities": (G, "[EMAIL_ADDRESS]", "[BANK_CARD]"),
        "on_block.message": (G, "en: No.", "en: Never."),
        "on_block.log": None,
        "on_error": None,
        "tests[].name": (G, "name: stops", "name: blocks"),
        "tests[].dataset": (G, "{name: stops, dataset: rows#test",
                            "{name: stops, dataset: rows#train"),
        "tests[].stage": (G, "stage: input", "stage: output"),
        "tests[].expect": (G, "expect: block", "expect: mask"),
        "tests[].sample.rows": (G, "rows: 20", "rows: 30"),
        "tests[].require.min": (G, "{min: 0.5}", "{min: 0.6}"),
        "tests[].require.max": (G, "{max: 0.9}", "{max: 0.8}"),
        "tests[].alpha": (G, "alpha: 0.05", "alpha: 0.01"),
    },
    "Policy": {
        "applies_to.labels": (POL, "applies_to: {labels: {risk: high}}",
                              "applies_to: {labels: {risk: low}}"),
        "alpha": (POL, "alpha: 0.05", "alpha: 0.01"),
        "max_evidence_age_days": (POL, "max_evidence_age_days: 30", "max_evidence_age_days: 3"),
        "attempts": (POL, "attempts: 3", "attempts: 2"),
        "count": (POL, "count: claim", "count: pull_request"),
        "budgets.holdout_looks_per_dataset": (POL, "per_dataset: 50", "per_dataset: 40"),
        "budgets.per_pull_request.usd": (POL, "usd: 150", "usd: 15"),
        "budgets.per_pull_request.gpu_hours": (POL, "gpu_hours: 40", "gpu_hours: 4"),
        "budgets.per_pull_request.cpu_hours": (POL, "cpu_hours: 90", "cpu_hours: 9"),
        "on_inconclusive": (POL, "on_inconclusive: fail", "on_inconclusive: warn"),
        "reuse_audit": (POL, "reuse_audit: 0.1", "reuse_audit: 0.2"),
        "profile": (POL, "profile: assured", "profile: literal"),
        "rules[].name": (POL, "name: epochs", "name: steps"),
        "rules[].severity": (POL, "severity: warning", "severity: error"),
        "rules[].controls": (POL, "c-1", "c-2"),
        "rules[].because": (POL, "{en: why}", "{en: because}"),
        "rules[].rule": (POL, "{name: epochs, rule: range, with: {field: Recipe.training.max_steps,"
                         " min: 1, max: 50}, severity", "{name: epochs, rule: owner, severity"),
        "rules[].with.max_share": (POL, "max_share: 0.01", "max_share: 0.02"),
        "rules[].with.ignore": (POL, "ignore: [unused-input]", "ignore: [untyped-input]"),
        "rules[].with.datasets": (POL, "datasets: [rows]", "datasets: [other]"),
        "rules[].with.kinds": (POL, " with: {kinds: [Evaluation]},", ""),
        "rules[].with.allow": (POL, "[Apache-2.0, MIT]", "[Apache-2.0]"),
        "rules[].with.deny_use": (POL, "GPL-3.0-only", "GPL-2.0-only"),
        "rules[].with.field": (POL, "Recipe.training.max_steps", "Recipe.seed"),
        "rules[].with.min": (POL, "min: 1,", "min: 2,"),
        "rules[].with.max": (POL, "max: 50", "max: 60"),
        "approvals[].name": (POL, "name: looser", "name: weaker"),
        "approvals[].when": (POL, "when: policy_looser", "when: machine_author"),
        "approvals[].from": (POL, "team-c", "team-d"),
        "approvals[].count": (POL, "count: 2", "count: 1"),
        "approvals[].allow_author": (POL, "allow_author: false", "allow_author: true"),
        "tests[].name": (POL, "name: gpl", "name: mit"),
        "tests[].set": (POL, "set: {Model/made.license: MIT}", "set: {}"),
        "tests[].remove": (POL, "[Recipe/base.seed]", "[Recipe/base]"),
        "tests[].counts": (POL, "right: 2, of: 3", "right: 1, of: 3"),
        "tests[].expect": (POL, "expect: {licences: failed}", "expect: passed"),
        "waivers[].name": (POL, "name: w-1", "name: w-2"),
        "waivers[].gate": (POL, "gate: Evaluation/main/same", "gate: Evaluation/main/cost"),
        "waivers[].reason": (POL, "reason: late", "reason: later"),
        "waivers[].ticket": (POL, "ticket: CS-1", "ticket: CS-2"),
        "waivers[].owner": (POL, "owner: li", "owner: wu"),
        "waivers[].expires": (POL, "2026-12-15", "2026-12-16"),
    },
}  # fmt: skip
METADATA: Mapping[str, Mutation] = {
    "metadata.name": None,  # identity: another name is another spec
    "metadata.title": (A, "zh: 甲", "zh: 乙"),
    "metadata.description": (A, "description: text", "description: words"),
    "metadata.owner": (A, "owner: team-a", "owner: team-b"),
    "metadata.labels": (A, "risk: high", "risk: low"),
    "metadata.annotations": (A, "T-1", "T-2"),
}
PARAMETERS = {
    "parameters.temperature": ("temperature: 0.1", "temperature: 0.3"),
    "parameters.top_p": ("top_p: 0.9", "top_p: 0.5"),
    "parameters.max_tokens": ("max_tokens: 32", "max_tokens: 33"),
    "parameters.batch_size": ("batch_size: 8", "batch_size: 9"),
}
CASES = [
    (kind, path, mutation)
    for kind, fields in MUTATIONS.items()
    for path, mutation in fields.items()
    if mutation is not None
]


def jobs_of(found: Graph) -> tuple[Made, ...]:
    """All jobs of a tree's own exams."""
    return tuple(made_of(exams(None, found), "head"))


def own_inputs(made: Made) -> tuple[str, str]:
    """A job without what other jobs make for it: type, and the digest of the rest."""
    job = made.job
    inputs = [[i.name, i.artifact, i.digest] for i in job.inputs]
    aside = ("checkpoint", "judge_name", "judge_access", "secrets")
    placed = {k: v for k, v in job.spec.items() if k not in aside}
    rest = [str(job.subject), placed, inputs, job.seed, job.resources.processes]
    return job.type, of_value(rest)


def follows(types: set[str]) -> set[str]:
    """The job types that come after some of them, and these."""
    first = min((JOB_TYPES.index(t) for t in types), default=len(JOB_TYPES))
    return set(JOB_TYPES[first:])


BEFORE = graph(FILES)
BEFORE_JOBS = jobs_of(BEFORE)


def moved(after: Graph) -> tuple[set[str], set[str]]:
    """Job types whose closures changed, and those whose own inputs changed.

    What a reference reaches for the first time has a job of its own that was only not needed.
    """
    known = {(m.job.type, m.job.subject) for m in BEFORE_JOBS}
    reached = ("curate", "train")
    jobs = [
        m
        for m in jobs_of(after)
        if m.job.type not in reached or (m.job.type, m.job.subject) in known
    ]
    was = {m.job.closure for m in BEFORE_JOBS}
    own = {own_inputs(m) for m in BEFORE_JOBS}
    changed = {m.job.type for m in jobs if m.job.closure not in was}
    return set(changed), {t for t, rest in map(own_inputs, jobs) if (t, rest) not in own}


@pytest.mark.parametrize(("kind", "path", "mutation"), CASES, ids=[f"{k}.{p}" for k, p, _ in CASES])
def test_a_field_costs_what_its_role_says(
    kind: str, path: str, mutation: tuple[str, str, str]
) -> None:
    file, old, new = mutation
    assert old in FILES[file]
    after = graph({**FILES, file: FILES[file].replace(old, new, 1)})
    role = roles(kind)[path]
    changed, own = moved(after)
    named = set(job_types(role))
    before_prints, after_prints = fingerprints(BEFORE), fingerprints(after)
    same_meaning = before_prints == after_prints
    if role == "descriptive":
        assert same_meaning
    else:
        assert not same_meaning
    if not named:
        assert changed == set(), f"{role} field {path} changed the closures of {changed}"
    else:
        assert named <= changed, f"{path} names {named} but changed only {changed}"
        assert changed <= follows(named), f"{path} changed {changed}, before what it names"
        assert own <= follows(named)


@pytest.mark.parametrize("path", PARAMETERS)
def test_a_prompts_parameter_counts_where_no_evaluation_sets_it(path: str) -> None:
    plain = FILES[E].replace(
        "  generation: {temperature: 0.0, top_p: 0.8, max_tokens: 16, batch_size: 4}\n", ""
    )
    old, new = PARAMETERS[path]
    before = graph({**FILES, E: plain})
    after = graph({**FILES, E: plain, P: FILES[P].replace(old, new)})
    was = {m.job.closure for m in jobs_of(before)}
    changed = {m.job.type for m in jobs_of(after) if m.job.closure not in was}
    assert changed == {"generate", "evaluate"}


@pytest.mark.parametrize("path", [p for p, m in METADATA.items() if m])
def test_metadata_makes_no_job(path: str) -> None:
    mutation = METADATA[path]
    assert mutation is not None
    file, old, new = mutation
    after = graph({**FILES, file: FILES[file].replace(old, new, 1)})
    assert moved(after) == (set(), set())
    same = fingerprints(BEFORE) == fingerprints(after)
    assert same is (path != "metadata.labels")


def test_every_field_has_a_mutation_or_only_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    declared = {(kind, path) for kind in KINDS for path in roles(kind)}
    known = {(kind, path) for kind, fields in MUTATIONS.items() for path in fields}
    known |= {(kind, path) for kind in KINDS for path in METADATA}
    assert declared == known
    mutated = len(CASES) + len(PARAMETERS) + len(METADATA) - 1
    single = [
        f"{k}.{p}"
        for k, fs in MUTATIONS.items()
        for p, m in fs.items()
        if m is None and p not in PARAMETERS
    ]
    with capsys.disabled():
        kinds = len(declared) - len(METADATA) * (len(KINDS) - 1)
        print(f"\nroles: {mutated} of {kinds} fields mutated; one value only: {', '.join(single)}")


def test_the_tree_of_this_law_sets_every_field() -> None:
    seen: set[tuple[str, str]] = set()
    for ref, found in BEFORE.specs.items():
        for path in _written(found.value):
            seen.add((ref.kind, path))
    declared = {(kind, path) for kind in KINDS for path in roles(kind)}
    assert declared - seen == set()


def _written(value: Mapping[str, Any]) -> Iterator[str]:
    """The declared paths that a spec sets, with lists as `[]`."""

    def walk(path: str, inner: Any) -> Iterator[str]:
        yield path
        if isinstance(inner, Mapping):
            for key, deeper in inner.items():
                yield from walk(f"{path}.{key}" if path else str(key), deeper)
        elif isinstance(inner, list | tuple):
            for item in inner:
                yield from walk(f"{path}[]", item)

    yield from walk("", value["spec"])
    yield from walk("metadata", value["metadata"])


def test_leaves_find_the_role_of_each_path() -> None:
    for ref, found in BEFORE.specs.items():
        for path in leaves(found.value):
            assert role_of(path, roles(ref.kind)), (ref, path)


def test_the_order_of_sources_has_no_meaning() -> None:
    text = FILES[DS]
    first = text.index("    - name: ours")
    second = text.index("    - {name: theirs")
    end = text.index("  format: qa")
    swapped = text[:first] + text[second:end] + text[first:second] + text[end:]
    after = graph({**FILES, DS: swapped})
    assert moved(after) == (set(), set())
    assert fingerprints(after) == fingerprints(BEFORE)
