"""URLs as people write them: their name, the form for the wire, and the form for messages.

A URL for fsspec may be a chain: `zip://dir/image.bin::https://host/build.zip` is a file in an
archive behind another URL.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_WEB = ("http", "https")
# Not in `http://[::1]/`.
_LINK = r"::(?![^\[\]/]*\])"
_STRAY_PERCENT = r"%(?![0-9A-Fa-f]{2})"
_SAFE = "/%:@!$&'()*+,;=~"
_LEAST_SECRET = 4
"""Characters of a value in a query from which on it is taken for a secret."""


class _Link(NamedTuple):
    """One URL of a chain."""

    scheme: str
    user: str
    host: str
    path: str
    query: str

    @classmethod
    def parse(cls, text: str) -> _Link:
        scheme, has_scheme, rest = text.partition("://")
        if not has_scheme:
            scheme, rest = "", text
        rest = rest.partition("#")[0]
        rest, _, query = rest.partition("?")
        authority, slash, path = rest.partition("/")
        user, _, host = authority.rpartition("@")
        return cls(scheme, user, host, slash + path, query)

    @property
    def label(self) -> str:
        head = f"{self.scheme}://" if self.scheme else ""
        return f"{head}{self.host}{self.path}{'?...' if self.query else ''}"

    def secrets(self) -> set[str]:
        """Texts that no message may show."""
        password = self.user.partition(":")[2]
        values = [value for _, value in parse_qsl(self.query) if len(value) >= _LEAST_SECRET]
        found = {self.user, password, unquote(password), self.query, *values}
        return {secret for secret in found if secret}


class SourceUrl:
    """A URL from which a file is taken.

    Args:
        text: the URL as it was written.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.scheme = self.text.partition("://")[0].partition("::")[0].lower()
        self.is_web = self.scheme in _WEB
        links = [self.text] if self.is_web else re.split(_LINK, self.text)
        self._links = [_Link.parse(link) for link in links]

    @cached_property
    def label(self) -> str:
        """What messages call it: without user, password and query."""
        return "::".join(link.label for link in self._links)

    @property
    def name(self) -> str:
        """The last part of the path; in an archive that of the inner path."""
        chained = [link for link in self._links[:-1] if link.scheme]
        link = chained[0] if chained else self._links[-1]
        if chained and link.scheme not in _WEB:
            return f"{link.host}{link.path}".rpartition("/")[2]
        return unquote(link.path.rpartition("/")[2])

    @property
    def user(self) -> str:
        """User and password, as `user:password`; empty where there are none."""
        return unquote(self._links[0].user)

    @property
    def has_secrets(self) -> bool:
        """Whether a part of it must not be shown."""
        return any(link.secrets() for link in self._links)

    def request(self) -> str:
        """Returns a web URL as it goes on the wire: encoded, without user and fragment.

        Raises:
            ValueError: it is no URL.
        """
        parts = urlsplit(self.text)
        _ = parts.port  # It raises for a port that is no number.
        host = parts.netloc.rpartition("@")[2]
        if not host.isascii():
            name, colon, port = host.partition(":")
            host = name.encode("idna").decode("ascii") + colon + port
        path, query = _encoded(parts.path), _encoded(parts.query, more="?")
        return parts._replace(netloc=host, path=path, query=query, fragment="").geturl()

    def cleaned(self, text: str) -> str:
        """Returns a text of another program without what must not be shown."""
        text = text.replace(self.text, self.label)
        secrets = {secret for link in self._links for secret in link.secrets()}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "...")
        return text


def source_label(source: str) -> str:
    """Returns what messages call the source of an upload: a path, or a URL without secrets."""
    return SourceUrl(source).label if "://" in source else source


def _encoded(text: str, more: str = "") -> str:
    return quote(re.sub(_STRAY_PERCENT, "%25", text), safe=_SAFE + more)
