"""`llmops waiver new GATE`: one waiver in one file on a branch of its own.

The branch `waiver/NAME` is the target branch and one Policy document with only that waiver. The
work tree, its index and the current branch stay as they are. It counts once it is merged.
"""

from __future__ import annotations

import argparse
import re
from datetime import date, timedelta

from llmops.cli import common
from llmops.diagnostics import did_you_mean, printable, render
from llmops.errors import UsageError
from llmops.graph.build import Graph
from llmops.project import Project, State, read
from llmops.source.sides import tip
from llmops.source.tree import Tree

EXAMPLES = """\
  llmops waiver new Evaluation/support-quality/accuracy --expires 30d --reason "labels come late" \
--ticket CS-1207 --owner lihua
  llmops waiver new Policy/default/licences --expires 2026-12-15 --reason "asked the publisher" \
--ticket CS-1300 --owner team-cs --name publisher"""
FOLDER = "policies/waivers"


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `waiver new`."""
    parser.add_argument("gate", metavar="GATE", help="a gate's id, or Policy/name/rule")
    parser.add_argument(
        "--expires", required=True, metavar="30d|DATE", help="last day, at most 90 days ahead"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why the gate is missed")
    parser.add_argument("--ticket", required=True, metavar="T", help="where the work is followed")
    parser.add_argument("--owner", required=True, metavar="NAME", help="who answers for it")
    parser.add_argument("--name", metavar="N", help="the waiver's name (default: from the ticket)")
    parser.add_argument("--base", metavar="REV", help="the branch it shall land on")
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to count from (for tests)")


def main(args: argparse.Namespace) -> int:
    """0; 2 for what cannot be waived, for more than 90 days, or a name that is taken."""
    found = common.project(args)
    base = _base(found, args.base)
    state = read(found, base)
    if state.graph is None:
        raise UsageError(f"the specs at {base.label} cannot be read", hint="llmops validate")
    day = _day(args.expires, common.moment(args.now).date())
    name = _name(args)
    _expect_gate(args.gate, state.graph, base)
    _expect_new(name, state.graph)
    text = _text(args, name, day)
    assert base.commit is not None
    path = f"{FOLDER}/{name}.yaml"
    why = f"Waive {args.gate} until {day.isoformat()}"
    branch = f"waiver/{name}"
    commit = found.repository.branch(branch, base.commit, path, text.encode("utf-8"), why)
    common.say(_told(args, name, day, commit, state))
    return 0


def _base(found: Project, rev: str | None) -> Tree:
    """The tip of the branch that the waiver shall land on."""
    base = tip(found.repository) if rev is None else found.repository.tree(rev)
    if base is None or base.commit is None:
        raise UsageError("there is no commit to branch from", hint="name one with --base")
    return base


def _day(given: str, today: date) -> date:
    """The last day: a date, or so many days ahead."""
    from llmops.rules.waiver import MOST_DAYS

    days = re.fullmatch(r"([0-9]{1,4})d", given)
    try:
        day = today + timedelta(int(days[1])) if days else date.fromisoformat(given)
    except (ValueError, OverflowError) as error:
        what = f'--expires "{printable(given, 40)}" is no day'
        raise UsageError(what, hint='write 30d, or a date as in "2026-12-15"') from error
    ahead = (day - today).days
    if not 1 <= ahead <= MOST_DAYS:
        where = f"{ahead} days ahead" if ahead > 0 else "past" if ahead else "today"
        what = f"--expires {day.isoformat()} is {where}"
        raise UsageError(what, hint=f"a waiver lasts 1 to {MOST_DAYS} days")
    return day


def _name(args: argparse.Namespace) -> str:
    """The name that was given, or the ticket's in small letters."""
    from llmops.specs.base import NAME_PATTERN

    made = re.sub(r"[^a-z0-9]+", "-", args.ticket.lower()).strip("-")
    name: str = made if args.name is None else args.name
    if not made and args.name is None:
        what = f'no name can be made of the ticket "{printable(args.ticket, 80)}"'
        raise UsageError(what, hint="give one with --name: small letters, digits, - and .")
    if len(name) > 63 or re.fullmatch(NAME_PATTERN, name) is None:
        what = f'"{printable(name, 80)}" is no name of a waiver'
        raise UsageError(what, hint="give one with --name: small letters, digits, - and .")
    return name


