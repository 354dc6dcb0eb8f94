"""A person's own repository from a shipped example: its files in one language, all or nothing.

In: the name of an example, a language. Out: texts by path (`files`), then a git repository of them
(`Place.fill`): built beside its place and moved there whole, so that a failure leaves nothing.

In a template, a line `#en: …` or `#zh: …` is a comment in that language alone, `#schema` names
the schema for editors, `@TORCH@` is a version, `README.zh.md` is the README of zh.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import llmops
from llmops.diagnostics import printable
from llmops.errors import GitError, LlmopsError, UsageError

LANGUAGES = ("en", "zh")
FOLDER = Path(llmops.__file__).parent / "examples"
TEMPLATES = ("from-csv",)
# Policy and owners stand on main before anything that they judge.
RULES = (
    "policies/", ".github/", ".gitlab", "Jenkinsfile", ".pre-commit-config.yaml", "reports/",
)  # fmt: skip
_TOLD = re.compile(r"^( *)#(en|zh): ", re.MULTILINE)
_IDENTITY = ("-c", "user.name=llmops init", "-c", "user.email=init@localhost.invalid")
_QUIET = ("-c", "commit.gpgsign=false", "-c", f"core.hooksPath={os.devnull}")
_SETTINGS = ("-c", "core.autocrlf=false", "-c", "core.excludesFile=", *_QUIET)


def examples() -> tuple[str, ...]:
    """The names of the shipped examples; a template has no rows of its own and is none."""
    found = (p.name for p in FOLDER.iterdir() if (p / "specs").is_dir())
    return tuple(sorted(name for name in found if name not in TEMPLATES))


def files(example: str, language: str) -> dict[str, bytes]:
    """Every file of an example by its path in the new repository, without the schema."""
    root = FOLDER / example
    found: dict[str, bytes] = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = path.relative_to(root).as_posix()
        stem, told = _language(name)
        if told in ("", language):
            data = path.read_bytes()
            found[stem] = data if name.endswith(".jsonl") else _text(stem, data, language)
    return found


def _language(name: str) -> tuple[str, str]:
    """`README.zh.md` -> (`README.md`, `zh`); another name as it is, for every language."""
    for language in LANGUAGES:
        if name.endswith(f".{language}.md"):
            return name.removesuffix(f".{language}.md") + ".md", language
    return name, ""


def _text(name: str, data: bytes, language: str) -> bytes:
    from llmops.jobs.tools import PINS

    lines = data.decode("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if (m := _TOLD.match(line)) is None or m[2] == language]
    text = _TOLD.sub(r"\1# ", "".join(kept))
    text = text.replace("#schema\n", _schema_line(name), 1)
    text = text.replace("@TORCH@", PINS["torch"])
    return text.encode("utf-8")


def _schema_line(name: str) -> str:
    from llmops.specs.schema import PATH

    up = "../" * (len(PurePosixPath(name).parts) - 1)
    return f"# yaml-language-server: $schema={up}{PATH}\n"


def titles(language: str) -> tuple[str, str]:
    """The messages of the two first commits."""
    return {
        "en": ("What must hold: policy and owners", "The assistant: data, model, prompt, tests"),
        "zh": ("必须满足的条件：策略与负责人", "助手：数据、模型、提示词与测试"),
    }[language]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repository is made, and whether files of others may be replaced there."""

    folder: Path
    force: bool = False

    def fill(self, texts: Mapping[str, bytes], messages: tuple[str, str]) -> bool:
        """The files, and unless a repository is there already, two commits on main.

        Returns whether it made the commits. Raises UsageError before anything is written, and
        leaves what was there as it was when it fails later.
        """
        inside = self._expect(texts)
        above = self.folder if self.folder.is_dir() else self.folder.parent
        try:
            above.mkdir(parents=True, exist_ok=True)
            with _scratch(above) as made:
                _write(made, texts)
                if not inside:
                    _repository(made, texts, messages)
                self._move(made, [*texts, *([] if inside else [".git"])])
        except OSError as error:
            why = error.strerror or str(error)
            raise LlmopsError(
                f"cannot make {printable(str(self.folder))}: {why}",
                hint="nothing was changed; name another folder, or free space",
            ) from error
        return not inside

    def _expect(self, texts: Mapping[str, bytes]) -> bool:
        """Whether a repository is there already. UsageError for what would be lost or confused."""
        shown = printable(str(self.folder))
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f'"{shown}" is a file', hint="name a folder")
        outer = _outer(self.folder)
        if outer is not None and outer != self.folder:
            hint = "name a folder that is in no repository"
            raise UsageError(f'"{shown}" is inside the repository {outer}', hint=hint)
        there = sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []
        if there and not self.force:
            some = ", ".join(printable(name, 40) for name in there[:3])
            hint = "name a new folder, or say --force: it replaces files of the same name"
            raise UsageError(f'"{shown}" is not empty ({some})', hint=hint)
        for name in texts:
            self._expect_way(name)
        return outer is not None

    def _expect_way(self, name: str) -> None:
        """Nothing but a file is replaced, and no link is followed out of the folder."""
        path = self.folder / name
        steps = [p for p in path.parents if self.folder in p.parents]
        wrong = [p for p in steps if p.is_symlink() or (p.exists() and not p.is_dir())]
        if path.is_symlink() or path.is_dir():
            wrong.append(path)
        if wrong:
            where = printable(wrong[0].relative_to(self.folder).as_posix())
            raise UsageError(f'"{where}" stands in the way', hint="move it away first")

    def _move(self, made: Path, names: Sequence[str]) -> None:
        """Put the finished files in place; what they replace comes back if one cannot be put."""
        self.folder.mkdir(exist_ok=True)
        undo = contextlib.ExitStack()
        try:
            for number, name in enumerate(names):
                target = self.folder / name
                self._parents(target, undo)
                if target.exists():
                    saved = made / f".replaced-{number}"
                    os.rename(target, saved)
                    undo.callback(os.rename, saved, target)
                os.rename(made / name, target)
                undo.callback(_discard, target)
        except BaseException:
            undo.close()
            raise

    def _parents(self, target: Path, undo: contextlib.ExitStack) -> None:
        for parent in reversed(target.relative_to(self.folder).parents[:-1]):
            folder = self.folder / parent
            if not folder.exists():
                folder.mkdir()
                undo.callback(folder.rmdir)


