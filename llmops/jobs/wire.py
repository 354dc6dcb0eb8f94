"""Jobs, plans and results to JSON and back, without loss and without guessing.

In: values of `jobs/base.py`. Out: plain JSON values for `plan.json`, `result.json` and evidence.
Reading is strict, because those files cross machines: an unknown key, a missing key, a wrong type
or another `format_version` is a ValueError that names the place. Readers are built once per type
from its annotations, so a new field of a noun needs nothing here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from llmops.jobs.base import FORMAT_VERSION, Job, Plan, Result
from llmops.specs.base import Ref

T = TypeVar("T")
Reader = Callable[[Any], Any]
_ABSTRACT_MAPPING = get_origin(Mapping[str, int])


def to_json(value: Any) -> dict[str, Any]:
    """The JSON object of a dataclass of `jobs/base.py`; a Job alone carries `format_version`.

    Raises ValueError for a number that JSON has not (NaN, infinity) or a value that is not data.
    """
    made = cast("dict[str, Any]", _plain(value))
    return {"format_version": FORMAT_VERSION, **made} if isinstance(value, Job) else made


def job_from_json(data: Any) -> Job:
    """The Job that `to_json` wrote. Raises ValueError naming the place of the first mistake."""
    checked = _versioned("job", data)
    return _read("job", Job, {k: v for k, v in checked.items() if k != "format_version"})


def result_from_json(data: Any) -> Result:
    """The Result that `to_json` wrote. Raises ValueError naming the place of the first mistake."""
    return _read("result", Result, _versioned("result", data))


def plan_from_json(data: Any) -> Plan:
    """The Plan that `to_json` wrote. Raises ValueError naming the place of the first mistake."""
    return _read("plan", Plan, _versioned("plan", data))


def entry_from_json(kind: type[T], data: Any) -> T:
    """An entry of the ledger as `to_json` wrote it. Raises ValueError naming the first mistake."""
    return _read("entry", kind, data)


def _versioned(what: str, data: Any) -> dict[str, Any]:
    if type(data) is not dict:
        raise ValueError(f"{what}: expected an object, got {_shown(data)}")
    version = data.get("format_version")
    if type(version) is not int:
        raise ValueError(f"{what}.format_version: expected an integer, got {_shown(version)}")
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{what}.format_version is {version}, but this llmops reads {FORMAT_VERSION}"
        )
    return cast("dict[str, Any]", data)


def _read(what: str, kind: type[T], data: Any) -> T:
    try:
        return cast("T", _reader(cast("Any", kind))(data))
    except _WrongError as wrong:
        raise ValueError(f"{what}{wrong.place}: {wrong.message}") from None


class _WrongError(Exception):
    """A mistake whose place is completed on the way out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.place = ""

    def inside(self, step: str) -> _WrongError:
        self.place = step + self.place
        return self


# Writing


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
        return value
    if isinstance(value, Ref):
        return str(value)
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {_key(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, frozenset):
        return sorted(_plain(v) for v in value)
    raise ValueError(f"{type(value).__name__} is not a JSON value")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{key!r} is not a JSON key")
    return key


# Reading: one closure per annotation, built once


@cache
def _reader(kind: Any) -> Reader:
    if kind is Any:
        return _any
    if kind in _SCALARS:
        return _SCALARS[kind]
    if is_dataclass(kind):
        return _record(kind)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _one_of(args)
    if origin in (Union, UnionType):
        return _optional(args)
    if origin is tuple:
        return _sequence(_reader(args[0]), tuple)
    if origin is frozenset:
        return _sequence(_reader(args[0]), frozenset)
    if origin is _ABSTRACT_MAPPING:
        return _mapping(_reader(args[1]))
    raise AssertionError(f"no reader for {kind}")


def _record(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = tuple((f.name, _reader(hints[f.name])) for f in fields(kind))
    names = {name for name, _ in readers}

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise _WrongError(f"expected an object, got {_shown(data)}")
        if data.keys() != names:
            raise _keys_differ(names, set(data))
        made: list[Any] = []
        try:
            for name, reader in readers:
                made.append(reader(data[name]))
        except _WrongError as wrong:
            raise wrong.inside(f".{name}") from None
        return kind(*made)

    return read


def _keys_differ(names: set[str], given: set[str]) -> _WrongError:
    unknown, missing = sorted(given - names), sorted(names - given)
    said = [f"unknown key {', '.join(map(_shown, unknown))}"] if unknown else []
    said += [f"missing key {', '.join(map(_shown, missing))}"] if missing else []
    return _WrongError("; ".join(said))


def _one_of(allowed: tuple[Any, ...]) -> Reader:
    def read(data: Any) -> Any:
        if type(data) is not str or data not in allowed:
            raise _WrongError(f"expected one of {', '.join(allowed)}, got {_shown(data)}")
        return data

    return read


def _optional(args: tuple[Any, ...]) -> Reader:
    rest = [a for a in args if a is not NoneType]
    assert len(rest) == 1, "only `X | None` is used in wire types"
    inner = _reader(rest[0])
    return lambda data: None if data is None else inner(data)


def _sequence(inner: Reader, kind: type) -> Reader:
    def read(data: Any) -> Any:
        if type(data) is not list:
            raise _WrongError(f"expected a list, got {_shown(data)}")
        made: list[Any] = []
        try:
            for item in data:
                made.append(inner(item))
        except _WrongError as wrong:
            raise wrong.inside(f"[{len(made)}]") from None
        return kind(made)

    return read


def _mapping(inner: Reader) -> Reader:
    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise _WrongError(f"expected an object, got {_shown(data)}")
        made = {}
        for key, item in data.items():
            if type(key) is not str:
                raise _WrongError(f"expected text as key, got {_shown(key)}")
            try:
                made[key] = inner(item)
            except _WrongError as wrong:
                raise wrong.inside(f"[{_shown(key)}]") from None
        return made

    return read


def _scalar(kind: type, name: str) -> Reader:
    def read(data: Any) -> Any:
        if type(data) is not kind:
            raise _WrongError(f"expected {name}, got {_shown(data)}")
        return data

    return read


def _number(data: Any) -> float:
    """A finite number; whole ones too, because canonical JSON writes 1.0 as 1."""
    if type(data) not in (int, float) or not abs(data) <= sys.float_info.max:
        raise _WrongError(f"expected a finite number, got {_shown(data)}")
    return float(data)


def _ref(data: Any) -> Ref:
    if type(data) is not str:
        raise _WrongError(f"expected Kind/name, got {_shown(data)}")
    try:
        return Ref.parse(data)
    except ValueError as error:
        raise _WrongError(str(error)) from None


def _any(data: Any) -> Any:
    """Any JSON value."""
    if data is None or type(data) in (str, bool, int):
        return data
    if type(data) is float:
        return _number(data)
    if type(data) is list:
        return list(_ANY_LIST(data))
    if type(data) is dict:
        return _ANY_MAPPING(data)
    raise _WrongError(f"{_shown(data)} is not a JSON value")


def _shown(data: Any) -> str:
    text = repr(data) if not isinstance(data, str) else f'"{data}"'
    return text if len(text) <= 60 else text[:59] + "…"


_SCALARS: dict[Any, Reader] = {
    str: _scalar(str, "text"),
    int: _scalar(int, "an integer"),
    bool: _scalar(bool, "true or false"),
    float: _number,
    Ref: _ref,
}
_ANY_LIST = _sequence(_any, tuple)
_ANY_MAPPING = _mapping(_any)
