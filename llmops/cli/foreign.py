"""Another tool's configuration -> specs in this repository: what every such import does.

The file is read strictly, the tool's importer makes specs of it, and all files are written or
none. What was not carried is listed with its line; what nobody can know from the file (digests,
commits) is listed with the place where it must be filled in, which is what `validate` will say.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from llmops.cli import common, edits
from llmops.cli.output import complain
from llmops.diagnostics import Diagnostic, has_errors, printable, render
from llmops.errors import UsageError
from llmops.importers import read
from llmops.importers.base import Found, Imported, Near
from llmops.project import FOLDERS, Project
from llmops.project import read as read_tree
from llmops.source.document import Document, Parsed, parse
from llmops.source.tree import Tree
from llmops.specs.base import NAME_PATTERN, Ref

LARGEST_CONFIGURATION = 4 * 1024**2
LARGEST_BESIDE = 32 * 1024**2
MOST_SHOWN = 40


def add(parser: argparse.ArgumentParser) -> None:
    """The file, and where its specs go."""
    parser.add_argument("file", metavar="FILE", help="the configuration")
    parser.add_argument("--name", metavar="NAME", help="what it is called here (default: as FILE)")
    parser.add_argument(
        "--out", default="specs", metavar="DIR", help="the folder of specs to write to (specs)"
    )
    edits.add_force(parser)


def main(args: argparse.Namespace, tool: str) -> int:
    """0; 2 when the file cannot be read or carried. Then nothing is written."""
    project = common.project(args)
    root = project.repository.root
    path = Path(args.directory, args.file)
    document = _document(path, _shown(path, root))
    if document is None:
        return 2
    found = read.imported(tool, document, _near(args, path, root), _name(args, path))
    if found.refused:
        complain(render(found.refused, {document.path: document.text}))
        return 2
    folder = _folder(args, root)
    texts = read.texts(found, folder)
    tree = project.repository.work_tree()
    _expect_free(args, project, tree, texts, found)
    files = {root / name: text.encode("utf-8") for name, text in texts.items()}
    edits.write(args, files | {root / name: data for name, data in found.rows.items()})
    left = read.remaining(texts, [*tree.blobs(), *found.rows])
    common.say("\n".join(_told(args, found, texts, left)))
    return 0


def _document(path: Path, shown: str) -> Document | None:
    """The file's values, or None and what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST_CONFIGURATION:
            limit = LARGEST_CONFIGURATION // 1024**2
            raise UsageError(f"{printable(shown)} is larger than {limit} MiB: no configuration is")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{printable(shown)} cannot be read: {why}") from error
    parsed = parse(shown, data)
    if parsed.document is None:
        told = [_of_a_configuration(one) for one in parsed.diagnostics]
        complain(render(told, {shown: parsed.text}))
        complain("nothing was written")
    return parsed.document


def _of_a_configuration(one: Diagnostic) -> Diagnostic:
    """A mistake of the file itself, without the words that only specs know."""
    if one.rule not in ("empty-document", "not-a-map"):
        return one
    what = "a configuration is a map of keys, and there is none"
    return replace(one, message=what, hint='write "key: value" lines')


def _shown(path: Path, root: Path) -> str:
    """What a file is called in specs and messages: from the repository's root, or its name."""
    full = path.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else path.name


def _name(args: argparse.Namespace, path: Path) -> str:
    if args.name is None:
        return path.stem
    if not re.fullmatch(NAME_PATTERN, args.name) or len(args.name) > 63:
        hint = 'names are lower-case letters, digits, "-" and "."'
        raise UsageError(f'--name "{printable(args.name, 60)}" is no name', hint=hint)
    name: str = args.name
    return name


def _folder(args: argparse.Namespace, root: Path) -> str:
    """`--out` from the root, below the folder that specs are looked for in."""
    folder = Path(args.directory, args.out).resolve() if args.out != "specs" else root / "specs"
    if not folder.is_relative_to(root / "specs"):
        what = f'--out "{printable(args.out, 80)}" is not the folder specs/, or below it'
        raise UsageError(what, hint="specs are looked for nowhere else")
    return folder.relative_to(root).as_posix()


