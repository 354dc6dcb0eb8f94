"""Kind `Dataset`: rows by source, their meaning by columns, checks, selection and splits.

Each source is a file of this repository or outside content by digest, and the unit of licence,
consent and country. Rows are checked, selected and split before any GPU is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from llmops.diagnostics import nearest
from llmops.specs import not_yet
from llmops.specs.blocks import (
    LIST,
    SET,
    Column,
    Country,
    Day,
    Digest,
    Language,
    License,
    NonEmpty,
    Part,
    Scalar,
    Share,
)
from llmops.specs.fields import Block, IsFile, Name, RefTo, field, group
from llmops.specs.pinned import revision
from llmops.specs.problem import Loc, Problem, block, duplicates, items, listed, one_of, quoted

BRANCHES = ("file", "uri")  # of a source
NOT_BUILT_EXPECTATIONS = ("max_tokens", "slices")

# What a row of each format is made of; `columns` maps these to the names in the file.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "qa": ("question", "answer"),
    "messages": ("messages",),
    "alpaca": ("instruction", "input", "output"),
    "sharegpt": ("conversations",),
    "completion": ("prompt", "completion"),
    "attack": ("prompt", "risk", "expect"),
    "lexicon": ("word", "risk"),
    "ratings": ("input", "response", "rating", "expected", "check", "control"),
}


class Consent(Block):
    """Why the rows may be used."""

    basis: NonEmpty = field(role="static", doc="Legal basis, as in contract or consent.")
    record: str | None = field(None, role="static", doc="Where the basis is recorded.")
    withdraw_by: Column | None = field(
        None, role="static", doc="Column by which a person's rows are found."
    )


class Collected(Block):
    """When the rows were collected."""

    from_: Day = field(role="static", doc="First day.", alias="from")
    to: Day = field(role="static", doc="Last day.")


class Source(Block):
    """One origin of rows: a file of this repository, or outside content by digest."""

    name: Name = field(role=("curate",), doc="Name of the source.")
    file: Annotated[str, IsFile()] | None = field(
        None, role=("curate",), doc="Path from the repository's root."
    )
    uri: NonEmpty | None = field(
        None, role="placement", doc="Where to get it; the digest is the meaning."
    )
    digest: Digest | None = field(None, role=("curate",), doc="Digest of the bytes.")
    revision: str | None = field(None, role="placement", doc="Commit of the hub, 40 hex digits.")
    license: License | None = field(None, role="static", doc="SPDX id.")
    origin: (
        Literal[
            "first_party", "licensed", "public_web", "open_dataset", "synthetic", "user_feedback"
        ]
        | None
    ) = field(None, role="static", doc="How the rows came to be.")
    country: Country | None = field(None, role="static", doc="Where the rows come from.")
    consent: Consent | None = group(None, doc="Why they may be used.")
    collected: Collected | None = group(None, doc="When they were collected.")


class Rows(Block):
    """How many rows there must be."""

    min: int | None = field(None, role=("curate",), doc="At least so many rows.", ge=0)
    max: int | None = field(None, role=("curate",), doc="At most so many rows.", ge=0)


class Expectation(Block):
    """One thing that must hold of the rows; one key names which."""

    not_null: Annotated[tuple[Column, ...], SET] | None = field(
        None, role=("curate",), doc="Columns that every row fills."
    )
    unique: Column | None = field(None, role=("curate",), doc="A column without repeats.")
    rows: Rows | None = group(None, doc="How many rows there are.")


class Select(Block):
    """Rows by the value of a column."""

    column: Column = field(role=("curate",), doc="The column.")
    in_: Annotated[tuple[Scalar, ...], LIST] | None = field(
        None, role=("curate",), doc="Values that stay.", alias="in", min_length=1
    )
    not_in: Annotated[tuple[Scalar, ...], LIST] | None = field(
        None, role=("curate",), doc="Values that go.", min_length=1
    )


class MinHash(Block):
    """Nearly equal rows: sets of character n-grams that share at least so much."""

    threshold: Annotated[float, Field(gt=0, le=1)] = field(
        role=("curate",), doc="Jaccard index from which a row is a duplicate."
    )
    num_perm: int = field(
        128, role=("curate",), doc="Hashes of a signature; more miss less.", ge=16, le=1024
    )
    ngram: int = field(
        5, role=("curate",), doc="Characters of an n-gram, blanks and marks aside.", ge=1, le=50
    )


class Dedup(Block):
    """Keep the first of the rows that ask the same; in one part where parts are given."""

    exact: Literal[True] | None = field(
        None, role=("curate",), doc="The same but for case, width, blanks and marks."
    )
    minhash: MinHash | None = group(None, doc="Nearly the same.")


class Contamination(Block):
    """Rows may not share runs of tokens with what is asked; a finding drops nothing."""

    against: Annotated[tuple[Annotated[str, RefTo(("Dataset",), part="optional")], ...], LIST] = (
        field((), role=("curate",), doc="Datasets, or parts of them, that are asked.")
    )
    own_parts: Annotated[tuple[Part, ...], SET] = field(
        (), role=("curate",), doc="Parts of this Dataset that the other parts may not share with."
    )
    ngram: int = field(
        13,
        role=("curate",),
        doc="Tokens of a run: words, or characters of scripts without blanks.",
        ge=1,
        le=100,
    )
    max: Share = field(0.0, role=("curate",), doc="Largest share of rows that may share a run.")


class CurationStep(Block):
    """One step, in order; one key names which."""

    select: Select | None = group(None, doc="Keep rows by value.")
    dedup: Dedup | None = group(None, doc="Drop rows that repeat an earlier one.")
    contamination: Contamination | None = group(None, doc="Nothing learned is asked.")


class HashSplits(Block):
    """Parts by the hash of a row or a subject: new rows never move old ones."""

    method: Literal["hash"] = field(role=("curate",), doc="By hash.")
    seed: int = field(0, role=("curate",), doc="Seed of the hash.", ge=0)
    by: Column | None = field(
        None, role=("curate",), doc="Column whose equal values stay in one part."
    )
    parts: dict[Part, Annotated[float, Field(gt=0, le=1)]] = field(
        role=("curate",), doc="Share of each part; together 1.", min_length=1
    )


class GivenSplits(Block):
    """Parts as they came: one source each."""

    method: Literal["given"] = field(role=("curate",), doc="As given.")
    parts: dict[Part, Name] = field(role=("curate",), doc="Source of each part.", min_length=1)


class Dataset(Block):
    """Any rows: for training, evaluation, attack banks or word lists."""

    purpose: Annotated[tuple[Literal["sft", "evaluation", "attack", "lexicon"], ...], SET] = field(
        (), role="static", doc="What the rows may be used for."
    )
    sources: Annotated[tuple[Source, ...], LIST] = group(doc="Where rows come from.", min_length=1)
    format: Literal[
        "qa", "messages", "alpaca", "sharegpt", "completion", "attack", "lexicon", "ratings"
    ] = field(role=("curate",), doc="What a row is made of.")
    columns: dict[Column, Column] = field({}, role=("curate",), doc="Ours: theirs.")
    language: Annotated[tuple[Language, ...], SET] = field((), role="static", doc="Languages.")
    residency: Annotated[tuple[Country, ...], SET] = field(
        (), role="static", doc="Where rows, and what is made of them, may be."
    )
    sensitivity: Literal["public", "internal", "personal", "special"] | None = field(
        None, role="static", doc="How much harm a leak does."
    )
    annotations_creators: Annotated[tuple[NonEmpty, ...], SET] = field(
        (), role="static", doc="Who labelled, in the hub's words."
    )
    retention_days: int | None = field(None, role="static", doc="Days until deletion.", ge=1)
    expectations: Annotated[tuple[Expectation, ...], LIST] = group((), doc="What must hold.")
    curation: Annotated[tuple[CurationStep, ...], LIST] = group((), doc="Steps, in order.")
    splits: Annotated[HashSplits | GivenSplits, Field(discriminator="method")] | None = group(
        None, doc="Parts; without it the whole is the part `all`."
    )


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: pinned sources, one branch each, parts that add up."""
    yield from duplicates(spec, ("spec",), "sources")
    for i, source in items(spec, "sources"):
        yield from _source(source, ("spec", "sources", i))
    for i, expectation in items(spec, "expectations"):
        loc: Loc = ("spec", "expectations", i)
        names = ("not_null", "unique", "rows")
        yield from one_of(expectation, loc, names, NOT_BUILT_EXPECTATIONS)
        yield from _range(block(expectation, "rows"), (*loc, "rows"))
    for i, step in items(spec, "curation"):
        yield from _step(spec, step, ("spec", "curation", i))
    yield from _columns(spec)
    yield from _splits(spec)


