"""The page of a run's progress: what it shows while the run lasts and as it ends, who may look, and ports that cannot be had."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from html import escape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from small_run import NAMES, layer_file, results_in

from mapsearch.cli import main

FIXTURES = (layer_file,)  # pytest finds it here, as layers
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
ENDLESS = ["--sampler", "tpe", "--trials", "99999", "--jobs", "2"]


@contextmanager
def _begun(*words: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A run that serves its page, and the page's address; in the end the run is interrupted."""
    command = [sys.executable, "-m", "mapsearch", "run", "--quiet", "--serve", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 our own
        line = process.stderr.readline() if process.stderr is not None else ""
        assert line.startswith("mapsearch: progress: http://"), line
        try:
            yield process, line.split()[-1]
        finally:
            process.send_signal(signal.SIGINT)


def _get(url: str, host: str | None = None) -> tuple[int, str]:
    """The status code and the text at an address."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    query = f"?{parts.query}" if parts.query else ""
    connection.request("GET", parts.path + query, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _status_when(url: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first status of a run that fulfils the condition."""
    while True:
        status: dict[str, Any] = json.loads(_get(url + "status.json")[1])
        if holds(status):
            return status
        time.sleep(0.1)


def _cells(status: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Each layer's cells by their columns."""
    return {row[0]: dict(zip(status["columns"], row, strict=True)) for row in status["rows"]}


def test_a_run_is_shown_while_it_lasts_and_as_it_ends(layers: Path, tmp_path: Path) -> None:
    """Shares done and time left while layers are searched; after Ctrl-C the figures of what is saved, and that it ended."""
    with _begun("0", "--layer-set", str(layers), *ENDLESS, "--out", str(tmp_path / "run")) as (process, url):
        assert "<h1>mapsearch</h1>" in _get(url)[1]
        searched = _status_when(url, lambda status: bool(re.search(r"about .* left", status["state"])))
        assert searched["title"] == str(tmp_path / "run")
        assert not searched["ended"]
        assert searched["layers"] == "0 of 3 layers done"
        assert [cells for cells in _cells(searched).values() if cells["state"].endswith("%") and cells["time left"]] != []
        process.send_signal(signal.SIGINT)
        ended = _status_when(url, lambda status: status["ended"])
        assert ended["state"].startswith("stopped, with the best so far saved, after ")
        assert process.wait() == 130
        for layer in results_in(tmp_path / "run")["layers"]:
            cells = _cells(ended)[layer["name"]]
            assert cells["cycles"] == f"{layer['metrics']['runtime_cycles']:,}"
            assert cells["evaluations"] == f"{layer['evaluations']:,}"
            assert cells["lower bound"]
            assert cells["gap"]
        with pytest.raises(ConnectionRefusedError):
            _get(url)


def test_a_run_that_is_killed_is_told(layers: Path, tmp_path: Path) -> None:
    """The page outlives a killed run for as long as it takes to see that, and then lets go of its port."""
    with _begun("0", "--layer-set", str(layers), *ENDLESS, "--out", str(tmp_path / "run")) as (process, url):
        _status_when(url, lambda status: bool(status["rows"]))
        process.kill()
        assert _status_when(url, lambda status: status["ended"])["state"] == "killed; --resume goes on"
        assert process.wait() == -signal.SIGKILL


def test_a_search_for_a_machine_is_shown(tmp_path: Path) -> None:
    """Of a search for a machine, how many are mapped, and the best one's objective."""
    (tmp_path / "one.yaml").write_text("title: One\nsource: made up\nlayers:\n  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20}\n")
    words = ["0", "--layer-set", str(tmp_path / "one.yaml"), "--hardware", "edge_space", "--jobs", "1"]
    with _begun(*words, "--out", str(tmp_path / "run")) as (process, url):
        _status_when(url, lambda status: bool(re.search(r"machines mapped, .* best: \d", status["layers"])))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130


def test_others_need_the_token_and_pages_from_elsewhere_get_nothing(layers: Path, tmp_path: Path) -> None:
    """To all hosts the page is shown by its address with the token alone; without one, not by the name of another computer."""
    with _begun("0.0.0.0:0", "--layer-set", str(layers), *ENDLESS, "--out", str(tmp_path / "run")) as (_, url):
        parts = urlsplit(url)
        base = f"http://127.0.0.1:{parts.port}/"
        assert parts.hostname == socket.gethostname().lower()
        assert len(parts.query) > 20
        assert [_get(base + path)[0] for path in ("", "status.json", "status.json?token=", "?token=%C3%A4", "?token")] == [403] * 5
        assert [_get(f"{base}{path}?{parts.query}")[0] for path in ("", "status.json", "else")] == [200, 200, 404]
    with _begun("0", "--layer-set", str(layers), *ENDLESS, "--out", str(tmp_path / "loopback")) as (_, url):
        port = urlsplit(url).port
        hosts = ("127.0.0.1", "localhost", "evil.example")
        assert [_get(url, f"{host}:{port}")[0] for host in hosts] == [200, 200, 403]


@pytest.mark.parametrize("words", [["80a"], ["65536"], [":80"], ["-1"], ["host:"]])
def test_what_is_no_port_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A port is a number up to 65535, after a host or alone."""
    assert main(["run", "ncf", f"--serve={words[0]}"]) == 2
    assert "--serve: must be a port from 0 to 65535, or HOST:PORT, got" in capsys.readouterr().err


def test_a_port_that_cannot_be_had_is_told_before_work_starts(
    layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port in use and a host of others: one line each, exit code 2, and no folder."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["run", str(layers), "--serve", str(port), "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert f"--serve: 127.0.0.1:{port} cannot be had: Address already in use; name another port, or 0 for a free one" in told
    assert main(["run", str(layers), "--serve", "192.0.2.1:0", "--out", str(tmp_path / "run")]) == 2
    assert "--serve: 192.0.2.1:0 cannot be had: " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; what the page asks for is tested above")
def test_the_page_in_a_browser(layers: Path, tmp_path: Path) -> None:
    """In Chromium the page shows a row for each layer, and the folder's name as text, without an error."""
    out = tmp_path / "<b>run"
    with _begun("0", "--layer-set", str(layers), *ENDLESS, "--out", str(out)) as (_, url):
        _status_when(url, lambda status: len(status["rows"]) == 3)
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000"]
        command = [str(BROWSER), *options, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", url]
        seen = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603 our own page
        assert f"<h1>{escape(str(out))}</h1>" in seen.stdout
        assert sorted(re.findall(r"<tr><td>(.*?)</td>", seen.stdout)) == sorted(NAMES)
        assert re.search(r'id="state">searching, after \d+ s', seen.stdout)
        assert "0 of 3 layers done" in seen.stdout
        assert "CONSOLE" not in seen.stderr
