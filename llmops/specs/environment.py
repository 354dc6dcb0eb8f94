"""Kind `Environment`: where jobs run, which hosts and secrets they may reach, and what is moved.

Nothing here can change a result: an overlay sets placement fields alone, so what runs in
production is what was judged. `residency` says where the machines stand, `egress` which hosts may
be reached; both are judged, and widening them counts as loosening. `store` is where machines share
what runs made, by digest, so whoever can write there can remove but not replace; base's is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.specs.blocks import LIST, SET, Country, Number, SecretName, Verbatim, form
from llmops.specs.fields import Block, RefTo, field, group
from llmops.specs.overlays import TARGETS
from llmops.specs.problem import Loc, Problem, block, items, quoted

Host = Annotated[
    str,
    form(
        r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "a host name in lower case, as in data.example.org or *.example.org",
    ),
]
StoreUri = Annotated[
    str,
    form(
        r"^(file:///|memory://|(s3|gs|az|oss|hdfs|sftp)://)"
        r"[A-Za-z0-9][-A-Za-z0-9_.:]*(/[A-Za-z0-9_][-A-Za-z0-9_.]*)*$",
        "an address without a password, as in s3://bucket/llmops or file:///mnt/llmops",
    ),
]
GpuName = Annotated[str, form(r"^[A-Za-z0-9][-._A-Za-z0-9]*$", "a GPU class, as in H100-80GB")]


class Executor(Block):
    """What starts a job; one key names it."""

    local: dict[str, Any] = field(
        role="placement", doc="Processes of this machine; {}.", max_length=0
    )


class GpuClass(Block):
    """One class of GPU: how it is asked for, and what an hour of it costs."""

    constraint: str | None = field(None, role="placement", doc="Word of the scheduler for it.")
    usd_per_hour: Number | None = field(
        None, role="placement", doc="US dollars for an hour of one.", ge=0
    )


class Secrets(Block):
    """Which secrets jobs may be given, by name."""

    store: Literal["environment"] = field(
        "environment", role="placement", doc="The process environment of the runner."
    )
    names: Annotated[tuple[SecretName, ...], SET] = field(
        role="placement", doc="Names that a spec may use as {secret: NAME}.", min_length=1
    )


class Overlay(Block):
    """Placement fields of one spec, as they are in this environment."""

    target: Annotated[str, RefTo(TARGETS)] = field(role="placement", doc="The spec, as Kind/name.")
    set_: Verbatim = field(
        role="placement", doc="Values by path, as in resources.memory.", alias="set", min_length=1
    )


class Environment(Block):
    """Where jobs run, and what they may reach there."""

    promotes_from: Annotated[str, RefTo(("Environment",))] | None = field(
        None, role="static", doc="The Environment that a release was in before."
    )
    executor: Executor | None = group(None, doc="What starts a job.")
    gpu_classes: dict[GpuName, GpuClass] = field(
        {}, role="placement", doc="NAME: {constraint, usd_per_hour}, for prices and schedulers."
    )
    residency: Annotated[tuple[Country, ...], SET] = field(
        (), role="static", doc="Where its machines stand; rows that must stay elsewhere stay out."
    )
    egress: Annotated[tuple[Host, ...], SET] | None = field(
        None, role="gate", doc="Hosts that may be reached; without it any public one.", min_length=1
    )
    store: StoreUri | None = field(
        None,
        role="placement",
        doc="Where artifacts of runs lie for every machine; keys come from its environment.",
    )
    secrets: Secrets | None = group(None, doc="Secrets by name.")
    overlays: Annotated[tuple[Overlay, ...], LIST] = group((), doc="What is placed otherwise here.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: each field of each spec is set once."""
    seen: set[tuple[str, str]] = set()
    for i, overlay in items(spec, "overlays"):
        target = str(overlay.get("target"))
        for path in block(overlay, "set"):
            if (target, path) in seen:
                what = f"{quoted(path)} of {target} is set twice"
                loc: Loc = ("spec", "overlays", i, "set", path)
                yield Problem(loc, "said-twice", what, "keep one of them", key=True)
            seen.add((target, path))
