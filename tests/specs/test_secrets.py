"""Literal secrets: forms and keys that are found, and words that must not be."""

from __future__ import annotations

import pytest

from llmops.specs.secrets import find, looks_secret, names_secret, redacted, suspicious

FORMS = {
    "an API key": "sk-proj-0123456789abcdefghijkl",
    "a GitHub token": "ghp_0123456789abcdefghijABCDEFGHIJ",
    "a GitLab token": "glpat-0123456789abcdefghij",
    "a Hugging Face token": "hf_abcdefghijklmnopqrstuvwxyzABCD",
    "an AWS access key": "AKIAIOSFODNN7EXAMPLE",
    "a Slack token": "xoxb-123456789012-abcdef",
    "a Google API key": "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "a signed token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.x",
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "a password in an address": "https://user:hunter2@example.org/v1",
}
PLAIN = [
    "", "risk-task-force-level-based-model", "sk-learn-based-classifier-model", "hf://org/name",
    "https://example.org:8080/rows.csv", "s3://bucket/key", "sha256:" + "0" * 64, "gpt-5.6",
    "team@example.org", "xoxo", "AKIA", "max_tokens: 512",
]  # fmt: skip


@pytest.mark.parametrize(("form", "text"), FORMS.items())
def test_each_form_is_found_and_named(form: str, text: str) -> None:
    assert list(find({"spec": {"a": [text]}})) == [(("spec", "a", 0), form)]
    assert suspicious(f"a: {text}\n")
    assert text not in redacted(f"known are {text}.")


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_words_are_no_secret(text: str) -> None:
    assert not looks_secret(text)


@pytest.mark.parametrize(
    "key", ["api_key", "apiKey", "API-KEY", "password", "hub_token", "token", "client_secret",
            "aws_access_key", "credentials"],
)  # fmt: skip
def test_keys_that_hold_secrets_are_known(key: str) -> None:
    assert names_secret(key)
    assert list(find({key: "abc"})) == [((key,), f'the value of "{key}"')]
    assert suspicious(f"{key}: abc\n")


@pytest.mark.parametrize(
    "key", ["pad_token", "eos_token", "max_tokens", "tokenizer", "tokens", "key", "secret",
            "monkey", "context_tokens"],
)  # fmt: skip
def test_keys_that_hold_no_secret_are_left_alone(key: str) -> None:
    assert not names_secret(key)


def test_a_named_secret_is_no_literal_one() -> None:
    assert list(find({"api_key": {"secret": "JUDGE_API_KEY"}})) == []


def test_a_dataset_may_have_a_column_called_token() -> None:
    assert list(find({"spec": {"columns": {"token": "word"}}})) == []
    assert list(find({"spec": {"training": {"token": "word"}}})) != []


def test_a_number_is_a_password_but_no_token() -> None:
    assert list(find({"password": 1234})) != []
    assert list(find({"max_token": 5})) == []