def _discard(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def _scratch(above: Path) -> Iterator[Path]:
    """A folder on the same disk, gone afterwards."""
    made = above / f".llmops-init-{secrets.token_hex(6)}"
    made.mkdir()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write(root: Path, texts: Mapping[str, bytes]) -> None:
    for name, data in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _repository(root: Path, texts: Mapping[str, bytes], messages: tuple[str, str]) -> None:
    """Two commits: first what must hold, then what is judged by it."""
    first = [name for name in texts if name.startswith(RULES)]
    _git(root, "init", "--quiet", "--template=", "--initial-branch=main")
    _git(root, "add", "--force", "--", *first)
    identity = () if _has_identity(root) else _IDENTITY
    _git(root, *identity, "commit", "--quiet", "--message", messages[0])
    _git(root, "add", "--force", "--", *texts)
    _git(root, *identity, "commit", "--quiet", "--message", messages[1])


def _has_identity(root: Path) -> bool:
    done = _run(root, "var", "GIT_AUTHOR_IDENT")
    named = _run(root, "config", "user.email")
    return done.returncode == 0 and (named.returncode == 0 or "GIT_AUTHOR_EMAIL" in os.environ)


def _outer(folder: Path) -> Path | None:
    """The root of the repository around a folder that may not be there yet."""
    near = next(p for p in (folder, *folder.parents) if p.is_dir())
    done = _run(near, "rev-parse", "--show-toplevel")
    return Path(done.stdout.decode().rstrip("\n")).resolve() if done.returncode == 0 else None


def _git(root: Path, *words: str) -> None:
    done = _run(root, *words)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise GitError(f"git refused: {printable(said, 300)}", hint="nothing was changed")


def _run(root: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Git, there, whatever repository the caller's own variables point at."""
    clean = {k: v for k, v in os.environ.items() if not _elsewhere(k)}
    try:
        return subprocess.run(
            ["git", *_SETTINGS, *words], cwd=root, env=clean, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise GitError("git is not on PATH", hint="install git 2.38 or newer") from error


def _elsewhere(name: str) -> bool:
    return name.startswith("GIT_") and not name.startswith(
        ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_")
    )
