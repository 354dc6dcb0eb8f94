"""What is published or printed, without any secret that this process was given.

In: the environment, and secrets by value. Out: a `Clean`, which leaves out of a text each of them
in whatever spelling (`llmops.hush` has the list), and whatever looks like a token or a key, since
those of an hour come and go; and `hidden`, a publication whose every text went through it. A server
may well repeat what it was sent, and its words stand in a check: this is the last look at them.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from llmops.forge.base import Payload, Publication
from llmops.hush import HIDDEN, NAMES, SHORTEST, spellings

# GitHub's tokens by their prefixes, JSON web tokens, and what stands between PEM's lines.
_LOOKS = (
    r"gh[a-z]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [^\n]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END[^-]*-----)?"
)
# How a page writes characters of others so that Markdown leaves them alone, and what is read there.
_WRITTEN = re.compile(r"<span>\$</span>|&(?:amp|lt|gt|nbsp|#124|#8203);|\u200b|\\[!-/:-@\[-`{-~]")
_READ: Mapping[str, str] = {
    "<span>$</span>": "$", "&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&#124;": "|",
    "&#8203;": "", "\u200b": "",
}  # fmt: skip


class Clean:
    """Texts without some secrets. Never shows them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for value in secrets for form in spellings(value)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join([*map(re.escape, longest_first), _LOOKS]), re.I)
        self._count = len(forms)

    def __repr__(self) -> str:
        return f"Clean({self._count} spellings)"

    def __call__(self, text: str) -> str:
        """A plain text, cleaned."""
        return self._pattern.sub(HIDDEN, text)

    def page(self, markdown: str) -> str:
        """A page, cleaned as it is written and as it is read: an escape hides nothing from eyes."""
        markdown = self(markdown)
        read, begins = _as_read(markdown)
        for found in reversed(list(self._pattern.finditer(read))):
            start, end = begins[found.start()], begins[found.end()]
            markdown = f"{markdown[:start]}{HIDDEN}{markdown[end:]}"
        return markdown


def _as_read(markdown: str) -> tuple[str, list[int]]:
    """What eyes read of a page, and where each character of that begins in it (and its end)."""
    read: list[str] = []
    begins: list[int] = []
    last = 0
    for found in _WRITTEN.finditer(markdown):
        shown = _READ.get(found[0], found[0][1:])
        read += [markdown[last : found.start()], shown]
        begins += [*range(last, found.start()), *[found.start()] * len(shown)]
        last = found.end()
    begins += range(last, len(markdown) + 1)
    return "".join([*read, markdown[last:]]), begins


def cleaner(environ: Mapping[str, str], secrets: Iterable[str] = ()) -> Clean:
    """How texts are cleaned. A secret of several lines, such as a key, is one in each line."""
    given = (value for name, value in environ.items() if NAMES.fullmatch(name.upper()))
    parts = {part.strip() for value in (*given, *secrets) for part in (value, *value.splitlines())}
    return Clean(p for p in parts if len(p) >= SHORTEST and not p.startswith("-----"))


def hidden(publication: Publication, clean: Clean) -> Publication:
    """The same without secrets, in each of its texts."""
    return replace(
        publication,
        check=_cleaned(publication.check, clean.page),
        annotations=tuple(_cleaned(one, clean) for one in publication.annotations),
        comment=publication.comment and clean.page(publication.comment),
        status=_cleaned(publication.status, clean),
        sarif=_unpacked(publication.sarif, clean),
        deployments=tuple(_cleaned(one, clean) for one in publication.deployments),
    )


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(inner, clean) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cleaned(inner, clean) for inner in value)
    return value


def _unpacked(body: Payload | None, clean: Clean) -> Payload | None:
    """A SARIF upload; its log is compressed, so that only a look inside finds anything."""
    if body is None:
        return None
    log = gzip.decompress(base64.b64decode(body["sarif"])).decode("utf-8")
    said = clean(log)
    if said == log:
        return body
    packed = gzip.compress(said.encode("utf-8"), mtime=0)
    return {**body, "sarif": base64.b64encode(packed).decode("ascii")}