def _step(spec: Mapping[str, Any], step: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """One key names the step, and each step says what it is about."""
    names = ("select", "dedup", "contamination")
    if not step or step.keys() & names:  # another key is told as unknown, once
        yield from one_of(step, loc, names)
    if block(step, "select"):
        yield from one_of(step["select"], (*loc, "select"), ("in", "not_in"))
    dedup, asked = step.get("dedup"), step.get("contamination")
    if isinstance(dedup, dict) and not dedup.keys() & {"exact", "minhash"}:
        what = "dedup needs exact or minhash"
        yield Problem((*loc, "dedup"), "missing-field", what, "as in exact: true", key=True)
    if isinstance(asked, dict):
        yield from _contamination(spec, asked, (*loc, "contamination"))


def _contamination(
    spec: Mapping[str, Any], asked: Mapping[str, Any], loc: Loc
) -> Iterator[Problem]:
    """It names a Dataset or a part of this one, and a part that there is."""
    if not asked.get("against") and not asked.get("own_parts"):
        what = "contamination needs against or own_parts"
        hint = "name what is asked, as in own_parts: [test]"
        yield Problem(loc, "missing-field", what, hint, key=True)
    parts = [name for name in block(block(spec, "splits"), "parts") if isinstance(name, str)]
    named = asked.get("own_parts")
    for i, part in enumerate(named if isinstance(named, list | tuple) else ()):
        if isinstance(part, str) and part not in parts:
            near = nearest(part, parts)
            known = f"known are {listed(parts)}" if parts else "declare it under splits.parts"
            hint = f'did you mean "{near}"?' if near else known
            what = f"there is no part {quoted(part)}"
            yield Problem((*loc, "own_parts", i), "unknown-part", what, hint)


def _source(source: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    yield from one_of(source, loc, BRANCHES, ("generator",))
    yield from revision(source, loc)
    yield from _pinned(source, loc)
    if source.get("file") is not None and source.get("uri") is None and "digest" in source:
        what = "a file of this repository needs no digest: git has it"
        yield Problem((*loc, "digest"), "one-of", what, "remove digest", key=True)
    yield from _collected(block(source, "collected"), (*loc, "collected"))


def _pinned(source: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Outside content is fetched by the digest of its bytes."""
    if source.get("uri") is None or source.get("digest") is not None:
        return
    hint = "add digest: sha256:…; the sha256 of the file's bytes"
    if source.get("revision") is not None:
        what = not_yet.message("a source by revision alone", "fetching from a hub")
        yield Problem((*loc, "revision"), "not-yet", what, hint, key=True)
    else:
        what = f"source {quoted(source.get('name'))} is not pinned: uri has no digest"
        yield Problem((*loc, "uri"), "pinned-revision", what, hint, key=True)


def _collected(collected: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    days = {side: _day(collected.get(side)) for side in ("from", "to")}
    for side, day in days.items():
        if day is False:
            what = f"{quoted(collected[side])} is no day of the calendar"
            yield Problem((*loc, side), "wrong-value", what)
    first, last = days["from"], days["to"]
    if isinstance(first, date) and isinstance(last, date) and last < first:
        yield Problem((*loc, "to"), "wrong-value", "the last day is before the first")


def _day(text: Any) -> date | bool | None:
    """The day; False for one that no calendar has; None for what types refuse already."""
    if not isinstance(text, str) or len(text) != 10:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return False


def _range(rows: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    low, high = rows.get("min"), rows.get("max")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield Problem((*loc, "max"), "wrong-value", f"max {high} is below min {low}")


def _columns(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """A near miss of one of the format's own columns is a typing error, not a new column."""
    form = spec.get("format")
    own = COLUMNS.get(form, ()) if isinstance(form, str) else ()
    columns = block(spec, "columns")
    left = [name for name in own if name not in columns]
    for name in columns:
        if isinstance(name, str) and name not in own and (near := nearest(name, left)):
            what = f"format {form} has no column {quoted(name)}"
            hint = f'did you mean "{near}"?'
            yield Problem(("spec", "columns", name), "unknown-column", what, hint, key=True)


def _splits(spec: Mapping[str, Any]) -> Iterator[Problem]:
    splits = block(spec, "splits")
    parts = block(splits, "parts")
    if splits.get("method") == "hash":
        shares = [v for v in parts.values() if isinstance(v, int | float)]
        total = math.fsum(shares) if len(shares) == len(parts) and shares else 1.0
        if abs(total - 1.0) > 1e-9:
            what = f"the parts add up to {total:.6g}, not to 1"
            yield Problem(("spec", "splits", "parts"), "wrong-value", what, key=True)
    elif splits.get("method") == "given":
        yield from _given(spec, parts)


def _given(spec: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[Problem]:
    names = [s.get("name") for _, s in items(spec, "sources")]
    known = [n for n in names if isinstance(n, str)]
    for part, name in parts.items():
        if isinstance(name, str) and name not in known:
            near = nearest(name, known)
            hint = f'did you mean "{near}"?' if near else f"known are {listed(known)}"
            what = f"there is no source {quoted(name)}"
            yield Problem(("spec", "splits", "parts", part), "unknown-source", what, hint)
    unused = [i for i, n in enumerate(known) if n not in parts.values()]
    for i in unused if len(known) == len(names) else ():
        what = f"source {quoted(known[i])} is in no part"
        hint = "name it in splits.parts, or remove it"
        yield Problem(("spec", "sources", i, "name"), "unused-source", what, hint)
