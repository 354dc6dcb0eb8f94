r"""Messages <-> the golden text of a render test: what a reviewer reads when a prompt changes.

    # Prompt/support, test plain; rendered from sha256:…
    == system
    | You help customers.
    == user
    | My card is lost

Each line of a message stands behind `| `, so nothing in it can pass for a message of its own.
Characters that do not show (controls, direction marks, zero width) are written `\u{202e}`. Two
different lists of messages never have the same text.

The first line holds the digest of what was rendered: `validate` and `gate` compare it with the
prompt as it is now and so notice a stale text without rendering anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from llmops.digest import of_value

FOLDER = "golden"
RENDERER = 1  # grows when the same prompt and values are rendered to another text
_FROM = re.compile(r"^# .*rendered from (sha256:[0-9a-f]{64})$")
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
PARTS = ("template", "system", "few_shot", "messages", "inputs", "constraints")


def path(spec_path: str, prompt: str, test: str) -> str:
    """Where the golden text of a test is kept: beside the spec."""
    folder, slash, _ = spec_path.rpartition("/")
    return f"{folder}{slash}{FOLDER}/{prompt}/{test}.txt"


def meaning(spec: Mapping[str, Any], shots: Sequence[str], values: Mapping[str, Any]) -> str:
    """Digest of all that decides the rendered text; `shots` are digests of few-shot files."""
    kept = {part: spec[part] for part in PARTS if part in spec}
    kept |= {"constraints": [c["text"] for c in kept.get("constraints", ()) if "text" in c]}
    return of_value([RENDERER, kept, list(shots), values])


def text(title: str, digest: str, messages: Sequence[Mapping[str, str]]) -> str:
    """The golden text of some messages."""
    lines = [f"# {title}; rendered from {digest}"]
    for message in messages:
        lines.append(f"== {message['role']}")
        shown = visible(message["content"]).split("\n")
        lines += [f"| {line}" if line else "|" for line in shown]
    return "\n".join(lines) + "\n"


def visible(content: str) -> str:
    r"""Text in which everything shows: what does not is `\u{code}`; line ends stay."""
    return "".join(map(_shown, content.replace("\\u{", "\\u{5c}u{")))


def _shown(character: str) -> str:
    hidden = character not in "\n" and unicodedata.category(character) in _HIDDEN
    return f"\\u{{{ord(character):x}}}" if hidden else character


def rendered_from(golden: str) -> str:
    """The digest that a golden text names, "" where it names none."""
    found = _FROM.match(golden.partition("\n")[0])
    return found.group(1) if found else ""
