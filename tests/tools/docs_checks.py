"""The part of the manual that is made of `lint-ci`'s checks: what each finds, why, what to do."""

from __future__ import annotations

import importlib

from llmops.workflows.base import Info, System
from llmops.workflows.lint import INFOS
from tests.tools import docs_kinds
from tests.tools.words import Say

NAMES = {
    System.WORKFLOW: "GitHub workflows",
    System.ACTION: "GitHub actions",
    System.GITLAB: "GitLab",
    System.JENKINS: "Jenkins",
}


def checks(say: Say) -> str:
    """Every check of `lint-ci`."""
    return "\n\n".join(_check(INFOS[name], say) for name in sorted(INFOS))


def _check(info: Info, say: Say) -> str:
    module = importlib.import_module(f"llmops.workflows.{info.id.replace('-', '_')}")
    first, _, rest = (module.__doc__ or "").strip().partition("\n\n")
    more, _, source = rest.rpartition("\nhttps://")
    asked = " ".join(first.partition(": ")[2].split())
    parts = [f"## {info.id}", say(f"{asked[0].upper()}{asked[1:]}"), say(" ".join(more.split()))]
    parts.append(f"*{say('Why.')}* {say(_sentence(info.why))}")
    parts.append(f"*{say('What to do.')}* {say(_sentence(info.fix))}")
    where = ", ".join(say(NAMES[one]) for one in info.systems)
    parts.append(f"*{say('Looked for in.')}* {where}")
    if info.audits:
        named = ", ".join(f"`{one}`" for one in info.audits)
        parts.append(f"*{say('In zizmor.')}* {named}")
    parts.append(f"*{say('Source.')}* <https://{source}>")
    told = [docs_kinds.escaped(part) for part in parts]
    told += [f"*{say('Good.')}*", _fence(info.good), f"*{say('Bad.')}*", _fence(info.bad)]
    return "\n\n".join(told)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _fence(text: str) -> str:
    return f"```yaml\n{text.rstrip()}\n```"
