from __future__ import annotations

import base64
import io
import socket
import ssl
import sys
import threading
import traceback
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store import web
from TftpLibrary.store.web import open_url

CONTENT = bytes(range(256)) * 10_000
GZIPPED = b"\x1f\x8b\x08\x00not for us to open"


class Handler(BaseHTTPRequestHandler):
    """A web server with one page for each thing that can happen."""

    protocol_version = "HTTP/1.1"
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        page = self.path.partition("?")[0].rpartition("/")[2]
        getattr(self, f"get_{page.partition('.')[0]}", self.get_missing)()

    def answer(self, body: bytes, code: int = 200, length: int | None = -1, **more: str) -> None:
        self.send_response(code)
        if length is not None:
            self.send_header("Content-Length", str(len(body) if length < 0 else length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def get_image(self) -> None:
        self.answer(CONTENT)

    def get_unsized(self) -> None:
        self.answer(CONTENT, length=None)

    def get_cut(self) -> None:
        self.answer(CONTENT[:1000], length=len(CONTENT))

    def get_chunked(self) -> None:
        self.answer(b"5\r\nhello\r\n0\r\n\r\n", length=None, Transfer_Encoding="chunked")

    def get_broken(self) -> None:
        self.answer(b"5\r\nhel", length=None, Transfer_Encoding="chunked")

    def get_odd(self) -> None:
        self.answer(b"x", length=None, X_Content_Length="many")

    def get_zipped(self) -> None:
        self.answer(GZIPPED, Content_Encoding="gzip")

    def get_missing(self) -> None:
        self.answer(b"nothing here", 404)

    def get_error(self) -> None:
        self.answer(b"", 500)

    def get_moved(self) -> None:
        self.answer(b"", 302, Location="image.bin")

    def get_local(self) -> None:
        self.answer(b"", 302, Location="file:///etc/hostname")

    def get_ftp(self) -> None:
        self.answer(b"", 302, Location="ftp://127.0.0.1/x")

    def get_circle(self) -> None:
        self.answer(b"", 302, Location="circle")

    def get_elsewhere(self) -> None:
        host = self.headers["Host"].replace("127.0.0.1", "localhost")
        self.answer(b"", 302, Location=f"http://{host}/image.bin")

    def get_silence(self) -> None:
        self.connection.recv(1)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Says nothing of connections that break off: tests break them."""

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def seen() -> list[dict[str, str]]:
    """The requests that the web server saw: path and headers."""
    return []


@pytest.fixture
def site(seen: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a web server on this machine."""
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    handler = type("Bound", (Handler,), {"seen": seen})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def fetch(url: str) -> bytes:
    incoming = open_url(url)
    try:
        return b"".join(incoming.chunks())
    finally:
        incoming.close()


def error_of(url: str) -> str:
    with pytest.raises(UsageError) as caught:
        fetch(url)
    return str(caught.value)


def test_a_file_comes_whole_with_its_name_and_size(site: str) -> None:
    incoming = open_url(f"{site}/builds/42/image.bin?token=x#part")
    assert (incoming.name, incoming.size) == ("image.bin", len(CONTENT))
    assert b"".join(incoming.chunks()) == CONTENT
    incoming.close()
    incoming.close()


def test_an_escaped_name_is_read(site: str) -> None:
    incoming = open_url(f"{site}/image.with%20space")
    assert incoming.name == "image.with space"
    incoming.close()


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("image.with space", "/image.with%20space"),
        ("image.gr\u00f6\u00dfe", "/image.gr%C3%B6%C3%9Fe"),
        ("image.v1 (rc)", "/image.v1%20(rc)"),
    ],
)
def test_a_name_as_people_paste_it_is_encoded(
    site: str, seen: list[dict[str, str]], page: str, path: str
) -> None:
    incoming = open_url(f"{site}/{page}")
    assert incoming.name == page
    incoming.close()
    assert seen[0]["path"] == path


def test_a_file_of_unknown_size_comes_too(site: str) -> None:
    incoming = open_url(f"{site}/unsized")
    assert incoming.size is None
    incoming.close()
    assert fetch(f"{site}/unsized") == CONTENT
    assert fetch(f"{site}/chunked") == b"hello"
    assert fetch(f"{site}/odd") == b"x"


def test_nothing_is_decompressed(site: str, seen: list[dict[str, str]]) -> None:
    assert fetch(f"{site}/zipped") == GZIPPED
    assert seen[0]["accept-encoding"] == "identity"
    assert seen[0]["user-agent"].startswith("TftpLibrary/")


def test_a_redirection_is_followed_on_the_web(site: str) -> None:
    assert fetch(f"{site}/moved") == CONTENT


def test_a_redirection_never_leads_to_a_local_file(site: str) -> None:
    message = error_of(f"{site}/local")
    assert message.startswith(f"{site}/local was refused: HTTP 302")
    assert "not allowed" in message


def test_a_redirection_never_leads_out_of_the_web(site: str) -> None:
    assert error_of(f"{site}/ftp") == f"{site}/ftp cannot be read: unknown url type: ftp."


def test_a_redirection_in_a_circle_ends(site: str) -> None:
    assert "redirect" in error_of(f"{site}/circle")


def test_a_refusal_is_told_with_its_code(site: str) -> None:
    assert error_of(f"{site}/nothing") == (
        f"{site}/nothing was refused: HTTP 404 Not Found. Check the URL."
    )
    assert "HTTP 500 Internal Server Error" in error_of(f"{site}/error")


