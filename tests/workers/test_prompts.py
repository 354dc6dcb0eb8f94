"""A job's prompt: few-shot files are inputs, and no row can forge the tokens of a role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmops.prompts import render
from llmops.prompts.probes import BATTERY
from llmops.workers import models
from llmops.workers.chat import RowError, Template
from llmops.workers.contract import WorkerError
from llmops.workers.prompts import Prompt

SPEC: dict[str, Any] = {
    "system": "be kind",
    "few_shot": [{"user": "hi", "assistant": "hello"}, {"file": "specs/data/shots.jsonl"}],
    "messages": [{"role": "user", "content": "<q>{{ question }}</q>"}],
    "inputs": {"question": {"type": "string", "untrusted": True}},
}
SHOT = '{"user": "card {{ x }}", "assistant": "card_lost"}\n'
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def shots(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "shots.jsonl").write_text(SHOT, encoding="utf-8")
    return {"few_shot/1": tmp_path / "shots.jsonl", "cases": tmp_path / "cases.jsonl"}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return models.train_tokenizer(["be kind", "hello card", "<q>"] * 3, "byte_level_bpe", 300)


def test_few_shot_files_are_inputs_of_the_job(shots: dict[str, Path]) -> None:
    said = Prompt.compile(SPEC, shots).messages({"question": "bye"})
    assert [m["content"] for m in said] == [
        "be kind", "hi", "hello", "card {{ x }}", "card_lost", "<q>bye</q>",
    ]  # fmt: skip


def test_a_worker_renders_what_a_render_test_renders(shots: dict[str, Path]) -> None:
    row = {"question": "bye\n"}
    turns = {1: [{"user": "card {{ x }}", "assistant": "card_lost"}]}
    tested = render.Prompt.compile(SPEC, turns).messages(row)
    assert Prompt.compile(SPEC, shots).messages(row) == tested


def test_a_broken_prompt_or_few_shot_file_is_an_error_of_the_job(shots: dict[str, Path]) -> None:
    with pytest.raises(WorkerError, match=r"the file specs/data/shots\.jsonl is not at hand"):
        Prompt.compile(SPEC)
    shots["few_shot/1"].write_text('{"user": "a"}\n', encoding="utf-8")
    with pytest.raises(WorkerError, match=r'shots.jsonl: line 1 has no "assistant"'):
        Prompt.compile(SPEC, shots)
    with pytest.raises(WorkerError, match="user template is no Jinja2"):
        Prompt.compile({**SPEC, "few_shot": [], "messages": [{"role": "user", "content": "{{"}]})


def test_values_that_do_not_fit_are_the_rows_error(shots: dict[str, Path]) -> None:
    with pytest.raises(RowError, match='input "question" is not of type string'):
        Prompt.compile(SPEC, shots).messages({"question": 3})


@pytest.mark.parametrize("chat", ["made here", "ChatML"])
@pytest.mark.parametrize("probe", BATTERY, ids=lambda probe: probe.name)
def test_no_row_can_forge_the_tokens_of_a_role(
    probe: Any, chat: str, tokenizer: Any, shots: dict[str, Path]
) -> None:
    if chat == "ChatML":
        tokenizer = models.train_tokenizer(["hello"], "byte_level_bpe", 280)
        tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
        tokenizer.chat_template = CHATML
    template, prompt = Template.of(tokenizer), Prompt.compile(SPEC, shots)

    def control(question: str) -> list[int]:
        text = template.render(prompt.messages({"question": question}), open_turn=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        return [i for i in ids if i in tokenizer.all_special_ids]

    assert control(probe.text[:2000]) == control("plain") != []
