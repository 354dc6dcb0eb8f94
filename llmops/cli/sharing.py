"""What the actions of `evidence` share: the remote, the branch, which run this is.

A token comes from the environment and goes to one host: LLMOPS_GIT_TOKEN to that of the remote,
GitHub's own variables to GitHub's (GITHUB_SERVER_URL) and to no other.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.errors import UsageError

if TYPE_CHECKING:
    from llmops.evidence.manifest import Origin
    from llmops.project import Project
    from llmops.source.remote import Remote

TOKEN = "LLMOPS_GIT_TOKEN"
GITHUB = ("LLMOPSGITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")


def add_remote(parser: argparse.ArgumentParser) -> None:
    """`--remote` and `--branch`."""
    from llmops.evidence.layout import BRANCH

    parser.add_argument(
        "--remote", metavar="NAME", default="origin",
        help="the remote, or an address (default: origin)",
    )  # fmt: skip
    parser.add_argument(
        "--branch", metavar="NAME", default=BRANCH,
        help=f"the branch that holds evidence (default: {BRANCH})",
    )  # fmt: skip


def remote(args: argparse.Namespace, found: Project) -> Remote:
    """The remote that was named, with the token that is meant for its host."""
    from llmops.source.remote import Remote

    plain = Remote(found.repository, args.remote)
    return Remote(found.repository, args.remote, secret_for(plain.address, os.environ))


def secret_for(address: str, environ: Mapping[str, str]) -> str:
    """The token for the host of an address, "" where none is meant for it."""
    if own := environ.get(TOKEN, "").strip():
        return own
    github = urlsplit(environ.get("GITHUB_SERVER_URL", "").strip() or "https://github.com")
    there = urlsplit(address)
    if (there.scheme, there.netloc) != (github.scheme, github.netloc):
        return ""
    return next((value for name in GITHUB if (value := environ.get(name, "").strip())), "")


def notes(found: tuple[str, ...]) -> None:
    """What was not used, on standard error."""
    for note in found:
        complain(f"llmops: warning: {printable(note, 600)}")


def add_origin(parser: argparse.ArgumentParser) -> None:
    """`--repository`, `--run-id` and `--head-sha`."""
    parser.add_argument(
        "--repository", metavar="OWNER/NAME", help="where the run was (default: $GITHUB_REPOSITORY)"
    )
    parser.add_argument(
        "--run-id", type=int, metavar="N", help="number of the run (default: $GITHUB_RUN_ID)"
    )
    parser.add_argument(
        "--head-sha", metavar="COMMIT",
        help="the commit that ran (default: what GitHub's event says)",
    )  # fmt: skip


def origin(args: argparse.Namespace, environ: Mapping[str, str]) -> Origin:
    """Which run this is, as the options or GitHub's variables say; empty where nobody does."""
    from llmops.evidence.manifest import Origin

    said = environ.get("GITHUB_RUN_ID", ""), environ.get("GITHUB_RUN_ATTEMPT", "")
    run, attempt = (int(text) if text.isdecimal() else 0 for text in said)
    return Origin(
        args.repository or environ.get("GITHUB_REPOSITORY", ""),
        run if args.run_id is None else args.run_id,
        attempt,
        args.head_sha or _head(environ),
    )


def _head(environ: Mapping[str, str]) -> str:
    """The commit that GitHub lists the run under: of a pull request its head, not the merge."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        event = json.loads(Path(path).read_bytes()) if path else {}
        for name, key in (("pull_request", "head"), ("merge_group", "")):
            part = event.get(name)
            if isinstance(part, dict):
                return str((part.get(key) or {}).get("sha", "") if key else part["head_sha"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return environ.get("GITHUB_SHA", "")


def plan_file(args: argparse.Namespace) -> Any:
    """The jobs of a saved plan, of one shard where that is named. Raises UsageError."""
    from llmops.jobs.shards import part
    from llmops.jobs.wire import plan_from_json

    path = Path(args.directory, args.plan)
    try:
        planned = plan_from_json(json.loads(path.read_bytes()))
    except OSError as error:
        what = f'no plan "{printable(str(path))}": {error.strerror}'
        raise UsageError(what, hint="llmops plan --out plan.json makes one") from error
    except (ValueError, RecursionError) as error:
        what = f'"{printable(str(path))}" is no plan: {printable(str(error), 200)}'
        raise UsageError(what, hint="llmops plan --out plan.json makes one") from error
    return part(planned, args.shard) if args.shard else planned


def add_plan(parser: argparse.ArgumentParser, what: str) -> None:
    """`--plan` and `--shard`."""
    parser.add_argument("--plan", metavar="FILE", help=what)
    parser.add_argument("--shard", metavar="ID", help="of that plan one shard")


def many(count: int, one: str, more: str = "") -> str:
    """`1 statement`, `1,200 statements`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
