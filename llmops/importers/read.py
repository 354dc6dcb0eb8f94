"""The stage: a tool's name and its text -> what was imported, and what is left to fill in."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from llmops.diagnostics import Diagnostic, printable
from llmops.graph.build import build
from llmops.importers import axolotl, llamafactory, promptfoo
from llmops.importers.base import LONGEST_WORDS, Draft, Imported, Made, Near, Note
from llmops.importers.fit import fit
from llmops.importers.keys import Key
from llmops.jobs.check import check
from llmops.rewrites.write import spec_text
from llmops.source.document import Document, parse
from llmops.specs.load import load


class Tool(NamedTuple):
    """One foreign tool: how people write it, its file, its keys, and who reads it."""

    name: str
    file: str
    keys: tuple[Key, ...]
    read: Callable[[Draft, Near, str], None]


TOOLS: Mapping[str, Tool] = {
    "axolotl": Tool("axolotl", "config.yaml", axolotl.KEYS, axolotl.read),
    "llamafactory": Tool(
        "LLaMA-Factory", "llama3_lora_sft.yaml", llamafactory.KEYS, llamafactory.read
    ),
    "promptfoo": Tool("promptfoo", "promptfooconfig.yaml", promptfoo.KEYS, promptfoo.read),
}


MOST_NOTES = 100  # that are told in one file
WIDTH = 96


def imported(tool: str, document: Document, near: Near, name: str) -> Imported:
    """Everything that a configuration says, as specs. Raises nothing for any document."""
    draft = Draft(document)
    TOOLS[tool].read(draft, near, name)
    if draft.refused:
        return Imported(refused=tuple(draft.refused))
    fit(draft)
    notes = draft.notes()
    made = draft.made()
    chief = _chief(made)
    head = f"Imported from {printable(document.path)} ({TOOLS[tool].name})."
    lines = [_line(note, document.path) for note in notes]
    specs = [_headed(one, head, lines if one is chief else ()) for one in made]
    return Imported(tuple(specs), draft.rows, notes)


def _chief(made: Sequence[Made]) -> Made | None:
    """The spec that tells what is not carried: a Recipe, else an Evaluation, else any."""
    for kind in ("Recipe", "Evaluation"):
        for one in made:
            if one.ref.kind == kind:
                return one
    return made[-1] if made else None


def _headed(one: Made, head: str, notes: Sequence[str]) -> Made:
    lines = [head, *one.comments.get((), "").split("\n")] if () in one.comments else [head]
    if notes:
        lines.append("Not carried:")
        lines += notes[:MOST_NOTES]
        more = len(notes) - MOST_NOTES
        lines += [f"  and {more} more; llmops import says all of them"] if more > 0 else []
    wrapped = (part for line in lines for part in _wrapped(line))
    return replace(one, comments={**one.comments, (): "\n".join(wrapped)})


def _line(note: Note, path: str) -> str:
    where = f"line {note.span.line}" if note.span.path == path else printable(note.span.path)
    return f"  {where}: {printable(str(note), LONGEST_WORDS)}"


def _wrapped(line: str) -> list[str]:
    deeper = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, WIDTH, subsequent_indent=deeper, break_on_hyphens=False) or [""]


def texts(found: Imported, folder: str = "specs") -> Mapping[str, str]:
    """The files of the specs by their path from the repository's root."""
    paths = {folder + one.path.removeprefix("specs"): one for one in found.specs}
    return {path: spec_text(one.value, one.comments, path) for path, one in paths.items()}


def remaining(files: Mapping[str, str], known: Iterable[str] = ()) -> tuple[Diagnostic, ...]:
    """What `validate` will say of these files alone: what must be filled in, or decided.

    `known`: files of the repository that may be named. Raises nothing for what `texts` gives.
    """
    documents = [_document(path, text) for path, text in files.items()]
    loaded = load(documents)
    known = frozenset(known)
    digests = {use.path: "" for spec in loaded.specs.values() for use in spec.files}
    digests = {path: digest for path, digest in digests.items() if path in known}
    broken = frozenset((ref.kind, ref.name) for ref in loaded.broken)
    built = build(loaded.specs, digests, loaded.spans, known, broken)
    found = [*loaded.diagnostics, *built.diagnostics]
    if built.graph is not None:
        found += check(built.graph, loaded.spans)
    return tuple(sorted(found, key=lambda d: d.sort_key))


def _document(path: str, text: str) -> Document:
    document = parse(path, text.encode("utf-8")).document
    assert document is not None, f"{path} cannot be read back"
    return document
