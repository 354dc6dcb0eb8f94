"""`python -m tests.tools.mutate ROOM [--seed N] [--sample N]`: do the room's tests notice mistakes?

In: a room of `llmops` (statistics, rules). Each mutant is one change of one expression: another
comparison, another number, another operator, a condition turned round, nothing returned, nothing
raised, a call left out. The room's own tests run on it in a copy of the tree, the tests of the
changed module first. Out: how many mutants were killed, and each survivor with its place. Which
mutants are drawn depends on the seed alone, so a run can be repeated.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import math
import os
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Usual = dict[tuple[Path, ...], float]
PATIENCE = 3  # a mutant whose tests take so many times the usual CPU time is killed by that
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed expression of one file: the `place`-th of its nodes, in its `way`-th way."""

    file: str  # relative to the root, POSIX
    line: int
    before: str
    after: str
    place: int
    way: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: `{self.before}` -> `{self.after}`"

    def applied(self, source: str) -> str:
        """The source of its file with this one change."""
        tree = ast.parse(source)
        node = _places(tree)[self.place]
        _replace(tree, node, list(_changes(node))[self.way])
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of one module."""
    tree = ast.parse(source)
    skipped = _never_run(tree)
    for i, node in enumerate(_places(tree)):
        for way, changed in enumerate(() if id(node) in skipped else _changes(node)):
            yield Mutant(file, node.lineno, ast.unparse(node), ast.unparse(changed), i, way)


def _places(tree: ast.AST) -> list[Any]:
    return [node for node in ast.walk(tree) if hasattr(node, "lineno")]


def _never_run(tree: ast.AST) -> set[int]:
    """Annotations and decorators: they change no result."""
    found: set[int] = set()
    for node in ast.walk(tree):
        aside: list[ast.AST | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            aside.append(node.annotation)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            aside += node.decorator_list
        if isinstance(node, ast.FunctionDef):
            aside.append(node.returns)
        if isinstance(node, ast.Assert):
            aside.append(node)
        for part in filter(None, aside):
            found |= {id(inner) for inner in ast.walk(part)}
    return found


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                changed = copy.deepcopy(node)
                changed.ops[i] = other()
                yield changed
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        for operator in OPERATORS[type(node.op)]:
            yield ast.BinOp(copy.deepcopy(node.left), operator(), copy.deepcopy(node.right))
    elif isinstance(node, ast.BoolOp):
        joined = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(joined, copy.deepcopy(node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.IfExp):
        turned = copy.deepcopy(node)
        turned.test = ast.UnaryOp(ast.Not(), turned.test)
        yield turned
    elif isinstance(node, ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.YieldFrom | ast.Yield)
    ):
        yield ast.Pass()


def _constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, float):
        yield ast.Constant(value * 1.5 if value else 1.0)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(one is old for one in value):
                setattr(parent, name, [new if one is old else one for one in value])
                return
    raise AssertionError(f"no place of {ast.dump(old)}")


def drawn(room: str, seed: int, sample: int) -> list[Mutant]:
    """So many mutants of a room, by the seed; all of them in the order of their places."""
    files = sorted((ROOT / "llmops" / room).glob("*.py"))
    every = [
        mutant
        for file in files
        for mutant in mutants(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))
    ]
    chosen = random.Random(seed).sample(range(len(every)), min(sample, len(every)))
    return [every[i] for i in sorted(chosen)]


def killed(
    tree: Path,
    room: str,
    mutant: Mutant,
    usual: Usual,
    last: Collection[str] = (),
    also: Collection[str] = (),
) -> bool:
    """Whether a test of the room fails on the mutant; those of its module are asked first.

    `usual` remembers the CPU seconds that tests take on what nobody changed. `also` are tests
    elsewhere that know the room.
    """
    file = tree / mutant.file
    original = file.read_bytes()
    asked = [*_asked(tree / "tests" / room, file.stem, last), *((tree / one,) for one in also)]
    limits = [PATIENCE * _usual(tree, tests, usual) for tests in asked]
    file.write_text(mutant.applied(original.decode("utf-8")), encoding="utf-8")
    try:
        return any(_run(tree, tests, limit)[0] for tests, limit in zip(asked, limits, strict=True))
    finally:
        file.write_bytes(original)


def _asked(room: Path, module: str, last: Collection[str]) -> list[tuple[Path, ...]]:
    """The tests of the module itself if it has any, then those of the room, the slow ones last."""
    own = room / f"test_{module}.py"
    every = sorted(
        room.glob("test_*.py"),
        key=lambda f: (f.stem.removeprefix("test_") in last, f.name),
    )
    return [tests for tests in ((own,) if own.exists() else (), tuple(every)) if tests]


def _usual(tree: Path, tests: tuple[Path, ...], usual: Usual) -> float:
    if tests not in usual:
        failed, usual[tests] = _run(tree, tests)
        if failed:
            raise SystemExit(f"{[t.name for t in tests]} fail on what nobody changed")
    return usual[tests]


def _run(tree: Path, tests: tuple[Path, ...], limit: float = 3600) -> tuple[bool, float]:
    """Whether pytest fails there within so many CPU seconds, and those that it took.

    It runs in a process of its own, which has the heavy oracles already.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(tree)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit) + 2, math.ceil(limit) + 4))
        sys.path.insert(0, str(tree))
        for loaded in [n for n in sys.modules if n.partition(".")[0] in ("llmops", "tests")]:
            del sys.modules[loaded]
        words = ["-q", "-x", "-p", "no:cacheprovider", f"--rootdir={tree}"]
        code = pytest.main([*words, *map(str, tests)])
        os._exit(int(code))
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status) != 0, used.ru_utime + used.ru_stime


def main(words: Sequence[str]) -> int:
    """Run the drawn mutants one after the other, and say of each what became of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--only", nargs="*", default=[], help="mutate these modules only")
    parser.add_argument("--last", nargs="*", default=[], help="modules with slow tests")
    parser.add_argument("--also", nargs="*", default=[], help="tests elsewhere, as paths")
    parser.add_argument("--part", default="1/1", help="of those drawn, the K-th of N: K/N")
    given = parser.parse_args(words)
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    drawn_now = drawn(given.room, given.seed, given.sample)
    chosen = [m for m in drawn_now if not given.only or Path(m.file).stem in given.only]
    part, parts = map(int, given.part.split("/"))
    chosen = chosen[part - 1 :: parts]
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        _copy(tree)
        _preload()
        usual: Usual = {}
        dead = sum(
            _told(m, killed(tree, given.room, m, usual, given.last, given.also)) for m in chosen
        )
    print(f"{dead} of {len(chosen)} mutants of {given.room} killed")
    return 0


def _copy(tree: Path) -> None:
    """The sources and what tests read beside them, without what git ignores."""
    aside = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for name in ("llmops", "tests", "specs", "policies", ".github", ".ci"):
        shutil.copytree(ROOT / name, tree / name, ignore=aside)
    for file in (f for f in ROOT.iterdir() if f.is_file()):
        shutil.copy2(file, tree / file.name)


def _told(mutant: Mutant, dead: bool) -> bool:
    print(f"{'killed' if dead else 'SURVIVED'}: {mutant}", flush=True)
    return dead


def _preload() -> None:
    """What tests import and no mutant touches is imported once, before the forks."""
    for name in ("numpy", "scipy.stats", "statsmodels.stats.multitest", "pydantic"):
        importlib.import_module(name)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
