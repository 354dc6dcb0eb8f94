"""What is on the target branch by now -> its check, an incident, deployments. Dry.

In: a landed commit, the tree it brought, and the verdict that let that tree land, if there is one.
Out: a `Publication` for the commit, and the body of an issue. A bypass is not prevented here, it is
made visible: a failed check on the branch that everybody looks at, and one issue that stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmops.forge.base import Payload, Publication
from llmops.graph.build import Graph
from llmops.reports.blocks import Section
from llmops.reports.escape import code, text
from llmops.reports.github_told import Subject, Told, publication
from llmops.reports.verdict_words import headline
from llmops.rules.base import Verdict

ISSUE = "llmops: landed tree was not judged"
LABEL = "llmops: not judged"


def marker(sha: str) -> str:
    """What tells the issue about one commit from all others."""
    return f"<!-- llmops:landed {sha} -->"


def as_judged(subject: Subject, tree: str, outcome: str, who: str) -> Publication:
    """The landed tree is one that a verdict let land. `who`: what that verdict was about."""
    mark = "✅" if outcome == "passed" else "⚠️"
    row = f"Tree {code(tree[:12])} is what {text(who)} was judged on: {text(outcome)}."
    told = Told(
        title=f"{outcome}: landed as it was judged",
        headline=f"{mark} llmops: {text(outcome)} — landed as it was judged",
        conclusion="success",
        sections=(Section(rows=(row,)),),
        foot=f"<sub>tree {text(tree[:12])}</sub>",
        tree=tree,
    )
    return publication(subject, told)


def unjudged(subject: Subject, tree: str, why: str) -> Publication:
    """No verdict that lets it land names the landed tree."""
    rows = (
        f"Tree {code(tree[:12])} landed, and no verdict that lets it land names that tree.",
        f"<br>{text(why, 2_000)}",
    )
    told = Told(
        title=f"landed tree was not judged: {why}",
        headline="❌ llmops: landed tree was not judged",
        conclusion="failure",
        sections=(Section(rows=rows),),
        foot=f"<sub>tree {text(tree[:12])}</sub>",
        tree=tree,
    )
    return publication(subject, told)


def why_not(verdict: Verdict | None, state: str, notes: Sequence[str]) -> str:
    """Why a tree may not have landed, in one line."""
    if state == "running":
        return "its jobs had not run when it landed"
    if verdict is not None and state == verdict.outcome.word:
        return headline(verdict)
    return notes[0] if notes else state


def issue(subject: Subject, tree: str, branch: str, why: str) -> Payload:
    """The incident: what landed, where, and what to do about it."""
    sha = subject.head_sha
    body = "\n".join((
        marker(sha),
        f"Commit {sha} brought tree {code(tree)} to {code(branch, 200)}, and no verdict that lets "
        "it land names that tree.",
        "",
        f"Judged afterwards: {text(why, 2_000)}",
        "",
        "* Find out how it came there: the bypass list of the ruleset, a push past the queue, a "
        "change that landed while its check said something else.",
        "* Revert it, or bring the evidence: the check on the commit is judged again when the "
        "workflow runs there.",
        "* Close this issue once you know; it is opened once for this commit.",
    ))  # fmt: skip
    return {"title": ISSUE, "body": body, "labels": [LABEL]}


def deployments(subject: Subject, graph: Graph, tree: str) -> Iterator[Mapping[str, Payload]]:
    """For each Release of a judged tree and each of its environments, that it may take traffic.

    Its state stays `queued`: no command of ours moves traffic.
    """
    for release in graph.of_kind("Release"):
        for environment in release.spec["environments"]:
            name = environment.rpartition("/")[2]
            body: dict[str, Any] = {
                "ref": subject.head_sha,
                "task": f"llmops:{release.ref}",
                "environment": f"{release.ref.name}/{name}",
                "description": f"{release.ref} may take traffic: its tree was judged",
                "auto_merge": False,
                "required_contexts": [],
                "payload": {"release": str(release.ref), "tree": tree},
            }
            state = {"state": "queued", "description": "judged; nobody has moved traffic yet"}
            yield {"deployment": body, "status": state}


def with_deployments(told: Publication, subject: Subject, graph: Graph, tree: str) -> Publication:
    """The same publication, and where its Releases may go."""
    return replace(told, deployments=tuple(deployments(subject, graph, tree)))
