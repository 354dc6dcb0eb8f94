"""`migrate`: a spec in older words -> the same spec in today's, every comment kept. Dry.

Two tables. `VERSIONS`: an older `apiVersion` and the step to the next one; v1alpha1 is the first
there is, so the table is empty until v1beta1, and its machinery is held by tests that register a
version of their own. `WORDS`: keys that the pinned tools gave another name since the versions that
most recipes on the net are written for; the sources are the tools' own. To add one: a function
that changes the tree and says what it did, and a line in its table.

The law: what could be read before means the same afterwards, so no closure and no verdict changes.
`migrated` compares the two itself, and gives no text that cannot be loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmops.diagnostics import Diagnostic, Severity, Span, has_errors
from llmops.rewrites import layout, order, syntax
from llmops.rewrites.style import data, unmarked
from llmops.rewrites.syntax import Entry, Node, Source
from llmops.source.document import Document, parse
from llmops.source.scalars import resolve
from llmops.specs.base import Spec
from llmops.specs.load import load_one

Step = Callable[[Node], Iterator[str]]


class Version(NamedTuple):
    """The step from one apiVersion to the next; `change` need not touch `apiVersion` itself."""

    to: str
    change: Step


@dataclass(frozen=True, slots=True)
class Migrated:
    """`text`: what the file should be, None where nothing is to do or it cannot be done.

    `changes` say what was done, in order; `diagnostics` why it cannot be.
    """

    text: str | None
    changes: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def migrated(
    text: str,
    path: str,
    versions: Mapping[str, Version] | None = None,
    words: Sequence[Step] | None = None,
) -> Migrated:
    """One spec in today's words; never raises for what a user wrote.

    A text that no step applies to is left as it is, whatever else is wrong with it.
    """
    plain = unmarked(text)
    parsed = parse(path, data(plain))
    if parsed.document is None:
        return Migrated(None, diagnostics=parsed.diagnostics)
    source = syntax.read(plain)
    kept = syntax.comments(source)
    changes = tuple(_changed(source.root, versions, WORDS if words is None else words))
    if not changes:
        return Migrated(None)
    return _judged(path, parsed.document, source, changes, kept == syntax.comments(source))


def _changed(
    root: Node, versions: Mapping[str, Version] | None, words: Sequence[Step]
) -> Iterator[str]:
    """Applies every step that fits, oldest first; what each did."""
    table = VERSIONS if versions is None else versions
    while (node := root.get("apiVersion")) is not None and node.text in table:
        version = table[node.text]
        yield from version.change(root)
        yield f"apiVersion: {node.text} -> {version.to}"
        node.text, node.style, node.raw = version.to, "", version.to
    for step in words:
        yield from step(root)


def _judged(
    path: str, before: Document, source: Source, changes: tuple[str, ...], whole: bool
) -> Migrated:
    """The new text, if it can be loaded and what could be read before means the same."""
    order.sort(source.root)
    text = layout.text(source)
    after = parse(path, data(text)).document
    old, found = load_one(before)
    new, left = load_one(after) if after is not None else (None, ())
    if new is None:
        return Migrated(None, changes, _other(found, left))
    if not whole or (old is not None and not _same(old, new)):
        what = "the new words would not mean the same"
        hint = "this is a mistake in llmops, please report it; the file was not touched"
        return Migrated(None, changes, (Diagnostic(Span(path), "not-kept", what, hint),))
    return Migrated(text, changes)


def _same(old: Spec, new: Spec) -> bool:
    """Whether every digest that is made of two specs is the same."""
    return (old.value, old.projections) == (new.value, new.projections)


def _other(found: tuple[Diagnostic, ...], left: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """The mistakes of the file as it lies that no step mends."""
    still = {(d.rule, d.message) for d in left}
    kept = tuple(d for d in found if (d.rule, d.message) in still)
    return kept if has_errors(kept) else tuple(d for d in found if d.severity is Severity.ERROR)


def _block(root: Node, *path: str) -> Node | None:
    """A map of a Recipe by its path below `spec`."""
    kind, node = root.get("kind"), root.get("spec")
    if kind is None or kind.text != "Recipe":
        return None
    for step in path:
        node = node.get(step) if node is not None else None
    return node if node is not None and node.kind == "map" else None


def _entry(node: Node | None, key: str, new: str) -> Entry | None:
    """The entry under a key whose new name is not taken."""
    if node is None or node.get(new) is not None:
        return None
    return next((entry for entry in node.entries if entry.name == key), None)


def _rename(entry: Entry, new: str) -> str:
    assert entry.key is not None
    old, entry.key = entry.key.text, Node("scalar", new, new)
    return f"{old} -> {new}"


def _value(entry: Entry) -> object:
    """What a plain scalar means; None for anything else."""
    node = entry.value
    return resolve(node.text) if node.kind == "scalar" and node.style == "" else None


def warmup_ratio(root: Node) -> Iterator[str]:
    """Transformers 5: `warmup_steps` below 1 is a share (training_args.py, get_warmup_steps)."""
    entry = _entry(_block(root, "training"), "warmup_ratio", "warmup_steps")
    value = _value(entry) if entry is not None else None
    share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    if entry is not None and share:
        yield f"training.{_rename(entry, 'warmup_steps')} (Transformers 5: below 1 it is a share)"


def group_by_length(root: Node) -> Iterator[str]:
    """Transformers 5: one word for how rows are drawn, `random` where it was false."""
    entry = _entry(_block(root, "training"), "group_by_length", "train_sampling_strategy")
    value = _value(entry) if entry is not None else None
    if entry is not None and isinstance(value, bool):
        word = "group_by_length" if value else "random"
        entry.value = Node("scalar", word, word)
        yield f"training.{_rename(entry, 'train_sampling_strategy')} (Transformers 5)"


def per_gpu_batch_size(root: Node) -> Iterator[str]:
    """Transformers 4 called it so before there were other devices; 5 knows the new name only."""
    new = "per_device_train_batch_size"
    if entry := _entry(_block(root, "training"), "per_gpu_train_batch_size", new):
        yield f"training.{_rename(entry, new)} (Transformers 5)"


def gathered_weights(root: Node) -> Iterator[str]:
    """DeepSpeed: the weights need not be fp16 (runtime/zero/config.py, new_param)."""
    block = _block(root, "deepspeed", "zero_optimization")
    new = "stage3_gather_16bit_weights_on_model_save"
    if entry := _entry(block, "stage3_gather_fp16_weights_on_model_save", new):
        yield f"deepspeed.zero_optimization.{_rename(entry, new)} (DeepSpeed)"


def offloaded(root: Node) -> Iterator[str]:
    """DeepSpeed: offloading has settings of its own (runtime/zero/config.py, new_param_fn)."""
    block = _block(root, "deepspeed", "zero_optimization")
    for old, new in (("cpu_offload", "offload_optimizer"), ("cpu_offload_param", "offload_param")):
        entry = _entry(block, old, new)
        value = _value(entry) if entry is not None else None
        if entry is not None and isinstance(value, bool):
            word = "cpu" if value else "none"
            device = Entry(Node("scalar", word, word), Node("scalar", "device", "device"))
            entry.value = Node("map", entries=[device], flow=True)
            yield f"deepspeed.zero_optimization.{_rename(entry, new)} (DeepSpeed)"


VERSIONS: Mapping[str, Version] = {}
WORDS: tuple[Step, ...] = (
    warmup_ratio,
    group_by_length,
    per_gpu_batch_size,
    gathered_weights,
    offloaded,
)
