"""`llmops doctor --github`: whether a repository's settings let nothing around the gate.

Reads settings, changes none. What must be there and is not makes the exit code 1; where the token
may not see it, 3: nothing was judged.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmops.cli import common
from llmops.errors import GitError, UsageError

if TYPE_CHECKING:
    from llmops.forge.base import Repo
    from llmops.forge.guards import Asked, Guard
    from llmops.workflows.machines import Machines

FORMATS = ("text", "json", "sarif")
RULESETS = ("target", "evidence", "evidence-writer")  # those of reports/github_rulesets.py


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `doctor` that are about GitHub."""
    parser.add_argument(
        "--github", action="store_true", help="the settings of the repository there"
    )
    parser.add_argument(
        "--repo", metavar="OWNER/NAME", help="which (default: GITHUB_REPOSITORY, else origin's)"
    )
    parser.add_argument(
        "--branch", metavar="NAME", help="where changes land (default: the default branch)"
    )
    parser.add_argument(
        "--app", type=int, metavar="ID", help="the App that writes the check llmops/gate"
    )
    parser.add_argument(
        "--ruleset", choices=RULESETS, help="print a ruleset to import, and ask nothing"
    )


def ruleset(args: argparse.Namespace) -> int:
    """0: the ruleset is printed."""
    from llmops.reports.data import dumps
    from llmops.reports.github_rulesets import RULESETS as MAKERS

    common.say(dumps(MAKERS[args.ruleset](args.app)))
    return 0


def main(args: argparse.Namespace) -> int:
    """0; 1 when a must-have is missing; 3 when this token cannot see one."""
    from llmops.forge import auth, protection, settings
    from llmops.forge.client import connect
    from llmops.reports import github_guards

    if args.offline or os.environ.get("LLMOPS_OFFLINE", "") not in ("", "0"):
        raise UsageError("doctor --github asks GitHub, but LLMOPS_OFFLINE=1")
    repo = _repo(args)
    forge = connect(repo, auth.from_environment())
    read = settings.read(forge, args.branch or "")
    found = protection.judge(read, _asked(args, _machines(args)))
    where = f"{repo}, branch {read.branch}"
    if args.format == "text":
        common.say(github_guards.text(found, where, quiet=args.quiet))
    else:
        renderers = {"json": github_guards.json, "sarif": github_guards.as_sarif}
        common.say(renderers[args.format](found, where))
    return exit_code(found)


def exit_code(found: Sequence[Guard]) -> int:
    """1 for what is missing, 3 for a must-have that cannot be seen, else 0."""
    if any(one.state == "missing" for one in found):
        return 1
    return 3 if any(one.state == "unknown" and one.must for one in found) else 0


def _repo(args: argparse.Namespace) -> Repo:
    from llmops.forge import auth
    from llmops.forge.base import Repo

    if args.repo:
        return Repo.parse(args.repo)
    if os.environ.get("GITHUB_REPOSITORY", "").strip():
        return auth.repository(os.environ)
    from llmops.source.remote import Remote

    return auth.repository({}, Remote(common.repository(args)).address)


def _machines(args: argparse.Namespace) -> Machines:
    """What the workflows here ask of own machines; nothing is known outside a repository."""
    from llmops.workflows.machines import Machines, machines
    from llmops.workflows.read import read, system_of

    try:
        tree = common.repository(args).work_tree()
    except GitError:
        return Machines()
    texts = tree.read_many(path for path in tree.blobs() if system_of(path))
    files = (read(path, data).file for path, data in texts.items())
    return machines(one for one in files if one is not None)


def _asked(args: argparse.Namespace, known: Machines) -> Asked:
    from llmops.forge.guards import Asked

    return Asked(
        app_id=args.app,
        environments=known.environments,
        for_forks=known.for_forks,
        own_machines=known.unguarded,
    )
