"""Lines of artifacts that are shown after the fact: which ones, and that they are those. Dry.

In: a seed that somebody says after the log was signed, how many lines, all disclosed artifacts.
Out: the lines with the smallest sha256 of seed, artifact and line: nobody can choose which. The
seed stands in `openings.json` with every line that was chosen, shown or not to be had; whoever
reads it chooses again and compares. A line that is shown is the case in plain text.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from llmops.digest import canonical
from llmops.evidence import public
from llmops.evidence.public import Opening

NAMES = ("rows.jsonl", "anchors.jsonl")  # artifacts whose lines are cases
FORMAT_VERSION = 1
MOST = 10_000
LONGEST_SEED = 200  # characters
_KEYS = {"format_version", "seed", "count", "openings"}
_SHOWN = {"name", "of", "line", "text", "salt", "nonces", "path"}
_MISSING = {"name", "of", "line", "missing"}


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A line (from 0) of an artifact, by the artifact's digest and name."""

    of: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Openings:
    """What was asked for, and each chosen line with its opening; None where it is not to be had."""

    seed: str
    count: int
    lines: Sequence[tuple[Line, Opening | None]]

    @property
    def shown(self) -> tuple[Opening, ...]:
        """The lines that are shown."""
        return tuple(one for _, one in self.lines if one is not None)


def chosen(seed: str, count: int, artifacts: Iterable[public.Header]) -> tuple[Line, ...]:
    """The lines that a seed chooses among all cases of some artifacts, in the seed's order."""
    cases = {(one.of, one.name): one.lines for one in artifacts if one.name in NAMES}
    every = (Line(of, i, name) for (of, name), lines in cases.items() for i in range(lines))
    return tuple(heapq.nsmallest(count, every, key=lambda line: (_place(seed, line), line)))


def _place(seed: str, line: Line) -> bytes:
    said = f"llmops/open/v1\0{seed}\0{line.of}\0{line.line}"
    return hashlib.sha256(said.encode()).digest()


def encode(found: Openings) -> bytes:
    """The bytes of `openings.json`."""
    return canonical(
        {
            "format_version": FORMAT_VERSION,
            "seed": found.seed,
            "count": found.count,
            "openings": [_to_json(line, one) for line, one in found.lines],
        }
    )


def decode(data: bytes) -> Openings:
    """What the bytes of `openings.json` say. Raises ValueError for what `encode` does not write."""
    try:
        said = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if type(said) is not dict or said.keys() != _KEYS or said["format_version"] != FORMAT_VERSION:
        raise ValueError(f"it has not exactly the keys {', '.join(sorted(_KEYS))}")
    seed, count, listed = said["seed"], said["count"], said["openings"]
    if type(seed) is not str or type(count) is not int or type(listed) is not list:
        raise ValueError("it has no seed, count or list of openings")
    if not 0 < count <= MOST or len(seed) > LONGEST_SEED:
        raise ValueError(f"it shows {count} lines, or its seed is too long")
    found = Openings(seed, count, tuple(map(_from_json, listed)))
    if encode(found) != data:
        raise ValueError("it is not written as canonical JSON")
    return found


def problems(found: Openings, forms: Mapping[str, bytes]) -> Iterator[tuple[Line | None, str]]:
    """What is wrong with openings: of which line, and why.

    `forms`: the public form of every disclosed artifact, by the artifact's digest; damaged ones
    left out.
    """
    heads = [public.header(data) for data in forms.values()]
    wanted = chosen(found.seed, found.count, heads)
    if tuple(line for line, _ in found.lines) != wanted:
        yield None, f"the seed chooses other lines than the {len(found.lines)} that are here"
    for line, one in found.lines:
        if one is None:
            continue
        if line.of not in forms:
            yield line, "it is of an artifact that the log does not disclose"
        elif what := public.problem(one, forms[line.of]):
            yield line, what


def opened(
    lines: Sequence[Line], read: Callable[[Line], tuple[bytes, Sequence[str]] | None]
) -> tuple[tuple[Line, Opening | None], ...]:
    """Each line, shown. `read`: an artifact's bytes with its columns, None where it is not here.

    Each artifact is read once.
    """
    found: dict[Line, Opening] = {}
    for _, group in groupby(sorted(lines), key=lambda line: (line.of, line.name)):
        some = list(group)
        artifact = read(some[0])
        if artifact is not None:
            numbers = (line.line for line in some)
            shown = public.opened(some[0].name, *artifact, numbers)
            found |= dict(zip(some, shown, strict=True))
    return tuple((line, found.get(line)) for line in lines)


def _to_json(line: Line, one: Opening | None) -> dict[str, Any]:
    named = {"name": line.name, "of": line.of, "line": line.line}
    if one is None:
        return {**named, "missing": True}
    return {
        **named,
        "text": one.text,
        "salt": one.salt.hex(),
        "nonces": [nonce.hex() for nonce in one.nonces],
        "path": [step.hex() for step in one.path],
    }


def _from_json(said: Any) -> tuple[Line, Opening | None]:
    if type(said) is not dict or said.keys() not in (_SHOWN, _MISSING):
        raise ValueError("an opening has not the keys of one")
    of, number, name = said["of"], said["line"], said["name"]
    if type(of) is not str or type(number) is not int or type(name) is not str:
        raise ValueError("an opening names no line")
    line = Line(of, number, name)
    if "missing" in said:
        return line, None
    if type(said["text"]) is not str:
        raise ValueError("an opening has no text")
    nonces, path = (_bytes_each(said[key]) for key in ("nonces", "path"))
    return line, Opening(of, number, said["text"], _bytes(said["salt"]), nonces, path)


def _bytes_each(value: Any) -> tuple[bytes, ...]:
    if type(value) is not list:
        raise ValueError("an opening has no list of nonces or steps")
    return tuple(map(_bytes, value))


def _bytes(value: Any) -> bytes:
    """32 bytes in hex."""
    if type(value) is not str or len(value) != 64:
        raise ValueError("a salt, nonce or step is not 64 hex digits")
    return bytes.fromhex(value)
