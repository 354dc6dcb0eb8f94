"""Two graphs -> Changes: what a pull request means, field by field and through references.

A change of meaning has a category: the earliest job type its fields can touch, else gate,
static, placement or descriptive. Reformatting, comments, key order and a moved file are no change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from llmops.digest import canonical, short
from llmops.graph.base import CATEGORIES, JOB_TYPES, Change, FieldChange, earliest
from llmops.graph.build import EMPTY, Graph
from llmops.graph.fingerprint import fingerprints
from llmops.specs.base import Ref, Spec

RolesOf = Callable[[str], Mapping[str, str]]  # kind -> {field path: role}


def diff(base: Graph | None, head: Graph, roles_of: RolesOf) -> tuple[Change, ...]:
    """Every spec whose meaning or description differs, direct changes first, by kind and name.

    `roles_of` gives the role of each field path of a kind (see `llmops.specs.load.roles`).
    `diff(g, g)` is empty.
    """
    base = base or EMPTY
    direct = {
        ref: change
        for ref in sorted({*base.specs, *head.specs})
        if (change := _direct(ref, base, head, roles_of))
    }
    return (*direct.values(), *_followers(direct, base, head, roles_of))


def _direct(ref: Ref, base: Graph, head: Graph, roles_of: RolesOf) -> Change | None:
    old, new = base.specs.get(ref), head.specs.get(ref)
    if old is None or new is None:
        present = new or old
        assert present is not None
        roles = roles_of(ref.kind)
        used = [role_of(path, roles) for path in leaves(present.value)]
        action: Any = "added" if old is None else "removed"
        return Change(ref, action, present.path, _category(used))
    if _same(old, new, base, head):
        return None
    roles = roles_of(ref.kind)
    fields = (*_fields(old, new, roles), *_contents(old, new, base, head, roles))
    if not fields:
        return None
    return Change(ref, "changed", new.path, _category([f.role for f in fields]), fields)


def _same(old: Spec, new: Spec, base: Graph, head: Graph) -> bool:
    """Nothing to look at: the same values (maybe the very same object) and the same files."""
    values = old.value is new.value or canonical(old.value) == canonical(new.value)
    return values and all(base.files.get(u.path) == head.files[u.path] for u in new.files)


def _fields(old: Spec, new: Spec, roles: Mapping[str, str]) -> Iterator[FieldChange]:
    before, after = leaves(old.value), leaves(new.value)
    for path in dict.fromkeys((*before, *after)):
        # canonical text: 1 and 1.0 are the same number, True and 1 are not the same value
        if canonical(before.get(path)) != canonical(after.get(path)):
            yield FieldChange(path, before.get(path), after.get(path), role_of(path, roles))


def _contents(
    old: Spec, new: Spec, base: Graph, head: Graph, roles: Mapping[str, str]
) -> Iterator[FieldChange]:
    """Files whose bytes changed under an unchanged path."""
    before = {use.path: base.files[use.path] for use in old.files}
    for use in new.files:
        was, now = before.get(use.path), head.files[use.path]
        if was is not None and was != now:
            role = role_of(loc_path(use.loc), roles)
            yield FieldChange(f"{use.path} (content)", short(was), short(now), role)


def leaves(value: Mapping[str, Any]) -> dict[str, Any]:
    """`{"lora.r": 8, "checks[accuracy].require.min": 0.8, "metadata.owner": …}` of a spec's value.

    Lists of named maps are keyed by name (their order has no meaning), other lists are one leaf.
    """
    found = dict(_walk("", value["spec"]))
    found.update(_walk("metadata", value["metadata"]))
    return found


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _walk(f"{path}.{key}" if path else str(key), inner)
    elif _named(value):
        for item in value:
            rest = {k: v for k, v in item.items() if k != "name"}
            yield from _walk(f"{path}[{item['name']}]", rest or None)
    elif _turns(value):
        for i, turn in enumerate(value):
            yield from _walk(f"{path}[{i}]", turn)
    elif _mixture(value):
        yield path, [_part(entry) for entry in value]
    else:
        yield path, value


def _turns(value: Any) -> bool:
    """Messages or example turns of a Prompt: told one by one, by their place."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(v, Mapping) and any(v.keys() == known for known in _TURNS) for v in value
        )
    )


