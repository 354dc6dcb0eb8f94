"""promptfoo's tests -> rows of a Dataset: variables, metadata, and what is expected.

Tests stand in the configuration, or in CSV, JSON, JSON Lines or YAML beside it. A variable with
several values makes a row for each, as promptfoo does. Columns that the worker gives itself
(`id`, `case`), or that a question or an answer must fill, are called otherwise where they clash.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from llmops.diagnostics import Span, printable
from llmops.digest import canonical
from llmops.importers.base import Draft, Near, told
from llmops.importers.hub import as_json
from llmops.importers.recipes import look
from llmops.source.document import parse
from llmops.specs.base import Ref
from llmops.specs.problem import Loc, block

MOST_ROWS = 100_000
MOST_OF_ONE = 1000  # rows that one test may become
TAKEN = ("id", "case", "question", "answer", "system")
_EXPECTED = re.compile(r"__expected\d*")
_PREFIXED = re.compile(r"(?P<type>[a-z][a-z:-]*)(?:\((?P<threshold>[\d.]+)\))?:(?P<value>.*)", re.S)
_RUN = "tests that code makes; write them out as CSV or JSON Lines"


@dataclass(slots=True)
class Test:
    """One row: variables, what must hold of the answer, and where it stands."""

    variables: dict[str, Any]
    asserts: list[Mapping[str, Any]]
    span: Span
    metadata: dict[str, Any] = field(default_factory=dict)
    expected: str | None = None
    marks: dict[str, str] = field(default_factory=dict)  # columns by which checks are cut


def read(draft: Draft, near: Near) -> list[Test]:
    """Every test with what `defaultTest` gives to it, one entry a row."""
    default = _default(draft, near)
    found: list[Test] = []
    for one, span in _given(draft, near):
        found += _rows_of(draft, near, one, default, span)
        if len(found) > MOST_ROWS:
            draft.note(("tests",), f"only the first {MOST_ROWS} rows are written")
            break
    return found[:MOST_ROWS]


def _default(draft: Draft, near: Near) -> Mapping[str, Any]:
    value = draft.document.value.get("defaultTest")
    if isinstance(value, str):
        found = next(iter(_in_file(draft, near, value, ("defaultTest",))), None)
        return found[0] if found else {}
    if value is not None and not isinstance(value, dict):
        draft.note(("defaultTest",), "it is no test")
    return value if isinstance(value, dict) else {}


def _given(draft: Draft, near: Near) -> Iterator[tuple[Mapping[str, Any], Span]]:
    value = draft.document.value.get("tests")
    if isinstance(value, str):
        yield from _in_file(draft, near, value, ("tests",))
        return
    for i, one in enumerate(value if isinstance(value, list) else ()):
        of: Loc = ("tests", i)
        if isinstance(one, str):
            yield from _in_file(draft, near, one, of)
        elif isinstance(one, dict) and "path" in one and "vars" not in one:
            draft.note(of, _RUN)
        elif isinstance(one, dict):
            yield one, draft.document.span(of)
        else:
            draft.note(of, "it is no test: a map with vars and assert")
    if value is not None and not isinstance(value, list):
        draft.note(("tests",), "it is no list of tests")


# ---- files -----------------------------------------------------------------------------------


def _in_file(
    draft: Draft, near: Near, text: str, of: Loc
) -> Iterator[tuple[Mapping[str, Any], Span]]:
    path = text.removeprefix("file://")
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in _READERS:
        draft.note(of, _RUN if suffix in (".py", ".js", ".ts", ".mjs", ".cjs") else
                   "tests are read from CSV, JSON, JSON Lines and YAML files here")  # fmt: skip
        return
    found = look(near, path)
    if found is None or found.data is None:
        draft.note(of, "the file is not here; files by pattern are not looked for")
        return
    text = found.data.decode("utf-8", "replace").removeprefix("\ufeff")
    read_ = _READERS[suffix](text)
    if read_ is None:
        draft.note(of, "the file cannot be read as its name says")
    for one, line in read_ or ():
        span = Span(found.path, line)
        if isinstance(one, dict):
            yield one, span
        else:
            draft.note_in(span, "a test", "it is no test: a map with vars and assert")


Rows = list[tuple[Any, int]]


def _csv(text: str) -> Rows | None:
    """Rows by their head; `__expected` columns become assertions."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        head = next(reader, None) or []
        rows = [(row, reader.line_num) for row in reader if row]
    except csv.Error:
        return None
    return [(_csv_test(head, row), line) for row, line in rows]


