from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from TftpLibrary.errors import LabError, UsageError
from TftpLibrary.lab.carriers import Stream, open_carrier
from TftpLibrary.lab.connection import Mailbox
from TftpLibrary.lab.lab import Lab
from TftpLibrary.lab.service import Service
from TftpLibrary.lab.websocket import listen_websocket, open_websocket
from utest.support.certificates import Certificate, make_certificate
from utest.support.suites import failures, run_suite
from utest.support.waiting import seconds

TOKEN = "horse-battery-staple"


class Streams(Service):
    """Keeps the stream of each runner until it is closed, in place of serving it."""

    def __init__(self) -> None:
        super().__init__()
        self.came = Mailbox[Stream]()
        self._is_over = threading.Event()

    def serve(self, stream: Stream) -> None:
        """See `Service.serve`."""
        self.came.put(stream)
        self._is_over.wait(seconds(30))
        stream.close()

    def close(self) -> None:
        """See `Service.close`."""
        self._is_over.set()
        super().close()


class Place:
    """A folder with a certificate and a token, and the URLs of labs that listen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = make_certificate(folder)
        self.token = folder / "token"
        self.token.write_text(f"{TOKEN}\n")

    def listen(self, service: Service, scheme: str, cert: Certificate | None = None) -> str:
        """Returns the URL where a service listens."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            url = f"{scheme}://127.0.0.1:{free.getsockname()[1]}"
        cert = cert or self.certificate
        listen_websocket(service, url, cert.cert, cert.key, str(self.token))
        return url


@pytest.fixture(scope="module", autouse=True)
def event_loop() -> None:
    """Begins the thread that all websockets of a process have, which no test leaves behind."""
    with pytest.raises(LabError):
        open_websocket("ws://127.0.0.1:1")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setenv("TFTPLIBRARY_LAB_CA", made.certificate.cert)
    monkeypatch.setenv("TFTPLIBRARY_LAB_TOKEN", TOKEN)
    return made


@pytest.fixture(params=["ws", "wss"])
def ends(place: Place, request: pytest.FixtureRequest) -> Iterator[tuple[Stream, Stream]]:
    """Both ends of a stream, without and with TLS."""
    with closing(Streams()) as service:
        near = open_websocket(place.listen(service, request.param))
        far = service.came.get(seconds(5))
        assert far is not None
        yield near, far
        near.close()


def received(stream: Stream) -> tuple[int, str]:
    """Returns how many octets came until the end, and their checksum."""
    size, digest = 0, sha256()
    while octets := stream.receive():
        size += len(octets)
        digest.update(octets)
    return size, digest.hexdigest()


def test_ten_megabytes_arrive_both_ways_at_once(ends: tuple[Stream, Stream]) -> None:
    """Both ends send before they receive: whoever waited for the other would wait for ever."""
    octets = os.urandom(10 << 20)
    found: dict[str, tuple[int, str]] = {}

    def take(name: str, stream: Stream) -> None:
        size, digest = 0, sha256()
        while size < len(octets):
            came = stream.receive()
            size += len(came)
            digest.update(came)
        found[name] = size, digest.hexdigest()

    threads = [threading.Thread(target=end.send, args=(octets,), daemon=True) for end in ends]
    for thread in threads:
        thread.start()
    threads += [threading.Thread(target=take, args=pair) for pair in zip("nf", ends, strict=True)]
    for thread in threads[2:]:
        thread.start()
    for thread in threads:
        thread.join(seconds(20))
    assert found == dict.fromkeys("nf", (len(octets), sha256(octets).hexdigest()))


def test_a_close_wakes_who_receives_at_both_ends(ends: tuple[Stream, Stream]) -> None:
    woken = Mailbox[tuple[int, str]]()
    threads = [threading.Thread(target=lambda e=end: woken.put(received(e))) for end in ends]
    for thread in threads:
        thread.start()
    ends[0].close()
    assert [woken.get(seconds(5)) for _ in threads] == [(0, sha256().hexdigest())] * 2
    ends[0].close()
    with pytest.raises(OSError, match="went away"):
        ends[0].send(b"late")


