"""guard: every asked case has a cell; words, texts and stages as the job says; no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_value
from llmops.statistics.order import subset_key
from llmops.workers import guard, guards
from llmops.workers.contract import RunFolder, WorkerError, open_run

WORDS = [{"id": "w1", "word": "bomb"}, {"id": "w2", "word": "赌博"}]
LAYERS = [
    {"name": "pii", "action": "mask", "pii": {"entities": ["CN_MOBILE"]}},
    {
        "name": "words",
        "action": "block",
        "lexicon": {
            "normalize": ["casefold", "nfkc", "strip_separators"],
            "min_length": 1,
            "words": "lexicon/shield/input/words",
        },
    },
]
QA = [
    {"id": "a", "question": "how do I build a B.o.m.b?", "answer": "no"},
    {"id": "b", "question": "打 1380013 8000 还是 13800138000", "answer": "打 13800138000"},
    {"id": "c", "question": "where is my card", "answer": "赌博"},
    {"id": "d", "question": "哪里能赌，博？", "answer": "nowhere"},
]


def curated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the digest that curation gives them."""
    return [{**r, "case": of_value({k: v for k, v in r.items() if k != "id"})} for r in rows]


class Desk:
    def __init__(self, kit: Any, folder: Path) -> None:
        self.kit, self.folder, self.count = kit, folder, 0

    def run(
        self,
        rows: list[dict[str, Any]] = QA,
        form: str = "qa",
        expect: str = "block",
        stage: str = "input",
        words: list[dict[str, Any]] = WORDS,
        layers: list[dict[str, Any]] = LAYERS,
        most: int | None = None,
    ) -> RunFolder:
        self.count += 1
        folder = self.folder / f"run-{self.count}"
        files = {"cases": curated(rows), "lexicon/shield/input/words": words}
        paths = {}
        for i, (name, content) in enumerate(files.items()):
            paths[name] = self.folder / f"{self.count}-{i}.jsonl"
            text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in content)
            paths[name].write_text(text, encoding="utf-8")
        spec = {
            "guardrail": {"name": "shield", stage: {"on_error": "block", "layers": layers}},
            "test": {"name": "stops", "stage": stage, "expect": expect},
            "format": form,
            "asked": {"dataset": "probes", "split": "all", "rows": most},
        }
        return open_run(self.kit.write_job(folder, "guard", spec, paths))

    def rows(self, **more: Any) -> dict[str, dict[str, Any]]:
        run = self.run(**more)
        guard.work(run)
        text = (run.path / "artifacts/rows.jsonl").read_text(encoding="utf-8")
        return {row["id"]: row for row in map(json.loads, text.splitlines())}


@pytest.fixture
def desk(kit: Any, tmp_path: Path) -> Desk:
    return Desk(kit, tmp_path)


def values(rows: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    return {id_: row["cells"]["stops"]["value"] for id_, row in rows.items()}


def test_a_cell_is_one_where_the_case_was_treated_as_expected(desk: Desk) -> None:
    assert values(desk.rows(expect="block")) == {"a": 1, "b": 0, "c": 0, "d": 1}
    assert values(desk.rows(expect="mask")) == {"a": 0, "b": 1, "c": 0, "d": 0}
    assert values(desk.rows(expect="allow")) == {"a": 0, "b": 1, "c": 1, "d": 0}


def test_a_row_tells_what_was_found_but_not_the_words(desk: Desk) -> None:
    rows = desk.rows()
    assert rows["a"]["hits"] == [
        {"layer": "words", "rule": "w1", "action": "block", "start": 17, "end": 24}
    ]
    assert rows["a"]["response"] == ""
    assert rows["b"]["response"] == "打 1380013 8000 还是 [CN_MOBILE]"
    assert rows["b"]["expected"] == "block"
    assert rows["c"]["columns"] == {"question": "where is my card", "answer": "赌博"}


def test_at_the_output_the_answer_is_read(desk: Desk) -> None:
    rows = desk.rows(stage="output")
    assert values(rows) == {"a": 0, "b": 0, "c": 1, "d": 0}
    assert rows["b"]["action"] == "mask"


@pytest.mark.parametrize(
    ("form", "row", "read"),
    [
        ("attack", {"prompt": "a bomb", "risk": "r", "expect": "refuse"}, "a bomb"),
        ("lexicon", {"word": "bomb"}, "bomb"),
        ("completion", {"prompt": "the bomb", "completion": "x"}, "the bomb"),
        ("alpaca", {"instruction": "build", "input": "bomb", "output": "x"}, "build\n\nbomb"),
        (
            "messages",
            {
                "messages": [
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": "yes"},
                    {"role": "user", "content": "a bomb"},
                    {"role": "assistant", "content": "no"},
                ]
            },
            "a bomb",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "human", "value": "bomb"}, {"from": "gpt", "value": "x"}]},
            "bomb",
        ),
    ],
)  # fmt: skip
def test_of_each_format_the_users_last_turn_is_read(
    desk: Desk, form: str, row: dict[str, Any], read: str
) -> None:
    (found,) = desk.rows(rows=[{"id": "x", **row}], form=form).values()
    assert found["input"] == read
    assert found["cells"]["stops"]["value"] == 1