def _csv_test(head: Sequence[str], row: Sequence[str]) -> Mapping[str, Any]:
    test: dict[str, Any] = {"vars": {}, "assert": [], "metadata": {}, "options": {}}
    for name, value in zip(head, row, strict=False):
        name = name.strip()
        if _EXPECTED.fullmatch(name):
            test["assert"] += [_assertion(value)] if value.strip() else []
        elif name.startswith("__metadata:"):
            test["metadata"][name.removeprefix("__metadata:").removesuffix("[]")] = value
        elif name.startswith("__"):
            if value and name != "__description":
                test["options"][name] = value
        else:
            test["vars"][name] = value
    return test


def _assertion(text: str) -> Mapping[str, Any]:
    """`contains: Paris`, `similar(0.8): …`; without a type it is `equals`."""
    found = _PREFIXED.match(text.strip())
    if found is None:
        return {"type": "equals", "value": text.strip()}
    kind, value = found["type"], found["value"].strip()
    made: dict[str, Any] = {"type": kind}
    if "-any" in kind or "-all" in kind:
        made["value"] = [part.strip() for part in value.split(",")]
    elif kind in ("latency", "cost"):
        made["threshold"] = value
    elif value:
        made["value"] = value
    if found["threshold"]:
        made["threshold"] = found["threshold"]
    return made


def _json(text: str) -> Rows | None:
    value = as_json(text.encode("utf-8", "replace"))
    value = [value] if isinstance(value, dict) else value
    return [(one, 1) for one in value] if isinstance(value, list) else None


