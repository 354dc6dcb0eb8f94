"""Another repository that commits are fetched from and pushed to. Wet.

In: the name of a remote (`origin`) or an address, and a token. Out: commits here, or there, or a
GitError that says whether it was not reached, refused, or has no such branch. A push is a
compare-and-swap: never forced, so of two writers on one tip the server takes one, and the other
is told False.

The token reaches git in its environment, as a header for that host alone: no argument list, no
file and no message has it. Nothing is asked of a person, no hook runs, no submodule is followed,
no redirect is followed with a token, and git may speak the one protocol that the address names:
https, ssh, a folder of this machine, or http to this machine.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from llmops.diagnostics import printable
from llmops.errors import GitError, UsageError
from llmops.source.egress import is_loopback
from llmops.source.git import Done, Git, settings
from llmops.source.refusals import refusal
from llmops.source.tree import Repository

_BRANCH = re.compile(r"(?!.*(?:\.\.|//|@\{|\.lock(?:/|\Z)))[\w][\w./@+#-]{0,200}(?<![./])")
_SCP = re.compile(r"(?:[^@/:]+@)?[^@/:]+:(?!//)")  # git@host:path, as git reads it
_QUIET = (
    "push.followTags=false", "push.gpgSign=false", "fetch.recurseSubmodules=false",
    "http.lowSpeedLimit=1000", "http.lowSpeedTime=30", "gc.auto=0", "maintenance.auto=false",
)  # fmt: skip
# What the server answers when the branch moved between our look and our push.
_FASTER = ("fetch first", "non-fast-forward", "stale info", "cannot lock ref", "already exists",
           "incorrect old value", "failed to update ref")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is fetched from and pushed to: `url` is a remote's name or an address."""

    repository: Repository
    url: str = "origin"
    secret: str = field(default="", repr=False)

    def fetch(self, *refspecs: str) -> None:
        """Bring refs and their commits here. Raises GitError: unreachable, refused, no such ref."""
        self._ask("fetch", *_FETCH, "--", self.url, *refspecs)

    def bring(self, branch: str, ref: str) -> str | None:
        """Set `ref` here to the tip of a branch there; its commit, None without such a branch.

        Of a repository whose history was cut, no more of the branch's is brought than its tip.
        """
        _branch(branch)
        short = ("--depth=1",) if self.repository.is_shallow() else ()
        arguments = (*_FETCH, *short, "--", self.url, f"+refs/heads/{branch}:{ref}")
        done = self._run("fetch", *arguments)
        if not done.returncode:
            return self.repository.commit(ref)
        if b"couldn't find remote ref" in done.stderr:
            Git(self.repository.root).run("update-ref", "-d", ref)
            return None
        raise self._refused("fetch", done)

    def tip(self, branch: str) -> str | None:
        """The commit at the tip of a branch there, None where there is no such branch."""
        return self.tips().get(_branch(branch))

    def tips(self) -> Mapping[str, str]:
        """The tips of all branches there, by name."""
        said = self._ask("ls-remote", "--heads", "--", self.url).stdout.decode(errors="replace")
        pairs = (line.split("\t") for line in said.splitlines())
        return {name.removeprefix("refs/heads/"): oid for oid, name in pairs}

    def push(self, commit: str, branch: str) -> bool:
        """Move a branch there to a commit that follows its tip; False: somebody was faster.

        Raises GitError where the server cannot be reached, or refuses for good.
        """
        to = f"{commit}:refs/heads/{_branch(branch)}"
        done = self._run("push", "--porcelain", "--no-verify", "--", self.url, to)
        line = next((one for one in _lines(done.stdout) if one.startswith("!\t")), "")
        if not done.returncode and not line:
            return True
        if any(words in line for words in _FASTER):
            return False
        raise self._refused("push", done, line)

    @property
    def address(self) -> str:
        """The address behind `url`, without a name or password in it: for people."""
        return printable(_told(self._address("fetch")), 200)

    def _address(self, verb: str) -> str:
        """What git will dial: a remote's address as the settings have it."""
        git = Git(self.repository.root)
        if not re.fullmatch(r"[\w][\w.-]*", self.url):
            return os.fsdecode(git.line("ls-remote", "--get-url", "--", self.url))
        push = ("--push",) if verb == "push" else ()
        done = git.run("remote", "get-url", *push, "--", self.url, check=False)
        if done.returncode:
            hint = "git remote add says where it is, or name an address"
            raise GitError(f'no remote is called "{printable(self.url, 80)}"', hint=hint)
        return os.fsdecode(done.stdout.removesuffix(b"\n"))

    def _ask(self, *arguments: str) -> Done:
        done = self._run(*arguments)
        if done.returncode:
            raise self._refused(arguments[0], done)
        return done

    def _run(self, *arguments: str) -> Done:
        address = self._address(arguments[0])
        settings = [word for one in _QUIET for word in ("-c", one)]
        git = Git(self.repository.root, _environment(address, self.secret))
        return git.run(*settings, *arguments, check=False)

    def _refused(self, verb: str, done: Done, line: str = "") -> GitError:
        said = done.stderr.decode(errors="replace")
        for hidden in filter(None, (self.secret, _basic(self.secret))):
            said, line = said.replace(hidden, "***"), line.replace(hidden, "***")
        return refusal(verb, _told(self._address(verb)), _told(said), line, bool(self.secret))


