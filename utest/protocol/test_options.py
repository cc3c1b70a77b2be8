"""Negotiation, both roles: what a server grants, what a client asks and what it accepts."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from TftpLibrary.errors import NegotiationError
from TftpLibrary.protocol.options import Agreement, Bounds, announced_size, ask, check, grant
from TftpLibrary.protocol.packets import Direction, Options, Request

SIZE = 1_000_000
NAMES = ["blksize", "BLKSIZE", "blksize2", "timeout", "utimeout", "tsize", "windowsize", "rollover"]


def granted(
    *asked: str, bounds: Bounds | None = None, size: int | None = SIZE, write: bool = False
) -> list[str]:
    """The options that a server grants to options written as `name=value`."""
    agreement = agreed(*asked, bounds=bounds, size=size, write=write)
    return [f"{name}={value}" for name, value in agreement.granted]


def agreed(
    *asked: str, bounds: Bounds | None = None, size: int | None = SIZE, write: bool = False
) -> Agreement:
    direction = Direction.write if write else Direction.read
    request = Request(direction, b"boot.img", "octet", options(*asked))
    return grant(request, bounds or Bounds(), size)


def options(*written: str) -> Options:
    return tuple((name, value) for name, _, value in (text.partition("=") for text in written))


class TestServerAnswer:
    def test_nothing_asked_is_plain_rfc_1350(self) -> None:
        """RFC 1350, section 2: blocks of 512 octets, one at a time."""
        assert agreed() == Agreement(blksize=512, windowsize=1, timeout=None, tsize=None)

    def test_known_options_are_granted_as_asked(self) -> None:
        """RFC 2348, 2349 and 7440."""
        agreement = agreed("blksize=1428", "timeout=3", "tsize=0", "windowsize=16", "rollover=1")
        assert agreement == Agreement(
            blksize=1428,
            windowsize=16,
            timeout=3.0,
            tsize=SIZE,
            rollover=1,
            granted=options(
                "blksize=1428", "timeout=3", f"tsize={SIZE}", "windowsize=16", "rollover=1"
            ),
            has_oack=True,
        )

    def test_order_and_spelling_stay_as_asked(self) -> None:
        """RFC 2347: names are case-insensitive and are copied from the request."""
        assert granted("TSIZE=0", "BlkSize=1024", "timeOut=5") == [
            f"TSIZE={SIZE}",
            "BlkSize=1024",
            "timeOut=5",
        ]

    def test_unknown_option_is_left_out(self) -> None:
        """RFC 2347: options that are not supported are omitted and cause no ERROR."""
        assert granted("multicast=", "blksize=1024", "x-speed=9") == ["blksize=1024"]

    @pytest.mark.parametrize(
        "asked",
        [
            *("blksize=7", "blksize=0", "blksize=-1", "blksize=", "blksize=1k", "blksize=+512"),
            *("blksize=٥١٢", "blksize= 512", "blksize=5²2", "blksize=1_024"),
            *("blksize=" + "9" * 21, "blksize2=7"),
            *("timeout=0", "timeout=256", "timeout=3000", "timeout=1.5"),
            *("utimeout=9999", "utimeout=255000001"),
            *("windowsize=0", "windowsize=x"),
            *("tsize=-1", "tsize=", "tsize=big"),
            *("rollover=2", "rollover=-1", "rollover="),
        ],
    )
    def test_value_that_cannot_be_used_is_left_out(self, asked: str) -> None:
        """RFC 2347: for an invalid value the server may simply omit the option."""
        assert agreed(asked) == Agreement()

    @pytest.mark.parametrize(
        ("asked", "answered"),
        [
            ("blksize=8", "blksize=8"),
            ("blksize=65464", "blksize=65464"),
            ("blksize=65465", "blksize=65464"),
            ("blksize=70000", "blksize=65464"),
            ("blksize=01428", "blksize=1428"),
            ("blksize2=8", "blksize2=8"),
            ("blksize2=1428", "blksize2=1024"),
            ("blksize2=2048", "blksize2=2048"),
            ("blksize2=99999", "blksize2=32768"),
            ("timeout=1", "timeout=1"),
            ("timeout=255", "timeout=255"),
            ("utimeout=10000", "utimeout=10000"),
            ("utimeout=255000000", "utimeout=255000000"),
            ("windowsize=1", "windowsize=1"),
            ("windowsize=65535", "windowsize=64"),
            ("windowsize=65536", "windowsize=64"),
            ("rollover=0", "rollover=0"),
            ("rollover=1", "rollover=1"),
        ],
    )
    def test_bounds_of_values(self, asked: str, answered: str) -> None:
        """RFC 2348 (8 to 65464), RFC 2349 (1 to 255 seconds), RFC 7440 (1 to 65535)."""
        assert granted(asked) == [answered]

    def test_one_option_is_enough_for_an_answer(self) -> None:
        assert granted("tsize=0") == [f"tsize={SIZE}"]
        assert granted("timeout=2") == ["timeout=2"]

    def test_bounds_lower_values(self) -> None:
        bounds = Bounds(max_blksize=1000, max_windowsize=4)
        assert granted("blksize=1428", "windowsize=16", bounds=bounds) == [
            "blksize=1000",
            "windowsize=4",
        ]
        assert granted("blksize2=1428", bounds=bounds) == ["blksize2=512"]

    def test_ignored_option_is_left_out(self) -> None:
        bounds = Bounds(ignored=frozenset({"blksize", "tsize"}))
        assert granted("BLKSIZE=1428", "tsize=0", "timeout=1", bounds=bounds) == ["timeout=1"]

    def test_option_asked_twice_is_left_out(self) -> None:
        assert granted("blksize=512", "timeout=1", "BlkSize=1428") == ["timeout=1"]

    @pytest.mark.parametrize(
        ("asked", "answered"),
        [
            (("blksize=1000", "blksize2=512"), ["blksize=1000"]),
            (("blksize2=1000", "blksize=1000"), ["blksize2=512"]),
            (("blksize=7", "blksize2=512"), ["blksize2=512"]),
            (("timeout=2", "utimeout=500000"), ["timeout=2"]),
            (("utimeout=500000", "timeout=2"), ["utimeout=500000"]),
        ],
    )
    def test_of_two_options_for_one_thing_the_first_counts(
        self, asked: tuple[str, ...], answered: list[str]
    ) -> None:
        assert granted(*asked) == answered

    def test_utimeout_is_microseconds(self) -> None:
        assert agreed("utimeout=250000").timeout == 0.25

    def test_window_is_lowered_to_the_memory_of_a_window(self) -> None:
        bounds = Bounds(max_windowsize=65535, max_window_octets=1_000_000)
        asked = ("windowsize=65535", "blksize=10000")
        assert granted(*asked, bounds=bounds) == ["windowsize=100", "blksize=10000"]

    def test_window_is_never_less_than_one_block(self) -> None:
        bounds = Bounds(max_window_octets=100)
        assert granted("windowsize=8", "blksize=1000", bounds=bounds)[0] == "windowsize=1"

    def test_tsize_of_a_read_is_the_size_of_the_file(self) -> None:
        """RFC 2349: a tsize of 0 in an RRQ asks for the size."""
        assert agreed("tsize=0", size=12345).tsize == 12345

    @pytest.mark.parametrize("size", [None, 0])
    def test_tsize_is_left_out_where_it_cannot_be_told(self, size: int | None) -> None:
        """RFC 2349. Unknown for netascii; curl takes tsize=0 of an empty file for an error."""
        assert agreed("tsize=0", size=size) == Agreement()

    def test_tsize_of_a_write_is_returned(self) -> None:
        """RFC 2349: in a WRQ it is the size of the file, and is echoed."""
        agreement = agreed("tsize=123456", size=None, write=True)
        assert agreement.tsize == 123456
        assert agreement.granted == options("tsize=123456")

    def test_tsize_of_an_empty_upload_is_returned(self) -> None:
        assert agreed("tsize=0", size=None, write=True).tsize == 0

    def test_rollover_comes_from_the_server_where_it_is_not_negotiated(self) -> None:
        assert agreed(bounds=Bounds(rollover=1)).rollover == 1
        assert agreed("rollover=0", bounds=Bounds(rollover=1)).rollover == 0

    @given(
        asked=st.lists(
            st.tuples(
                st.sampled_from([*NAMES, "x"]),
                st.one_of(
                    st.integers(-1, 70000).map(str),
                    st.integers(0, 10**9).map(str),
                    st.text(max_size=5),
                ),
            ),
            max_size=8,
        ).map(tuple),
        bounds=st.builds(
            Bounds,
            max_blksize=st.integers(8, 65464),
            max_windowsize=st.integers(1, 65535),
            ignored=st.frozensets(st.sampled_from(["blksize", "tsize", "windowsize"])),
            rollover=st.integers(0, 1),
            max_window_octets=st.integers(1, 10**8),
        ),
        size=st.none() | st.integers(0, 2**40),
        write=st.booleans(),
    )
    def test_answer_never_grants_more_than_was_asked(
        self, asked: Options, bounds: Bounds, size: int | None, write: bool
    ) -> None:
        """RFC 2347: nothing that was not requested; RFC 2348 and 7440: a value at most as asked."""
        direction = Direction.write if write else Direction.read
        agreement = grant(Request(direction, b"x", "octet", asked), bounds, size)
        wishes = dict(asked)
        for name, value in agreement.granted:
            if name.lower() != "tsize":
                assert int(value) <= int(wishes[name])
        names = [name for name, _ in asked if name in dict(agreement.granted)]
        assert names == [name for name, _ in agreement.granted]
        assert not {name.lower() for name in names} & bounds.ignored
        assert agreement.blksize <= max(bounds.max_blksize, 512)
        assert agreement.windowsize * agreement.blksize <= max(
            bounds.max_window_octets, agreement.blksize
        )
        # The client of this library accepts what its server grants, and understands the same.
        accepted = check(asked, agreement.granted)
        if "rollover" in dict(agreement.granted):
            assert accepted == agreement
        else:
            assert accepted.blksize == agreement.blksize
            assert accepted.windowsize == agreement.windowsize
            assert accepted.timeout == agreement.timeout


class TestAnnouncedSize:
    @pytest.mark.parametrize(
        ("asked", "size"),
        [
            (("blksize=1428", "TSize=4711"), 4711),
            (("tsize=0",), 0),
            ((), None),
            (("tsize=big",), None),
            (("tsize=\u0663",), None),
            # Nobody can know which of two counts.
            (("tsize=1", "TSIZE=2"), None),
        ],
    )
    def test_a_write_announces_the_size_of_its_file(
        self, asked: tuple[str, ...], size: int | None
    ) -> None:
        """RFC 2349: a WRQ carries the size of the file."""
        assert announced_size(options(*asked)) == size


class TestClientAsk:
    def test_nothing_is_asked_for_plain_rfc_1350(self) -> None:
        assert ask(direction=Direction.read, blksize=512, windowsize=1) == ()

    def test_only_what_differs_is_asked(self) -> None:
        asked = ask(
            direction=Direction.read, blksize=1428, windowsize=16, timeout=2.0, tsize=0, rollover=1
        )
        assert asked == options(
            "blksize=1428", "windowsize=16", "timeout=2", "tsize=0", "rollover=1"
        )

    def test_tsize_tells_the_size_of_an_upload(self) -> None:
        """RFC 2349: in a WRQ the size of the file, in an RRQ 0."""
        assert ask(direction=Direction.write, tsize=4711) == options("tsize=4711")
        assert ask(direction=Direction.read, tsize=4711) == options("tsize=0")

    def test_fraction_of_a_second_is_asked_in_microseconds(self) -> None:
        assert ask(direction=Direction.read, timeout=0.25) == options("utimeout=250000")


class TestClientCheck:
    ASKED = options("blksize=1428", "windowsize=16", "timeout=2", "tsize=0", "rollover=1")

    def test_no_option_granted_is_plain_rfc_1350(self) -> None:
        """RFC 2347: an option that is not acknowledged is as if it had never been requested."""
        assert check(self.ASKED, ()) == Agreement(has_oack=True)

    def test_granted_options_are_used(self) -> None:
        """RFC 2347: the client must use the options that were acknowledged, and no other."""
        granted = options("TSIZE=99", "blksize=1024", "windowsize=4", "timeout=2", "rollover=1")
        assert check(self.ASKED, granted) == Agreement(1024, 4, 2.0, 99, 1, granted, has_oack=True)

    def test_utimeout_and_blksize2_are_understood(self) -> None:
        asked = options("blksize2=1428", "utimeout=500000")
        granted = options("blksize2=1024", "utimeout=500000")
        assert check(asked, granted) == Agreement(
            blksize=1024, timeout=0.5, granted=granted, has_oack=True
        )

    @pytest.mark.parametrize(
        ("answered", "message"),
        [
            ("multicast=1", "The server granted multicast=1, which was not asked."),
            ("blksize=1429", "The server granted blksize=1429; expected 8 to 1428."),
            ("blksize=7", "The server granted blksize=7; expected 8 to 1428."),
            ("blksize=", "The server granted blksize='': no number."),
            ("windowsize=17", "The server granted windowsize=17; expected 1 to 16."),
            ("windowsize=0", "The server granted windowsize=0; expected 1 to 16."),
            ("timeout=1", "The server granted timeout=1; expected 2."),
            ("timeout=3", "The server granted timeout=3; expected 2."),
            ("tsize=-1", "The server granted tsize='-1': no number."),
            ("rollover=0", "The server granted rollover=0; expected 1."),
        ],
    )
    def test_answer_that_breaks_the_rules_is_refused(self, answered: str, message: str) -> None:
        """RFC 2347: the client answers ERROR 8 to an OACK that it cannot accept."""
        with pytest.raises(NegotiationError) as caught:
            check(self.ASKED, options("tsize=5", answered)[answered.startswith("tsize") :])
        assert str(caught.value) == (
            f"{message} Asked: blksize=1428 windowsize=16 timeout=2 tsize=0 rollover=1."
        )

    def test_option_granted_twice_is_refused(self) -> None:
        with pytest.raises(NegotiationError, match=r"^The server granted BLKSIZE twice\. Asked: "):
            check(self.ASKED, options("blksize=1024", "BLKSIZE=1024"))

    @pytest.mark.parametrize("answered", ["blksize=1024", "windowsize=2", "timeout=1", "x=", "x=0"])
    def test_answer_to_no_question_is_refused(self, answered: str) -> None:
        """RFC 2347: the OACK has no option that was not asked."""
        with pytest.raises(NegotiationError, match=r"not asked\. No option was asked\.$"):
            check((), options(answered))

    @pytest.mark.parametrize(
        "answered", ["BlkSize=512", "blksize2=512", "windowsize=1", "rollover=0", "tsize=99"]
    )
    def test_answer_to_no_question_that_changes_nothing_is_taken(self, answered: str) -> None:
        """Deviates from RFC 2347: servers are known that answer the default."""
        granted = options(answered)
        assert check((), granted) == Agreement(granted=granted, has_oack=True, unasked=granted)

    def test_rollover_holds_where_the_server_does_not_negotiate_it(self) -> None:
        assert check(self.ASKED, options("tsize=5"), rollover=1).rollover == 1

    def test_answer_to_a_question_that_was_no_number_is_refused(self) -> None:
        with pytest.raises(NegotiationError, match="no number"):
            check(options("blksize=x"), options("blksize=512"))

    @given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=6).map(tuple))
    @example((("blksize", "²"),))
    def test_no_answer_raises_anything_but_its_own_error(self, answered: Options) -> None:
        try:
            agreement = check(self.ASKED, answered)
        except NegotiationError:
            return
        assert 8 <= agreement.blksize <= 1428
        assert 1 <= agreement.windowsize <= 16
