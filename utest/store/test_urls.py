from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.store.urls import SourceUrl, source_label

WEB = "https://me:pass%40word@host/builds/fw.bin?token=abcdef#part"
CHAIN = "zip://dir/a b.bin::simplecache::https://me:password@host/x.zip?key=abcdef"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (WEB, "fw.bin"),
        ("http://host/fw%20image.bin", "fw image.bin"),
        ("http://host/fw image.bin", "fw image.bin"),
        ("http://host/gr\u00f6\u00dfe.bin", "gr\u00f6\u00dfe.bin"),
        ("http://host/a::b.bin", "a::b.bin"),
        ("http://[::1]/fw.bin", "fw.bin"),
        ("http://host/", ""),
        ("http://host", ""),
        ("memory://bucket/fw.bin.gz", "fw.bin.gz"),
        ("s3://bucket", ""),
        (CHAIN, "a b.bin"),
        ("zip://fw.bin::https://host/x.zip", "fw.bin"),
        ("zip://fw.bin::/srv/x.zip", "fw.bin"),
        ("zip://50%25.bin::/srv/x.zip", "50%25.bin"),
        ("tar://a/fw.bin::http://[::1]/x.tar", "fw.bin"),
        ("simplecache::https://host/a%20b/fw%20x.bin", "fw x.bin"),
    ],
)
def test_the_name_is_the_last_part_of_the_innermost_path(url: str, name: str) -> None:
    assert SourceUrl(url).name == name


@pytest.mark.parametrize(
    ("url", "label"),
    [
        (WEB, "https://host/builds/fw.bin?..."),
        (CHAIN, "zip://dir/a b.bin::simplecache::https://host/x.zip?..."),
        ("http://[::1]:8080/fw.bin", "http://[::1]:8080/fw.bin"),
        ("s3://key:secret@bucket/fw", "s3://bucket/fw"),
        ("/srv/fw@home.bin", "/srv/fw@home.bin"),
    ],
)
def test_a_message_shows_no_user_no_password_and_no_query(url: str, label: str) -> None:
    assert source_label(url) == label


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("http://host/fw image.bin", "http://host/fw%20image.bin"),
        (
            "http://host/gr\u00f6\u00dfe.bin?v=\u00fc x",
            "http://host/gr%C3%B6%C3%9Fe.bin?v=%C3%BC%20x",
        ),
        ("http://host/v1 (rc).bin", "http://host/v1%20(rc).bin"),
        ("http://host/a%20b%2Fc", "http://host/a%20b%2Fc"),
        ("http://host/100%", "http://host/100%25"),
        ("http://host/a?b=c/d?e&f=%20", "http://host/a?b=c/d?e&f=%20"),
        ("http://m\u00fcnchen.example:8080/x", "http://xn--mnchen-3ya.example:8080/x"),
        ("  https://me:pw@host/x#y ", "https://host/x"),
    ],
)
def test_what_cannot_stand_in_a_request_is_encoded(written: str, sent: str) -> None:
    assert SourceUrl(written).request() == sent


@pytest.mark.parametrize("url", ["http://[::1/x", "http://host:port/x"])
def test_what_is_no_url_cannot_be_sent(url: str) -> None:
    with pytest.raises(ValueError, match=r"IPv6|[Pp]ort"):
        SourceUrl(url).request()


def test_user_and_password_are_decoded() -> None:
    assert SourceUrl(WEB).user == "me:pass@word"
    assert SourceUrl("http://host/x").user == ""
    assert SourceUrl(WEB).has_secrets
    assert SourceUrl(CHAIN).has_secrets
    assert not SourceUrl("zip://a::https://host/x").has_secrets


def test_the_text_of_another_program_is_cleaned() -> None:
    url = SourceUrl(WEB)
    assert url.cleaned(f"No {WEB}: me:pass%40word, pass@word, token=abcdef or abcdef") == (
        "No https://host/builds/fw.bin?...: ..., ..., ... or ..."
    )
    assert SourceUrl("http://host/x").cleaned("as it is") == "as it is"


@given(st.text("ab:@/?#%[]. ", max_size=30), st.sampled_from(["http", "s3", "zip://x::http"]))
def test_whatever_is_written_the_password_is_not_shown(text: str, scheme: str) -> None:
    url = SourceUrl(f"{scheme}://user:SECRET@host/{text}")
    assert "SECRET" not in url.label
    assert "SECRET" not in url.cleaned(f"cannot read {url.text}")
    assert isinstance(url.name, str)
