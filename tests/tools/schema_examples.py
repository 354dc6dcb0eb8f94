"""Values of real specs by the path of their field -> llmops/specs/examples.json, for editors.

Run `python -m tests.tools.schema_examples` after a field was added whose meaning an example helps
to see; specs of this repository come first, then the full documents of the tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops.source.document import parse
from llmops.specs.load import KINDS, metadata_shape, shape_of
from llmops.specs.shape import Shape
from tests.specs import examples

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "llmops" / "specs" / "examples.json"
LONGEST = 160  # characters of JSON; a longer value helps nobody in a bubble


def documents() -> Iterator[dict[str, Any]]:
    """Every right document there is."""
    paths = [*sorted((ROOT / "specs").rglob("*.yaml")), *sorted((ROOT / "policies").glob("*.yaml"))]
    data = [path.read_bytes() for path in paths]
    texts = (text for text in vars(examples).values() if isinstance(text, str))
    data += [text.encode() for text in texts if "apiVersion" in text]
    for found in data:
        document = parse("example", found).document
        if document is not None and document.value.get("kind") in KINDS:
            yield document.value


def values(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each leaf of a document with its path (`checks[].require.min`)."""
    if shape.leaf:
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from values(shape, item, path)
    else:
        for name, inner in value.items() if isinstance(value, dict) else ():
            if below := shape.fields.get(name):
                at = f"{path}.{name}" if path else name
                yield from values(below, inner, f"{at}[]" if below.many else at)


def collected() -> dict[str, dict[str, Any]]:
    """The first value seen of each field, kinds in their order."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in ("Metadata", *KINDS)}
    for document in documents():
        kind = document["kind"]
        both = (("Metadata", metadata_shape(), "metadata"), (kind, shape_of(kind), "spec"))
        for name, shape, part in both:
            for path, value in values(shape, document[part], ""):
                short = len(json.dumps(value, ensure_ascii=False)) <= LONGEST
                if value is not None and short and "0123456789abcdef" not in str(value):
                    found[name].setdefault(path, value)
    return found


def main() -> None:
    text = json.dumps(collected(), ensure_ascii=False, indent=1)
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
