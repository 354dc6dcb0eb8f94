from __future__ import annotations

import errno
import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_bytes, of_file, of_folder
from llmops.errors import FetchError
from llmops.source.fetch import Fetcher, from_environment

BODY = b"question,answer\n" * 1000
DIGEST = of_bytes(BODY)
LOOPBACK = frozenset({"127.0.0.1"})


@dataclass
class Server:
    """A web server on loopback that answers as its script says, and counts."""

    url: str
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]]
    asked: list[str] = field(default_factory=list)


def sends(
    body: bytes = BODY, status: int = 200, **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirects(where: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return sends(b"", 302, Location=where)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            made.answers.get(self.path, sends(b"no", 404))(self)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        made = Server(f"http://127.0.0.1:{listening.server_address[1]}", {"/data": sends()})
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield made
        listening.shutdown()
        thread.join()


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "cache", allow_hosts=LOOPBACK, pauses_s=(0.0, 0.0))


def left_in(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob("*") if p.is_file())


# ---- cache and mirror ------------------------------------------------------------------------


def test_a_download_is_kept_and_not_asked_for_again(server: Server, fetcher: Fetcher) -> None:
    path = fetcher.get(DIGEST, f"{server.url}/data")
    assert path == fetcher.cache / "sha256" / DIGEST.removeprefix("sha256:")
    assert of_file(path) == DIGEST
    assert fetcher.get(DIGEST, f"{server.url}/data") == path
    assert fetcher.get(DIGEST) == path
    assert server.asked == ["/data"]
    assert left_in(fetcher.cache) == [path.name]


def test_a_mirror_is_asked_before_the_network(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    mirror = _mirrored(tmp_path / "second", BODY)
    both = replace(fetcher, mirrors=(tmp_path / "first", tmp_path / "second"))
    assert both.get(DIGEST, f"{server.url}/data") == mirror
    assert server.asked == []
    assert replace(both, offline=True).get(DIGEST) == mirror


def test_a_folder_is_verified_as_a_whole(fetcher: Fetcher, tmp_path: Path) -> None:
    made = tmp_path / "made"
    (made / "sub").mkdir(parents=True)
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "sub" / "config.json").write_text("{}")
    digest = of_folder(made)
    kept = tmp_path / "mirror" / "sha256" / digest.removeprefix("sha256:")
    kept.parent.mkdir(parents=True)
    made.rename(kept)
    mirrored = replace(fetcher, mirrors=(tmp_path / "mirror",))
    assert mirrored.get(digest) == kept
    (kept / "sub" / "config.json").write_text("{ }")
    with pytest.raises(FetchError, match="wrong bytes") as caught:
        mirrored.get(digest)
    assert digest in caught.value.message
    assert of_folder(kept) in caught.value.message


def test_a_damaged_cache_entry_is_never_used_and_made_again(
    server: Server, fetcher: Fetcher
) -> None:
    path = fetcher.get(DIGEST, f"{server.url}/data")
    path.write_bytes(BODY[:-1] + b"x")
    assert fetcher.get(DIGEST, f"{server.url}/data").read_bytes() == BODY
    assert server.asked == ["/data", "/data"]


def test_wrong_bytes_name_both_digests_and_a_mirror_is_left_alone(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    wrong = _mirrored(tmp_path / "mirror", b"other", DIGEST)
    with pytest.raises(FetchError) as caught:
        replace(fetcher, mirrors=(tmp_path / "mirror",)).get(DIGEST)
    assert DIGEST in caught.value.message
    assert of_bytes(b"other") in caught.value.message
    assert wrong.read_bytes() == b"other"


def test_offline_a_damaged_mirror_is_named_and_not_only_the_missing_network(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    entry = tmp_path / "mirror" / "sha256" / DIGEST[7:]
    entry.parent.mkdir(parents=True)
    entry.write_bytes(b"other")
    offline = replace(fetcher, mirrors=(tmp_path / "mirror",), offline=True)
    with pytest.raises(FetchError, match="wrong bytes") as caught:
        offline.get(DIGEST, f"{server.url}/data")
    assert DIGEST in caught.value.message
    assert of_bytes(b"other") in caught.value.message
    assert server.asked == []


def test_a_second_mirror_helps_where_the_first_is_damaged(fetcher: Fetcher, tmp_path: Path) -> None:
    _mirrored(tmp_path / "first", b"other", DIGEST)
    good = _mirrored(tmp_path / "second", BODY)
    assert replace(fetcher, mirrors=(tmp_path / "first", tmp_path / "second")).get(DIGEST) == good


def test_what_is_nowhere_says_who_needs_it_and_where_was_looked(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    with pytest.raises(FetchError) as caught:
        replace(fetcher, mirrors=(tmp_path / "m",)).get(DIGEST, who="Dataset/bank")
    assert f"Dataset/bank needs {DIGEST}" in caught.value.message
    assert str(fetcher.cache) in caught.value.message
    assert str(tmp_path / "m") in caught.value.message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("digest", ["", "sha256:abc", "md5:" + "0" * 64, "sha256:" + "0/" * 32])
def test_what_is_no_digest_is_refused(fetcher: Fetcher, digest: str) -> None:
    with pytest.raises(FetchError, match="is not a digest"):
        fetcher.get(digest)


# ---- network ---------------------------------------------------------------------------------


def test_offline_reaches_nothing_and_names_who_tried(server: Server, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="LLMOPS_OFFLINE=1") as caught:
        replace(fetcher, offline=True).get(DIGEST, f"{server.url}/data", who="Dataset/bank")
    assert "Dataset/bank" in caught.value.message
    assert "127.0.0.1" in caught.value.message
    assert server.asked == []


def test_wrong_bytes_from_the_network_are_not_kept(server: Server, fetcher: Fetcher) -> None:
    server.answers["/data"] = sends(b"changed")
    with pytest.raises(FetchError) as caught:
        fetcher.get(DIGEST, f"{server.url}/data")
    assert DIGEST in caught.value.message
    assert of_bytes(b"changed") in caught.value.message
    assert server.asked == ["/data"]
    assert left_in(fetcher.cache) == []


def test_a_missing_page_is_an_error_at_once(server: Server, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="/nowhere answers 404"):
        fetcher.get(DIGEST, f"{server.url}/nowhere")
    assert server.asked == ["/nowhere"]


def test_a_failing_server_is_asked_again(server: Server, fetcher: Fetcher) -> None:
    failing = [sends(b"", 503), _cut_off]
    server.answers["/data"] = lambda handler: (failing.pop() if failing else sends())(handler)
    assert fetcher.get(DIGEST, f"{server.url}/data").read_bytes() == BODY
    assert len(server.asked) == 3


def test_a_body_that_is_cut_off_is_an_error_and_nothing_is_kept(
    server: Server, fetcher: Fetcher
) -> None:
    server.answers["/data"] = _cut_off
    with pytest.raises(FetchError, match="broke off"):
        fetcher.get(DIGEST, f"{server.url}/data")
    assert len(server.asked) == 3
    assert left_in(fetcher.cache) == []


def test_a_body_above_the_limit_is_refused(server: Server, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="more than 999 bytes"):
        replace(fetcher, max_bytes=999).get(DIGEST, f"{server.url}/data")
    assert left_in(fetcher.cache) == []


def test_a_redirect_is_followed_to_the_same_bytes(server: Server, fetcher: Fetcher) -> None:
    server.answers["/old"] = redirects("/data")
    assert fetcher.get(DIGEST, f"{server.url}/old").read_bytes() == BODY


def test_redirects_in_a_circle_end(server: Server, fetcher: Fetcher) -> None:
    server.answers["/a"] = redirects("/b")
    server.answers["/b"] = redirects("/a")
    with pytest.raises(FetchError, match="redirects in a circle"):
        fetcher.get(DIGEST, f"{server.url}/a")


@pytest.mark.parametrize(
    "where",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[fe80::1]/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://224.0.0.1/",
    ],
)
def test_an_address_that_is_not_public_is_refused_directly_and_behind_a_redirect(
    server: Server, fetcher: Fetcher, where: str
) -> None:
    server.answers["/away"] = redirects(where)
    for uri in (f"{server.url}/away", where):
        with pytest.raises(FetchError, match="which is not public"):
            fetcher.get(DIGEST, uri)


def test_a_name_that_resolves_to_a_private_address_is_refused_unless_allowed(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: resolve(
            "127.0.0.1" if host == "data.example" else host, *more, **named
        ),
    )
    uri = server.url.replace("127.0.0.1", "data.example") + "/data"
    with pytest.raises(FetchError, match=r"data\.example is the address 127\.0\.0\.1"):
        fetcher.get(DIGEST, uri)
    assert server.asked == []
    allowed = replace(fetcher, allow_hosts=frozenset({"data.example"}))
    assert allowed.get(DIGEST, uri).read_bytes() == BODY


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    public = "93.184.215.14"

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> Any:
        asked.append(host)
        address = public if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected: list[str] = []

    def connect(address: tuple[str, int], *_: Any) -> Any:
        connected.append(address[0])
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(FetchError, match="cannot be reached"):
        replace(fetcher, pauses_s=()).get(DIGEST, "http://rebind.example/data")
    assert asked == ["rebind.example"]
    assert connected == [public]


def test_a_proxy_is_used_and_leads_to_no_private_address_either(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    proxied = replace(fetcher, allow_hosts=frozenset())
    server.answers |= {
        "http://data.example/data": sends(),
        "http://data.example/away": redirects("http://169.254.169.254/secret"),
        "http://169.254.169.254/secret": sends(),
    }
    for uri in ("http://data.example/away", "http://169.254.169.254/secret"):
        with pytest.raises(FetchError, match="which is not public"):
            proxied.get(DIGEST, uri)
    assert server.asked == ["http://data.example/away"]
    assert proxied.get(DIGEST, "http://data.example/data").read_bytes() == BODY


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "ftp://example.com/x", "data:,x", "/relative-is-fine"]
)
def test_a_redirect_leaves_http_for_nothing_else(
    server: Server, fetcher: Fetcher, where: str
) -> None:
    server.answers["/away"] = redirects(where)
    server.answers["/relative-is-fine"] = sends()
    if where.startswith("/"):
        assert fetcher.get(DIGEST, f"{server.url}/away").read_bytes() == BODY
    else:
        with pytest.raises(FetchError, match=r"redirects (in a circle or )?to "):
            fetcher.get(DIGEST, f"{server.url}/away")
        assert server.asked == ["/away"]


@pytest.mark.parametrize(
    "uri",
    ["file:///etc/passwd", "s3://bucket/x", "ftp://h/x", "x", "", "http://", "http://[x/", "//h/x"],
)
def test_what_is_no_web_address_is_refused_with_the_way_to_a_mirror(
    fetcher: Fetcher, uri: str
) -> None:
    with pytest.raises(FetchError):
        fetcher.get(DIGEST, uri)


@pytest.mark.parametrize("tail", [":99999/x", ":x/y", "/a b", "/\n", "/客服"])
def test_odd_addresses_are_errors_without_a_traceback(
    server: Server, fetcher: Fetcher, tail: str
) -> None:
    with pytest.raises(FetchError):
        fetcher.get(DIGEST, f"http://127.0.0.1{tail}")


def test_a_server_that_is_not_there_is_an_error(fetcher: Fetcher) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="cannot be reached: Connection refused") as caught:
        fetcher.get(DIGEST, f"http://127.0.0.1:{port}/data")
    assert f"sha256/{DIGEST[7:]} in a folder of LLMOPS_MIRROR" in caught.value.hint


def test_keys_inside_an_address_are_never_shown(server: Server, fetcher: Fetcher) -> None:
    uri = server.url.replace("//", "//user:canary-1@") + "/nowhere?X-Signature=canary-2#canary-3"
    for one in (fetcher, replace(fetcher, offline=True)):
        with pytest.raises(FetchError) as caught:
            one.get(DIGEST, uri)
        assert "canary" not in caught.value.message + caught.value.hint


# ---- disk ------------------------------------------------------------------------------------


class FullDisk(io.RawIOBase):
    """A file on a disk that takes some bytes and then no more."""

    def __init__(self, handle: int, room: int) -> None:
        self.handle = handle
        self.room = room

    def write(self, data: Any) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(self.handle, data)

    def fileno(self) -> int:
        return self.handle

    def close(self) -> None:
        if not self.closed:
            os.close(self.handle)
        super().close()


@pytest.mark.parametrize("room", [0, 1, len(BODY) - 1])
def test_a_full_disk_leaves_nothing_and_names_the_place(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(os, "fdopen", lambda handle, _: FullDisk(handle, room))
    with pytest.raises(FetchError, match="No space left on device") as caught:
        fetcher.get(DIGEST, f"{server.url}/data")
    assert str(fetcher.cache) in caught.value.message
    assert "LLMOPS_CACHE" in caught.value.hint
    assert left_in(fetcher.cache) == []
    assert server.asked == ["/data"]
    monkeypatch.undo()
    assert fetcher.get(DIGEST, f"{server.url}/data").read_bytes() == BODY


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end_leaves_nothing(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fails(*_: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, fails)
    monkeypatch.setattr(Path, call, fails, raising=False)
    with pytest.raises(FetchError, match="Input/output error"):
        fetcher.get(DIGEST, f"{server.url}/data")
    assert left_in(fetcher.cache) == []


def test_a_cache_that_is_a_file_is_an_error(server: Server, fetcher: Fetcher) -> None:
    fetcher.cache.write_text("")
    with pytest.raises(FetchError, match="cannot be written"):
        fetcher.get(DIGEST, f"{server.url}/data")


# ---- environment -----------------------------------------------------------------------------


def test_the_environment_says_where_to_look(tmp_path: Path) -> None:
    env = {
        "LLMOPS_CACHE": str(tmp_path),
        "LLMOPS_MIRROR": f"/a{os.pathsep}{os.pathsep}/b c",
        "LLMOPS_OFFLINE": "1",
        "LLMOPS_ALLOW_HOSTS": "mirror.internal, other ,",
    }
    expected = Fetcher(
        tmp_path, (Path("/a"), Path("/b c")), True, frozenset({"mirror.internal", "other"})
    )
    assert from_environment(env) == expected


def test_an_empty_environment_means_the_home_cache_and_the_network() -> None:
    assert from_environment({}) == Fetcher(Path.home() / ".cache" / "llmops")
    assert not from_environment({"LLMOPS_OFFLINE": "0"}).offline


# ---- helpers ---------------------------------------------------------------------------------


def _mirrored(folder: Path, data: bytes, digest: str | None = None) -> Path:
    path = folder / "sha256" / (digest or of_bytes(data)).removeprefix("sha256:")
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def _cut_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(BODY)))
    handler.end_headers()
    handler.wfile.write(BODY[:100])
