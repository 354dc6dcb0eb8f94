"""The service over HTTP: the door at POST /webhook, and whether it is well. Starlette lives here.

Bodies are read up to a size and a time, then handed to the door in a thread of their own, since it
writes to a disk. Pages tell counts and times, never a name, a text or a secret: whoever can reach
the port can read them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from llmops.app.door import MOST_BYTES, Answer, Door
from llmops.app.journal import Handler, Journal
from llmops.errors import UsageError

BODY_SECONDS = 8.0  # GitHub itself gives up after ten
MOST_HELD = 4 * MOST_BYTES  # of all bodies that are being read: nobody has signed them yet
CONCURRENCY = 64  # connections at a time; more hear 503 and are delivered again or swept up
_PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Health:
    """How the service does. `ready`: why it cannot work now, "" if it can."""

    alive: Callable[[], bool]
    ready: Callable[[], str]
    status: Callable[[], Mapping[str, Any]]


def create(
    door: Door, health: Health, start: Callable[[], None], stop: Callable[[], None]
) -> Starlette:
    """The application. `start` and `stop` go around its life."""
    room = _Room()

    async def webhook(request: Request) -> JSONResponse:
        try:
            with room.taken(_announced(request)):
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _body(request)
                return _said(await run_in_threadpool(door.receive, dict(request.headers), body))
        except TimeoutError:
            return _said(Answer(408, {"error": "the body did not come in time"}))
        except ClientDisconnect:
            return _said(Answer(400, {"error": "the body did not come"}))
        except _FullError:
            return _said(Answer(503, {"error": "too much at once, deliver it again"}))

    async def healthz(request: Request) -> JSONResponse:
        good = health.alive()
        return _said(Answer(200 if good else 503, {"alive": good}))

    async def readyz(request: Request) -> JSONResponse:
        why = await run_in_threadpool(health.ready)
        return _said(Answer(503 if why else 200, {"ready": not why, "why": why}))

    async def status(request: Request) -> JSONResponse:
        return _said(Answer(200, await run_in_threadpool(health.status)))

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        start()
        try:
            yield
        finally:
            await run_in_threadpool(stop)

    routes = [
        Route("/webhook", webhook, methods=["POST"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/", status, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=life)


class _FullError(Exception):
    """No more bodies can be read now."""


class _Room:
    """How many bytes of unsigned bodies are in memory, all connections together."""

    def __init__(self) -> None:
        self._held = 0

    @contextlib.contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Room for a body. Raises _FullError."""
        if self._held + size > MOST_HELD:
            raise _FullError
        self._held += size
        try:
            yield
        finally:
            self._held -= size


def _announced(request: Request) -> int:
    """How long a body may become: as long as is said, or as any may be."""
    length = request.headers.get("content-length", "")
    return min(int(length[:20]), MOST_BYTES) if length.isdecimal() else MOST_BYTES


async def _body(request: Request) -> bytes:
    """At most one byte more than a delivery may have: the door refuses that."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MOST_BYTES:
        return b"\0" * (MOST_BYTES + 1)
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        pieces.append(piece)
        if size > MOST_BYTES:
            return b"\0" * (MOST_BYTES + 1)
    return b"".join(pieces)


def _said(answer: Answer) -> JSONResponse:
    return JSONResponse(dict(answer.said), answer.status, headers=_PLAIN)


def config(app: Starlette, host: str, port: int) -> uvicorn.Config:
    """How the server listens: plain HTTP/1.1, bounded in every direction, no log of its own."""
    return uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False,
        limit_concurrency=CONCURRENCY, timeout_keep_alive=10, timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=32 * 1024, http="h11", lifespan="on", ws="none",
        proxy_headers=False,
    )  # fmt: skip


def log_to(journal: Journal) -> None:
    """What libraries have to say goes to the journal, and nowhere else."""
    logging.getLogger().handlers = [Handler(journal)]
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


def serve(app: Starlette, host: str, port: int, journal: Journal) -> None:
    """Until a signal ends it. Raises UsageError where the address cannot be had."""
    log_to(journal)
    try:
        uvicorn.Server(config(app, host, port)).run()
    except SystemExit as ended:
        what = f"cannot listen at {host}:{port}"
        raise UsageError(what, hint="another process has it, or it needs a right") from ended
