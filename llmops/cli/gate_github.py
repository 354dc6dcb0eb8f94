"""`llmops gate --publish github`: one look at a pull request, and everything that follows from it.

The gate reads GitHub and git by object id, keeps what it admits in a folder of its own that is
gone when it ends, and writes the check, the comment, the branch of evidence. Nothing of a pull
request is executed, and what lies in the checkout is not believed.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.cli import common
from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.errors import UsageError

if TYPE_CHECKING:
    from llmops.forge.base import Forge, Repo
    from llmops.gating.base import Desk, Settled, Subject
    from llmops.gating.hiding import Clean

_MOST = 5 * 2**20  # bytes of an event
_ALONE = ("base", "head", "select", "exclude", "approved", "now")


def add(parser: argparse.ArgumentParser) -> None:
    """`--publish` and what belongs to it."""
    parser.add_argument(
        "--publish", choices=("github",),
        help="judge what GitHub has, and write the check, the comment and the evidence there",
    )  # fmt: skip
    parser.add_argument("--repo", metavar="OWNER/NAME", help="the repository at GitHub")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--pull", type=int, metavar="N", help="a pull request")
    what.add_argument("--group", metavar="SHA", help="the head of a merge group (with --onto)")
    what.add_argument("--landed", metavar="SHA", help="a commit that landed (with --onto)")
    parser.add_argument("--onto", metavar="BRANCH", help="the branch of --group or --landed")
    parser.add_argument(
        "--comment", choices=("replace", "append", "off"), default="replace",
        help="the pull request's comment: one that follows, one for each verdict, none",
    )  # fmt: skip
    parser.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=False,
        help="look again until the runs have ended",
    )  # fmt: skip
    parser.add_argument(
        "--open", action="store_true",
        help="only have a check in progress where there is none yet; judge nothing",
    )  # fmt: skip
    parser.add_argument("--workflow", metavar="PATH", help="the workflow whose runs bring evidence")


def main(args: argparse.Namespace) -> int:
    """0 passed or warned, 1 failed or inconclusive, 2 no tree to judge, 3 not judged (yet)."""
    _expect_alone(args)
    subject = _subject(args, os.environ)
    with tempfile.TemporaryDirectory(prefix="llmops-gate-") as folder:
        desk = _desk(args, Path(folder))
        settled = _settled(desk, subject, args)
    for note in settled.notes:
        complain(f"llmops: {printable(desk.clean(note), 600)}")
    _report(args, settled, desk.clean)
    if not args.open:
        _tell_job(settled, os.environ, desk.clean)
    return settled.exit_code


def _expect_alone(args: argparse.Namespace) -> None:
    """UsageError for what only a verdict on trees of this clone can mean."""
    used = [f"--{name}" for name in _ALONE if getattr(args, name)]
    if used:
        what = f"--publish judges what GitHub has: leave out {', '.join(used)}"
        raise UsageError(what, hint="approvals are reviews, base is the tip of the target branch")


def _subject(args: argparse.Namespace, environ: Mapping[str, str]) -> Subject:
    from llmops.gating.actions import subject_of
    from llmops.gating.base import Group, Landed, PullRequest

    if args.pull is not None:
        return PullRequest(args.pull)
    if (args.group or args.landed) and not args.onto:
        raise UsageError("--group and --landed need --onto BRANCH")
    if args.group:
        return Group(args.group, args.onto)
    if args.landed:
        return Landed(args.landed, args.onto)
    event = environ.get("GITHUB_EVENT_NAME", "")
    return subject_of(event, _event(environ) if event else None)


def _event(environ: Mapping[str, str]) -> Any:
    """The JSON of the event that started this job. UsageError where it cannot be read."""
    path = Path(environ.get("GITHUB_EVENT_PATH", ""))
    try:
        if path.stat().st_size > _MOST:
            raise UsageError(f"the event of this job has more than {_MOST:,} bytes")
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        hint = "GITHUB_EVENT_PATH names it; or say --pull N"
        raise UsageError("the event of this job cannot be read", hint=hint) from error


def _desk(args: argparse.Namespace, folder: Path) -> Desk:
    """A desk in this clone, whose folder of evidence is new and its own."""
    from llmops.forge import auth
    from llmops.forge.client import connect
    from llmops.gating.actions import settings_of
    from llmops.gating.base import Desk
    from llmops.gating.hiding import cleaner
    from llmops.project import Project
    from llmops.source.remote import Remote

    repository = common.repository(args)
    if repository.work_tree().dirty:
        what = "the work tree has changes that are not committed, and what is published is a commit"
        raise UsageError(what, hint="commit them; a verdict on them is llmops gate")
    token = auth.from_environment()
    remote = Remote(repository, secret=token.value())
    forge: Forge = connect(_repo(args, remote), token)
    settings = settings_of(
        os.environ, comment=args.comment, environment=args.env, workflow=args.workflow
    )
    project = Project(repository, folder / "reports", common.cache_folder())
    clean = cleaner(os.environ, (token.value(),))
    return Desk(project, remote, forge, settings, clean=clean, key=common.key(args))


def _repo(args: argparse.Namespace, remote: Any) -> Repo:
    from llmops.forge import auth
    from llmops.forge.base import Repo

    if args.repo:
        return Repo.parse(args.repo)
    named = os.environ.get("GITHUB_REPOSITORY", "").strip()
    return auth.repository(os.environ, "" if named else remote.address)


def _settled(desk: Desk, subject: Subject, args: argparse.Namespace) -> Settled:
    from llmops.gating.patience import settle
    from llmops.gating.reconcile import open_check

    if args.open:
        return open_check(desk, subject)
    return settle(desk, subject, wait=args.wait)


def _report(args: argparse.Namespace, settled: Settled, clean: Clean) -> None:
    """The verdict as the format has it, or the one line that there is."""
    from llmops.reports.render import render_verdict

    if settled.verdict is not None:
        width, colour = common.width(args), common.colour(args)
        shown = render_verdict(settled.verdict, args.format, width=width, colour=colour)
        common.say(clean.page(shown))
    where = f" · {settled.published.check_url}" if settled.published.check_url else ""
    complain(f"llmops: {settled.state}{where}")


def _tell_job(settled: Settled, environ: Mapping[str, str], clean: Clean) -> None:
    """The step's summary and outputs, where this is a step."""
    from llmops.reports.github_outputs import outputs, step_summary

    verdict = settled.verdict
    summary = step_summary(verdict) if verdict is not None else settled.summary
    _append(environ.get("GITHUB_STEP_SUMMARY", ""), f"{clean.page(summary)}\n")
    found = [f.evidence for f in verdict.findings if f.evidence] if verdict is not None else []
    values = {
        "verdict": settled.state,
        "comment_url": settled.published.comment_url,
        "evidence_digest": found[0] if found else "",
    }
    _append(environ.get("GITHUB_OUTPUT", ""), outputs(values, secrets.token_hex(20)))


def _append(path: str, text: str) -> None:
    """Add to a file of the runner's. One that cannot be written changes no verdict."""
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        complain(f"llmops: {printable(path)} cannot be written: {error.strerror}")
