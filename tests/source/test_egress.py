"""Egress lists: every list must have the host, redirects too, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.errors import FetchError
from llmops.source.egress import Egress, check_egress
from llmops.source.fetch import Fetcher

DIGEST = "sha256:" + "1" * 64
LIST = Egress("Environment/local", ("data.example.org", "*.mirror.example"))


@pytest.mark.parametrize("host", ["data.example.org", "a.mirror.example", "a.b.mirror.example"])
def test_a_host_of_the_list_may_be_reached(host: str) -> None:
    check_egress(host, (LIST,))


@pytest.mark.parametrize("host", ["example.org", "mirror.example", "xmirror.example", "", "data"])
def test_another_host_is_refused_with_the_list_s_name(host: str) -> None:
    with pytest.raises(FetchError, match="not on the egress list of Environment/local"):
        check_egress(host, (LIST,))


def test_every_list_must_have_the_host() -> None:
    with pytest.raises(FetchError, match="Environment/other"):
        check_egress("data.example.org", (LIST, Egress("Environment/other", ("b.example.org",))))
    check_egress("anywhere.example", ())


def test_a_download_is_refused_before_its_name_is_looked_up(tmp_path: Path) -> None:
    fetcher = Fetcher(tmp_path, egress=(LIST,))
    with pytest.raises(FetchError, match=r"evil\.example is not on the egress list"):
        fetcher.get(DIGEST, "https://evil.example/rows.jsonl", who="curate/x")
