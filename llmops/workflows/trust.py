"""A context of GitHub's expressions -> who decides what its text is. Dry.

What an outsider writes (titles, bodies, branch names, what is inside a pull request) must never
become code. So a short list says what can be nothing else than an id, a hash or a word of GitHub's
own; whatever is not on it is somebody's text.
https://docs.github.com/en/actions/concepts/security/script-injections
"""

from __future__ import annotations

import re
from enum import Enum

_OURS = re.compile(
    r"github\.(?:sha|run_id|run_number|run_attempt|job|workspace|event_name|action|action_path"
    r"|api_url|server_url|graphql_url|repository|repository_id|repository_owner"
    r"|repository_owner_id|actor_id|retention_days|ref_type|ref_protected|workflow_sha|action_status"
    r"|event_path|env|path|output|step_summary)"
    r"|github\.event\.(?:action|number|before|after|(?:[\w-]+\.)*(?:id|node_id|number|sha|head_sha"
    r"|base_sha|commit_id|run_attempt|run_number|draft|merged|fork|private|created_at|updated_at"
    r"|run_id|forced|author_association|conclusion|status))"
    r"|runner\.[\w-]+|job\.(?:status|check_run_id)|strategy\.[\w-]+"
    r"|needs\.[\w*-]+\.result|steps\.[\w*-]+\.(?:outcome|conclusion)"
)
_INSIDE = re.compile(
    r"(?:secrets|vars|jobs|env)\..+|github\.(?:token|base_ref|workflow|workflow_ref|actor"
    r"|triggering_actor|action_ref|action_repository)"
)


class Trust(Enum):
    """Whose text it is."""

    OURS = "GitHub's own"  # an id, a hash, a word out of a list
    INSIDE = "the repository's own"  # what people with write access or settings decide
    GIVEN = "a caller's"  # inputs
    MADE = "another step's"  # outputs, and a matrix: made of what the change holds
    OUTSIDE = "an outsider's"


def trust(context: str) -> Trust:
    """Who decides what a context (in lower case) says."""
    if _OURS.fullmatch(context):
        return Trust.OURS
    if _INSIDE.fullmatch(context):
        return Trust.INSIDE
    if context.partition(".")[0] == "inputs" or context.startswith("github.event.inputs"):
        return Trust.GIVEN
    if context.partition(".")[0] in ("needs", "steps", "matrix"):
        return Trust.MADE
    return Trust.OUTSIDE


def is_outside(context: str) -> bool:
    """Whether somebody without write access may have written it: of an event, or of a branch."""
    return trust(context) is Trust.OUTSIDE
