"""Clean labelled rows -> the files of a repository whose first verdict is minutes away.

In: `Labelled` rows, what was sized from them, a name, a language. Out: files by path: a template's,
filled, the rows as JSON Lines, and what every new repository has. Every spec that is made is put
into canonical style and read back before it is given out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from llmops.cli import from_csv_words, scaffold
from llmops.cli.from_csv_size import Sized
from llmops.cli.labelled import Labelled
from llmops.diagnostics import printable
from llmops.digest import canonical
from llmops.errors import LlmopsError
from llmops.rewrites import style
from llmops.source.document import parse
from llmops.specs.load import load_one

TEMPLATE = "from-csv"
SHARED = (".github/", ".pre-commit-config.yaml", "reports/")  # as the tiny example has them


def name_of(file: str) -> str:
    """A name for the specs from that of a file: `My intents (v2).csv` -> `my-intents-v2`."""
    stem = unicodedata.normalize("NFKD", PurePosixPath(file.replace("\\", "/")).stem).casefold()
    plain = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:40].strip("-")
    return plain or "labels"


def files(found: Labelled, size: Sized, name: str, language: str) -> dict[str, bytes]:
    """Every file of the repository by its path, without the schema."""
    values = from_csv_words.values(found, size, name, language)
    made = {
        _filled(path, values): _filled(data.decode("utf-8"), values).encode("utf-8")
        for path, data in scaffold.files(TEMPLATE, language).items()
    }
    tiny = scaffold.files("tiny", language)
    made |= {path: data for path, data in tiny.items() if path.startswith(SHARED)}
    for path in [p for p in made if p.endswith(".yaml") and p.startswith(("specs/", "policies/"))]:
        made[path] = _read_back(path, made[path])
    made[f"specs/data/{name}.jsonl"] = b"".join(_rows(found))
    return made


def _rows(found: Labelled) -> Iterator[bytes]:
    for row in found.rows:
        made = {"id": f"r{row.line}", "question": row.text, "answer": row.label}
        yield canonical(made) + b"\n"


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The template with each `@word@` replaced; one that nobody gives is a mistake of ours."""
    return re.sub(r"@([a-z_]+)@", lambda found: values[found[1]], text)


def _read_back(path: str, data: bytes) -> bytes:
    """A spec in canonical style. Raises LlmopsError where it cannot be read."""
    done = style.formatted(data.decode("utf-8"), path)
    text, wrong = done.text, done.diagnostics
    if text is not None:
        document = parse(path, text.encode("utf-8")).document
        assert document is not None
        wrong = load_one(document)[1]
        if not wrong:
            return text.encode("utf-8")
    said = f"{printable(str(wrong[0].span))}: {wrong[0].message}" if wrong else path
    raise LlmopsError(f"made a spec that cannot be read: {said}", hint="please report it")
