"""A tree's spec files -> every Spec and every mistake, parsing only what no cache knows.

In: blobs (path and object id), a way to read them, a mapping that remembers. Out: `LoadedTree`.
Files without a mistake are remembered by object id, so the same text anywhere in history is
parsed and validated once; positions are found again only when something must be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmops.diagnostics import Diagnostic, Span, has_errors
from llmops.source.document import parse
from llmops.source.places import Places
from llmops.specs.base import FileUse, Ref, Reference, Spec, stands


class NamedBlob(Protocol):
    """A file of a tree: where it stands and which bytes it is."""

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def oid(self) -> str: ...  # noqa: D102


ReadMany = Callable[[Sequence[str]], Mapping[str, bytes]]
Broken = frozenset[tuple[str | None, str]]


@dataclass
class LoadedTree:
    """All specs of a tree, and all that is wrong with their files.

    `broken`: kind (None where it cannot be read) and name of each file that is no spec, so that a
    reference to one of them is not told as a second mistake.
    """

    specs: Mapping[Ref, Spec]
    diagnostics: tuple[Diagnostic, ...]
    read: ReadMany
    broken: Broken = frozenset()
    _places: dict[str, Places] = field(default_factory=dict)

    def span(self, ref: Ref, loc: tuple[str | int, ...]) -> Span:
        """The place of a field of a spec."""
        ref, loc = stands(ref, loc)
        return self._text(ref).span(loc)

    def written(self, ref: Ref) -> Mapping[str, Any]:
        """A spec's document as it was written, without defaults; nothing if it cannot be read."""
        text = self._text(ref)
        document = parse(text.path, text.text.encode()).document
        return document.value if document is not None else {}

    def _text(self, ref: Ref) -> Places:
        """A spec's text; all of its kind are read at once, since who asks for one asks for more."""
        path = self.specs[ref].path
        if path not in self._places:
            paths = [spec.path for spec in self.specs.values() if spec.ref.kind == ref.kind]
            texts = self.read(paths).items()
            self._places |= {p: Places(p, data.decode("utf-8")) for p, data in texts}
        return self._places[path]


def load_blobs(
    blobs: Iterable[NamedBlob], read: ReadMany, cache: MutableMapping[str, Any]
) -> LoadedTree:
    """Load every file, in the order of paths. Raises nothing for a user's mistake."""
    ordered = sorted(blobs, key=lambda blob: blob.path)
    texts = read([blob.path for blob in ordered if _key(blob) not in cache])
    found: list[Spec] = []
    problems: list[Diagnostic] = []
    broken: set[tuple[str | None, str]] = set()
    for blob in ordered:
        kept = cache.get(_key(blob))
        if kept is not None:
            found.append(_from_record(kept, blob.path))
            continue
        kind, spec, wrong = _load(blob.path, texts[blob.path])
        problems += wrong
        if spec is not None:
            found.append(spec)
        else:
            broken.add((kind, _stem(blob.path)))
        if spec is not None and not wrong:
            cache[_key(blob)] = _record(spec)
    specs: dict[Ref, Spec] = {}
    loaded = LoadedTree(specs, (), read)
    again: list[Spec] = []
    for spec in found:
        if specs.setdefault(spec.ref, spec) is not spec:
            again.append(spec)
    problems += _twice(again, specs, read)
    loaded.diagnostics = tuple(problems)
    loaded.broken = frozenset(broken)
    return loaded


def record(path: str, data: bytes) -> tuple[Any, ...] | None:
    """What the cache remembers of a file; None for one with a mistake, which is told at loading."""
    _, spec, wrong = _load(path, data)
    return _record(spec) if spec is not None and not wrong else None


def unread(blobs: Iterable[NamedBlob], cache: Mapping[str, Any]) -> dict[str, str]:
    """The key in the cache of each file that it does not know, by path."""
    return {blob.path: _key(blob) for blob in blobs if _key(blob) not in cache}


def _key(blob: NamedBlob) -> str:
    """Object id and file name: the name has to agree with `metadata.name`."""
    return f"{blob.oid} {blob.path.rpartition('/')[2]}"


def _stem(path: str) -> str:
    """The name that a file's spec has to have."""
    return path.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")


def _load(path: str, data: bytes) -> tuple[str | None, Spec | None, Sequence[Diagnostic]]:
    """The kind as far as it can be read, the spec or None, and what is wrong."""
    from llmops.specs.load import KINDS, load_one

    parsed = parse(path, data)
    said = parsed.document.value.get("kind") if parsed.document is not None else None
    kind = said if isinstance(said, str) and said in KINDS else None
    if parsed.document is None or has_errors(parsed.diagnostics):
        return kind, None, parsed.diagnostics
    spec, wrong = load_one(parsed.document)
    return kind, spec, (*parsed.diagnostics, *wrong)


def _twice(again: Sequence[Spec], specs: Mapping[Ref, Spec], read: ReadMany) -> list[Diagnostic]:
    """Specs whose name another one of their kind has."""
    texts = read([spec.path for spec in again]) if again else {}
    return [
        Diagnostic(
            Places(spec.path, texts[spec.path].decode("utf-8")).span(("metadata", "name")),
            "duplicate-name",
            f"{spec.ref} is declared twice",
            f"the other one is in {specs[spec.ref].path}",
        )
        for spec in again
    ]


def _record(spec: Spec) -> tuple[Any, ...]:
    return (
        spec.ref.kind,
        spec.ref.name,
        spec.value,
        [(list(r.loc), r.target.kind, r.target.name, r.part) for r in spec.references],
        [(list(f.loc), f.path) for f in spec.files],
        dict(spec.projections),
        spec.meaning,
    )


def _from_record(record: tuple[Any, ...], path: str) -> Spec:
    kind, name, value, references, files, projections, digest = record
    return Spec(
        ref=Ref(kind, name),
        path=path,
        value=value,
        references=tuple(Reference(tuple(loc), Ref(k, n), p) for loc, k, n, p in references),
        files=tuple(FileUse(tuple(loc), where) for loc, where in files),
        projections=projections,
        digest=digest,
    )
