"""`llmops app`: the gate as a GitHub App, woken by webhooks; or what such an App still lacks.

Serves until it is stopped. Behind a proxy that speaks TLS it listens on this machine alone. What is
to be done lies in the data folder, so a service that is killed goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmops.app import manifest
from llmops.app.settings import Given, Settings, examine
from llmops.cli import common
from llmops.cli.examined import as_json, as_text
from llmops.cli.output import complain
from llmops.errors import UsageError

if TYPE_CHECKING:
    from llmops.executors.machine import Finding

EXAMPLES = """\
  llmops app --repos acme/llm --app-id 12345 --key-file key.pem --secret-file hook --data gate
  llmops app --manifest --url https://gate.example.org"""
BIND = "127.0.0.1:8080"


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `app`."""
    parser.add_argument("--app-id", default="", metavar="N", help="the App's id")
    parser.add_argument("--key-file", default="", metavar="FILE", help="the App's private key, PEM")
    parser.add_argument(
        "--secret-file", default="", metavar="FILE",
        help="the webhook's secret; while it is changed the new one and the old one, a line each",
    )  # fmt: skip
    parser.add_argument(
        "--repos", action="extend", nargs="+", default=[], metavar="OWNER/NAME",
        help="the repositories that are served; events of others do nothing",
    )  # fmt: skip
    parser.add_argument(
        "--data", default="", metavar="DIR", help="clones, evidence, and what is to be done"
    )
    parser.add_argument(
        "--bind", default=BIND, metavar="HOST:PORT", help=f"where to listen (default: {BIND})"
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N",
        help="repositories that are worked on side by side (default: 2)",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true", help="ask GitHub whether all is set up; start nothing"
    )
    parser.add_argument(
        "--manifest", action="store_true", help="print the manifest that makes such an App"
    )
    parser.add_argument("--url", default="", metavar="URL", help="of the service, for --manifest")
    parser.add_argument("--org", default="", metavar="NAME", help="whose App, for --manifest")
    parser.add_argument(
        "--format", choices=("text", "json", "html"), default="text",
        help="of --check and --manifest; html: a page with the button that registers the App",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """0; 1 when `--check` finds that something is missing; 2 for settings that are none."""
    if args.manifest:
        return _manifest(args)
    if os.environ.get("LLMOPS_OFFLINE", "") not in ("", "0"):
        raise UsageError("llmops app asks GitHub, but LLMOPS_OFFLINE=1")
    settings, found = examine(_given(args))
    if args.check:
        return _check(args, settings, found)
    if settings is None:
        _refuse(found)
    assert settings is not None
    if not 1 <= args.workers <= 64:
        raise UsageError("--workers must be between 1 and 64")
    _installed("starlette", "uvicorn", "github3", "jwt")
    from llmops.app.run import serve

    serve(settings, args.workers, complain, api_url=_api_url())
    return 0


def _installed(*names: str) -> None:
    """Raises UsageError where the extra is not installed that has these."""
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        what = f"llmops app needs {', '.join(absent)}"
        raise UsageError(what, hint="install llmops with its extra app: llmops[app]")


def _given(args: argparse.Namespace) -> Given:
    return Given(
        args.app_id, args.key_file, args.secret_file, args.data, args.repos, args.bind,
        dict(os.environ),
    )  # fmt: skip


def _api_url() -> str:
    return os.environ.get("GITHUB_API_URL", "")


def _manifest(args: argparse.Namespace) -> int:
    made = manifest.manifest(args.url)
    page = manifest.page(made, args.org) if args.format == "html" else manifest.dumped(made)
    common.say(page)
    return 0


def _refuse(found: Sequence[Finding]) -> None:
    """Every missing setting in a line, and the first as the error."""
    missing = [one for one in found if one.state == "missing"]
    for one in missing[1:]:
        complain(f"llmops: error: {one.name}: {one.message}")
        complain(f"  hint: {one.hint}")
    raise UsageError(f"{missing[0].name}: {missing[0].message}", hint=missing[0].hint)


def _check(args: argparse.Namespace, settings: Settings | None, found: tuple[Finding, ...]) -> int:
    if settings is not None:
        _installed("github3", "jwt")
        from llmops.app.check import check
        from llmops.forge.auth import AppKey

        key = AppKey(settings.app_id, settings.key, api_url=_api_url())
        found = (*found, *check(settings, key))
    text = as_text(found, args.quiet, "the App can serve")
    common.say(as_json(found) if args.format == "json" else text)
    return 1 if any(one.state == "missing" for one in found) else 0
