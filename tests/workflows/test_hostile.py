"""Text that somebody wrote to stop the reader: no traceback, no wait without end, never clean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.workflows import jenkins
from llmops.workflows.base import System, runs_llmops
from llmops.workflows.lint import INFOS, MOST, lint
from llmops.workflows.read import LONGEST, read
from tests.workflows.test_lint import PATHS

TOP = "on: issue_comment\njobs:\n  gate:\n    runs-on: x\n    steps:\n      - run: |\n"
SIZE = 60_000


def script(piece: str) -> str:
    """A workflow whose script is so many of a piece, in lines that are short enough."""
    line = "          " + piece * ((LONGEST - 20) // len(piece)) + "\n"
    return TOP + line * (SIZE // len(line))


# Each took minutes, or years, before its pattern was mended: the test ends, or pytest stops it.
@pytest.mark.parametrize(
    "piece",
    ["${{ ", "${{ github.head_ref }}", ">", "eval ", "pip install ", "python -a ", "llmops gate ",
     "A=b ", "git fetch ", "llmops -a "],
)  # fmt: skip
def test_no_script_takes_long(piece: str) -> None:
    lint({PATHS[System.WORKFLOW]: script(piece).encode()})


@pytest.mark.parametrize("piece", ["/*", "'''\"\"\"", "sh '\\'", "image( ", "library( ", '"', "//"])
def test_no_jenkinsfile_takes_long(piece: str) -> None:
    line = piece * (LONGEST // len(piece)) + "\n"
    lint({PATHS[System.JENKINS]: (line * (SIZE // len(line))).encode()})


def test_a_line_that_nobody_reads_is_an_error_and_not_looked_at() -> None:
    text = TOP + "          " + "x" * (LONGEST + 1) + " ${{ github.head_ref }}\n"
    assert [d.rule for d in lint({PATHS[System.WORKFLOW]: text.encode()}).diagnostics] == [
        "line-too-long"
    ]
    folded = TOP.replace("run: |", "run: >") + "          echo a b c\n" * 400
    assert [d.rule for d in lint({PATHS[System.WORKFLOW]: folded.encode()}).diagnostics] == [
        "line-too-long"
    ]


def test_many_findings_of_a_class_are_cut_and_it_is_said() -> None:
    text = TOP.replace("run: |\n", "uses: a/b@main\n") + "      - uses: a/b@main\n" * 500
    found = [
        d for d in lint({PATHS[System.WORKFLOW]: text.encode()}).diagnostics
        if d.rule == "unpinned-uses"
    ]  # fmt: skip
    assert len(found) == MOST + 1
    assert any(d.message.startswith(f"more than {MOST} findings") for d in found)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("llmops gate", True), ("cd x && llmops -q gate --format md", True),
        ("llmops -C folder gate", True), ("python -I -m llmops gate", True),
        (".venv/bin/llmops gate; echo", True), ("if llmops gate >x; then", True),
        ("llmops run", False), ("llmops explain gate", False), ("llmops -C gate run", False),
        ("echo llmops-gate", False), ("myllmops gate", False),
    ],
)  # fmt: skip
def test_which_command_a_line_gives(line: str, command: bool) -> None:
    assert runs_llmops(line, "gate") is command


def test_a_jenkinsfile_is_read_with_its_texts_and_without_its_comments() -> None:
    text = "// sh 'a'\nsh 'b // c' /* d */\nsh '''e\n'f' ''' \nsh \"g ${x}\"\necho 'h'\nsh 'never"
    file = read("Jenkinsfile", text.encode()).file
    assert file is not None
    found = list(jenkins.shells(file))
    assert [one.body for one in found] == ["b // c", "e\n'f' ", "g ${x}"]
    assert [one.interpolated for one in found] == [False, False, True]
    assert all(text[one.start :].startswith(one.body) for one in found)
    assert len(jenkins.code(file)) == len(text)


FRAGMENTS = (
    "${{", "}}", "${{ github.head_ref }}", "&a", "*a", "<<: *a", "!!x", "---\n", "\t", "\x00",
    "\u202e", "- ", ": ", "{", "[", "]", "}", "'", '"', "|", ">", "on:", "jobs:", "steps:", "uses:",
    "run:", "no", "~", "1e999", "#", "\n", "\r\n", "    ", "é", "𝒳", "llmops gate",
)  # fmt: skip


SAMPLES = [text for info in INFOS.values() for text in (info.bad, info.good)]
EDITS = st.tuples(st.integers(0, 700), st.integers(0, 40), st.sampled_from(FRAGMENTS))


@given(st.sampled_from(SAMPLES), st.lists(EDITS, max_size=6), st.sampled_from(list(System)))
@settings(max_examples=300)
def test_a_file_that_is_torn_has_findings_with_places_and_no_traceback(
    text: str, edits: list[tuple[int, int, str]], system: System
) -> None:
    for at, gone, put in edits:
        text = text[:at] + put + text[at + gone :]
    data = text.encode()
    lines = text.split("\n")
    for one in lint({PATHS[system]: data}).diagnostics:
        assert 1 <= one.span.line <= len(lines)
        assert 1 <= one.span.column <= len(lines[one.span.line - 1]) + 1
        assert one.message
        assert one.hint
