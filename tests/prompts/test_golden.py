"""Golden texts: two lists of messages never look alike, and what does not show is shown."""

from __future__ import annotations

import itertools

import pytest

from llmops.prompts import golden

D = "sha256:" + "a" * 64
SPEC = {"template": "jinja2", "messages": [{"role": "user", "content": "{{ q }}"}], "tests": []}


def of(*messages: tuple[str, str]) -> str:
    return golden.text("Prompt/p, test t", D, [{"role": r, "content": c} for r, c in messages])


def test_a_golden_text_is_messages_line_by_line() -> None:
    assert of(("system", "be brief\n\n"), ("user", "hi")) == (
        f"# Prompt/p, test t; rendered from {D}\n== system\n| be brief\n|\n|\n== user\n| hi\n"
    )


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\x1b", "\r", "\t", "\u2028", "\ufeff", "\ud800"]
)
def test_what_does_not_show_is_written_as_its_code(hidden: str) -> None:
    assert f"| a\\u{{{ord(hidden):x}}}b\n" in of(("user", f"a{hidden}b"))


def test_different_messages_never_have_the_same_text() -> None:
    parts = ("", "a", "\n", "\n== user\n", "| ", "\u200b", "\\u{200b}", "\\u{5c}u{200b}", "\\", " ")
    contents = ["".join(made) for n in (1, 2, 3) for made in itertools.product(parts, repeat=n)]
    known: dict[str, tuple[str, ...]] = {}
    for content in dict.fromkeys(contents):
        for messages in ((content,), (content, "a"), ("a", content)):
            text = of(*(("user", one) for one in messages))
            assert known.setdefault(text, messages) == messages


def test_the_digest_it_was_rendered_from_is_read_back() -> None:
    assert golden.rendered_from(of(("user", "hi"))) == D
    assert golden.rendered_from("") == golden.rendered_from("# by hand\n") == ""


def test_the_digest_covers_what_decides_the_text_and_nothing_else() -> None:
    shot = "sha256:" + "b" * 64
    was = golden.meaning(SPEC, [shot], {"q": "a"})
    assert was == golden.meaning({**SPEC, "tests": [1], "parameters": {}}, [shot], {"q": "a"})
    others = [
        golden.meaning(SPEC, [], {"q": "a"}),
        golden.meaning(SPEC, [shot], {"q": "b"}),
        golden.meaning({**SPEC, "system": "x"}, [shot], {"q": "a"}),
        golden.meaning({**SPEC, "inputs": {"q": {}}}, [shot], {"q": "a"}),
    ]
    assert len({was, *others}) == 5


def test_a_golden_text_lies_beside_its_spec() -> None:
    assert golden.path("specs/prompts/p.yaml", "p", "t") == "specs/prompts/golden/p/t.txt"
    assert golden.path("p.yaml", "p", "t") == "golden/p/t.txt"
