"""Kind `Model`: weights we did not make, an endpoint, or an architecture to start from scratch.

Exactly one of `weights` (a safetensors folder by digest), `endpoint` (an API that can judge, and
is checked for residency) and `init` (random weights by the Transformers config, with a tokenizer
trained on a dataset) says what the model is. The rest describes it for static rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.diagnostics import Severity
from llmops.specs import upstream
from llmops.specs.blocks import (
    LIST,
    SET,
    Address,
    Country,
    Digest,
    License,
    NonEmpty,
    Number,
    Secret,
    Verbatim,
)
from llmops.specs.fields import Block, RefTo, field, group
from llmops.specs.pinned import moves, revision
from llmops.specs.problem import Problem, block, one_of, quoted

BRANCHES = ("weights", "endpoint", "init")
_HTTP = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:\d{1,5})?(/[^\s?#@]*)?")


class Weights(Block):
    """A folder of safetensors, tokenizer and config, named by its digest."""

    uri: NonEmpty = field(role="placement", doc="Where to get it; the digest is the meaning.")
    revision: str | None = field(None, role="placement", doc="Commit of the hub, 40 hex digits.")
    digest: Digest = field(
        role=("train", "generate", "evaluate", "scan"),
        doc="Digest of the canonical {path: sha256} of its files.",
    )
    format: Literal["safetensors"] = field("safetensors", role="static", doc="File format.")
    trust_remote_code: Literal[False] = field(
        False, role="static", doc="Code that comes with weights is never run."
    )


class Price(Block):
    """What an endpoint costs."""

    input_usd_per_mtok: Number | None = field(
        None, role="placement", doc="US dollars per million tokens read.", ge=0
    )
    output_usd_per_mtok: Number | None = field(
        None, role="placement", doc="US dollars per million tokens written.", ge=0
    )


class Limits(Block):
    """How an endpoint may be called."""

    requests_per_minute: int | None = field(None, role="placement", doc="Calls a minute.", ge=1)
    max_retries: int | None = field(
        None, role="placement", doc="Tries after a failure (2).", ge=0, le=20
    )
    timeout_seconds: Number | None = field(
        None, role="placement", doc="Longest wait for one answer (60).", gt=0
    )
    concurrency: int | None = field(
        None, role="placement", doc="Calls at the same time (1).", ge=1, le=64
    )


class Endpoint(Block):
    """A model that is served: it can be a judge, and is checked for residency."""

    protocol: Literal["openai"] = field(role="static", doc="Chat completions.")
    base_url: Address = field(
        role=("evaluate",), doc="Address before /chat/completions, or {secret: NAME}."
    )
    model: NonEmpty = field(role=("evaluate",), doc="The provider's dated model id.")
    response_format: Literal["json_schema", "json_object", "text"] = field(
        "json_schema", role=("evaluate",), doc="How a judge's server is asked for JSON."
    )
    residency: Annotated[tuple[Country, ...], SET] = field(
        (), role="static", doc="Where requests are processed; needed off this machine."
    )
    api_key: Secret | None = group(None, doc="The key, by its name.")
    price: Price | None = group(None, doc="What it costs.")
    limits: Limits | None = group(None, doc="How it may be called.")


class TokenizerTraining(Block):
    """A tokenizer learned from the texts of a dataset."""

    algorithm: Literal["byte_level_bpe"] = field(
        "byte_level_bpe",
        role=("train", "generate", "evaluate", "scan"),
        doc="How the vocabulary is found.",
    )
    vocab_size: int = field(
        role=("train", "generate", "evaluate", "scan"), doc="Tokens, control tokens too.", ge=1
    )
    data: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("train", "generate", "evaluate", "scan"), doc="The texts: name#part of a Dataset."
    )


class Tokenizer(Block):
    """Where the tokenizer comes from."""

    train: TokenizerTraining = group(doc="Learned from a dataset.")


class Init(Block):
    """Random weights, rebuilt from this block wherever they are needed."""

    architecture: Verbatim = field(
        role=("train", "generate", "evaluate", "scan"),
        doc="The Transformers config, verbatim; model_type first.",
    )
    tokenizer: Tokenizer = group(doc="The tokenizer.")
    seed: int = field(
        0, role=("train", "generate", "evaluate", "scan"), doc="Seed of the weights.", ge=0
    )


class Architecture(Block):
    """What the maker says about the weights."""

    parameters: str | None = field(None, role="static", doc="Count, as in 7.6B.")
    context_tokens: int | None = field(None, role="static", doc="Longest input in tokens.", ge=1)
    chat_template: Literal["tokenizer"] = field(
        "tokenizer", role="static", doc="The tokenizer's own template."
    )


class Provider(Block):
    """Who made it."""

    name: NonEmpty = field(role="static", doc="The maker's name.")
    country: Country | None = field(None, role="static", doc="Where the maker is.")


class Filing(Block):
    """A registration with an authority."""

    regime: NonEmpty = field(role="static", doc="Whose register, as in cn-genai.")
    number: NonEmpty = field(role="static", doc="Number in that register.")
    kind: Literal["filing", "registration"] = field("filing", role="static", doc="Which of both.")


class Model(Block):
    """Weights or an endpoint that we did not make."""

    weights: Weights | None = group(None, doc="A folder of safetensors by digest.")
    endpoint: Endpoint | None = group(None, doc="A hosted model.")
    init: Init | None = group(None, doc="Random weights, for a start from scratch.")
    architecture: Architecture | None = group(None, doc="What the maker says about it.")
    license: License | None = field(None, role="static", doc="SPDX id.")
    provider: Provider | None = group(None, doc="Who made it.")
    filings: Annotated[tuple[Filing, ...], LIST] = group((), doc="Registrations (备案).")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: one branch, pinned revisions, keys of the Transformers config."""
    yield from one_of(spec, ("spec",), BRANCHES)
    yield from revision(block(spec, "weights"), ("spec", "weights"))
    architecture = block(spec, "init", "architecture")
    if architecture:
        yield from upstream.architecture(architecture, ("spec", "init", "architecture"))
    yield from _moving(block(spec, "endpoint").get("model"))
    yield from _address(block(spec, "endpoint").get("base_url"))


def _address(text: Any) -> Iterator[Problem]:
    if isinstance(text, str) and not _HTTP.fullmatch(text):
        what = f"{quoted(text)} is no address of an endpoint"
        hint = "write it as in http://127.0.0.1:8000/v1, without query or user"
        yield Problem(("spec", "endpoint", "base_url"), "wrong-value", what, hint)


def _moving(model: Any) -> Iterator[Problem]:
    """A provider's alias can mean another model tomorrow; a dated id cannot."""
    if isinstance(model, str) and moves(model):
        what = f"{quoted(model)} is an alias that its provider may move"
        hint = "name the dated id of the model, as in name-2026-08-14"
        yield Problem(
            ("spec", "endpoint", "model"), "pinned-revision", what, hint, severity=Severity.WARNING
        )
