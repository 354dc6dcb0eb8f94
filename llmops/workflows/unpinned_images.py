"""`unpinned-images`: a container image that somebody can change later.

A tag moves as a branch does. The digest names the bytes; the tag may stand before it for people, as
in `python:3.11@sha256:…`.
https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.diagnostics import Diagnostic
from llmops.source.places import Loc
from llmops.workflows import gitlab, jenkins
from llmops.workflows.base import GITHUB, File, Info, Job, System, found, mapping, shown, text

INFO = Info(
    id="unpinned-images",
    why="a tag can be moved to other bytes at any time",
    fix="write the digest behind it, as in name:tag@sha256:…",
    systems=(*GITHUB, System.GITLAB, System.JENKINS),
    audits=("unpinned-images",),
    bad="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    container:
      image: python:3.11
    steps:
      - run: make test
""",
    good="""\
on: pull_request
permissions: {}
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    container:
      image: python:3.11@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    steps:
      - run: make test
""",
)
_PINNED = re.compile(r".+@(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")
_CHOSEN = re.compile(r"\$\{\{.*\}\}|.*@\$\{?\w+\}?|\$\{?\w+\}?", re.DOTALL)
_JENKINS = re.compile(
    r"\bimage\s*\(?\s*(?P<quote>['\"])(?P<image>[^'\"\n]+)(?P=quote)|\bdocker\s*\{?\s*(?P<short>'[^'\n]+')"
)


def check(file: File) -> Iterator[Diagnostic]:
    """One for each image without a digest; what a variable names is not known."""
    for loc, image in (*_github(file), *gitlab.images(file)):
        if _is_loose(image):
            yield found(INFO, file.span(loc), f'image "{shown(image)}" has no digest')
    for match in _JENKINS.finditer(jenkins.code(file)):
        image = (match["image"] or match["short"]).strip("'")
        if _is_loose(image):
            span = jenkins.at(file, match.start(), len(match[0]))
            yield found(INFO, span, f'image "{shown(image)}" has no digest')


def _is_loose(image: str) -> bool:
    return not _PINNED.fullmatch(image) and not _CHOSEN.fullmatch(image)


def _github(file: File) -> Iterator[tuple[Loc, str]]:
    for job in file.jobs:
        yield from _of_job(job)
    for step in file.steps:
        if step.uses.startswith("docker://"):
            yield (*step.loc, "uses"), step.uses.removeprefix("docker://")
    image = text(mapping(file.value.get("runs")).get("image"))
    if file.system is System.ACTION and image.startswith("docker://"):
        yield ("runs", "image"), image.removeprefix("docker://")


def _of_job(job: Job) -> Iterator[tuple[Loc, str]]:
    container = job.value.get("container")
    if text(container):
        yield (*job.loc, "container"), text(container)
    elif text(mapping(container).get("image")):
        yield (*job.loc, "container", "image"), text(mapping(container).get("image"))
    for name, service in mapping(job.value.get("services")).items():
        if text(mapping(service).get("image")):
            yield (*job.loc, "services", name, "image"), text(mapping(service).get("image"))
