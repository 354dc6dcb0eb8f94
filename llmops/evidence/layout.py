"""What stands on the branch of shared evidence: paths <-> closures, numbers. Dry.

Folders are cut so that ten thousand statements make no folder of more than some hundred names:
`evidence/<2 hex>/<closure>/<sha256>.json`, `places/<2 hex>/<closure>.json`, what was signed by the
digest of its payload, `signed/<2 hex>/<sha256>.json`, audits of reuse,
`audits/<2 hex>/<closure>/<sha256>.json`, and the ledger by thousands, `ledger/00000/00000042.json`
with `ledger/checkpoint.json`.
"""

from __future__ import annotations

import re

BRANCH = "llmops-evidence"
CHECKPOINT = "ledger/checkpoint.json"
README = "README.md"
TEXT = b"""# Evidence

What `llmops` measured in this repository, kept by the gate: statements by closure, the ledger of
attempts, and where artifacts lie. Nothing here is edited by hand; every statement is checked by
its digest when it is read. `llmops evidence pull` brings it into `reports/`.
"""
_STATEMENT = re.compile(r"evidence/([0-9a-f]{2})/((?:\1)[0-9a-f]{62})/([0-9a-f]{64})\.json")
_PLACES = re.compile(r"places/([0-9a-f]{2})/((?:\1)[0-9a-f]{62})\.json")
_SIGNED = re.compile(r"signed/([0-9a-f]{2})/((?:\1)[0-9a-f]{62})\.json")
_AUDIT = re.compile(r"audits/([0-9a-f]{2})/((?:\1)[0-9a-f]{62})/([0-9a-f]{64})\.json")
_AUDIT_IN_PACK = re.compile(r"audits/([0-9a-f]{64})/([0-9a-f]{64})\.json")
_ENTRY = re.compile(r"ledger/(\d{5})/((?:\1)\d{3})\.json")


def statement_path(closure: str, digest: str) -> str:
    """Where a statement stands; both as 64 hex digits."""
    return f"evidence/{closure[:2]}/{closure}/{digest}.json"


def statement_at(path: str) -> tuple[str, str] | None:
    """Closure and digest of the statement at a path, None where none stands."""
    found = _STATEMENT.fullmatch(path)
    return (found[2], found[3]) if found else None


def places_path(closure: str) -> str:
    """Where the places of a closure's artifacts are written down."""
    return f"places/{closure[:2]}/{closure}.json"


def places_at(path: str) -> str | None:
    """The closure that a path has the places of."""
    found = _PLACES.fullmatch(path)
    return found[2] if found else None


def signed_path(digest: str) -> str:
    """Where the envelope of a payload stands, in a store and in a pack too; 64 hex digits."""
    return f"signed/{digest[:2]}/{digest}.json"


def signed_at(path: str) -> str | None:
    """The digest of the payload whose envelope stands at a path."""
    found = _SIGNED.fullmatch(path)
    return found[2] if found else None


def audit_path(closure: str, digest: str) -> str:
    """Where an audit stands on the branch; both as 64 hex digits."""
    return f"audits/{closure[:2]}/{closure}/{digest}.json"


def audit_on_branch(path: str) -> tuple[str, str] | None:
    """Closure and digest of the audit at a path of the branch."""
    found = _AUDIT.fullmatch(path)
    return (found[2], found[3]) if found else None


def audit_in_pack(closure: str, digest: str) -> str:
    """Where an audit stands in a store and in a pack; both as `sha256:<hex>`."""
    return f"audits/{closure[7:]}/{digest[7:]}.json"


def audit_at(name: str) -> tuple[str, str] | None:
    """Closure and digest of the audit at a name of a pack."""
    found = _AUDIT_IN_PACK.fullmatch(name)
    return (found[1], found[2]) if found else None


def entry_path(number: int) -> str:
    """Where an entry of the ledger stands."""
    return f"ledger/{number // 1000:05}/{number:08}.json"


def entry_at(path: str) -> int | None:
    """The number of the entry at a path."""
    found = _ENTRY.fullmatch(path)
    return int(found[2]) if found else None
