"""Job type `curate`: a Dataset's sources, checked, selected and split, by digest.

Reads: sources, format, columns, expectations, curation, splits, and the curated parts of the
Datasets that `contamination` holds its rows against: those are curated first, and where they change
this one is curated again. Makes `parts/<part>.jsonl` (one canonical JSON row a line, with `id` and
`case`), `digests/<part>.jsonl` (what each row asks, so that rows of any two datasets can be
compared) and `funnel.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from llmops.graph.build import Graph
from llmops.jobs.base import Input
from llmops.jobs.make import HowTo, Made, made_by, make, part_of, remembered
from llmops.specs.base import Ref, Reference

Loc = tuple[str | int, ...]

HOW = HowTo("curate", revision=2)
WHOLE = {"method": "hash", "seed": 0, "parts": {"all": 1.0}}


@remembered
def job(graph: Graph, ref: Ref) -> Made:
    """The curation of one Dataset."""
    spec = graph.specs[ref].spec
    sources = sorted(spec["sources"], key=lambda source: str(source["name"]))
    payload = {
        "dataset": {
            "name": ref.name,
            "format": spec["format"],
            "columns": spec.get("columns", {}),
            "sources": [{"name": s["name"], "media": media(s)} for s in sources],
            "expectations": spec.get("expectations", []),
            "curation": [_step(graph, ref, i) for i in range(len(spec.get("curation", ())))],
            "splits": spec.get("splits") or WHOLE,
        }
    }
    inputs = [_source(graph, source) for source in sources]
    others = dict(_asked(graph, ref))
    before = [job(graph, other) for other in dict.fromkeys(u.target for u in others.values())]
    return make(
        HOW, ref, payload, inputs=[*inputs, *_parts(graph, others)], before=before, reads=[ref]
    )


def media(source: Mapping[str, Any]) -> str:
    """`jsonl` or `csv`, by the ending of the file's name or address."""
    name = source.get("file") or urlsplit(source["uri"]).path
    return "csv" if PurePosixPath(name).suffix.lower() == ".csv" else "jsonl"


def _source(graph: Graph, source: Mapping[str, Any]) -> Input:
    name = f"source/{source['name']}"
    if "file" in source:
        return Input(name=name, file=source["file"], digest=graph.files[source["file"]])
    return Input(name=name, uri=source["uri"], digest=source["digest"])


def _step(graph: Graph, ref: Ref, number: int) -> dict[str, Any]:
    """One step of `curation`, all of it said; others' parts by the names of their inputs."""
    step: dict[str, Any] = dict(graph.specs[ref].spec["curation"][number])
    if "contamination" in step:
        entry = step["contamination"]
        against = [u for loc, u in _asked(graph, ref) if loc[2] == number]
        step["contamination"] = {
            "ngram": entry["ngram"],
            "max": entry["max"],
            "own_parts": list(entry.get("own_parts", ())),
            "against": [_named(graph, use) for use in sorted(against, key=_input)],
        }
    return step


def _asked(graph: Graph, ref: Ref) -> Iterator[tuple[Loc, Reference]]:
    """What the contamination entries name, by place."""
    for use in graph.specs[ref].references:
        if use.loc[1] == "curation":
            yield use.loc, use


def _named(graph: Graph, use: Reference) -> dict[str, Any]:
    return {
        "said": f"{use.target.name}#{part_of(use)}",
        "input": _input(use),
        "format": graph.specs[use.target].spec["format"],
    }


def _input(use: Reference) -> str:
    return f"against/{use.target.name}/{part_of(use)}"


def _parts(graph: Graph, uses: Mapping[Loc, Reference]) -> Iterator[Input]:
    """Each part that is named, once."""
    for name, use in sorted({_input(use): use for use in uses.values()}.items()):
        yield made_by(name, job(graph, use.target), f"parts/{part_of(use)}.jsonl")
