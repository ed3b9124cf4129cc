"""Downloads from a server on this machine: whole, resumed, damaged, missing, offline."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from bench.datasets import open_dataset
from bench.downloads import by_hand, downloads, fetch, fetch_file
from bench.errors import ConfigError, DatasetError
from tests.bench.reports.page.conftest import bench

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``content`` under any name, in ranges if ``ranges``, at most ``most`` bytes of it."""

    daemon_threads = True
    content, ranges, most, status = CONTENT, True, len(CONTENT), 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "") if self.server.ranges else ""
        self.server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        rest = self.server.content[start:]
        self.send_response(206 if wanted else self.server.status)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.most])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def get(server: Server, file: Path) -> None:
    with requests.Session() as session:
        fetch_file(session, f"{server.address}/x", file, len(CONTENT), DIGEST)


def test_a_file_arrives_whole(server: Server, tmp_path: Path) -> None:
    get(server, tmp_path / "new" / "x")
    assert (tmp_path / "new" / "x").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.most = 200_000
    with pytest.raises(DatasetError, match="the same command goes on"):
        get(server, tmp_path / "x")
    kept = (tmp_path / "x.part").stat().st_size
    assert 0 < kept <= 200_000
    assert not (tmp_path / "x").exists()
    server.most, server.ranges = len(CONTENT), ranges
    get(server, tmp_path / "x")
    assert server.asked[-1] == (f"bytes={kept}-" if ranges else "")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_part_of_something_else_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    for part in (b"something else", b"x" * (len(CONTENT) + 1)):
        (tmp_path / "x.part").write_bytes(part)
        get(server, tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == CONTENT
        (tmp_path / "x").unlink()


@pytest.mark.parametrize("content", [b"<html>gone</html>", CONTENT[::-1], CONTENT * 3])
def test_other_content_is_refused(server: Server, tmp_path: Path, content: bytes) -> None:
    server.content, server.most = content, len(content)
    with pytest.raises(DatasetError, match=f"expected SHA-256 {DIGEST}"):
        get(server, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_an_answer_without_the_file_says_so(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(DatasetError, match="HTTP 404"):
        get(server, tmp_path / "x")
    with pytest.raises(ConfigError, match="Did you mean 'lasot'"):
        fetch("lasto", tmp_path)


def test_offline_the_command_answers_in_a_line(tmp_path: Path) -> None:
    nowhere = ("--mirror", "http://127.0.0.1:9")
    done = bench("download", "lasot", "--out", tmp_path / "lasot", *nowhere, code=1)
    assert "cannot be fetched (ConnectionError). Without a network" in done.stderr
    listed = bench("download").stdout
    assert "lasot: LaSOT's test annotation" in listed
    assert "Apache-2.0" in listed
    assert "by hand: weights of SiamAttn" in listed


def test_the_hashes_are_of_the_annotation_that_scores(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all files, three are damaged and come again, from a copy on this machine."""
    source = shared / "data" / "lasot" / "annotations"
    files = downloads()["lasot"].files
    for path, size, digest in files:
        content = (source / path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, digest), path
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    for path, _, _ in files[::300]:
        (tmp_path / path).write_bytes(b"damaged")

    def copied(session: object, address: str, file: Path, size: int, digest: str) -> None:
        file.write_bytes((source / address.removeprefix("here/")).read_bytes())

    monkeypatch.setattr("bench.downloads.fetch_file", copied)
    assert fetch("lasot", tmp_path, "here") == 3
    assert fetch("lasot", tmp_path, "here") == 0
    assert len(open_dataset("lasot", tmp_path)) == 280


def test_every_download_has_a_licence_and_whole_hashes() -> None:
    for each in downloads().values():
        assert each.licence
        assert each.address.startswith("https://")
        for path, size, digest in each.files:
            assert not path.startswith("/")
            assert ".." not in path
            assert size > 0
            assert len(digest) == 64
    assert all(each.licence and each.address.startswith("https://") for each in by_hand())
