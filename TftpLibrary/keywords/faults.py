"""The keywords that let a server or our client misbehave on purpose."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Literal

from robot.api.deco import keyword

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial, ToldSize
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.packets import Packets
from TftpLibrary.faults.pauses import Pause
from TftpLibrary.faults.rules import Rule, Way
from TftpLibrary.faults.scenarios import Scenario
from TftpLibrary.faults.wording import Fault, injected_text, link_text
from TftpLibrary.fields import UNLIMITED, Unlimited
from TftpLibrary.keywords import outgoing, reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.keywords.conversions import Rate, Share, Size, seconds
from TftpLibrary.keywords.doubts import doubt_about
from TftpLibrary.protocol.datagrams import LINK
from TftpLibrary.protocol.roles import Role
from TftpLibrary.recording.wording import duration_text
from TftpLibrary.station import StationFaults

Seed = int | Literal["random"]

_SEEDS = 100_000
_NO_SHARE = Share()
_AT_ONCE = timedelta(0)


class FaultKeywords(Keywords):
    """Inject faults."""

    @keyword("Inject TFTP Fault", tags=("Faults",))
    def inject_tftp_fault(
        self,
        kind: FaultKind,
        packet: Packets | None = None,
        *,
        file: str = "*",
        client: str = "",
        direction: Way = Way.any,
        times: int | Unlimited | None = None,
        every: int = 1,
        after: int = 0,
        probability: Share | None = None,
        seed: Seed = 0,
        delay: timedelta | None = None,
        duration: timedelta | None = None,
        number: str = "",
        size: Size | None = None,
        copies: int | None = None,
        code: int | None = None,
        message: str = "",
        options: str = "",
        padding: int | None = None,
        name: str = "",
        role: Role = Role.server,
        server: str = "",
    ) -> str:
        """Makes chosen packets get lost, repeated, delayed or changed, from now on.

        Args:
            kind: Kind of the fault, such as ``drop``.
            packet: Packets that it happens to, such as ``DATA 3``, ``DATA 100-120``, ``ACK last``
                or ``answer``. Default: ``DATA``; for ``wrong_oack`` it is ``OACK``, for
                ``unterminated`` ``ERROR``, for ``ignore_options`` ``request``.
            file: Name of the file, or a glob. Default: every file.
            client: Address, network or alias of the board. Default: any board.
            direction: Which way the packets go. It is rarely needed: in a download blocks are sent
                and acknowledgements are received, in an upload the other way round.
            times: How often it happens to each board, and where ``packet`` has blocks, to each of
                them; or ``unlimited``. Default: 1; unlimited with ``every``, ``probability`` and
                open ranges such as ``DATA 100-``.
            every: 10 means every tenth of these packets.
            after: Number of such packets that pass first.
            probability: Share of such packets that it happens to, such as ``5 %``.
            seed: Chooses which ones, with ``probability``; the same seed chooses the same ones
                again. ``random`` takes a new seed and logs it.
            delay: How much later packets come: for ``delay``, ``duplicate`` and ``reorder``.
            duration: How long a ``stall`` lasts. Default: for ever.
            number: For ``wrong_block`` the block: ``+1``, ``-1`` or a number, default ``+1``. For
                ``reorder`` the packets that overtake, for ``corrupt`` the wrong bits, for
                ``bad_opcode`` the opcode.
            size: For ``short_block`` and ``runt`` the bytes that are left, for ``long_block`` the
                bytes that are added.
            copies: How often ``duplicate`` sends it again. Default: once.
            code: Error code of ``error``. Default: 0.
            message: Text of ``error``.
            options: For ``wrong_oack`` what the option answer says instead, such as
                ``blksize=9000 tsize=-``, where ``-`` leaves an option out. For ``ignore_options``
                the names of the options, default all.
            padding: Zero bytes behind the option answer of ``wrong_oack``.
            name: Name of the fault. Default: the kind and a number, such as ``drop-1``.
            role: The end that misbehaves: the server, or the client of `TFTP Get` and `TFTP Put`.
            server: Alias of the server. Default: the active one.

        Returns:
            The name of the fault, for `TFTP Fault Should Have Happened` and others.

        A transfer that runs already meets the fault, too. Each board is counted by itself, over all
        its transfers: by default a fault happens to a board once, and its second try goes well.

        The fault ends with the test, or with the suite whose setup injected it, or earlier with
        `Clear TFTP Faults`. If it did not happen by then, and no keyword asked for it, that is a
        warning.

        The server sends a lost packet again after a moment. To see how the board asks by itself,
        start the server with ``retransmission=fixed`` and ``timeout=20s``.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | ${lost}=    `Inject TFTP Fault`    drop    DATA 3    file=zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage
        | `TFTP Fault Should Have Happened`    ${lost}
        """
        rule = Rule(
            kind,
            packet,
            file=file,
            client=client,
            direction=direction,
            times=0 if times is None else _times(times),
            every=every,
            after=after,
            probability=None if probability is None else probability.value,
            seed=_seed(seed),
            delay=None if delay is None else seconds(delay, "delay"),
            duration=None if duration is None else seconds(duration, "duration"),
            number=number,
            size=size,
            copies=copies,
            code=code,
            message=message,
            options=options,
            padding=padding,
            name=name,
            is_of_client=role is Role.client,
        )
        faults = self._faults_of(role, server)
        doubt = doubt_about(rule, self.state.server(server)) if role is Role.server else ""
        return self._add(rule, faults, doubt)

    @keyword("Damage TFTP File", tags=("Faults",))
    def damage_tftp_file(
        self,
        name: str,
        how: Damaging,
        *,
        offset: Size | None = None,
        size: Size | None = None,
        content: str = "",
        tsize: ToldSize = ToldSize.damaged,
        client: str = "",
        times: int | Unlimited = UNLIMITED,
        after: int = 0,
        server: str = "",
    ) -> str:
        """Damages a file on its way to the boards, from the next download on.

        Args:
            name: Name of the file, or a glob.
            how: The change.
            offset: Byte whose bit flips, from 0. Default: the one in the middle.
            size: For ``truncate`` the bytes that are left, default half of them. For ``append`` the
                zero bytes that follow, default 1.
            content: For ``append`` a text that follows. For ``replace`` the name of the file in
                the store that is sent instead.
            tsize: Size of the file that the server tells.
            client: Address, network or alias of the board. Default: any board.
            times: How many downloads of each board are damaged.
            after: Number of downloads of each board that are good first.
            server: Alias of the server. Default: the active one.

        Returns:
            The name of the fault.

        The change is the same at every block size, and each time that a block is sent. The file in
        the store stays good, and `Get TFTP File Checksum` returns that of the good one.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/firmware.bin
        | ${flipped}=    `Damage TFTP File`    firmware.bin    flip_bit    offset=100
        | # Here the board should refuse the image; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}firmware.bin
        | `TFTP Fault Should Have Happened`    ${flipped}
        """
        damage = Damage(name, how, offset, size, content, tsize, client, _times(times), after)
        target = self.state.server(server)
        return self._add(damage, target.faults, doubt_about(damage, target))

    @keyword("Deny File", tags=("Faults",))
    def deny_file(
        self,
        name: str,
        *,
        code: int = 2,
        message: str = "",
        client: str = "",
        times: int | Unlimited = UNLIMITED,
        after: int = 0,
        server: str = "",
    ) -> str:
        """Refuses requests for a file, although it is there, or could be written.

        Args:
            name: Name of the file, or a glob.
            code: Error code of the answer: 1 file not found, 2 access violation, 3 disk full.
            message: Text of the answer. Default: the usual one of the code.
            client: Address, network or alias of the board. Default: any board.
            times: How often each board is refused. With 1 its second try goes well.
            after: Number of requests of each board that are served first.
            server: Alias of the server. Default: the active one.

        Returns:
            The name of the fault.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload Text`    LABEL linux    pxelinux.cfg/default
        | ${denied}=    `Deny File`    pxelinux.cfg/default    code=1    times=1
        | # Here the board asks twice; in this example `TFTP Get` is the board.
        | Run Keyword And Expect Error    *File not found*
        | ...    `TFTP Get`    ${server.url}pxelinux.cfg/default
        | `TFTP Get`    ${server.url}pxelinux.cfg/default
        | `TFTP Fault Should Have Happened`    ${denied}    times=1
        """
        denial = Denial(name, code, message, client, _times(times), after)
        return self._add(denial, self.state.server(server).faults)

    @keyword("Set TFTP Link Quality", tags=("Faults",))
    def set_tftp_link_quality(
        self,
        *,
        loss: Share = _NO_SHARE,
        duplicate: Share = _NO_SHARE,
        reorder: Share = _NO_SHARE,
        corrupt: Share = _NO_SHARE,
        delay: timedelta = _AT_ONCE,
        jitter: timedelta = _AT_ONCE,
        rate: Rate | None = None,
        queue: int = 1000,
        seed: Seed = 0,
        client: str = "",
        direction: Way = Way.any,
        role: Role = Role.server,
        server: str = "",
    ) -> dict[str, Any]:
        """Makes the link to the boards as poor as a bad cable or radio, from now on.

        Args:
            loss: Share of packets that are lost, each way.
            duplicate: Share that arrives twice.
            reorder: Share that the next packet overtakes.
            corrupt: Share in which one bit is wrong, in the header too.
            delay: How long a packet takes, one way.
            jitter: How much longer it takes at most; the order stays.
            rate: Bytes per second, each way. Default: no limit.
            queue: Packets that wait at most because of the rate; one more is lost.
            seed: Chooses which packets; the same seed chooses the same ones again. ``random``
                takes a new seed and logs it.
            client: Address, network or alias of the board. Default: every board, each with a link
                of its own.
            direction: Which way the packets go.
            role: Whose link it is: that of the server, or that of the client of `TFTP Get` and
                `TFTP Put`.
            server: Alias of the server. Default: the active one.

        Returns:
            The previous values by argument name, so that they can be restored.

        It takes the place of the quality before; without arguments the link is perfect again. When
        the test ends, the link is as it was before; after a suite setup, when the suite ends.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | &{before}=    `Set TFTP Link Quality`    loss=2 %    delay=1 ms    seed=7
        | `TFTP Get`    ${server.url}zImage
        | `Set TFTP Link Quality`    &{before}
        """
        quality = LinkQuality(
            loss.value,
            duplicate.value,
            reorder.value,
            corrupt.value,
            seconds(delay, "delay"),
            seconds(jitter, "jitter"),
            rate,
            queue,
            _seed(seed),
            client,
            direction,
        )
        faults = self._faults_of(role, server)
        self.state.injected.note_links(faults, self.state.scope)
        old = faults.set_link(quality)
        _log_link(quality)
        return {
            "loss": Share(old.loss),
            "duplicate": Share(old.duplicate),
            "reorder": Share(old.reorder),
            "corrupt": Share(old.corrupt),
            "delay": timedelta(seconds=old.delay),
            "jitter": timedelta(seconds=old.jitter),
            "rate": None if old.rate is None else Rate(old.rate),
            "queue": old.queue,
            "seed": old.seed,
            "client": old.client,
            "direction": old.direction,
            "role": role,
        }

    @keyword("Use TFTP Scenario", tags=("Faults",))
    def use_tftp_scenario(
        self,
        scenario: Scenario,
        file: str = "*",
        *,
        client: str = "",
        seed: Seed = 0,
        role: Role = Role.server,
        server: str = "",
    ) -> list[str]:
        """Starts a bad day that has a name: a list of faults that real boot loaders failed on.

        Args:
            scenario: Name of the day.
            file: Name of the file, or a glob. Default: every file.
            client: Address, network or alias of the board. Default: any board.
            seed: Chooses packets where the day has chance. ``random`` takes a new seed and logs it.
            role: The end that misbehaves: the server, or the client of `TFTP Get` and `TFTP Put`.
            server: Alias of the server. Default: the active one.

        Returns:
            The names of the faults, in their order. A day that is only a link quality has none.

        For a day of your own write a user keyword that injects its faults.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | `Use TFTP Scenario`    lost_block    zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage
        | `All TFTP Faults Should Have Happened`
        """
        faults = self._faults_of(role, server)
        self.state.injected.note_links(faults, self.state.scope)
        used = faults.use(scenario, file, client=client, seed=_seed(seed))
        ids = [each for each in used if each != LINK]
        self.state.injected.note(ids, faults, self.state.scope)
        for report in faults.reports():
            if report.fault.id in ids:
                reporting.log_injected(f"Fault {report.fault.id}", report.fault.text)
        if LINK in used:
            _log_link(faults.links[-1])
        return ids

    @keyword("Pause TFTP Server", tags=("Faults",))
    def pause_tftp_server(
        self, mode: Pause = Pause.silent, *, duration: timedelta | None = None, server: str = ""
    ) -> None:
        """Makes a TFTP server go away on purpose, as if its power failed or its program stopped.

        Args:
            mode: How it is away.
            duration: Time after which it comes back by itself. Default: it stays away.
            server: Alias of the server. Default: the active one.

        It comes back on the same port and with the same files: after ``duration``, with
        `Resume TFTP Server` or `Clear TFTP Faults`, or when the test or suite ends that paused it.

        With a fault before, the server goes away while the board loads a certain block.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | ${there}=    `Inject TFTP Fault`    delay    DATA 50    file=zImage    delay=10 ms
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage    blksize=1468
        | `Wait Until TFTP Fault Has Happened`    ${there}    30s
        | `Pause TFTP Server`    power_cut    duration=1s
        | # The board starts again, until the server is back.
        | `TFTP Get`    ${server.url}zImage    wait=10s
        """
        target = self.state.server(server)
        limit = None if duration is None else seconds(duration, "duration")
        target.pause(mode, limit)
        self.state.injected.note_pause(target, self.state.scope)
        until = "" if limit is None else f", for {duration_text(limit)}"
        outgoing.info(f"TFTP server '{target.alias}' is away: {mode.words}{until}.")

    @keyword("Resume TFTP Server", tags=("Faults",))
    def resume_tftp_server(self, *, server: str = "") -> None:
        """Ends the pause of a TFTP server.

        Args:
            server: Alias of the server. Default: the active one.

        If the server is not paused, nothing changes, so the keyword is safe in teardowns.

        Example:
        | `Start TFTP Server`    port=0
        | `Pause TFTP Server`    busy
        | # Here the board asks, and is told to come again later.
        | `Resume TFTP Server`
        """
        target = self.state.server(server)
        target.resume()
        outgoing.info(f"TFTP server '{target.alias}' is back.")

    def _faults_of(self, role: Role, server: str) -> StationFaults:
        """Returns the faults of a server, or those of our client.

        Raises:
            UsageError: there is no such server, or our client is no server.
        """
        if role is Role.server:
            return self.state.server(server).faults
        if server:
            raise UsageError(
                "server= names a server: it does not go with role=client, which is the client of "
                "`TFTP Get` and `TFTP Put`."
            )
        return self.state.client_faults

    def _add(self, fault: Fault, at: StationFaults, doubt: str = "") -> str:
        injected = self.state.injected
        name = fault.name if isinstance(fault, Rule) else ""
        if injected.has(name):
            raise UsageError(f"There is a fault '{name}' already. Choose another name=.")
        number = at.add(fault)
        injected.note([number], at, self.state.scope)
        seed = fault.seed if isinstance(fault, Rule) and fault.probability is not None else None
        reporting.log_injected(f"Fault {number}", injected_text(fault), seed)
        reporting.warn_doubt(doubt)
        return number


def _log_link(quality: LinkQuality) -> None:
    reporting.log_injected("Link", link_text(quality), quality.seed if quality.has_chance else None)


def _times(times: int | Unlimited) -> int | None:
    """Returns how often a fault happens; None without end.

    Raises:
        UsageError: it would not happen at all.
    """
    if times == 0:
        raise UsageError("times= must be 1 or more, or unlimited, got 0.")
    return None if times == UNLIMITED else int(times)


def _seed(seed: Seed) -> int:
    return secrets.randbelow(_SEEDS) if isinstance(seed, str) else seed
