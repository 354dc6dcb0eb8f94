"""Specs as text: one edit of a file as a careful author makes it, and new files from values."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from llmops.drills.base import FOLDER
from llmops.specs.base import API_VERSION, Ref, Spec


def edited(text: bytes, change: Callable[[Any], None]) -> bytes:
    """The YAML document after `change` was applied to it; comments and order stay."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(text.decode("utf-8"))
    change(document)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue().encode("utf-8")


def declared(ref: Ref, like: Spec, body: Mapping[str, Any]) -> tuple[str, bytes]:
    """Path and text of a new spec with the owner of `like`: JSON, which is YAML too."""
    owner = like.value["metadata"].get("owner")
    metadata = {"name": ref.name, **({"owner": owner} if owner else {})}
    document = {"apiVersion": API_VERSION, "kind": ref.kind, "metadata": metadata, "spec": body}
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return f"{FOLDER}/{ref.name}.yaml", text.encode("utf-8")
