"""Nothing is sent anywhere: the commands run with every way out of the machine blocked, and none is tried."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Loaded by every Python that starts with this folder on its path: the program, its notebook kernel, WeasyPrint.
GUARD = """
import os, sys

LOOPBACK = ("127.0.0.1", "::1", "localhost", "", None)
CALLS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
         "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request", "http.client.connect", "ftplib.connect",
         "smtplib.connect")

def guard(event, given):
    if event not in CALLS:
        return
    where = given[1] if event.startswith("socket.") and len(given) > 1 and event not in (
        "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr") else given[0]
    if event == "socket.bind" or isinstance(where, (str, bytes)) and event in ("socket.connect", "socket.sendto"):
        return  # a path: a socket of this machine; and listening sends nothing
    host = where[0] if isinstance(where, tuple) and where else where
    if isinstance(host, bytes):
        host = host.decode()
    if host in LOOPBACK:
        return
    with open(os.environ["GUARD_LOG"], "a") as log:
        log.write(f"{event} {given!r}\\n")
    raise PermissionError(f"the network is blocked: {event} {given!r}")

sys.addaudithook(guard)
open(os.environ["GUARD_LOG"] + ".loaded", "a").write("x")
"""


@pytest.fixture
def guarded(tmp_path):
    """Run a Python program in which every attempt to leave the machine is written down and refused."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    log = tmp_path / "attempts"
    places = os.pathsep.join([str(tmp_path / "guard"), str(ROOT), os.environ.get("PYTHONPATH", "")])

    def run(*words: object, outside: tuple[str, ...] = ()) -> tuple[int, str]:
        done = subprocess.run(
            [*outside, sys.executable, *map(str, words)],
            capture_output=True, text=True, cwd=tmp_path, timeout=240, check=False,
            env={**os.environ, "PYTHONPATH": places, "GUARD_LOG": str(log), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert (tmp_path / "attempts.loaded").exists()
        return done.returncode, done.stderr

    return run, log


def test_the_guard_stops_what_leaves_the_machine_and_nothing_else(guarded):
    run, log = guarded
    outward = (
        "import socket\ns = socket.socket()\ns.connect(('192.0.2.1', 80))",
        "import socket\nsocket.getaddrinfo('name.invalid', 80)",
        "import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.sendto(b'x', ('192.0.2.1', 53))",
        "import urllib.request\nurllib.request.urlopen('http://name.invalid')",
    )
    for number, script in enumerate(outward, 1):
        code, said = run("-c", script)
        assert code == 1
        assert "the network is blocked" in said
        assert len(log.read_text().splitlines()) == number
    own = "import socket\na = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(a.getsockname())"
    assert run("-c", own)[0] == 0
    assert len(log.read_text().splitlines()) == len(outward)


# One process for what is quick, so that everything heavy is imported once.
SCRIPT = """
import sys
from acu_nof1.cli import main
for words in {calls!r}:
    try:
        main(words)
    except SystemExit as left:
        if left.code:
            sys.exit(left.code)
"""


def insist(ran: tuple[int, str], log: Path) -> None:
    assert ran[0] == 0, ran[1]
    assert not log.exists(), log.read_text()


def test_report_check_convert_and_formats(guarded):
    run, log = guarded
    sample = str(ROOT / "sample_data" / "low_back_pain")
    calls = [
        ["formats"],
        ["check", sample],
        ["convert", sample, "long.csv"],
        ["report", sample, "--out", "page.html", "--json", "a.json", "--csv", "a.csv"],
        ["report", sample, "--patient", "--anonymous", "--out", "patient.html"],
    ]
    insist(run("-c", SCRIPT.format(calls=calls)), log)


@pytest.mark.slow
def test_demo_plan_audit_and_notebook(guarded):
    run, log = guarded
    sample = str(ROOT / "sample_data" / "low_back_pain")
    plan = ["plan", "--n", "50", "--baseline", "7", "--treatment", "14", "--out", "plan.html"]
    calls = [
        ["demo"],
        plan,
        ["audit", sample, "--n", "50"],
        ["report", sample, "--out", "a.html", "--ipynb", "a.ipynb"],
    ]
    insist(run("-c", SCRIPT.format(calls=calls)), log)


@pytest.mark.slow
def test_the_pdf_is_printed_without_a_network(guarded, tmp_path):
    """A browser is no Python: it runs where there is no network but the machine's own."""
    alone = ("unshare", "--map-root-user", "--net")
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("a process cannot be cut off from the network here")
    run, log = guarded
    sample = str(ROOT / "sample_data" / "low_back_pain")
    ran = run("-m", "acu_nof1", "report", sample, "--out", "a.html", "--pdf", "a.pdf", outside=alone)
    if ran[0] == 3:
        pytest.skip("no browser and no WeasyPrint")
    insist(ran, log)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