_FETCH = (
    "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
    "--no-auto-maintenance", "--force",
)  # fmt: skip


def clone(url: str, folder: Path, secret: str = "") -> Repository:
    """A new repository in `folder` with all branches of `url` and nothing checked out.

    Raises UsageError for an address with a password in it, GitError as `Remote.fetch` does.
    """
    if urlsplit(url).password is not None:
        hint = "it would stay in the clone's settings: give the token apart"
        raise UsageError(f"{printable(_told(url), 200)} has a password in it", hint=hint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GitError(f"{printable(str(folder))} cannot be made: {error.strerror}") from error
    git = Git(folder)
    git.run("init", "--quiet", "--template=", "--initial-branch=main")
    git.run("config", "remote.origin.url", url)
    git.run("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    repository = Repository.find(folder)
    replace(Remote(repository), secret=secret).fetch("+refs/heads/*:refs/remotes/origin/*")
    return repository


def _environment(address: str, secret: str) -> dict[str, str]:
    """What git is given for one talk: the protocol, no questions, and the token for that host."""
    own = {
        "GIT_ALLOW_PROTOCOL": _protocol(address),
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
    }
    own |= {name: os.environ[name] for name in ("GIT_SSH", "GIT_SSH_COMMAND") if name in os.environ}
    if not secret or not address.startswith(("https://", "http://")):
        return own
    parts = urlsplit(address)
    host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
    header = f"http.{host}.extraheader"
    # The empty one forgets what the repository's own settings say, as a checkout's token.
    pairs = (
        (header, ""), (header, f"Authorization: Basic {_basic(secret)}"),
        ("credential.helper", ""), ("http.followRedirects", "false"),
    )  # fmt: skip
    return own | settings(pairs)


def _protocol(address: str) -> str:
    """The one protocol that an address needs. Raises GitError for one that is not spoken."""
    scheme, colon, _ = address.partition("://")
    if not colon:
        return "ssh" if _SCP.match(address) else "file"
    host = urlsplit(address).hostname or ""
    if scheme in ("https", "ssh", "file") or (scheme == "http" and is_loopback(host)):
        return scheme
    hint = "use https://, ssh or a folder"
    raise GitError(
        f"{printable(_told(address), 200)} is not reached over {printable(scheme, 20)}", hint=hint
    )


def _branch(name: str) -> str:
    if not _BRANCH.fullmatch(name):
        raise UsageError(f'"{printable(name, 120)}" cannot be the name of a branch')
    return name


def _basic(secret: str) -> str:
    """A token as GitHub's git server reads it: the password of `x-access-token`."""
    return base64.b64encode(f"x-access-token:{secret}".encode()).decode() if secret else ""


def _told(text: str) -> str:
    """A text without the names and passwords of addresses in it."""
    return re.sub(r"://[^/@\s]+@", "://", text)


def _lines(out: bytes) -> list[str]:
    return out.decode(errors="replace").splitlines()