_TURNS = ({"role", "content"}, {"user", "assistant"}, {"file"})


def _mixture(value: Any) -> bool:
    """The `data` of a Recipe: datasets in an order that counts, some with a weight."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(v, Mapping) and {"dataset"} <= v.keys() <= _MIXED for v in value)
    )


_MIXED = {"dataset", "weight"}


def _part(entry: Mapping[str, Any]) -> str:
    weight = f" x {entry['weight']:g}" if "weight" in entry else ""
    return f"{entry['dataset']}{weight}"


def _named(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in value)
    )


def loc_path(loc: Iterable[str | int]) -> str:
    """`("spec", "data", 0, "dataset")` -> `data[0].dataset`."""
    text = ""
    for step in list(loc):
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".spec").removeprefix(".")


def steps_of(path: str) -> list[str]:
    """`sources[helpdesk].uri` -> `["sources", "[helpdesk]", "uri"]`."""
    return re.findall(r"\[[^\]]*\]|[^.\[\]]+", path)


def loc_of(spec: Spec, path: str) -> tuple[str | int, ...]:
    """The place of a path as `leaves` writes it inside its document, as far as it is there."""
    value: Any = spec.spec
    loc: list[str | int] = ["spec"]
    for step in steps_of(path):
        if step.startswith("[") and isinstance(value, list | tuple):
            i = _place(value, step[1:-1])
            if i is None:
                break
            loc.append(i)
            value = value[i]
        else:
            loc.append(step)
            value = value.get(step) if isinstance(value, Mapping) else None
    return tuple(loc)


def _place(entries: Sequence[Any], wanted: str) -> int | None:
    """Where an entry stands that a path calls by its name, or by its number."""
    if wanted.isdecimal() and int(wanted) < len(entries) and "name" not in entries[int(wanted)]:
        return int(wanted)
    return next((i for i, v in enumerate(entries) if v.get("name") == wanted), None)


def role_of(path: str, roles: Mapping[str, str]) -> str:
    """The role of a field: its own, or that of the nearest declared field around it."""
    whole = pattern = re.sub(r"\[[^\]]*\]", "[]", path)
    while pattern:
        for candidate in (pattern, pattern.removesuffix("[]")):
            if candidate in roles:
                return roles[candidate]
        pattern, dot, _ = pattern.rpartition(".")
        if not dot:
            break
    inside = [
        role for known, role in roles.items() if known.startswith((whole + ".", whole + "[]"))
    ]
    return earliest_role(inside) if inside else "descriptive"


def earliest_role(roles: Iterable[str]) -> str:
    """The role that costs most among several (an empty block touches whatever it could hold)."""
    return min(roles, key=lambda role: _rank(_category([role])))


def _rank(category: str) -> int:
    return CATEGORIES.index(category)


def job_types(role: str) -> list[str]:
    """`"job: [train, generate]"` -> `["train", "generate"]`; none for a plain role."""
    inside = role.removeprefix("job:").strip(" []") if role.startswith("job:") else ""
    return [word.strip() for word in inside.split(",") if word.strip()]


def _category(roles: list[str]) -> str:
    return earliest([word for role in roles for word in (job_types(role) or [role])])


def _followers(
    direct: Mapping[Ref, Change], base: Graph, head: Graph, roles_of: RolesOf
) -> Iterator[Change]:
    """Specs whose own text is the same, but that refer to something whose meaning changed."""
    before, after = fingerprints(base), fingerprints(head)
    categories = {ref: change.category for ref, change in direct.items()}
    for ref, spec in head.specs.items():
        if before.get(ref) == after[ref]:
            continue
        uses = [u for u in spec.references if before.get(u.target) != after.get(u.target)]
        roles = roles_of(ref.kind)
        reached: list[str] = []
        for use in uses:
            category = categories.get(use.target, "descriptive")
            own = _category([role_of(loc_path(use.loc), roles)])
            reached.append(own if category in JOB_TYPES else category)
        if ref in direct:  # another owner of what follows too: what follows it needs both
            categories[ref] = earliest([categories[ref], *reached])
            continue
        categories[ref] = earliest(reached)
        through = tuple(dict.fromkeys(loc_path(use.loc) for use in uses))
        yield Change(ref, "follows", spec.path, categories[ref], through=through)
