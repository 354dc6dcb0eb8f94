"""The shape of a kind: which path holds what, with its role, compiled once from the model.

In: a pydantic model whose fields are declared by `field` and `group`. Out: a `Shape`, by which a
value is cut into projections (one per role), references and files are found, and roles are told.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from llmops.specs.fields import Block, IsFile, RefTo

ROLE = "x-llmops-role"


@dataclass(frozen=True, slots=True)
class Shape:
    """One place of a kind: a leaf with its role, or a block of fields (`many`: a list of them)."""

    role: str = ""  # as published: "static", "job: [train, generate]"; "" for a block
    parts: tuple[str, ...] = ()  # keys of the projections it belongs to
    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    many: bool = False
    ref: RefTo | None = None
    file: bool = False
    each: Shape | None = None  # of every value of a map whose keys are the user's names

    @property
    def leaf(self) -> bool:
        """Whether the walk ends here."""
        return bool(self.role)

    def at(self, loc: tuple[str | int, ...]) -> Shape | None:
        """The shape at a path below this one, list indices passed over; None if there is none."""
        shape: Shape | None = self
        for step in loc:
            if isinstance(step, str) and shape is not None:
                shape = shape.fields.get(step) or shape.each
        return shape


class ShapeError(TypeError):
    """A kind is declared wrongly: a leaf without a role, or a block with one and fields."""


def compile_shape(model: type[Block]) -> Shape:
    """The shape of a model. Raises ShapeError for a field without exactly one role."""
    fields: dict[str, Shape] = {}
    required = set()
    for attribute, info in model.model_fields.items():
        name = info.alias or attribute
        fields[name] = _field(f"{model.__name__}.{name}", info)
        if info.is_required():
            required.add(name)
    return Shape(fields=fields, required=frozenset(required))


def _field(where: str, info: FieldInfo) -> Shape:
    found = _Found()
    found.look(info.annotation)
    for mark in info.metadata:
        found.mark(mark)
    role = _role(info)
    if role:
        inner = _each(info.annotation)
        return Shape(role=role, parts=_parts(role), ref=found.ref, file=found.file, each=inner)
    if not found.blocks:
        raise ShapeError(f"{where} is a leaf without a role")
    return _merged([compile_shape(block) for block in found.blocks], many=found.many)


def _each(annotation: Any) -> Shape | None:
    """The shape of a map's values, where they are blocks."""
    values = get_args(annotation)[1:] if get_origin(annotation) is dict else ()
    blocks = [one for one in values if isinstance(one, type) and issubclass(one, Block)]
    return compile_shape(blocks[0]) if blocks else None


def _merged(shapes: list[Shape], *, many: bool) -> Shape:
    """One shape for all branches of a union."""
    fields: dict[str, Shape] = {}
    for shape in shapes:
        for name, inner in shape.fields.items():
            known = fields.get(name)
            both = known is not None and not known.leaf and not inner.leaf
            if known is not None and not both and known != inner:
                raise ShapeError(f'"{name}" has two roles in the branches of one union')
            fields[name] = _merged([known, inner], many=inner.many) if known and both else inner
    required = frozenset.intersection(*(shape.required for shape in shapes))
    return Shape(fields=fields, required=required, many=many)


@dataclass
class _Found:
    """What an annotation holds."""

    blocks: list[type[Block]] = field(default_factory=list)
    many: bool = False
    ref: RefTo | None = None
    file: bool = False

    def mark(self, mark: Any) -> None:
        self.ref = mark if isinstance(mark, RefTo) else self.ref
        self.file = self.file or isinstance(mark, IsFile)

    def look(self, annotation: Any) -> None:
        origin = get_origin(annotation)
        if isinstance(annotation, type) and issubclass(annotation, Block):
            self.blocks.append(annotation)
        elif origin is Annotated:
            for mark in annotation.__metadata__:
                self.mark(mark)
            self.look(annotation.__origin__)
        elif origin in (Union, types.UnionType, tuple):
            self.many = self.many or origin is tuple
            for inner in get_args(annotation):
                self.look(inner)


def blocks_of(annotation: Any) -> tuple[type[Block], ...]:
    """The blocks that an annotation may hold."""
    found = _Found()
    found.look(annotation)
    return tuple(found.blocks)


def _role(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    return str(extra.get(ROLE, "")) if isinstance(extra, dict) else ""


def _parts(role: str) -> tuple[str, ...]:
    if not role.startswith("job:"):
        return (role,)
    return tuple(word.strip() for word in role.removeprefix("job:").strip(" []").split(","))


def leaves(shape: Shape, path: str = "") -> Iterator[tuple[str, Shape]]:
    """Every leaf by its path: `lora`, `checks[].require.min`."""
    for name, inner in shape.fields.items():
        at = f"{path}.{name}" if path else name
        if inner.leaf:
            yield at, inner
        else:
            yield from leaves(inner, f"{at}[]" if inner.many else at)


Visit = Callable[[tuple[str | int, ...], Shape, str], None]


def split(shape: Shape, value: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """The projections of a block's value by role; references and files are shown to `visit`.

    A list of named blocks becomes a map by name, since its order means nothing; other lists keep
    their places. An empty list is left out: it means what its absence means.
    """
    return _split(shape, value, (), visit)


def _split(
    shape: Shape, value: Mapping[str, Any], loc: tuple[str | int, ...], visit: Visit
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    fields = shape.fields
    for name, inner in value.items():
        below = fields[name]
        if below.role:
            if inner == []:
                continue
            for part in below.parts:
                found.setdefault(part, {})[name] = inner
            if below.ref is not None or below.file:
                visit((*loc, name), below, inner)
            continue
        cut = _list if below.many else _split
        for part, held in cut(below, inner, (*loc, name), visit).items():
            found.setdefault(part, {})[name] = held
    return found


def _list(shape: Shape, value: Any, loc: tuple[str | int, ...], visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = {}
    named = "name" in shape.fields
    for i, item in enumerate(value):
        for part, held in _split(shape, item, (*loc, i), visit).items():
            if named:
                found.setdefault(part, {})[item["name"]] = held
            else:
                found.setdefault(part, [None] * len(value))[i] = held
    return found


def walk(shape: Shape, value: Any, visit: Visit, loc: tuple[str | int, ...] = ()) -> None:
    """Shows `visit` the references and files of a value that may be of any shape."""
    if isinstance(value, list) and shape.many:
        one = replace(shape, many=False)
        for i, item in enumerate(value):
            walk(one, item, visit, (*loc, i))
    for name, inner in value.items() if isinstance(value, dict) else ():
        below = shape.fields.get(name)
        if below is None:
            continue
        if not below.leaf:
            walk(below, inner, visit, (*loc, name))
        elif below.ref is not None or below.file:
            visit((*loc, name), below, inner)