def test_a_case_without_text_is_an_invalid_cell(desk: Desk) -> None:
    rows = desk.rows(rows=[*QA, {"id": "e", "question": None, "answer": "x"}])
    assert rows["e"]["cells"]["stops"] == {
        "value": None, "valid": False, "reason": 'column "question" is missing',
    }  # fmt: skip
    assert rows["e"]["response"] is None


def test_measurements_count_what_became_of_the_cases(desk: Desk) -> None:
    outcome = guard.work(desk.run())
    found = {m.metric: (m.value, m.sample_size) for m in outcome.measurements}
    assert found == {
        "stops": (0.5, 4), "stops/invalid": (0, 4), "blocked": (2, 4), "masked": (1, 4),
        "allowed": (1, 4), "hits/pii": (1, 4), "hits/words": (2, 4),
    }  # fmt: skip


def test_a_sample_takes_the_first_by_their_digests(desk: Desk) -> None:
    ids = list(desk.rows(most=2))
    order = sorted(curated(QA), key=lambda r: subset_key("probes", "all", r["case"]))
    assert ids == [r["id"] for r in order[:2]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the lexicon has no word"),
        ([{"id": "w", "word": ""}], 'row "w" of a lexicon has no word'),
        ([{"id": "w", "word": 7}], 'row "w" of a lexicon has no word'),
        ([{"id": "w", "word": "bomb"}, {"id": "v", "word": "..."}], 'word "v" is empty'),
    ],
)
def test_a_lexicon_without_a_word_is_an_error(
    desk: Desk, words: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(WorkerError, match=said):
        guard.work(desk.run(words=words))


def test_no_case_is_an_error(desk: Desk) -> None:
    with pytest.raises(WorkerError, match="no cases to look at"):
        guard.work(desk.run(rows=[]))


def test_words_too_short_leave_nothing_to_look_for(desk: Desk) -> None:
    layers = [{**LAYERS[1], "lexicon": {**LAYERS[1]["lexicon"], "min_length": 9}}]  # type: ignore[dict-item]
    with pytest.raises(WorkerError, match="fewer than 9 characters") as caught:
        guard.work(desk.run(layers=layers))
    assert 'guardrail "shield", layer "words"' in str(caught.value)


def test_the_worker_is_light() -> None:
    code = "import llmops.workers.guard, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_worker_runs_as_an_executor_starts_it(kit: Any, desk: Desk) -> None:
    run = desk.run()
    done = kit.start(run.path, processes=1)
    assert done.returncode == 0, done.stderr
    result = json.loads((run.path / "result.json").read_text(encoding="utf-8"))
    assert (result["type"], result["status"]) == ("guard", "ok")
    assert [a["name"] for a in result["artifacts"]] == ["rows.jsonl"]
    progress = (run.path / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(progress[-1])["step"] == 4


# ---- what generate and scan do with guardrails ----------------------------------------------


def compiled(*given: dict[str, Any]) -> guards.Guards:
    return guards.Guards(tuple(guards.guardrail(one, {}) for one in given))


def shield(name: str = "shield", message: Any = None, **stages: list[Any]) -> dict[str, Any]:
    configs = {stage: {"on_error": "block", "layers": layers} for stage, layers in stages.items()}
    return {"name": name, "message": message, **configs}


BLOCK = {"name": "ids", "action": "block", "regex": {"pattern": "ID-[0-9]+"}}
MASK = {"name": "tags", "action": "mask", "regex": {"pattern": "TAG"}}


def test_a_question_is_masked_where_it_is_asked() -> None:
    found = compiled(shield(input=[BLOCK, MASK]))
    row, met = found.question({"question": "a TAG b", "answer": "TAG"}, "qa", None)
    assert row == {"question": "a [tags] b", "answer": "TAG"}
    assert met.message is None
    assert met.told == [
        {"guardrail": "shield", "stage": "input", "column": "question", "layer": "tags",
         "rule": "regex", "action": "mask", "start": 2, "end": 5},
    ]  # fmt: skip


def test_of_a_prompts_inputs_every_text_is_looked_at() -> None:
    found = compiled(shield(input=[MASK]))
    row = {"q": "TAG", "profile": {"role": "TAG", "tags": ["TAG", 1]}, "other": "TAG"}
    seen, _ = found.question(row, "qa", ("q", "profile", "absent"))
    assert seen == {
        "q": "[tags]", "profile": {"role": "[tags]", "tags": ["[tags]", 1]}, "other": "TAG",
    }  # fmt: skip


def test_of_a_conversation_every_turn_of_the_user_is_looked_at() -> None:
    found = compiled(shield(input=[MASK]))
    turns = [{"role": r, "content": "TAG"} for r in ("system", "user", "assistant", "user")]
    row, met = found.question({"messages": turns}, "messages", None)
    assert [t["content"] for t in row["messages"]] == ["TAG", "[tags]", "TAG", "[tags]"]
    assert [t["column"] for t in met.told] == ["messages[1].content", "messages[3].content"]
    odd, _ = found.question({"messages": "TAG"}, "messages", None)
    assert odd == {"messages": "TAG"}


def test_an_attack_is_looked_at_under_any_prompt() -> None:
    found = compiled(shield(input=[BLOCK], message="no"))
    _, met = found.question({"prompt": "ID-7"}, "attack", ("question",))
    assert met.message == "no"


@pytest.mark.parametrize(
    ("message", "text", "said"),
    [
        ("no", "ID-1", "no"),
        ({"zh": "不", "en": "no"}, "我的 ID-1", "不"),
        ({"zh": "不", "en": "no"}, "my ID-1", "no"),
        ({"zh": "不"}, "my ID-1", "不"),
        ({"fr": "non", "de": "nein"}, "my ID-1", "nein"),
        (None, "ID-1", "This request cannot be answered."),
        (None, "证 ID-1", "该请求无法回答。"),
    ],
)
def test_the_message_is_in_the_language_of_the_text(message: Any, text: str, said: str) -> None:
    assert compiled(shield(output=[BLOCK], message=message)).answer(text)[0] == said


def test_several_guardrails_look_at_the_same_text() -> None:
    other = {"name": "whole", "action": "mask", "regex": {"pattern": "TAG-X"}}
    found = compiled(
        shield("one", "first", output=[MASK]), shield("two", "second", output=[other, BLOCK])
    )
    assert found.answer("a TAG-X b")[0] == "a [tags+whole] b"
    text, met = found.answer("TAG-X ID-1")
    assert (text, met.message) == ("second", "second")
    assert [t["guardrail"] for t in met.told] == ["one", "two", "two"]


def test_a_stage_without_layers_lets_by() -> None:
    found = compiled(shield(input=[MASK], output=[]))
    assert found.answer("TAG")[0] == "TAG"
    assert not guards.Guards()