def _expect_gate(gate: str, graph: Graph, base: Tree) -> None:
    """UsageError for a gate that is not there, or that nothing may waive."""
    from llmops.rules import waiver

    known = waiver.gates_of(graph)
    if not waiver.waivable(gate):
        raise UsageError(
            f"{printable(gate)} cannot be waived", hint="ask for the approval it needs"
        )
    if not waiver.is_known(gate, known):
        names = sorted(name for name in known if not name.endswith("[]"))
        hint = did_you_mean(gate, names, otherwise="llmops plan lists the gates")
        what = f'no gate or rule at {base.label} is called "{printable(gate)}"'
        raise UsageError(what, hint=hint)


def _expect_new(name: str, graph: Graph) -> None:
    """UsageError where a policy or a waiver has the name already."""
    from llmops.rules.waiver import declared

    taken = {policy.ref.name for policy in graph.of_kind("Policy")}
    taken |= {str(one.given["name"]) for one in declared(graph)}
    if name in taken:
        hint = "give another one with --name"
        raise UsageError(f'a policy or a waiver is called "{name}" already', hint=hint)


def _text(args: argparse.Namespace, name: str, day: date) -> str:
    """The document. UsageError for a text that would be refused when it is read again."""
    from llmops.rewrites.write import spec_text
    from llmops.specs.base import API_VERSION

    waiver = {
        "name": name, "gate": args.gate, "reason": args.reason, "ticket": args.ticket,
        "owner": args.owner, "expires": day.isoformat(),
    }  # fmt: skip
    value = {
        "apiVersion": API_VERSION,
        "kind": "Policy",
        "metadata": {"name": name, "owner": args.owner},
        "spec": {"waivers": [waiver]},
    }
    try:
        text = spec_text(value, path=f"{FOLDER}/{name}.yaml")
    except UsageError as error:
        why = error.message.partition(" cannot be written: ")[2] or error.message
        raise UsageError(f"the waiver would not be valid: {why}", hint=error.hint) from error
    _expect_valid(name, text)
    return text


def _expect_valid(name: str, text: str) -> None:
    """UsageError for a document that would be refused when it is read again."""
    from llmops.diagnostics import has_errors
    from llmops.source.document import parse
    from llmops.specs.load import load_one

    document = parse(f"{FOLDER}/{name}.yaml", text.encode("utf-8")).document
    assert document is not None  # `spec_text` read it back
    found = load_one(document)[1]
    if has_errors(found):
        first = render(found[:1]).splitlines()[0].partition(": error")[2]
        raise UsageError(f"the waiver would not be valid: error{first}")


def _told(args: argparse.Namespace, name: str, day: date, commit: str, state: State) -> str:
    """What was written, and what to do now."""
    from llmops.rules.owner import known_owners
    from llmops.static import owners

    lines = [
        f"branch waiver/{name} ({commit[:7]}): {FOLDER}/{name}.yaml",
        f"  {printable(args.gate)} may be missed until {day.isoformat()}",
    ]
    if args.owner not in known_owners(owners(state.tree)):
        lines.append(f"  ! {printable(args.owner)} is not in CODEOWNERS")
    lines += [
        "next",
        f"  git push origin waiver/{name}",
        f"  open a pull request of it; it is looser than base, so {_asked(state)}",
        "  it counts once it is merged, and until its last day",
    ]
    return "\n".join(lines)


def _asked(state: State) -> str:
    """Whose approval base asks for."""
    assert state.graph is not None
    asked = [
        f"{one['count']} of {', '.join(one['from'])} must approve"
        for policy in state.graph.of_kind("Policy")
        for one in policy.spec.get("approvals", ())
        if one["when"] == "policy_looser"
    ]
    return " and ".join(asked) or "it is shown, though base's policy asks for no approval"
