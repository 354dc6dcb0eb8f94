"""`llmops explain`: a kind's fields, or one spec with the origin and role of each value.

`explain Recipe`, `explain Recipe.lora`, `explain Recipe.training.learning_rate` tell what may be
written; `explain Recipe/support-lora` tells what is in force: each value after defaults and the
overlays of the Environment in use, where it comes from (a line of a file, or the default), and
what a change of it costs (its role).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from llmops.cli import common
from llmops.cli.output import columns, complain
from llmops.diagnostics import did_you_mean, printable, render
from llmops.errors import UsageError
from llmops.project import State, read
from llmops.specs.base import Ref, Spec

EXAMPLES = """\
  llmops explain Recipe.training.learning_rate
  llmops explain Application/support"""
Table = Sequence[tuple[str, ...]]


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `explain`."""
    parser.add_argument("subject", metavar="KIND[.PATH]|KIND/NAME", help="a field, or a spec")
    common.add_environment(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")


def main(args: argparse.Namespace) -> int:
    """0; 2 for a kind, field or spec that is not there."""
    rows = _spec(args) if "/" in args.subject else _kind(args.subject)
    common.say(_json(rows) if args.format == "json" else _text(rows))
    return 0


class Told(NamedTuple):
    """What is shown: a heading, and rows under named columns."""

    about: str
    columns: tuple[str, ...]
    rows: Table


def _text(told: Told) -> str:
    return "\n".join(
        [told.about, *(f"  {line}" for line in columns([told.columns, *told.rows], 66))]
    )


def _json(told: Told) -> str:
    rows = [dict(zip(told.columns, row, strict=True)) for row in told.rows]
    data = {"format_version": 1, "about": told.about, "rows": rows}
    return json.dumps(data, ensure_ascii=False, indent=2)


# ---- a kind ----------------------------------------------------------------------------------

FIELD = ("path", "form", "default", "role", "doc")


def _kind(subject: str) -> Told:
    from llmops.specs import describe, not_yet
    from llmops.specs.blocks import Metadata
    from llmops.specs.load import KINDS

    kind, _, path = subject.partition(".")
    if kind not in KINDS:
        if kind in not_yet.KINDS:
            raise UsageError(not_yet.message(f"kind {kind}", not_yet.KINDS[kind]))
        hint = did_you_mean(kind, KINDS, otherwise=f"known are {', '.join(KINDS)}")
        raise UsageError(f'there is no kind "{printable(kind)}"', hint=hint)
    own = describe.fields(KINDS[kind])
    about = [describe.Field(f"metadata.{f.path}", *f[1:]) for f in describe.fields(Metadata)]
    rows = [tuple(field) for field in (*own, *about)]
    if not path:
        return Told(f"{kind}: {(KINDS[kind].__doc__ or '').strip()}", FIELD, rows)
    return _field(kind, path, rows)


def _field(kind: str, path: str, rows: Table) -> Told:
    """One field or block, written with or without the `[]` of lists."""
    bare = path.replace("[]", "")
    inside = [r for r in rows if f"{r[0]}.".replace("[]", "").startswith(f"{bare}.")]
    if inside:
        return Told(f"{kind}.{path}", FIELD, inside)
    quoted = [row for row in rows if bare.startswith(f"{row[0]}.")]
    if kind == "Recipe" and quoted:
        return _quoted(bare, quoted[0])
    known = [row[0] for row in rows]
    hint = did_you_mean(path, known, otherwise=f"llmops explain {kind} shows all of them")
    raise UsageError(f'{kind} has no field "{printable(path)}"', hint=hint)


def _quoted(path: str, block: tuple[str, ...]) -> Told:
    """A key of a tool that a Recipe quotes: its form is the tool's."""
    from llmops.specs import upstream

    if path not in upstream.paths():
        hint = did_you_mean(path, upstream.paths(), otherwise=f"llmops explain Recipe.{block[0]}")
        raise UsageError(f'Recipe has no field "{printable(path)}"', hint=hint)
    tool, form, instead = upstream.told(path)
    doc = f"not for a spec to set: {instead}" if instead else f"a key of {tool}, verbatim"
    return Told(f"Recipe.{path}", FIELD, [(path, form, "", block[3], doc)])


# ---- a spec ----------------------------------------------------------------------------------

VALUE = ("path", "value", "origin", "role")


def _spec(args: argparse.Namespace) -> Told:
    found = common.project(args)
    state = read(found, found.repository.work_tree(), head=True)
    known = sorted(map(str, state.loaded.specs))
    if args.subject not in known:
        if state.graph is None:
            complain(render(state.diagnostics, state.texts))
        raise UsageError(
            f'nothing is called "{printable(args.subject)}"',
            hint=did_you_mean(args.subject, known, otherwise="write Kind/name"),
        )
    ref = Ref.parse(args.subject)
    rows = [tuple(printable(cell, 300) for cell in row) for row in _values(state, ref, args.env)]
    return Told(f"{ref} in {state.loaded.specs[ref].path}", VALUE, rows)


def _values(state: State, ref: Ref, environment: str | None) -> Iterator[tuple[str, ...]]:
    from llmops.graph.diff import role_of
    from llmops.specs.load import roles

    spec, moved = _placed(state, ref, environment)
    said = state.loaded.written(ref)
    for loc, value in _leaves(("spec",), spec.spec):
        path = _path(loc[1:])
        role = role_of(path, roles(ref.kind))
        by = next((place for at, place in moved.items() if loc[: len(at)] == at), None)
        yield path, _shown(value), by or _origin(state, ref, loc, said), role
    for loc, value in _leaves(("metadata",), spec.value["metadata"]):
        role = role_of(_path(loc), roles(ref.kind))
        yield _path(loc), _shown(value), _origin(state, ref, loc, said), role


def _placed(
    state: State, ref: Ref, environment: str | None
) -> tuple[Spec, Mapping[tuple[str | int, ...], str]]:
    """A spec as it is in the Environment in use, and where each overlay on it stands."""
    from llmops.graph.environment import origins, placed
    from llmops.pipeline import environment_of

    graph = state.graph
    where = environment_of(graph, environment) if graph is not None else None
    if graph is None or where is None:
        return state.loaded.specs[ref], {}
    found = origins(graph, ref, where)
    moved = {loc: f"{where.ref} {state.place(where.ref, one.loc)}" for loc, one in found.items()}
    return placed(graph, where).specs[ref], moved


def _leaves(loc: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves((*loc, key), inner)
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        for i, inner in enumerate(value):
            yield from _leaves((*loc, i), inner)
    else:
        yield loc, value


def _path(loc: Sequence[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return text.removeprefix(".")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _origin(state: State, ref: Ref, loc: tuple[str | int, ...], said: Mapping[str, Any]) -> str:
    """`path:line:col` of a value that was written, else that it is the default."""
    value: Any = said
    for step in loc:
        inside = isinstance(value, Mapping) and step in value
        at = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not inside and not at:
            return "default"
        value = value[step]
    return str(state.loaded.span(ref, loc))
