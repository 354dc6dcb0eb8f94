"""Any configuration: no traceback, and everything that is written can be read back."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.importers import read
from llmops.importers.base import Found, Imported
from llmops.importers.fit import OPEN
from llmops.rewrites.style import formatted
from llmops.source.document import Document, parse
from llmops.specs.load import load_one

CASES = Path(__file__).parents[1] / "golden" / "import"
# What `remaining` may say of an import: a place to fill in, never a value that is wrong.
MISSING = OPEN | {"missing-file", "unknown-ref"}

KEY = "sk-" + "a1" * 12  # looks like one

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "auto", "all", "../../etc/passwd", "/etc/passwd", "file://../x", "exec:rm", "名",
         "a/b", "{{ x }}", "{% for %}", "{{ 9**9**9 }}", "x" * 300, KEY, "null", "1e999", "a: b",
         "\u202ea", "# c", "- d", "%e", "&f", "*g", "!h", "\ud800", "id", "case", "[", "(",
         "data.json"]
    ),
    st.text(max_size=12),
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), TEXTS,
    st.floats(allow_nan=True, allow_infinity=True),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


def cases(tool: str) -> list[dict[str, Any]]:
    """The values of every golden configuration of a tool."""
    found = []
    for folder in sorted(CASES.glob(f"{tool}-*/in")):
        config = next(p for p in folder.iterdir() if p.stem == "config")
        document = parse(config.name, config.read_bytes()).document
        assert document is not None
        found.append(document.value)
    return found


def places(value: Any, loc: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [loc, *(place for step in steps for place in places(value[step], (*loc, step)))]


@st.composite
def mutated(draw: st.DrawFn, tool: str) -> dict[str, Any]:
    """A golden configuration with some of its values, keys or entries changed."""
    value = copy.deepcopy(draw(st.sampled_from(cases(tool))))
    for _ in range(draw(st.integers(1, 4))):
        loc = draw(st.sampled_from(places(value)))
        if not loc:
            value[draw(st.sampled_from([k.name for k in read.TOOLS[tool].keys]))] = draw(VALUES)
            continue
        block = value
        for step in loc[:-1]:
            block = block[step]
        if draw(st.booleans()):
            block[loc[-1]] = draw(VALUES)
        elif isinstance(block, dict):
            block[draw(TEXTS)] = block.pop(loc[-1])
        else:
            block.append(copy.deepcopy(block[loc[-1]]))
    return value


class AtLine(Document):
    """A document from values alone: every place is on line 1."""

    def span(self, loc: Any, *, key: bool = False) -> Any:
        from llmops.diagnostics import Span

        return Span(self.path)


def imported(tool: str, value: dict[str, Any], beside: bytes | None) -> Imported:
    def near(path: str) -> Found | None:
        return Found("beside/file.json", beside) if beside is not None else None

    return read.imported(tool, AtLine("config.yaml", "", value), near, "mine")


def expect_whole(found: Imported) -> None:
    """Written texts are read back, canonical, and refused in places to fill in alone."""
    texts = read.texts(found)
    for path, text in texts.items():
        document = parse(path, text.encode()).document
        assert document is not None
        wrong = [
            d for d in load_one(document)[1] if d.severity == "error" and d.rule not in MISSING
        ]
        assert wrong == []
        assert formatted(text, path).text == text
    known = [*found.rows, "data/x.jsonl"]
    assert {d.rule for d in read.remaining(texts, known) if d.severity == "error"} <= MISSING
    said = "".join(texts.values()) + "".join(map(str, found.notes))
    assert KEY not in said


@pytest.mark.parametrize("tool", read.TOOLS)
def test_a_mutated_configuration_gives_specs_that_can_be_read(tool: str) -> None:
    @settings(max_examples=60)
    @given(mutated(tool), st.one_of(st.none(), st.binary(max_size=40), st.just(b'[{"a": 1}]')))
    def check(value: dict[str, Any], beside: bytes | None) -> None:
        expect_whole(imported(tool, value, beside))

    check()


@pytest.mark.slow
@pytest.mark.parametrize("tool", read.TOOLS)
def test_many_mutated_configurations_give_specs_that_can_be_read(tool: str) -> None:
    @settings(max_examples=5000, derandomize=False)
    @given(mutated(tool), st.one_of(st.none(), st.binary(max_size=400)))
    def check(value: dict[str, Any], beside: bytes | None) -> None:
        expect_whole(imported(tool, value, beside))

    check()


@pytest.mark.parametrize(
    ("tool", "change"),
    [
        ("axolotl", {"lora_r": 2**53}),
        ("llamafactory", {"lora_rank": 2**52}),
        ("promptfoo", {"defaultTest": {"threshold": KEY}}),
        ("promptfoo", {"defaultTest": {"assert": [{"type": "latency", "threshold": -1}]}}),
        ("promptfoo", {"providers": [{"id": "openai:m", "config": {"auth": {"password": KEY}}}]}),
        ("promptfoo", {"description": "\ud800"}),
        ("promptfoo", {"tests": [{"vars": {"x": [[1], {"a": 2}]}}]}),
        ("axolotl", {"datasets": [{"path": "\ud800", "type": "alpaca"}] * 3}),
        ("axolotl", {"deepspeed": {"zero_optimization": [1]}, "lora_alpha": float("nan")}),
        ("llamafactory", {"dataset": "a,a,A, a ", "interleave_probs": "1,2"}),
        ("llamafactory", {"dataset": ["x"] * 3, "val_size": "0.5"}),
    ],
)
def test_what_once_broke_an_import_does_not(tool: str, change: dict[str, Any]) -> None:
    expect_whole(imported(tool, {**cases(tool)[0], **change}, None))


def test_a_password_in_a_map_is_not_told() -> None:
    value = {"providers": ["openai:m"], "commandLineOptions": {"nested": {"password": "hunter2"}}}
    found = imported("promptfoo", value, None)
    assert "hunter2" not in "".join(map(str, found.notes))
    assert any("commandLineOptions" in note.what for note in found.notes)
