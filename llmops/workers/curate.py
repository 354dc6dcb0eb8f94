"""Job type `curate`: sources by digest -> checked, selected rows in parts, and the funnel.

In: inputs `source/<name>` (JSON Lines or CSV). Out: `parts/<part>.jsonl`, one canonical JSON row a
line in the order of the sources, `digests/<part>.jsonl` and `funnel.json`. Steps, in this order:
read (every bad row is named by place, none is skipped), rename columns, check the format's shape,
ids, `curation` (in its order), `splits`, exact repetitions, `expectations`, leaks between parts,
contamination.

Each row gets `id` (its own id column, else the first 16 hex of `case`) and `case` (digest of the
row without the two). A case stands in a part once: exact repetitions are dropped and counted. One
that stands in two parts is an error for a hash split and counted for a given one; rows that share
only the format's columns (same question and answer, other subject) are counted in both, and so are
rows that ask the same. A digest of what each row asks is kept in `digests/<part>.jsonl`, blind to
case, to blanks and to how Unicode spells it: from these it can be told whether rows of one dataset
stand in another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from llmops import __version__, digest
from llmops.diagnostics import printable
from llmops.jobs.base import Measurement
from llmops.workers import contamination, expectations, rows, shapes, splits
from llmops.workers.contract import Outcome, RunFolder, WorkerError, write_atomically
from llmops.workers.funnel import Dedup, Select, Shared, Step

BAD_SHOWN = 20
PROGRESS_EVERY = 20_000


@dataclass(slots=True)
class BadRows:
    """The first bad rows by place, and how many there are."""

    total: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, place: str, what: str) -> None:
        """Counts one."""
        self.total += 1
        if len(self.first) < BAD_SHOWN:
            self.first.append(f"{place}: {what}")

    def raise_if_any(self, dataset: str) -> None:
        """Raises WorkerError that lists the first ones, a line each, and the total."""
        if not self.total:
            return
        more = [f"and {self.total - BAD_SHOWN} more"] if self.total > BAD_SHOWN else []
        listed = "".join(f"\n  {text}" for text in [*self.first, *more])
        what = "1 bad row" if self.total == 1 else f"{self.total} bad rows"
        raise WorkerError(
            f'dataset "{dataset}" has {what}:{listed}',
            hint="mend the rows in their source, or map its columns under columns",
        )


def work(run: RunFolder) -> Outcome:
    """Curates the dataset of a job. Raises WorkerError for bad rows, no rows, and leaks."""
    curation = Curation(run)
    with ExitStack() as open_files:
        curation.open_parts(open_files)
        for source in run.spec["dataset"]["sources"]:
            curation.take(source["name"], source["media"])
    curation.check()
    return curation.outcome()


class Curation:
    """One dataset on its way through the steps; holds digests of rows, never the rows."""

    def __init__(self, run: RunFolder) -> None:
        spec = run.spec["dataset"]
        self.run = run
        self.name: str = spec["name"]
        self.format: str = spec["format"]
        if self.format not in shapes.COLUMNS:
            known = ", ".join(shapes.COLUMNS)
            raise WorkerError(f'rows of format "{self.format}" have no shape', hint=known)
        self.theirs: dict[str, str] = {t: ours for ours, t in spec.get("columns", {}).items()}
        self.curation = list(_streaming(spec.get("curation", [])))
        self.contaminations = contamination.build(run, spec)
        self.expected = expectations.build(spec.get("expectations", []))
        names = tuple(s["name"] for s in spec["sources"])
        self.split = splits.build(spec["splits"], names)
        self.given = isinstance(self.split, splits.Given)
        self.bad = BadRows()
        self.reads: list[Step] = []
        self.repeated = Step("exact duplicates")
        self.parted = Step("parts")
        self.same_rows = Shared("same row in two parts")
        self.same_content = Shared(f"same {' and '.join(shapes.COLUMNS[self.format])} in two parts")
        self.same_asked = Shared("same input in two parts")
        self.ids: dict[str, set[str]] = {}
        self.files: dict[str, BinaryIO] = {}
        self.digests: dict[str, BinaryIO] = {}
        self.counts = dict.fromkeys(self.split.names, 0)
        self.rated: dict[str, int] = {}  # anchors of a part by class

    def open_parts(self, open_files: ExitStack) -> None:
        """Opens the files of each part, all at once."""
        for part in self.split.names:
            for folder, files in (("parts", self.files), ("digests", self.digests)):
                path = self.run.artifact(f"{folder}/{part}.jsonl")
                files[part] = open_files.enter_context(path.open("wb"))

    def take(self, source: str, media: str) -> None:
        """Leads every row of one source through all steps."""
        step = Step(f"read {source}")
        self.reads.append(step)
        has_id: bool | None = None
        for found in rows.read(self.run.input(f"source/{source}"), media):
            step.rows_in += 1
            place = f"{source}:{found.line}"
            if isinstance(found, rows.Bad):
                self.bad.add(place, found.what)
                continue
            try:
                row = self._ours(found.value)
                has_id = "id" in row if has_id is None else has_id
                self._identify(row, has_id, source)
                self._place(row, place, source, media)
            except _BadRow as error:
                self.bad.add(place, str(error))
            if step.rows_in % PROGRESS_EVERY == 0:
                self.run.progress("read", source=source, rows=step.rows_in)
        if step.rows_in == 0:
            self.bad.add(f"{source}:1", "the file has no rows")
        self.run.progress("read", source=source, rows=step.rows_in)

    def _ours(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row under our column names, of the right shape."""
        for theirs in self.theirs:
            if theirs not in row:
                named = f'"{printable(theirs, 60)}" (mapped to "{self.theirs[theirs]}")'
                raise _BadRow(f"no column {named}")
        ours = {self.theirs.get(name, name): value for name, value in row.items()}
        if len(ours) != len(row):
            twice = next(o for t, o in self.theirs.items() if t != o and o in row)
            raise _BadRow(f'column "{printable(twice, 60)}" is mapped and also stands in the row')
        if "case" in ours:
            raise _BadRow('the column name "case" is taken: map it to another under columns')
        if what := shapes.problem(ours, self.format):
            raise _BadRow(what)
        return ours

    def _identify(self, row: dict[str, Any], has_id: bool, source: str) -> None:
        """Adds `case` and `id`; an id of its own must be there on all rows and be used once."""
        if ("id" in row) is not has_id:
            raise _BadRow("an id on some rows of the source only")
        own = row.pop("id", None)
        row["case"] = digest.of_value(row)
        row["id"] = _id(own) if has_id else row["case"].removeprefix("sha256:")[:16]
        if has_id and not self._is_new(row["id"], source):
            raise _BadRow(f'id "{printable(row["id"], 60)}" stands on an earlier row')

    def _is_new(self, id_: str, source: str) -> bool:
        """Whether the id is used the first time: in the dataset, or in the part if given."""
        ids = self.ids.setdefault(source if self.given else "", set())
        known = id_ in ids
        ids.add(id_)
        return not known

    def _place(self, row: dict[str, Any], place: str, source: str, media: str) -> None:
        """Drops the row at the first step that does not keep it, else writes it to its part."""
        for step in self.curation:
            if not self._passes(step, row, place, source, media):
                return
        part = self.split.part(row, source)
        if part is None and not self.given:
            raise _BadRow(f'no "{self.split.by}" to split by')
        if not self.parted.passes(part is not None, place) or part is None:
            return
        case = bytes.fromhex(row["case"][7:39])
        is_new = not self.same_rows.holds(case, self.split.names.index(part))
        if self.repeated.passes(is_new, place):
            self._keep(row, case, part, place)

    def _passes(
        self, step: Select | Dedup, row: dict[str, Any], place: str, source: str, media: str
    ) -> bool:
        """Whether one step of `curation` keeps the row. Parts that are given have no common row."""
        if isinstance(step, Dedup):
            text, scope = self._text(row), source if self.given else ""
            return step.keep(text, digest.canonical(self._content(row)[1:]), scope, place)
        if step.column not in row:
            raise _BadRow(f'no column "{printable(step.column, 60)}" to select by')
        return step.keep(row[step.column], media, place)

    def _content(self, row: Mapping[str, Any]) -> list[Any]:
        return [row[column] for column in shapes.COLUMNS[self.format]]

    def _keep(self, row: dict[str, Any], case: bytes, part: str, place: str) -> None:
        self.counts[part] += 1
        number = self.split.names.index(part)
        self.same_rows.see(case, number, place)
        key = hashlib.sha256(digest.canonical(self._content(row))).digest()[:16]
        self.same_content.see(key, number, place)
        asked = self._asked(row)
        self.same_asked.see(asked, number, place)
        self.digests[part].write(digest.canonical([asked.hex(), row["id"]]) + b"\n")
        for expectation in self.expected:
            expectation.see(row, place)
        if self.format == "ratings" and (word := _rated(row)):
            name = f"{word}_{part}"
            self.rated[name] = self.rated.get(name, 0) + 1
        self.files[part].write(rows.line(row))

    def _text(self, row: Mapping[str, Any]) -> str:
        """What a row asks; of a word list, which asks nothing, the word."""
        return contamination.text_of(row, self.format)

    def _asked(self, row: dict[str, Any]) -> bytes:
        """Digest of what a row asks."""
        return digest.of_question(self._text(row))

    def check(self) -> None:
        """Raises WorkerError for bad rows, an empty part, and rows on two sides of a hash split."""
        self.bad.raise_if_any(self.name)
        empty = [name for name, count in self.counts.items() if not count]
        if len(empty) == len(self.counts):
            raise WorkerError(f'dataset "{self.name}" has no rows left', hint=self._losses())
        if empty:
            hint = "more rows, another share, or another selection"
            raise WorkerError(f'part "{empty[0]}" of "{self.name}" has no rows', hint=hint)
        if self.same_rows.found and not self.given:
            raise WorkerError(
                f"{self.same_rows.found} rows stand in two parts, "
                f"first {self.same_rows.sample[0]} (same content, other id)",
                hint="remove the repetitions, or split by a column they share (splits.by)",
            )

    def _losses(self) -> str:
        lost = [f"{s.name} dropped {s.dropped}" for s in self._steps() if s.dropped]
        return "; ".join(lost) or "the sources are empty"

    def _steps(self) -> Iterator[Step]:
        yield from self.reads
        for step in self.curation:
            yield from step.steps
        yield self.parted
        yield self.repeated
        yield self.same_rows
        yield self.same_content
        yield self.same_asked
        yield from (one.step for one in self.contaminations)

    def outcome(self) -> Outcome:
        """Writes the funnel; parts whose expectations do not hold are not given to anyone."""
        written = {part: self.run.artifact(f"parts/{part}.jsonl") for part in self.counts}
        for one in self.contaminations:
            one.look(written, self.format)
        funnel = json.dumps([s.shown() for s in self._steps()], ensure_ascii=False, indent=1)
        write_atomically(self.run.artifact("funnel.json"), funnel.encode() + b"\n")
        counted = {f"rows_{part}": n for part, n in self.counts.items()} | self.rated
        measured = tuple(
            Measurement(name, float(n), n, version=__version__)
            for name, n in sorted(counted.items())
        )
        if len(self.counts) > 1:
            rows_in, found = self.same_asked.rows_in, self.same_asked.found
            shared = Measurement("same_input", float(found), rows_in, version=__version__)
            measured = (*measured, shared)
        measured = (*measured, *self._told())
        said = (*(e.reason() for e in self.expected), *(c.reason() for c in self.contaminations))
        reasons = [reason for reason in said if reason]
        if not reasons:
            return Outcome("ok", measurements=measured)
        for part in self.counts:
            for folder in ("parts", "digests"):
                self.run.artifact(f"{folder}/{part}.jsonl").unlink()
        return Outcome("quality_failed", "; ".join(reasons), measured)

    def _told(self) -> Iterator[Measurement]:
        """What `dedup` dropped and `contamination` found, each over the rows that it saw."""
        counted: dict[str, tuple[int, int]] = {}
        for name, found, seen in self._counts():
            before = counted.get(name, (0, 0))
            counted[name] = before[0] + found, before[1] + seen
        for name, (found, seen) in counted.items():
            yield Measurement(name, float(found), seen, version=__version__)

    def _counts(self) -> Iterator[tuple[str, int, int]]:
        for step in self.curation:
            if isinstance(step, Dedup):
                dropped = sum(s.dropped for s in step.steps)
                yield "duplicates", dropped, step.steps[0].rows_in
                yield "contradictions", step.contradicting.found, step.steps[0].rows_in
        for one in self.contaminations:
            yield "contaminated", one.step.found, one.step.rows_in


def _streaming(curation: Iterable[Mapping[str, Any]]) -> Iterator[Select | Dedup]:
    """The steps that see one row after the other, in their order."""
    for step in curation:
        if "select" in step:
            yield Select(step["select"])
        elif "dedup" in step:
            yield Dedup(step["dedup"])


class _BadRow(ValueError):
    """This row cannot be taken; the text says why."""


def _rated(row: Mapping[str, Any]) -> str:
    """The class of a rated row, by half of the range; "" for a control item."""
    rating = shapes.rating_of(row)
    if row.get("control") or rating is None:
        return ""
    return "good" if rating >= 0.5 else "bad"


def _id(own: Any) -> str:
    """An id as text. Raises _BadRow for one that names nothing."""
    if isinstance(own, bool) or not isinstance(own, str | int) or own == "":
        raise _BadRow(f"an id is text or an integer, this one is {printable(json.dumps(own), 60)}")
    return str(own)
