"""The named days: lists of faults, each with the bugs of real boot loaders that it shows."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import Rule, Way, make_rule
from TftpLibrary.protocol.datagrams import LINK
from TftpLibrary.spelling import unknown

Part = Rule | Damage | Denial | LinkQuality


class Scenario(str, Enum):
    """A bad day with a name: a list of faults.

    - ``lost_block``: Block 3 and the last block are lost once. Shows loaders that never ask
      again, or give up before the block comes again.
    - ``lost_ack``: The acknowledgement of block 3 is lost once. Shows dead ends after a
      repeated block, and uploads that go wrong.
    - ``lost_last_ack``: The last acknowledgement is lost twice. Shows uploads that fail or
      hang although the file is there.
    - ``lost_first_answer``: The answer to the request is lost twice. Shows loaders that ask
      only once, or wait for ever.
    - ``slow_first_answer``: The answer always comes 4 seconds late. Shows loaders that
      mix up two answers.
    - ``double_answer``: The answer comes again 300 ms later. Shows loaders that take it for
      the next packet.
    - ``sorcerers_apprentice``: Every block and every acknowledgement comes twice. Shows
      doubled traffic, and counters of blocks that go wrong.
    - ``duplicate_storm``: Block 5 comes 20 times more. Shows acknowledgements of blocks that
      never came.
    - ``every_twelfth_lost``: Every 12th block is lost. Shows time-outs that are counted over
      the whole file.
    - ``lost_window_end``: Block 8, the end of a window of 8, is lost once. Shows windows that
      are acknowledged from the wrong place.
    - ``reordered``: Every 5th block is overtaken by the next one. Shows windows that lose most
      of their speed, or errors for early blocks.
    - ``lossy_wifi``: 2 % of the packets are lost, 1 % double, 1 % overtaken, each 5 to 15 ms
      late. For a long run.
    - ``slow_link``: 100 kB/s, 20 ms each way, and 64 packets wait at most. Shows timers that
      are too short.
    - ``small_ring``: 5 MB/s, and 8 packets wait at most, as in a board with few receive
      buffers. For large windows.
    - ``rollover``: Losses and repeats around block 65536. For a file of more than 65,536
      blocks; ``max_blksize=512`` on the server makes it 32 MiB.
    - ``rfc1350_server``: The server knows no options. Shows loaders that need them, or take
      512 bytes for the whole file.
    - ``wrong_option_answer``: The option answer says a block size of 65464. Shows loaders that
      believe it, and buffers that overflow.
    - ``zero_option_answer``: The option answer says 0 for block size and window. Shows endless
      loops.
    - ``odd_option_answer``: The option answer has capitals, an unknown option and zero bytes
      behind its end. It is harmless, and should be taken.
    - ``stranger``: A stranger's block 3 comes from another port. Shows loaders that take the
      packets of others.
    - ``early_end``: Block 10 has half its bytes, so the file seems to end. Shows loaders that
      do not compare sizes.
    - ``truncated_image``: The file ends after half its bytes. Shows loaders that start an
      incomplete image.
    - ``flipped_bit``: One bit in the middle of the file is wrong, each time. Shows loaders
      without a checksum.
    - ``error_in_the_middle``: An error packet comes instead of block 50. Shows short files
      that count as whole.
    - ``server_reboot``: From block 50 on nothing passes, for 10 seconds; then the server knows
      nothing of the transfer. Shows loaders that never start again.
    - ``server_gone``: At block 50 the port is closed. Shows loaders that do not notice.
    - ``missing_then_there``: The file is missing once, then it is there. Shows loaders that do
      not ask again, or spoil what they had.
    """

    lost_block = "lost_block"
    lost_ack = "lost_ack"
    lost_last_ack = "lost_last_ack"
    lost_first_answer = "lost_first_answer"
    slow_first_answer = "slow_first_answer"
    double_answer = "double_answer"
    sorcerers_apprentice = "sorcerers_apprentice"
    duplicate_storm = "duplicate_storm"
    every_twelfth_lost = "every_twelfth_lost"
    lost_window_end = "lost_window_end"
    reordered = "reordered"
    lossy_wifi = "lossy_wifi"
    slow_link = "slow_link"
    small_ring = "small_ring"
    rollover = "rollover"
    rfc1350_server = "rfc1350_server"
    wrong_option_answer = "wrong_option_answer"
    zero_option_answer = "zero_option_answer"
    odd_option_answer = "odd_option_answer"
    stranger = "stranger"
    early_end = "early_end"
    truncated_image = "truncated_image"
    flipped_bit = "flipped_bit"
    error_in_the_middle = "error_in_the_middle"
    server_reboot = "server_reboot"
    server_gone = "server_gone"
    missing_then_there = "missing_then_there"

    __str__ = str.__str__


class Where(NamedTuple):
    """The scope of a scenario: a file, a board, the seed of chance, and whose faults they are."""

    file: str = "*"
    client: str = ""
    seed: int = 0
    is_of_client: bool = False


def parse_scenario(text: str) -> Scenario:
    """Returns the scenario of a name.

    Raises:
        UsageError: there is none; the text has the nearest name and all names.
    """
    if text not in Scenario.__members__:
        raise UsageError(unknown("scenario", text, Scenario.__members__))
    return Scenario[text]


def parts_of(scenario: Scenario, where: Where) -> tuple[Part, ...]:
    """Returns the faults of a scenario, in their order."""
    return _PARTS[scenario](where)


def begin(
    scenario: Scenario,
    where: Where,
    add: Callable[[Rule | Damage | Denial], str],
    set_link: Callable[[LinkQuality], object],
) -> list[str]:
    """Has the faults of a scenario added. Returns their ids; that of a link is `link`."""
    ids = []
    for part in parts_of(scenario, where):
        if isinstance(part, LinkQuality):
            set_link(part)
            ids.append(LINK)
        else:
            ids.append(add(part))
    return ids


def _rules(*lines: tuple[str, str, dict[str, object]]) -> Callable[[Where], tuple[Part, ...]]:
    def make(where: Where) -> tuple[Part, ...]:
        return tuple(
            make_rule(kind, packet, **where._asdict(), **arguments)
            for kind, packet, arguments in lines
        )

    return make


def _link(**quality: float) -> Callable[[Where], tuple[Part, ...]]:
    def make(where: Where) -> tuple[Part, ...]:
        # The values are numbers of the right type, by name.
        return (LinkQuality(client=where.client, seed=where.seed, **quality),)  # type: ignore[arg-type]

    return make


def _small_ring(where: Where) -> tuple[Part, ...]:
    client, seed = where.client, where.seed
    return (LinkQuality(rate=5e6, queue=8, client=client, direction=Way.sent, seed=seed),)


def _damage(how: Damaging) -> Callable[[Where], tuple[Part, ...]]:
    return lambda where: (Damage(where.file, how, client=where.client),)


def _missing_once(where: Where) -> tuple[Part, ...]:
    return (Denial(where.file, code=1, client=where.client, times=1),)


_NO_MORE: dict[str, object] = {}
_PARTS: dict[Scenario, Callable[[Where], tuple[Part, ...]]] = {
    Scenario.lost_block: _rules(("drop", "DATA 3", _NO_MORE), ("drop", "DATA last", _NO_MORE)),
    Scenario.lost_ack: _rules(("drop", "ACK 3", _NO_MORE)),
    Scenario.lost_last_ack: _rules(("drop", "ACK last", {"times": 2})),
    Scenario.lost_first_answer: _rules(("drop", "answer", {"times": 2})),
    Scenario.slow_first_answer: _rules(("delay", "answer", {"delay": 4.0, "times": None})),
    Scenario.double_answer: _rules(("duplicate", "answer", {"delay": 0.3})),
    Scenario.sorcerers_apprentice: _rules(
        ("duplicate", "DATA", {"times": None}), ("duplicate", "ACK", {"times": None})
    ),
    Scenario.duplicate_storm: _rules(("duplicate", "DATA 5", {"copies": 20})),
    Scenario.every_twelfth_lost: _rules(("drop", "DATA", {"every": 12})),
    Scenario.lost_window_end: _rules(("drop", "DATA 8", _NO_MORE)),
    Scenario.reordered: _rules(("reorder", "DATA", {"every": 5})),
    Scenario.lossy_wifi: _link(loss=0.02, duplicate=0.01, reorder=0.01, delay=0.005, jitter=0.01),
    Scenario.slow_link: _link(rate=100_000, delay=0.02, queue=64),
    Scenario.small_ring: _small_ring,
    Scenario.rollover: _rules(
        ("drop", "DATA 65535", _NO_MORE),
        ("duplicate", "DATA 65536", _NO_MORE),
        ("drop", "ACK 65536", _NO_MORE),
    ),
    Scenario.rfc1350_server: _rules(("ignore_options", "request", {"times": None})),
    Scenario.wrong_option_answer: _rules(
        ("wrong_oack", "OACK", {"options": "blksize=65464", "times": None})
    ),
    Scenario.zero_option_answer: _rules(
        ("wrong_oack", "OACK", {"options": "blksize=0 windowsize=0", "times": None})
    ),
    Scenario.odd_option_answer: _rules(
        ("wrong_oack", "OACK", {"options": "x-unknown=1", "padding": 4, "times": None})
    ),
    Scenario.stranger: _rules(("stray", "DATA 3", _NO_MORE)),
    Scenario.early_end: _rules(("short_block", "DATA 10", _NO_MORE)),
    Scenario.truncated_image: _damage(Damaging.truncate),
    Scenario.flipped_bit: _damage(Damaging.flip_bit),
    Scenario.error_in_the_middle: _rules(("error", "DATA 50", {"code": 0})),
    Scenario.server_reboot: _rules(("stall", "DATA 50", {"duration": 10.0})),
    Scenario.server_gone: _rules(("vanish", "DATA 50", _NO_MORE)),
    Scenario.missing_then_there: _missing_once,
}
