"""The trust roots that a tree names: `policies/trust/1.root.json`, `2.root.json`, ... in a row.

In: a tree. Out: their `Chain`, or None where the tree has no trust root; a UsageError with the path
where they are not one. Base's tree says whose key counts, as its policies say what must hold.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.signing.root import Chain, chain, decode
from llmops.source.tree import Tree

FOLDER = "policies/trust"
_NAME = re.compile(r"([1-9][0-9]{0,5})\.root\.json")


def path_of(version: int) -> str:
    """Where a version lies in a repository."""
    return f"{FOLDER}/{version}.root.json"


def files_of(tree: Tree) -> tuple[bytes, ...]:
    """The roots' bytes, from version 1 on. Raises UsageError for a gap or a foreign file."""
    found = [path for path in tree.blobs() if path.startswith(f"{FOLDER}/")]
    found += [one.path for one in tree.refused() if one.path.startswith(f"{FOLDER}/")]
    for path in found:
        if not _NAME.fullmatch(PurePosixPath(path).name) or path.count("/") != 2:
            raise UsageError(
                f"{printable(path)} is no trust root",
                hint=f"only {FOLDER}/1.root.json, 2.root.json, ... lie there: llmops keys",
            )
    wanted = [path_of(version) for version in range(1, len(found) + 1)]
    for path in wanted:
        if path not in tree.blobs():
            raise UsageError(
                f"{path} is not there or no plain file, and another version of it is",
                hint="every trust root stays: git log says who took it away",
            )
    return tuple(tree.read_many(wanted)[path] for path in wanted)


def of_tree(tree: Tree) -> Chain | None:
    """The roots of a tree, None where it has none. Raises UsageError where they are no chain."""
    files = files_of(tree)
    if not files:
        return None
    try:
        return chain(files)
    except ValueError as error:
        number, _, why = str(error).removeprefix("trust root ").partition(": ")
        raise UsageError(
            f"{path_of(int(number))}: {printable(why, 400)}",
            hint="llmops keys show says what each version lacks; nothing is trusted until then",
        ) from None


def lost(head: Tree, base: Tree) -> str:
    """The file of base's first root that head has not as it is, "" where head keeps them all.

    Who takes a root away takes back what it revoked, and who replaces one is trusted by nobody.
    """
    try:
        chain = of_tree(base)
    except UsageError:
        return ""  # whatever mends base is right; what head has must be a chain
    after = files_of(head) if chain is not None else ()
    for number, root in enumerate(chain.roots if chain is not None else ()):
        if number >= len(after) or decode(after[number]).digest != root.digest:
            return path_of(root.version)
    return ""
