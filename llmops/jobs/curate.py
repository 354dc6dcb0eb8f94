"""Job type `curate`: a Dataset's sources, checked, selected and split, by digest.

Reads: sources, format, columns, expectations, curation, splits. Makes `parts/<part>.jsonl` (one
canonical JSON row a line, with `id` and `case`), `digests/<part>.jsonl` (what each row asks, so
that rows of any two datasets can be compared) and `funnel.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from llmops.graph.build import Graph
from llmops.jobs.base import Input
from llmops.jobs.make import HowTo, Made, make, remembered
from llmops.specs.base import Ref

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
            "curation": spec.get("curation", []),
            "splits": spec.get("splits") or WHOLE,
        }
    }
    inputs = [_source(graph, source) for source in sources]
    return make(HOW, ref, payload, inputs=inputs, reads=[ref])


def media(source: Mapping[str, Any]) -> str:
    """`jsonl` or `csv`, by the ending of the file's name or address."""
    name = source.get("file") or urlsplit(source["uri"]).path
    return "csv" if PurePosixPath(name).suffix.lower() == ".csv" else "jsonl"


def _source(graph: Graph, source: Mapping[str, Any]) -> Input:
    name = f"source/{source['name']}"
    if "file" in source:
        return Input(name=name, file=source["file"], digest=graph.files[source["file"]])
    return Input(name=name, uri=source["uri"], digest=source["digest"])
