"""promptfoo's providers -> Models: endpoints that speak chat completions, or weights of a hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmops.importers import hub
from llmops.importers.base import Draft, NotCarriedError, told
from llmops.importers.foo_asserts import Measured
from llmops.importers.keys import number, whole
from llmops.specs.base import Ref
from llmops.specs.problem import Loc, block, path_of
from llmops.specs.secrets import looks_secret

# Who serves chat completions, where, and under which name the key is usually kept.
SERVERS: Mapping[str, tuple[str, str]] = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "ollama": ("http://localhost:11434/v1", ""),
    "localai": ("http://localhost:8080/v1", ""),
    "vllm": ("http://localhost:8000/v1", ""),
}
CODE = ("exec", "python", "file", "http", "https", "webhook", "browser", "golang", "ruby")
MODES = ("chat", "completion", "responses", "messages", "text-generation", "chatkit", "assistant")
DECODING = {"temperature": ("temperature", number), "max_tokens": ("max_tokens", whole),
            "top_p": ("top_p", number)}  # fmt: skip
ENDPOINT = "answers come from a Recipe, or a Model with weights; endpoints are asked as judges only"
_SAID: Mapping[str, str] = {
    "apiKey": "a key is never carried; it is named by api_key: {secret: NAME}",
    "apiKeyEnvar": "name it as api_key: {secret: NAME}",
}
_ADDRESS = ("apiBaseUrl", "apiHost", "base_url", "baseUrl", "apiEndpoint")


def read(draft: Draft) -> list[Ref]:
    """A Model for each provider that is a model."""
    found = []
    for of, name, config in _given(draft):
        ref = _model(draft, name, config, of)
        if ref is not None:
            found.append(ref)
    return found


def _given(draft: Draft) -> Iterator[tuple[Loc, str, Mapping[str, Any]]]:
    """Each provider's place, its name, its configuration."""
    key = "targets" if "targets" in draft.document.value else "providers"
    given = draft.document.value.get(key)
    single = [given] if isinstance(given, str | dict) else given
    for i, one in enumerate(single if isinstance(single, list) else ()):
        of: Loc = (key, i) if isinstance(given, list) else (key,)
        if isinstance(one, dict) and "id" not in one and len(one) == 1:
            name, inner = next(iter(one.items()))
            one = {"id": name, **(inner if isinstance(inner, dict) else {})}
        if isinstance(one, str):
            yield of, one, {}
        elif isinstance(one, dict) and isinstance(one.get("id"), str):
            yield of, one["id"], block(one, "config")
            for name in ("prompts", "transform", "delay", "env"):
                if one.get(name):
                    draft.note(of, "a Model has no such word", told(name, one[name]))
        elif one is not None:
            draft.note(of, "it is no provider: a text, or a map with id")


def _model(draft: Draft, name: str, config: Mapping[str, Any], of: Loc) -> Ref | None:
    server, _, rest = name.partition(":")
    if server in CODE or not rest or looks_secret(name):
        draft.note(of, "no model: code is never run, and an address of one's own has no name")
        return None
    mode, _, model = rest.partition(":")
    model = model if mode in MODES and model else rest
    if server == "huggingface":
        ref = hub.model(draft, model, of)
    else:
        ref = _endpoint(draft, server, model, config, of)
    _config(draft, ref, config, of)
    return ref


def _endpoint(draft: Draft, server: str, model: str, config: Mapping[str, Any], of: Loc) -> Ref:
    ref = draft.add("Model", model)
    address, secret = SERVERS.get(server, ("", f"{re.sub(r'[^A-Z0-9]', '_', server.upper())}_KEY"))
    own = next((config[key] for key in _ADDRESS if isinstance(config.get(key), str)), "")
    draft.put(ref, "endpoint.protocol", "openai", of)
    if own or address:
        draft.put(ref, "endpoint.base_url", own or address, of)
    else:
        draft.say(ref, "endpoint", f"fill in base_url: of {server}, where it speaks OpenAI's way")
    draft.put(ref, "endpoint.model", model, of)
    if secret:
        draft.put(ref, "endpoint.api_key", {"secret": secret}, of)
    return ref


def unanswered(draft: Draft, model: Ref, application: Ref) -> None:
    """Says it where answers would come from an endpoint, which is not built yet."""
    if draft.get(model, "endpoint") is not None:
        draft.say(application, "model", f"fill in: {ENDPOINT}")
        of = draft.origin(model, ("spec", "endpoint", "model"))
        draft.note(of, ENDPOINT, f"{path_of(of)}: {draft.get(model, 'endpoint.model')}")


def _config(draft: Draft, ref: Ref, config: Mapping[str, Any], of: Loc) -> None:
    for key, value in config.items():
        if key in DECODING or key in _ADDRESS or value is None:
            continue
        draft.note(
            (*of, "config", key), _SAID.get(key, "a Model has no such word"), _word(key, value)
        )


def _word(key: str, value: Any) -> str:
    return f"{key}: …" if key in _SAID else told(key, value)


def generation(draft: Draft, model: Ref) -> Iterator[tuple[str, Any, Loc]]:
    """How answers are decoded, as the provider of a Model says it."""
    of = draft.origin(model, ("spec", "endpoint", "model"))
    of = of or draft.origin(model, ("spec", "weights", "uri"))
    config = _at(draft, (*of, "config")) if of else {}
    for theirs, (ours, turn) in DECODING.items():
        if isinstance(config, dict) and config.get(theirs) is not None:
            place = (*of, "config", theirs)
            try:
                yield ours, turn(config[theirs]), place
            except NotCarriedError as error:
                draft.note(place, str(error))


def _at(draft: Draft, loc: Loc) -> Any:
    value: Any = draft.document.value
    for step in loc:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def judge(draft: Draft, measured: Measured) -> Ref:
    """The Model that grades: the one that an assertion or `defaultTest` names, or an open place."""
    of: Loc = ("defaultTest",) if "defaultTest" in draft.document.value else ("tests",)
    ref = _model(draft, measured.grader, {}, of) if measured.grader else None
    if ref is not None:
        return ref
    ref = draft.add("Model", "judge")
    draft.put(ref, "endpoint.protocol", "openai")
    draft.say(ref, "endpoint", "fill in base_url: and model: of the judge, by its dated id")
    return ref
