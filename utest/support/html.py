"""Reads HTML of the log as a browser does, and finds odd things in it."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"br"}
FORBIDDEN = {"script", "style", "iframe", "object", "embed", "img", "link", "base", "form"}


class Page(HTMLParser):
    """A piece of HTML.

    Attributes:
        tags: every element in order.
        attributes: every attribute in order, with its element: `("details", "open", None)`.
        odd: things that a log must not have: scripts, styles of the whole page, unclosed tags.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.odd: list[str] = []
        self._open: list[str] = []
        self._pieces: list[tuple[tuple[str, ...], str]] = []
        self.feed(html)
        self.close()
        self.odd += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, key, value) for key, value in attrs]
        self.odd += [f"{key} of <{tag}>" for key, _ in attrs if key.startswith("on")]
        self.odd += [f"{key}={value}" for key, value in attrs if "javascript:" in (value or "")]
        if tag in FORBIDDEN:
            self.odd.append(f"<{tag}>")
        # The parser gives `<path/>` to handle_startendtag, which calls both methods.
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.odd.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self._pieces.append((tuple(self._open), data))

    @property
    def text(self) -> str:
        """The text without the tags, as a reader of output.xml sees it."""
        return "".join(data for _, data in self._pieces)

    @property
    def lines(self) -> list[str]:
        """The lines of the text that are not empty."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    def inside(self, tag: str) -> list[str]:
        """Returns the pieces of text within elements of a kind."""
        return [data for path, data in self._pieces if tag in path and data.strip()]

    def of(self, tag: str, attribute: str) -> list[str | None]:
        """Returns the values of an attribute of a kind of element."""
        return [value for t, key, value in self.attributes if (t, key) == (tag, attribute)]
