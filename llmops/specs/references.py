"""Texts that name other specs or files -> `Reference` and `FileUse`, or what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.diagnostics import nearest
from llmops.specs import not_yet
from llmops.specs.base import NAME_PATTERN, FileUse, Ref, Reference
from llmops.specs.blocks import PART_PATTERN
from llmops.specs.fields import RefTo
from llmops.specs.problem import Loc, Problem, quoted
from llmops.specs.shape import Shape

_NAME = re.compile(NAME_PATTERN)
_PART = re.compile(PART_PATTERN)
_NOT_A_PATH = re.compile(r"[\\:\x00-\x1f\x7f]")
NOT_BUILT: Mapping[str, str] = {"Prompt": "a Prompt as target", **not_yet.KINDS}


@dataclass(slots=True)
class Uses:
    """What one spec names: specs, files, and the names that cannot be read."""

    references: list[Reference] = field(default_factory=list)
    files: list[FileUse] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def visit(self, loc: Loc, shape: Shape, text: Any) -> None:
        """Takes in one marked text, or a list of them (the signature that `shape.split` calls)."""
        if isinstance(text, list):
            for i, one in enumerate(text):
                self.visit((*loc, i), shape, one)
        if not isinstance(text, str):
            return
        at = ("spec", *loc)
        found = reference(at, shape.ref, text) if shape.ref else file_use(at, text)
        if isinstance(found, Reference):
            self.references.append(found)
        elif isinstance(found, FileUse):
            self.files.append(found)
        else:
            self.problems.append(found)


def reference(loc: Loc, to: RefTo, text: str) -> Reference | Problem:
    """`name`, `Kind/name` or `name#part`, as the field asks."""
    whole, mark, part = text.partition("#")
    kind, slash, name = whole.rpartition("/")
    if not slash:
        kind = to.kinds[0] if len(to.kinds) == 1 else to.bare
    forms = f"write {_forms(to, name)}"
    if slash and kind in NOT_BUILT and _may_come(kind, to):
        return Problem(loc, "not-yet", not_yet.message(quoted(whole), NOT_BUILT[kind]), forms)
    if kind not in to.kinds or (slash and len(to.kinds) == 1):
        near = nearest(kind, to.kinds) if slash and len(to.kinds) > 1 else None
        hint = f'did you mean "{near}/{name}"?' if near else forms
        return Problem(loc, "bad-reference", f"{quoted(text)} names no {_kinds(to)}", hint)
    if why := _wrong_name(kind, name) or _wrong_part(to, text, mark, part):
        return Problem(loc, "bad-reference", why, forms)
    return Reference(loc, Ref(kind, name), part or None)


def _may_come(kind: str, to: RefTo) -> bool:
    """Whether a kind that a field does not take yet is announced for it."""
    return kind not in to.kinds and (kind != "Prompt" or "Application" in to.kinds)


def _wrong_name(kind: str, name: str) -> str:
    good = _NAME.fullmatch(name) and len(name) <= 63
    words = 'lower-case letters, digits, "-" and "."'
    return "" if good else f"{quoted(name)} is no name of a {kind}: names are {words}"


def _wrong_part(to: RefTo, text: str, mark: str, part: str) -> str:
    if not mark:
        return f"{quoted(text)} names no part" if to.part == "required" else ""
    if to.part == "never":
        return f"{quoted(text)} names a part, but the whole is meant here"
    if not part:
        return f"{quoted(text)} names no part after #"
    return "" if _PART.fullmatch(part) else f"{quoted(part)} cannot be the name of a part"


def _kinds(to: RefTo) -> str:
    *others, last = to.kinds
    return f"{', '.join(others)} or {last}" if others else last


def _forms(to: RefTo, name: str) -> str:
    """How the reference is written, with the name that was meant where it is one."""
    meant = name if _NAME.fullmatch(name) else "name"
    part = {"never": "", "optional": " or name#part", "required": "#part"}[to.part]
    kinds = [kind for kind in to.kinds if kind != to.bare] if len(to.kinds) > 1 else []
    bare = [meant] if len(to.kinds) == 1 or to.bare else []
    return " or ".join([*bare, *(f"{kind}/{meant}" for kind in kinds)]) + part


def file_use(loc: Loc, text: str) -> FileUse | Problem:
    """A path from the repository's root: no way out of it, no other machine's spelling."""
    steps = text.split("/")
    if not text or text.startswith("/") or _NOT_A_PATH.search(text):
        what = f"{quoted(text)} is no path of this repository"
    elif any(step in ("", ".", "..") for step in steps):
        what = f'{quoted(text)} has an empty, "." or ".." step'
    elif steps[0] == ".git":
        what = f"{quoted(text)} is git's own"
    else:
        return FileUse(loc, text)
    return Problem(
        loc, "file-path", what, "write it from the repository's root, as in specs/data/x.jsonl"
    )
