"""What git says of a remote that did not answer as asked -> what a person can act on. Dry.

Git's own words stay in the message. To add one: a line in `_CAUSES`, the more special first.
"""

from __future__ import annotations

import re

from llmops.diagnostics import printable
from llmops.errors import GitError, NotAllowed

_AWAY = "see whether that address is right and reachable from here, then try again"
_MOVED = "name the repository's present address: a token is not sent where a server points to"
_RIGHT = "the token needs the permission contents: {right} on that repository"
_LOGIN = "give a token that may {verb} there (LLMOPS_GITHUB_TOKEN or GITHUB_TOKEN)"
_ASKS = "could not read Username|could not read Password|terminal prompts disabled"
_FOR_GOOD = ("it does not allow that", "its rules refuse the push")
# words of git, what they mean, what to do
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (r"couldn't find remote ref \S+", "it has no such branch", "was the branch deleted?"),
    (r"does not appear to be a git repository|not a git repository", "no repository is there",
     "see whether the address is right"),
    (r"repository '.*' (?:does )?not (?:exist|found)|Repository not found",
     "no repository is there, or this token may not see it", "see the address, and the token"),
    (r"unable to update url base from redirection|error: 30[1278]", "it has moved", _MOVED),
    (r"Invalid username or password|Authentication failed|error: 401", "it does not know the token",
     "is it expired, or of another host?"),
    (_ASKS, "it asks who you are", _LOGIN),
    (r"Permission to \S+ denied|Write access to repository not granted|error: 403",
     "it does not allow that", _RIGHT),
    (r"Permission denied \(|Host key verification failed", "it does not know this machine",
     "ssh to it once by hand"),
    (r"protected branch|GH006|GH013|hook declined|deny updating|remote rejected",
     "its rules refuse the push", "let this writer past the rules of that branch"),
    (r"transport '.*' not allowed", "that protocol is not spoken", "use https, ssh or a folder"),
    (r"Could not resolve host|Failed to connect|Connection (?:refused|reset|timed out)"
     r"|timed out|Operation too slow|unable to access|Could not read from remote|early EOF"
     r"|hung up|Network is unreachable", "it cannot be reached", _AWAY),
)  # fmt: skip


def refusal(verb: str, address: str, said: str, line: str = "", token: bool = False) -> GitError:
    """The error for what git said: `said` on standard error, `line` of a push that was refused."""
    lines = [one for one in said.splitlines() if one.strip()]
    reason = next((o for o in lines if o.startswith(("fatal:", "error:"))), "") or line
    reason = reason or (lines[-1] if lines else "no reason is given")
    where = f"git {verb} of {printable(address, 200)} failed"
    if token:  # git asks a person where a server did not take what it was given
        said = re.sub(_ASKS, "Authentication failed", said)
    for words, meaning, hint in _CAUSES:
        if re.search(words, f"{said}\n{line}"):
            right = "write" if verb == "push" else "read"
            hint = _LOGIN if hint is _RIGHT and not token else hint
            told = hint.format(right=right, verb="write" if verb == "push" else "read")
            kind = NotAllowed if verb == "push" and meaning in _FOR_GOOD else GitError
            return kind(f"{where}: {meaning} ({_short(reason)})", hint=told)
    return GitError(f"{where}: {_short(reason)}")


def _short(reason: str) -> str:
    text = re.sub(r"^(?:fatal|error|remote): ", "", reason.replace("\t", " ").strip())
    return printable(text, 240)
