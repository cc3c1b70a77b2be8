"""The command `lab`: the lab half, for suites that run elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from TftpLibrary.commandline.output import output
from TftpLibrary.commandline.stopping import StopFlag
from TftpLibrary.errors import LabError
from TftpLibrary.lab.carriers import PipeStream, Stream, load, open_carrier
from TftpLibrary.lab.limits import Limits
from TftpLibrary.lab.runner import Session
from TftpLibrary.lab.service import Service
from TftpLibrary.networks import parse_client
from TftpLibrary.recording.recorder import SLICE, Recorder
from TftpLibrary.store.advice import existing_folder

_NAME = "tftplibrary"


def run(options: argparse.Namespace) -> int:
    """Runs the lab until a signal arrives, and returns the exit status.

    Raises:
        TftpError: it cannot listen, or there is no lab to ask; the text says what to do.
    """
    # First: the folder for temporary files is about to be another one.
    usual = usual_socket()
    if options.action == "status":
        return _status(options.url or f"unix:{usual}")
    roots = tuple(existing_folder(Path(root), "The folder") for root in options.allow_root)
    for client in options.clients:
        parse_client(client, "clients")
    with _private_folders() as folder:
        service = Service(Limits(roots, options.max_space, tuple(options.clients), folder))
        if options.stdio:
            return _stdio(service, usual)
        return _listen(service, options.listen or f"unix:{usual}", options)


def usual_socket() -> Path:
    """Returns the socket of the lab that runs here, or of the one that would be started.

    systemd names the folder of a service; a user has one of her own.
    """
    places = [os.environ.get("RUNTIME_DIRECTORY", ""), f"/run/{_NAME}"]
    places.append(os.environ.get("XDG_RUNTIME_DIR") or str(_own_folder(_NAME)))
    sockets = [Path(place, f"{_NAME}-lab.sock") for place in places if place]
    found = [each for each in sockets if each.is_socket()]
    found += [each for each in sockets if os.access(each.parent, os.W_OK)]
    return found[0] if found else sockets[-1]


def _own_folder(name: str) -> Path:
    """Returns a folder of this user alone, among the temporary ones.

    Raises:
        LabError: somebody else has made it.
    """
    folder = Path(tempfile.gettempdir(), f"{name}-{_user()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32" and folder.stat().st_uid != os.getuid():
        raise LabError(f"The folder '{folder}' belongs to somebody else. Remove it.")
    return folder


def _listen(service: Service, url: str, options: argparse.Namespace) -> int:
    with StopFlag() as stop:
        if url.startswith("unix:"):
            service.listen_unix(Path(url.removeprefix("unix:")))
        else:
            websocket = load("websocket", "remote", url)
            websocket.listen_websocket(service, url, options.cert, options.key, options.token_file)
        output().line(f"lab at {url}")
        while not stop.is_set:
            time.sleep(SLICE)
    service.close()
    return 0


def _stdio(service: Service, path: Path) -> int:
    """Serves the runner at the other end: joins the lab that runs here, or is the lab itself."""
    stream = PipeStream(sys.stdin.fileno(), sys.stdout.fileno())
    try:
        running = open_carrier(f"unix:{path}") if path.is_socket() else None
    except LabError:
        # It was killed.
        running = None
    if running is not None:
        _join(stream, running)
        return 0
    with StopFlag() as stop:
        served = threading.Thread(target=service.serve, args=(stream,), daemon=True)
        served.start()
        while served.is_alive() and not stop.is_set:
            served.join(SLICE)
    service.close()
    return 0


def _status(url: str) -> int:
    session = Session(url, Recorder())
    try:
        visitors = session.call("status")
    finally:
        session.close()
    out = output()
    if not visitors:
        out.line("nobody uses it")
    for visitor in visitors:
        since = datetime.now().astimezone() - timedelta(seconds=visitor.age)
        out.line(f"{visitor.who}, since {since:%Y-%m-%d %H:%M:%S}")
        for held in visitor.servers:
            out.line(f"    {held.alias} at {held.bound}, for {', '.join(held.clients) or 'all'}")
    return 0


def _join(one: Stream, other: Stream) -> None:
    """Passes octets on, both ways, until one side ends."""
    threads = [
        threading.Thread(target=_pass_on, args=pair, daemon=True)
        for pair in ((one, other), (other, one))
    ]
    for thread in threads:
        thread.start()
    # When the lab ends, the runner's side may stay open: the process ends all the same.
    while all(thread.is_alive() for thread in threads):
        threads[0].join(SLICE)


def _pass_on(source: Stream, target: Stream) -> None:
    with contextlib.suppress(OSError):
        while octets := source.receive():
            target.send(octets)
    target.close()


@contextlib.contextmanager
def _private_folders() -> Iterator[Path]:
    """Has private folders made in one folder, which goes with this process.

    Those of labs that were killed are removed first.
    """
    base = _own_folder(f"{_NAME}-labs")
    for left in base.iterdir():
        if not _is_alive(left.name):
            shutil.rmtree(left, ignore_errors=True)
    own = base / str(os.getpid())
    own.mkdir(mode=0o700, exist_ok=True)
    before, tempfile.tempdir = tempfile.tempdir, str(own)
    try:
        yield own
    finally:
        tempfile.tempdir = before
        shutil.rmtree(own, ignore_errors=True)


def _is_alive(pid: str) -> bool:
    if not pid.isdigit() or sys.platform == "win32":
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


if sys.platform == "win32":

    def _user() -> int:
        """Windows has a folder for each user anyway."""
        return 0

else:

    def _user() -> int:
        """Returns the number of the user, who may have no name."""
        return os.getuid()