def _near(args: argparse.Namespace, path: Path, root: Path) -> Near:
    """Files that the configuration names: beside it, below `-C` or the root, and nowhere else."""
    bases = [path.parent.resolve(), Path(args.directory).resolve(), root]

    def look(name: str) -> Found | None:
        for base in bases:
            found = _file(base, name, bases, root)
            if found is not None:
                return found
        return None

    return look


def _file(base: Path, name: str, bases: Iterable[Path], root: Path) -> Found | None:
    try:
        full = (base / name).resolve()
        if not any(full.is_relative_to(one) for one in bases) or not full.is_file():
            return None
        data = full.read_bytes() if full.stat().st_size <= LARGEST_BESIDE else None
    except (OSError, ValueError, RuntimeError):
        return None
    here = full.is_relative_to(root)
    return Found(full.relative_to(root).as_posix() if here else name, data, here)


# ---- what is there already -------------------------------------------------------------------


def _expect_free(
    args: argparse.Namespace,
    project: Project,
    tree: Tree,
    texts: Mapping[str, str],
    found: Imported,
) -> None:
    """Raises UsageError where a spec of that name stands elsewhere, or says something else."""
    declared = read_tree(project, tree, head=True).loaded.specs
    for one, path in zip(found.specs, texts, strict=True):
        there = [declared[one.ref].path] if one.ref in declared else _meant(tree, one.ref)
        for place in there:
            if place != path:
                raise _taken(one.ref, place)
    if args.force:
        return
    written = {**{name: text.encode() for name, text in texts.items()}, **found.rows}
    for name, data in written.items():
        file = project.repository.root / name
        if file.is_file() and file.read_bytes() != data:
            what = f"{printable(name)} is there already, and is another"
            raise UsageError(what, hint="--force writes over it; --name calls the import otherwise")


def _meant(tree: Tree, ref: Ref) -> list[str]:
    """Files that mean to declare a spec and are none yet, as an import with places to fill in."""
    named = [path for path in tree.blobs() if PurePosixPath(path).stem == ref.name]
    own = [path for path in named if path.startswith(FOLDERS)]
    return [path for path in own if _kind(parse(path, tree.read(path))) == ref.kind]


def _kind(parsed: Parsed) -> object:
    value = parsed.document.value if parsed.document is not None else parsed.kept
    return value.get("kind")


def _taken(ref: Ref, path: str) -> UsageError:
    what = f"{ref} is declared already, in {printable(path)}"
    return UsageError(what, hint="rename one of them, or import with another --name")


# ---- what is told ----------------------------------------------------------------------------


def _told(
    args: argparse.Namespace,
    found: Imported,
    texts: Mapping[str, str],
    left: Iterable[Diagnostic],
) -> list[str]:
    """The files, what was not carried, and what is to be filled in."""
    open_ = [one for one in left if has_errors([one])]
    lines = []
    if not args.quiet:
        lines += [f"{path}: {one.ref}" for one, path in zip(found.specs, texts, strict=True)]
        lines += [f"{name}: {_rows(data)}" for name, data in found.rows.items()]
        lines += _listed("not carried", [f"{n.span.path}:{n.span.line}: {n}" for n in found.notes])
        lines += _listed("to fill in", [f"{d.span}: {d.message}" for d in open_])
    files = _count(len(texts) + len(found.rows), "file")
    things, places = _count(len(found.notes), "thing"), _count(len(open_), "place")
    lines.append(f"{files}; {things} not carried, {places} to fill in")
    lines.append("next: fill them in, then llmops validate" if open_ else "next: llmops validate")
    return [printable(line, 400) for line in lines]


def _rows(data: bytes) -> str:
    return _count(data.count(b"\n"), "row")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(head: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = len(lines) - MOST_SHOWN
    rest = [f"  and {more} more"] if more > 0 else []
    return [f"{head} ({len(lines)}):", *(f"  {line}" for line in lines[:MOST_SHOWN]), *rest]
