"""What SPECS announce and this version does not build: refused by name, never ignored.

One table for kinds, one for keys (by path, `[]` for any place of a list), one for values. To
build a feature: declare its field in the kind, and take its line out of here.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {}

_CLASSIFIER = "classifiers as guardrails"

KEYS: Mapping[str, Mapping[str, str]] = {
    "Model": {
        "signature": "publishers' signatures",
    },
    "Dataset": {
        "taxonomy": "taxonomies of attack banks",
        "refresh_days": "refreshed banks",
        "frozen": "frozen attack banks",
        "sources[].generator": "synthetic data",
        "expectations[].max_tokens": "token counts as an expectation",
        "expectations[].slices": "slices as an expectation",
        "curation[].normalize": "curation by normalize",
        "curation[].language": "curation by language",
        "curation[].pii": "curation by pii",
        "curation[].filter": "curation by filter",
    },
    "Recipe": {
        "qlora": "QLoRA",
        "dpo": "preference training",
        "orpo": "preference training",
        "kto": "preference training",
        "determinism": "measured determinism",
        "privacy": "differential privacy",
        "federated": "federated training",
        "export": "export and quantisation",
        "resources.disk": "disk requests",
        "checkpoint.universal": "universal checkpoints",
    },
    "Prompt": {
        "constraints[].test.topic": "topics of answers, which need a classifier",
        "constraints[].test.json": "answers as JSON",
        "constraints[].test.when": "constraints on a part of the cases",
        "variants": "variants of a prompt",
        "output.schema": "answers as JSON",
    },
    "Evaluation": {
        "budget": "budgets of an evaluation",
        "model": "a Prompt as target",
        "prompt": "a Prompt as target",
    },
    "SafetyTest": {
        "suites[].results": "imported results of attacks",
        "suites[].bank.rate_by": "several raters of a bank",
        "checks[].each": "several raters of a bank",
    },
    "Guardrail": {
        "retrieval": "retrieval",
        "streaming": "guards of streams",
        "budget": "budgets of a guardrail",
        "targets": "configurations of other guards",
        "input[].classifier": _CLASSIFIER,
        "input[].topic": _CLASSIFIER,
        "input[].acl": "filters of what was retrieved",
        "input[].grounded": "grounding checks",
        "input[].ai_label": "labels of generated content",
        "input[].to": "routing by a guardrail",
        "output[].classifier": _CLASSIFIER,
        "output[].topic": _CLASSIFIER,
        "output[].acl": "filters of what was retrieved",
        "output[].grounded": "grounding checks",
        "output[].ai_label": "labels of generated content",
        "output[].to": "routing by a guardrail",
    },
    "Application": {
        "retrieval": "retrieval",
        "tools": "tools of an agent",
        "agent": "agents",
        "routes[].after": "steps before a route is taken",
    },
    "Environment": {
        "executor.slurm": "the executor slurm",
        "executor.kubernetes": "the executor kubernetes",
        "executor.github_actions": "the executor github_actions",
        "executor.ssh": "the executor ssh",
        "serving": "serving",
        "telemetry": "telemetry of what is served",
    },
    "Policy": {
        "packs": "regulation packs",
        "egress": "egress lists",
        "applies_to.environments": "environments",
        "rules[].when": "conditional rules",
    },
}

_OUTSIDE = "detectors that need an outside model"
_WITH_A_MODEL = (
    "control_chars_injection", "harmfulness", "stereotypes", "information_disclosure",
    "sycophancy", "implausible_output", "faithfulness", "output_formatting",
)  # fmt: skip
_PREFERENCE = "preference training"
_ACTIONS = {
    "route": "routing by a guardrail",
    "drop": "filters of what was retrieved",
    "warn": "warnings of a guardrail",
    "add": "labels of generated content",
}
_STEPS = {"t2s": "traditional Chinese read as simplified", "pinyin_homophone": "homophones"}
_ENTITIES = {
    "PERSON": "names of people",
    "CN_PASSPORT": "passport numbers",
    "IP_ADDRESS": "addresses of machines",
    "SECRET": "secrets as personal data",
}

TEXT = "<text>"  # any text where something else is built

VALUES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "Dataset": {
        "purpose[]": {
            "preference": _PREFERENCE,
            "documents": "retrieval",
            "unlabelled": "continued pretraining",
        },
        "format": {
            "preference": _PREFERENCE,
            "documents": "retrieval",
        },
    },
    "Recipe": {
        "method": {
            "dpo": _PREFERENCE,
            "orpo": _PREFERENCE,
            "kto": _PREFERENCE,
            "cpt": "continued pretraining",
        },
        "template.train_on": {"all": "training on all turns"},
        "deepspeed": {TEXT: "presets of DeepSpeed"},
        "template.packing": {"True": "packing"},
    },
    "Prompt": {
        "template": {"mustache": "mustache templates"},
        "output.format": {"json": "answers as JSON"},
    },
    "Evaluation": {
        "engine": {
            "inspect": "the engine inspect",
            "lm-eval": "the engine lm-eval",
            "import": "imported results",
        },
    },
    "SafetyTest": {
        "suites[].giskard.detectors[]": dict.fromkeys(_WITH_A_MODEL, _OUTSIDE),
    },
    "Environment": {
        "secrets.store": {"github_environment": "secrets of a GitHub environment"},
    },
    "Guardrail": {
        "input[].action": _ACTIONS,
        "input[].lexicon.normalize[]": _STEPS,
        "input[].pii.entities[]": _ENTITIES,
        "output[].action": _ACTIONS,
        "output[].lexicon.normalize[]": _STEPS,
        "output[].pii.entities[]": _ENTITIES,
        "on_error": {"allow": "letting by what a guard could not read"},
    },
    "Policy": {
        "approvals[].when": {
            "filing_relevant": "filings",
        },
    },
}


def key(kind: str, path: str) -> str | None:
    """The feature behind a key, or None if the key is not announced."""
    return KEYS.get(kind, {}).get(path)


def value(kind: str, path: str, word: str) -> str | None:
    """The feature behind a value of a known key, or None if the value is not announced."""
    return VALUES.get(kind, {}).get(path, {}).get(word)


def message(what: str, feature: str) -> str:
    """One phrase: what was written, and which feature is missing."""
    same = feature.casefold() in what.casefold()
    return f"{what} is not built yet" + ("" if same else f": {feature}")


HINT = "remove it; what does nothing yet is refused, never ignored"