def _jsonl(text: str) -> Rows | None:
    lines = [(line, n) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [(as_json(line.encode("utf-8", "replace")), n) for line, n in lines]


def _yaml(text: str) -> Rows | None:
    """A list of tests, or one test."""
    indented = "".join(f"  {line}\n" for line in text.split("\n"))
    document = parse("tests", f"tests:\n{indented}".encode()).document
    value = document.value.get("tests") if document else None
    if document is None:
        return None
    value = [value] if isinstance(value, dict) else value
    if not isinstance(value, list):
        return None
    return [(one, document.span(("tests", i)).line - 1) for i, one in enumerate(value)]


_READERS = {
    ".csv": _csv, ".json": _json, ".jsonl": _jsonl, ".yaml": _yaml, ".yml": _yaml,
}  # fmt: skip


# ---- rows ------------------------------------------------------------------------------------


def _rows_of(
    draft: Draft, near: Near, one: Mapping[str, Any], default: Mapping[str, Any], span: Span
) -> list[Test]:
    """The rows of one test: each combination of the values that its variables have."""
    variables = {**block(default, "vars"), **block(one, "vars")}
    if isinstance(one.get("vars"), str | list):
        draft.note_in(span, "vars", "variables in a file of their own are not read")
    asserts = [*_list(default.get("assert")), *_list(one.get("assert"))]
    metadata = {**block(default, "metadata"), **block(one, "metadata")}
    _note_rest(draft, one, span)
    read_ = {name: _read_file(draft, near, name, v, span) for name, v in variables.items()}
    names = list(read_)
    values = [v if isinstance(v, list) and _texts(v) else [v] for v in read_.values()]
    found = [
        Test(dict(zip(names, each, strict=True)), asserts, span, metadata)
        for each in itertools.islice(itertools.product(*values), MOST_OF_ONE + 1)
    ]
    if len(found) > MOST_OF_ONE:
        draft.note_in(span, "vars", f"only the first {MOST_OF_ONE} combinations are written")
    return found[:MOST_OF_ONE]


_NOTED: Mapping[str, str] = {
    "threshold": "every assertion is a check of its own, and each must hold",
    "provider": "an Evaluation asks one Application; write another for it",
    "options": "an Evaluation has no such option",
    "assertScoringFunction": "code is never run by an import",
}


def _note_rest(draft: Draft, one: Mapping[str, Any], span: Span) -> None:
    for name, why in _NOTED.items():
        if one.get(name):
            draft.note_in(span, told(name, one[name]), why)


def _texts(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(v, str | int | float) for v in values)


def _read_file(draft: Draft, near: Near, name: str, value: Any, span: Span) -> Any:
    """A variable's value; that of a text file where one is named."""
    if not (isinstance(value, str) and value.startswith("file://")):
        return value
    found = look(near, value.removeprefix("file://"))
    text = PurePosixPath(value).suffix.lower() in (".txt", ".md", ".json", ".yaml", ".yml")
    if found is not None and found.data is not None and text:
        return found.data.decode("utf-8", "replace")
    draft.note_in(span, f"{printable(name, 40)}: {printable(value, 60)}",
                  "no text file is here of that name; the variable holds its path")  # fmt: skip
    return value


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def dataset(draft: Draft, name: str, tests: Sequence[Test]) -> Ref:
    """The Dataset of the rows, which are written beside it."""
    ref = draft.add("Dataset", name)
    draft.put(ref, "purpose", ["evaluation"], ("tests",) if tests else ())
    file = f"specs/data/{ref.name}.jsonl"
    made = {"name": "tests", "file": file, "origin": "first_party"}
    draft.put(ref, "sources", [made], ("tests",) if tests else ())
    draft.put(ref, "format", "qa", ("tests",) if tests else ())
    return ref


def rows(draft: Draft, ref: Ref, tests: Sequence[Test]) -> None:
    """The rows as JSON Lines: variables, metadata, question and answer, marks of checks."""
    columns = columns_of(tests)
    lines: dict[bytes, None] = {}
    for test in tests:
        row: dict[str, Any] = {name: v for name, v in test.metadata.items() if _plain(name, v)}
        row |= {renamed(name, columns): value for name, value in test.variables.items()}
        row |= {"question": _question(test), "answer": test.expected or "", **test.marks}
        try:
            lines[canonical(row)] = None
        except ValueError as error:
            draft.note_in(test.span, "a test", f"its values are no JSON: {printable(str(error))}")
    draft.rows[f"specs/data/{ref.name}.jsonl"] = b"".join(line + b"\n" for line in lines)


def _plain(name: str, value: Any) -> bool:
    return name not in TAKEN and isinstance(value, str | int | float | bool)


def _question(test: Test) -> str:
    """What a person would read as the question: the only text, or every variable with its name."""
    values = test.variables
    for name in ("question", "input", "query", "prompt"):
        if isinstance(values.get(name), str):
            return str(values[name])
    if len(values) == 1 and isinstance(only := next(iter(values.values())), str):
        return only
    return "\n".join(f"{name}: {words(value)}" for name, value in values.items())


def words(value: Any) -> str:
    """A value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def columns_of(tests: Iterable[Test]) -> Mapping[str, list[Any]]:
    """Every variable with the values that tests give it."""
    found: dict[str, list[Any]] = {}
    for test in tests:
        for name, value in test.variables.items():
            found.setdefault(name, []).append(value)
    return found


def renamed(name: str, columns: Mapping[str, Sequence[Any]]) -> str:
    """What a variable is called as a column: its own name, unless that is taken."""
    texts = all(isinstance(value, str) for value in columns.get(name, ()))
    if name not in TAKEN or (name == "question" and texts):
        return name
    other = f"{name}_given"
    while other in columns:
        other += "_"
    return other


def kind_of(values: Iterable[Any]) -> str | list[str]:
    """The JSON Schema type of values; all types that occur where there are several."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array",
             dict: "object", type(None): "null"}  # fmt: skip
    kinds = sorted({names[type(value)] for value in values if type(value) in names})
    return kinds[0] if len(kinds) == 1 else kinds