def test_a_close_wakes_who_sends_to_an_end_that_takes_nothing(
    ends: tuple[Stream, Stream],
) -> None:
    broken = Mailbox[str]()

    def flood() -> None:
        try:
            ends[0].send(bytes(64 << 20))
        except OSError as error:
            broken.put(str(error))

    threading.Thread(target=flood, daemon=True).start()
    assert broken.get(0.2) is None
    ends[0].close()
    assert broken.get(seconds(10)) == "the other end went away"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_lab_serves_several_runners_and_its_end_is_seen(place: Place, scheme: str) -> None:
    service = Service()
    url = place.listen(service, scheme)
    with Lab(url) as one, Lab(url) as other, one.server() as left, other.server() as right:
        left.files.upload_bytes(bytes(3 << 20), "image")
        right.files.upload_bytes(b"other", "image")
        assert left.files.read_bytes("image") == bytes(3 << 20)
        assert right.files.read_bytes("image") == b"other"
        service.close()
        for server in (left, right):
            with pytest.raises(LabError, match=r"was lost.*connects anew"):
                server.files.list()
    with pytest.raises(LabError, match="No lab at .*Start one there"):
        open_websocket(url)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [("wrong", "refuses the token"), ("", "expects a token"), (TOKEN[:-1], "refuses the token")],
)
def test_a_wrong_token_is_refused_and_never_shown(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    token: str,
    sentence: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TFTPLIBRARY_LAB_TOKEN", token)
    with closing(Streams()) as service:
        url = place.listen(service, "wss")
        with pytest.raises(LabError, match=rf"{sentence} \(HTTP 401\).*_TOKEN_FILE") as failure:
            open_websocket(url)
    assert not token or token not in f"{failure.value}{caplog.text}"
    assert TOKEN not in f"{failure.value}{caplog.text}"


def test_the_token_may_be_in_a_file_and_is_in_no_log(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.delenv("TFTPLIBRARY_LAB_TOKEN")
    monkeypatch.setenv("TFTPLIBRARY_LAB_TOKEN_FILE", str(place.token))
    with closing(Streams()) as service:
        open_carrier(place.listen(service, "wss")).close()
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(("token", "failure"), [(TOKEN, ""), ("wrong-horse", "refuses the token")])
def test_a_token_is_in_no_log_of_robot(
    place: Place, monkeypatch: pytest.MonkeyPatch, token: str, failure: str
) -> None:
    monkeypatch.setenv("TFTPLIBRARY_LAB_TOKEN", token)
    with closing(Service()) as service:
        url = place.listen(service, "wss")
        suite = f"""
*** Settings ***
Library    TftpLibrary    lab={url}    host=127.0.0.1    port=0
*** Test Cases ***
One
    Start TFTP Server
    Upload Text    text    name
"""
        result = run_suite(place.folder / "run", suite, loglevel="TRACE")
    assert failure in failures(result).get("One", "")
    assert bool(failure) == bool(failures(result))
    for written in (place.folder / "run").glob("*.*"):
        assert token not in written.read_text("utf-8")


def test_a_certificate_that_nobody_trusts_is_refused(place: Place) -> None:
    other = make_certificate(place.folder, "other")
    with closing(Streams()) as service:
        url = place.listen(service, "wss", other)
        with pytest.raises(LabError, match=r"is not trusted: .*TFTPLIBRARY_LAB_CA"):
            open_websocket(url)


def test_a_port_that_speaks_something_else_is_no_lab(place: Place) -> None:
    assert place.folder
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(4096)
                connected.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(LabError, match="HTTP 404, which no lab half answers"):
            open_websocket(f"ws://127.0.0.1:{port}")
        answering.join()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ws://lab1", "without TLS.*Expected wss://lab1"),
        ("ws://0.0.0.0:80", "without TLS"),
        ("ws://[2001:db8::1]", "without TLS"),
        ("wss://", "names no host"),
        ("wss://lab1:port", "names no host"),
        ("wss://pi:horse@lab1", "no user and no password"),
        ("wss://horse@lab1", "no user and no password"),
    ],
)
def test_a_url_that_would_show_something_is_refused(url: str, sentence: str) -> None:
    for refuse in (
        lambda: open_carrier(url),
        lambda: listen_websocket(Service(), url, None, None, None),
    ):
        with pytest.raises(UsageError, match=sentence) as failure:
            refuse()
        assert "horse" not in str(failure.value)


def test_tls_needs_a_certificate_and_a_token(place: Place) -> None:
    cert, key, token = *place.certificate, str(place.token)
    for given in ((None, key, token), (cert, None, token), (cert, key, None)):
        with pytest.raises(UsageError, match="needs --cert, --key and --token-file"):
            listen_websocket(Service(), "wss://127.0.0.1:1", *given)
    with pytest.raises(UsageError, match="for TLS"):
        listen_websocket(Service(), "wss://127.0.0.1:1", token, token, token)


def test_a_token_that_is_none_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFTPLIBRARY_LAB_TOKEN", "two\r\nlines: of a header")
    with pytest.raises(UsageError, match="other than ASCII without spaces") as failure:
        open_websocket("wss://127.0.0.1:1")
    assert "lines" not in str(failure.value)
    for content, sentence in (("\n", "is empty"), (None, "Cannot read the token")):
        place.token.unlink()
        if content:
            place.token.write_text(content)
        with pytest.raises(UsageError, match=sentence):
            listen_websocket(Service(), "ws://127.0.0.1:1", None, None, str(place.token))
        place.token.touch()


def test_a_port_that_is_taken_is_named(place: Place) -> None:
    assert place.folder
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(LabError, match=f"Cannot listen at {url}"):
            listen_websocket(Service(), url, None, None, None)


def test_an_end_that_goes_without_a_word_is_a_broken_stream(place: Place) -> None:
    with closing(Streams()) as service:
        url = place.listen(service, "ws")
        runner = "import sys; from TftpLibrary.lab.websocket import open_websocket as o\n"
        runner += f"stream = o({url!r}); print(flush=True); sys.stdin.read()"
        program = subprocess.Popen(
            [sys.executable, "-c", runner], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        far = service.came.get(seconds(10))
        assert far is not None
        program.kill()
        program.communicate()
        with pytest.raises(OSError, match="went away"):
            far.receive()


def test_the_library_loads_no_websockets() -> None:
    loaded = "import sys, TftpLibrary, TftpLibrary.lab.lab; sys.exit('websockets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
