"""Failures of the world, raised. A user's mistake is a value instead (see `diagnostics`).

LlmopsError                 one line for the user, a hint, an exit code
├── UsageError              exit 2: wrong usage, or a tree that cannot be formed (a merge conflict)
├── GitError                git is missing, refuses, or this is no repository
│   └── NotAllowed          the other side does not let this writer push, now and later
├── FetchError              bytes named by digest are missing, wrong or unreachable
├── StoreError              run folders or evidence cannot be read or written
│   ├── AwayError           a store on another machine cannot be reached: nobody knows what is there
│   └── LogError            the log is not the one that was signed, or that was seen before
├── ExportError             another tool's store cannot be reached, or refuses
└── ExecutorError           a job could not be started, or died for reasons that are not its own
"""

from __future__ import annotations


class LlmopsError(Exception):
    """What went wrong in one line, lower case, no full stop; `hint` says what to do.

    `exit_code` is 3 (not judged, the world failed) unless a subclass says otherwise.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LlmopsError):
    """The command cannot mean anything as it was given."""

    exit_code = 2


class GitError(LlmopsError):
    """Git is missing, refused, or there is no repository here."""


class NotAllowed(GitError):
    """The other side does not let this writer push; trying again changes nothing."""


class FetchError(LlmopsError):
    """Content named by its digest could not be had, or its bytes are others."""


class StoreError(LlmopsError):
    """The run folder or the evidence store cannot be read or written."""


class AwayError(StoreError):
    """A store on another machine cannot be reached, so that nobody knows what lies there."""


class LogError(StoreError):
    """The log on its branch is not the one that was signed, or not the one seen here before."""


class ExportError(LlmopsError):
    """Another tool's store cannot be reached, or refuses what it is given."""


class ExecutorError(LlmopsError):
    """A job could not be started, or its process died for reasons that are not its own."""