def test_a_file_that_breaks_off_is_told(site: str) -> None:
    assert error_of(f"{site}/cut") == (
        f"{site}/cut ended after 1000 of {len(CONTENT)} bytes. Try again."
    )
    assert f"{site}/broken cannot be read: IncompleteRead" in error_of(f"{site}/broken")


def test_a_server_that_is_silent_is_given_up(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.05)
    assert error_of(f"{site}/silence") == (
        f"{site}/silence cannot be read: no answer for 0.05 seconds."
    )


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as taken:  # Bound and not listening: nobody else can listen there.
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        assert error_of(url) == f"{url} cannot be read: Connection refused."


def test_user_and_password_are_sent_once_and_never_shown(
    site: str, seen: list[dict[str, str]]
) -> None:
    secret = site.replace("http://", "http://me:pass%40word@")
    message = error_of(f"{secret}/missing?token=abc")
    assert message.startswith(f"{site}/missing?... was refused")
    token = base64.b64encode(b"me:pass@word").decode()
    assert seen[0]["authorization"] == f"Basic {token}"
    assert seen[0]["path"] == "/missing?token=abc"
    assert fetch(f"{secret}/elsewhere") == CONTENT
    assert "authorization" not in seen[-1]


@pytest.mark.parametrize("url", ["http://[::1/x", "http://host:port/x", "http:///x", "https://"])
def test_what_is_no_url_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    message = error_of(url)
    assert url.partition("?")[0] in message or "cannot be read" in message


def test_other_schemes_go_through_fsspec() -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://bucket/image.bin.gz", "wb") as stream:
        stream.write(GZIPPED)
    incoming = open_url("memory://bucket/image.bin.gz")
    assert (incoming.name, incoming.size) == ("image.bin.gz", len(GZIPPED))
    incoming.close()
    assert fetch("memory://bucket/image.bin.gz") == GZIPPED


def test_a_file_in_an_archive_behind_a_url_has_its_inner_name() -> None:
    fsspec = pytest.importorskip("fsspec")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dir/inner image.bin", b"inner")
    with fsspec.open("memory://bucket/build.zip", "wb") as stream:
        stream.write(packed.getvalue())
    incoming = open_url("zip://dir/inner image.bin::memory://bucket/build.zip")
    assert (incoming.name, incoming.size) == ("inner image.bin", 5)
    assert b"".join(incoming.chunks()) == b"inner"
    incoming.close()
    assert error_of("zip://none::memory://bucket/build.zip").startswith(
        "zip://none::memory://bucket/build.zip "
    )


@pytest.mark.parametrize("kind", [ValueError, FileNotFoundError])
def test_a_plug_in_that_shows_the_password_is_not_quoted(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    fsspec = pytest.importorskip("fsspec")

    def refuse(url: str, _: str) -> None:
        raise kind(f"{url}: login as me with PASSWORD and token TOKEN")

    monkeypatch.setattr(fsspec, "open", refuse)
    with pytest.raises(UsageError) as caught:
        open_url("zip://x::ftp://me:PASSWORD@host/x.zip?token=TOKEN")
    # A log shows the causes of an error with their texts, too.
    shown = "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "PASSWORD" not in shown
    assert "TOKEN" not in shown
    assert str(caught.value).startswith("zip://x::ftp://host/x.zip?... ")


@pytest.mark.parametrize(("scheme", "meant"), [("htp", "http"), ("HTTPSS", "https")])
def test_a_misspelled_scheme_is_told(scheme: str, meant: str) -> None:
    assert error_of(f"{scheme}://host/x") == (
        f"{scheme}://host/x has the unknown scheme '{scheme.lower()}'. Did you mean {meant}://?"
    )


def test_what_fsspec_cannot_do_is_told() -> None:
    pytest.importorskip("fsspec")
    assert error_of("memory://bucket/none") == (
        "memory://bucket/none does not exist. Check the URL."
    )
    assert "nosuch://x/y cannot be read: Protocol not known: nosuch" in error_of("nosuch://x/y")


def test_a_plug_in_without_a_size_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")

    class Stream:
        size = "unknown"

        def __init__(self) -> None:
            self.data = [b"abc", b"def"]

        def read(self, _: int) -> bytes:
            return self.data.pop(0) if self.data else b""

        def close(self) -> None:
            pass

        def open(self) -> Any:
            return self

    monkeypatch.setattr(fsspec, "open", lambda *_: Stream())
    assert fetch("odd://x") == b"abcdef"


def test_without_fsspec_the_message_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert error_of("s3://bucket/image") == (
        "s3://bucket/image needs fsspec for 's3'. Install it with "
        "'pip install robotframework-tftp[urls]', or use a path, http:// or https://."
    )


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 'localhost', signed by itself, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(signed.public_bytes(pem))
    files[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def test_https_is_believed_only_with_a_certificate_that_is_trusted(
    certificate: tuple[Path, Path],
    seen: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    handler = type("Bound", (Handler,), {"seen": seen})
    with Server(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"https://localhost:{server.server_address[1]}/image.bin"
        try:
            message = error_of(url)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
            assert fetch(url) == CONTENT
        finally:
            server.shutdown()
            thread.join()
    assert f"{url} cannot be read:" in message
    assert "certificate verify failed" in message
