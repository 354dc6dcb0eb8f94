"""What a job may be given and reach is listed by both trees, or it does not start."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from llmops.errors import ExecutorError
from llmops.executors.base import Attempt, Ended
from llmops.executors.permitted import Names, Permitted
from llmops.jobs.base import Job
from llmops.source.egress import Egress
from llmops.specs.base import Ref


class Inner:
    """An executor that counts what it was given to do."""

    name = "inner"

    def __init__(self) -> None:
        self.performed = 0

    def render(self, attempt: Attempt) -> str:
        return "rendered"

    def perform(self, attempt: Attempt, on_progress: Any, stop: threading.Event) -> Ended:
        self.performed += 1
        return Ended(0, 0.1)


HOME = (Egress("Environment/local", ("judge.example.org", "*.corp.example")),)


def attempt(base_url: Any, *secrets: str) -> Attempt:
    spec = {"judge": {"endpoint": {"base_url": base_url}}, "secrets": list(secrets)}
    return Attempt(Job("evaluate", Ref("Evaluation", "kind"), "sha256:0", spec), Path())


def perform(one: Attempt, *names: Names, egress: Any = HOME, **environ: str) -> int:
    inner = Inner()
    permitted = Permitted(inner, egress, names, environ)
    assert (permitted.name, permitted.render(one)) == ("inner", "rendered")
    permitted.perform(one, lambda _progress: None, threading.Event())
    return inner.performed


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:1/v1",
        "https://judge.example.org/v1", "https://a.corp.example:8443",
    ],
)  # fmt: skip
def test_a_judge_here_or_on_the_list_is_asked(url: str) -> None:
    assert perform(attempt(url)) == 1


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/v1", "http://10.0.0.7/v1", "https://judge.example.org.evil.test",
     "https://127.0.0.1.evil.test/v1", "https://corp.example"],
)  # fmt: skip
def test_a_judge_that_is_not_on_the_list_is_not_asked(url: str) -> None:
    with pytest.raises(ExecutorError, match=r"not on the egress list of Environment/local") as told:
        perform(attempt(url))
    assert '"evaluate/kind" asks a judge at' in told.value.message


def test_both_trees_must_list_the_host() -> None:
    wider = Egress("Environment/local", ("api.example.com",))
    with pytest.raises(ExecutorError):
        perform(attempt("https://api.example.com"), egress=(wider, *HOME))


def test_an_address_that_is_a_secret_is_held_against_the_list_and_not_shown() -> None:
    one = attempt({"secret": "JUDGE_URL"}, "JUDGE_URL")
    assert perform(one, JUDGE_URL="https://judge.example.org/v1") == 1
    with pytest.raises(ExecutorError) as told:
        perform(one, JUDGE_URL="https://hidden.example.com/v1")
    assert "the host in JUDGE_URL" in told.value.message
    assert "hidden.example.com" not in told.value.message + told.value.hint


def test_a_secret_that_one_of_both_lists_lacks_is_not_handed_over() -> None:
    head = Names("Environment/local", frozenset({"JUDGE_KEY", "DEPLOY_KEY"}))
    base = Names("Environment/local", frozenset({"JUDGE_KEY"}))
    here = "http://127.0.0.1:1/v1"
    assert perform(attempt(here, "JUDGE_KEY"), head, base) == 1
    with pytest.raises(ExecutorError, match="wants the secret DEPLOY_KEY"):
        perform(attempt(here, "DEPLOY_KEY"), head, base)
    assert perform(attempt(here, "DEPLOY_KEY")) == 1


def test_a_job_without_a_judge_is_asked_nothing() -> None:
    plain = Attempt(Job("train", Ref("Recipe", "r"), "sha256:0", {}), Path())
    assert perform(plain, Names("Environment/local", frozenset())) == 1
