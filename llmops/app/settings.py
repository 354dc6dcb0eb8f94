"""How a service is set up: options and variables -> `Settings`, or everything that is missing.

In: what `llmops app` was given. Out: a finding for each setting, and the settings if none is
missing. Secrets come from files that others cannot read, or the webhook's from a variable; they are
never an option, and no finding and no repr shows one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.executors.machine import Finding
from llmops.forge.base import Repo

VARIABLE = "LLMOPS_WEBHOOK_SECRETS"  # one or two, with a blank between
SHORTEST = 16  # characters of a webhook's secret
MOST_SECRETS = 2  # the new one and the old one, while one takes the other's place
MOST_BYTES = 64 * 1024  # of a file with a key
_BIND = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gave, unchecked: "" or empty where they gave nothing."""

    app_id: str
    key_file: str
    secret_file: str
    data: str
    repos: Sequence[str]
    bind: str
    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """A service that can start."""

    app_id: int
    key: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    data: Path
    repos: tuple[str, ...]
    host: str
    port: int


def examine(given: Given) -> tuple[Settings | None, tuple[Finding, ...]]:
    """Every finding; the settings if nothing is missing."""
    found: list[Finding] = []
    values: dict[str, Any] = {
        name: _asked(name, ask, given, found) for name, ask in QUESTIONS.items()
    }
    if any(one.state == "missing" for one in found):
        return None, tuple(found)
    host, port = values.pop("bind")
    names = {"app-id": "app_id", "key-file": "key", "webhook secret": "secrets"}
    told = {names.get(name, name): value for name, value in values.items()}
    return Settings(**told, host=host, port=port), tuple(found)


def _asked(name: str, ask: Callable[[Given], tuple[object, str]], given: Given,
           found: list[Finding]) -> object:  # fmt: skip
    try:
        value, said = ask(given)
    except UsageError as error:
        found.append(Finding(name, "missing", error.message, error.hint))
        return None
    found.append(Finding(name, "ok", said))
    return value


def _app_id(given: Given) -> tuple[int, str]:
    if not re.fullmatch(r"[1-9]\d{0,11}", given.app_id):
        what = "no App is named" if not given.app_id else "this is no App's id"
        raise UsageError(what, hint="--app-id, a number: the App's page on GitHub, App ID")
    return int(given.app_id), given.app_id


def _key(given: Given) -> tuple[str, str]:
    if not given.key_file:
        raise UsageError("no private key", hint="--key-file, a .pem: the App's page, Private keys")
    text = private(Path(given.key_file))
    if "PRIVATE KEY-----" not in text:
        what = f"{printable(given.key_file)} is no private key in PEM form"
        raise UsageError(what, hint="give the whole file that GitHub made")
    return text, printable(given.key_file)


def _secrets(given: Given) -> tuple[tuple[str, ...], str]:
    text = given.variables.get(VARIABLE, "")
    where = VARIABLE
    if given.secret_file:
        text, where = private(Path(given.secret_file)), printable(given.secret_file)
    found = tuple(dict.fromkeys(text.split()))
    if not found:
        hint = f"--secret-file, a file with a line for each, or the variable {VARIABLE}"
        raise UsageError("the webhook has no secret, so anybody could send events", hint=hint)
    if len(found) > MOST_SECRETS:
        what = f"{len(found)} webhook secrets, at most {MOST_SECRETS}: the new one and the old one"
        raise UsageError(what, hint="take out what GitHub no longer signs with")
    if any(len(secret) < SHORTEST or not secret.isascii() for secret in found):
        what = f"a webhook secret is shorter than {SHORTEST} characters, or not ASCII"
        raise UsageError(what, hint="openssl rand -hex 32 makes a good one")
    many = "one" if len(found) == 1 else "two, until the old one is taken out"
    return found, f"{many} in {where}"


def _data(given: Given) -> tuple[Path, str]:
    if not given.data:
        raise UsageError("no folder for data", hint="--data: clones, evidence, what is to be done")
    folder = Path(given.data).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        what = f"{printable(given.data)} cannot be written to: {error.strerror}"
        raise UsageError(
            what, hint="make it a folder of the user that the service runs as"
        ) from error
    if folder.stat().st_mode & 0o002:
        what = f"anybody may write to {printable(given.data)}"
        raise UsageError(what, hint=f"chmod 0700 {printable(given.data)}")
    return folder, printable(str(folder))


def _repos(given: Given) -> tuple[tuple[str, ...], str]:
    if not given.repos:
        raise UsageError("no repository is served", hint="--repos owner/name, one or more")
    found = {str(Repo.parse(name)).lower(): name for name in given.repos}
    return tuple(found.values()), ", ".join(found.values())


def _bind(given: Given) -> tuple[tuple[str, int], str]:
    found = _BIND.fullmatch(given.bind)
    if not found or not 0 <= int(found["port"]) <= 65535:
        what = f'"{printable(given.bind, 60)}" is no address to listen at'
        raise UsageError(what, hint="--bind HOST:PORT, as in 127.0.0.1:8080")
    return (found["host"].strip("[]"), int(found["port"])), given.bind


QUESTIONS: Mapping[str, Callable[[Given], tuple[object, str]]] = {
    "app-id": _app_id,
    "key-file": _key,
    "webhook secret": _secrets,
    "data": _data,
    "repos": _repos,
    "bind": _bind,
}


def private(path: Path) -> str:
    """The text of a file that nobody else can read. Raises UsageError; never shows the text.

    The group may read it: whoever mounts a secret for a service often does it that way.
    """
    shown = printable(str(path))
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{shown} is no file")
            if found.st_mode & 0o007:
                raise UsageError(f"others can read or change {shown}", hint=f"chmod 0600 {shown}")
            return file.read(MOST_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is no text") from error
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error
