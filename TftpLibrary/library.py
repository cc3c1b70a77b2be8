"""The Robot Framework library: its import arguments, its components, and its introduction."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from robot.api.deco import library
from robotlibcore import DynamicCore

from TftpLibrary.faults.packets import Packets
from TftpLibrary.faults.reports import TftpFault
from TftpLibrary.keywords.argument_types import (
    Names,
    argument_types,
    check_import,
    names_of,
    needed_of,
)
from TftpLibrary.keywords.assertions import AssertionKeywords
from TftpLibrary.keywords.boards import Boards
from TftpLibrary.keywords.boot import BootKeywords
from TftpLibrary.keywords.captures import CaptureKeywords
from TftpLibrary.keywords.clients import ClientKeywords
from TftpLibrary.keywords.conversions import (
    AutoStop,
    OnFailure,
    Rate,
    Share,
    Size,
    given,
    record_type,
    seconds,
    to_on_failure,
    to_packets,
    to_path,
    to_rate,
    to_share,
    to_size,
)
from TftpLibrary.keywords.descriptions import with_list
from TftpLibrary.keywords.fault_checks import FaultCheckKeywords
from TftpLibrary.keywords.faults import FaultKeywords
from TftpLibrary.keywords.files import FileKeywords
from TftpLibrary.keywords.outgoing import readable_errors, readable_value
from TftpLibrary.keywords.scopes import Scopes
from TftpLibrary.keywords.servers import ServerKeywords, TftpServerInfo
from TftpLibrary.keywords.state import Defaults, LibraryState
from TftpLibrary.keywords.transfers import TransferKeywords
from TftpLibrary.keywords.waiting import WaitingKeywords
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.base import StoredFile
from TftpLibrary.version import VERSION

CONVERTERS: dict[type, Any] = {
    Size: to_size,
    Rate: to_rate,
    Share: to_share,
    Packets: to_packets,
    Path: to_path,
    TftpServerInfo: record_type(TftpServerInfo),
    StoredFile: record_type(StoredFile),
    Transfer: record_type(Transfer),
    TftpFault: record_type(TftpFault),
}
"""Robot Framework takes functions of any kind here, hence Any."""


@library(scope="GLOBAL", version=VERSION, converters=CONVERTERS, doc_format="ROBOT")
class TftpLibrary(DynamicCore):
    r"""TftpLibrary tests boards that boot, load and store over TFTP.

    A suite starts a TFTP server, puts files there, waits until the board has really downloaded
    them, and receives the files that the board uploads. It can also be the client of a board that
    is a TFTP server. No other program is needed. Root rights are needed only for port 69.

    %TOC%

    = A first suite =

    | ``*** Settings ***``
    | Library           TftpLibrary    port=0
    | Suite Setup       `Start TFTP Server`
    |
    | ``*** Test Cases ***``
    | Board Boots From Network
    |     ${server}=    `Get TFTP Server`
    |     `Upload Text`    LABEL linux    pxelinux.cfg/default
    |     # Here the board is switched on; in this example `TFTP Get` is the board.
    |     `TFTP Get`    ${server.host}    pxelinux.cfg/default    port=${server.port}
    |     ${transfer}=    `Wait Until File Is Downloaded`    pxelinux.cfg/default    60s
    |     Log    The board at ${transfer.client} got ${transfer.size} bytes

    The board asks port 69 in most cases: leave ``port=0`` out then, see `Servers`.

    = Servers =

    `Start TFTP Server` returns when the server answers. Without arguments it is read-only, serves
    a new private folder, and is bound to the address and port of the `Importing` section. Several
    servers run at once, each under an ``alias``:

    | `Start TFTP Server`    port=0    alias=left
    | `Start TFTP Server`    port=0    alias=right
    | `Upload Text`    I am the left one    name.txt    server=left

    Every keyword takes that name as ``server=``. Without it a keyword uses the active server: the
    one that was started last, or that `Switch TFTP Server` chose. Aliases are compared without case
    and spaces. Import the library only once: with two imports Robot Framework does not know which
    keyword is meant.

    Servers share an address and port if each names its boards with ``clients=``; one without it
    serves all other boards. Each has its own root, permissions, files, faults, capture and record.
    A board has one server at a port. A MAC address needs Linux, and a board in the same segment.

    | `Start TFTP Server`    alias=left     clients=192.168.1.50
    | `Start TFTP Server`    alias=right    clients=52:54:00:ab:cd:07
    | `Wait Until File Is Downloaded`    zImage    client=left

    As here, the alias of a server with a single board in ``clients=`` stands for that board too.
    Unless ``server=`` is given, it also names the server.

    On most systems a program needs permission to use port 69. On Linux this command gives it to all
    programs:

    | sysctl net.ipv4.ip_unprivileged_port_start=69

    For the board's console, `Get TFTP Server Host` with ``for_client=`` returns the address by
    which the board reaches this machine, and `Get TFTP Server Port` returns the port.

    = Files =

    Boards get what is in the server's store. `Upload File` fills it from a path or a URL,
    `Upload Text`, `Upload Bytes` and `Upload Folder` from elsewhere, `Create Test File` with
    content for boundary cases. ``/`` separates folders in the names, and a ``/`` in front does not
    matter. A board finds a name exactly as it is written, with its case.

    A board may upload when the server was started with ``writable=True``, and may replace a file
    when also ``overwrite=True``. `Save TFTP File` and `Get TFTP File Text` look at the result.

    A folder that was there before is left as it was found: when the server stops, files that the
    test and the boards added are removed, and files that they replaced are put back. With
    ``keep_files=True`` all stay. Servers of one run may share a folder: the last one puts it back.
    If a run is killed, the next start on the folder puts it back, and warns with the names of the
    files. Several runs may serve one folder, but only one at a time may change it.

    = Transfers =

    Each request is recorded, the refused ones too. `Wait Until File Is Downloaded`,
    `Wait Until File Is Requested` and `Wait Until File Is Received` return its record, a
    ``Transfer``, and fail with the nearest miss and the requests that were seen;
    `Wait Until Files Are Downloaded` returns several.
    `Wait Until Transfers Are Idle` waits until the board has all that it wants. `Get Transfers`
    lists the records; `Requests Should Be`, `No Requested File Should Be Missing` and
    `Transfer Should Have Used` check them.

    These keywords look back to the mark, so that a board that is faster than the test is not
    missed, and the download of an earlier test is not counted. The mark is set when a test starts,
    in a suite setup when the suite starts, and by `Mark Transfers`.

    The log has a card for each transfer, in the keyword during which it ended: the options asked
    and granted, the rate, the packets sent again. Failures are open. When a test fails, its
    requests are logged as a table, as `Log Transfers` does; ``on_failure=NOTHING`` at the import
    switches that off.

    = What boards ask =

    A boot loader looks for its configuration under many names. `Upload Boot Config` stores one
    where it looks, `Get Boot File Names` returns the names for `Requests Should Be`, and failed
    waits say which loader asked in vain, and what the store has instead.

    = Captures =

    `Start Packet Capture` writes every packet of a server to a file for Wireshark, from now on and
    in running transfers too. When a test fails, its capture stays in the output folder, linked in
    the log; the capture of a passed test is removed, unless ``keep=`` says otherwise:

    | `Start Packet Capture`    ${OUTPUT DIR}/boot.pcapng    keep=always

    = Faults =

    A board has to cope with bad days: a lost block, an answer that comes twice, a damaged image, a
    server that is gone. `Inject TFTP Fault` makes such a day for chosen packets, and the next one
    is the same:

    | ``*** Settings ***``
    | Library           TftpLibrary    port=0
    | Test Teardown     `All TFTP Faults Should Have Happened`
    |
    | ``*** Test Cases ***``
    | Board Asks Again For A Lost Block
    |     ${server}=    `Start TFTP Server`
    |     `Create Test File`    zImage    1 MiB
    |     `Inject TFTP Fault`    drop    DATA 3    file=zImage
    |     # Here the board is switched on; in this example `TFTP Get` is the board.
    |     `TFTP Get`    ${server.url}zImage
    |     `Wait Until File Is Downloaded`    zImage    60s

    Packets are written as the protocol names them: ``DATA 3`` is the third block of the file,
    ``ACK last`` the last acknowledgement, ``OACK`` the option answer, ``answer`` the first answer
    to a request, whatever it is. `Damage TFTP File` and `Deny File` change and refuse whole files,
    `Set TFTP Link Quality` spoils everything between the server and a board, `Pause TFTP Server`
    cuts its power, and `Use TFTP Scenario` has days with names, which real boot loaders failed on.

    A fault happens to each board once, unless ``times`` or another argument says more. It ends with
    the test, or with the suite whose setup injected it. `TFTP Fault Should Have Happened` fails
    with the reason if it never happened; where no keyword asks, that is a warning.

    A board that ends its download without an error may hold a wrong image all the same: compare
    what it holds, for example the ``crc32`` on its console, with `Get TFTP File Checksum`.

    = Clients =

    `TFTP Get` and `TFTP Put` talk to a board that is the server. With ``wait=30s`` they keep asking
    until it answers, for boot loaders that open TFTP for a few seconds only.

    = Labs =

    The boards may be in a lab while the suite runs elsewhere: on a laptop, or in CI. Then servers,
    files, clients, captures and faults are at the lab host beside the boards; keywords, waits and
    the log stay here. The suite is not changed:

    | TFTPLIBRARY_LAB=ssh://pi@lab1 robot suite.robot

    ``lab=`` of the import says the same, and that of keywords is for suites with several labs. The
    lab host needs this library (``pipx install robotframework-tftp``) in the same version, and an
    account to which ``ssh`` gets without a question. Paths are those of this machine, but for
    ``root=``, which ``tftplibrary lab --allow-root`` has to allow there. A ``StoredFile`` has no
    ``path``. A wait goes on after a cut of some seconds; after 30 seconds the keyword fails.

    = Arguments =

    A text such as ``outcom=refused``, which looks like a misspelled argument, is no value: the
    keyword fails and names the argument that was meant. For a file that is really called so, name
    the argument too: ``name=outcom=refused``. Any other name with a ``=`` is a name, and what may
    be the content of a file is never looked at. Robot Framework takes ``outcome=refused`` out of a
    list variable for a value, so the keyword fails too: dictionaries, as in ``&{arguments}``, hold
    named arguments.

    A Boolean is ``True`` or ``False``, or a word that Robot Framework has for it, such as ``yes``;
    anything else fails. A name is a text, and never ``None``, a list or a whole record: it is
    ``${server.alias}``, not ``${server}``. A name that a keyword needs is not empty.

    Names are shown as text. Bytes that are no text are shown as ``\xff``, and a name that is given
    so means them: what `List Files` and a ``Transfer`` show is a name for every keyword.

    Relative paths of files that are written start at the output folder of the run, and missing
    folders are made: `Save TFTP File`, `TFTP Get` and `Start Packet Capture`. Relative paths of
    files that are read start at the folder in which the run was started.

    = Times and sizes =

    Times are written as elsewhere in Robot Framework: ``2s``, ``1 min 30 s``, ``500ms``. Results
    have seconds as numbers. Sizes are bytes, or have a unit: ``1468``, ``512 kB``, ``4 MiB``.

    = Assertions =

    Keywords that return one value can check it too, with the operators of the assertion engine
    that the Browser library has as well: ``==``, ``!=``, ``>``, ``<``, ``contains`` and so on.

    | `Get TFTP Server Port`    >    1023
    | `List Files`    *.txt    contains    name.txt
    | `Get Transfer Count`    zImage    ==    0    message=The board should not boot from network.

    Numbers are compared as numbers. For ``message`` the operator and the expected value are needed.

    = Closing =

    A server that a test started stops when the test ends, one that a suite setup started stops
    with its suite, also after a failure. Import with ``auto_stop=MANUAL`` to keep servers until a
    keyword stops them or the run ends. Each transfer that is cut is ended with an ERROR packet, so
    the board does not hang.
    """

    def __init__(
        self,
        *,
        host: str = "auto",
        port: int = 69,
        root: Path | None = None,
        timeout: timedelta = timedelta(seconds=60),
        auto_stop: AutoStop = AutoStop.auto,
        on_failure: OnFailure | str = OnFailure.log_transfers,
        lab: str = "",
    ) -> None:
        r"""The arguments are the defaults of the keywords. Importing opens and starts nothing.

        Args:
            host: Address that servers bind. ``auto`` is the address of the interface with the
                default route, or of the loopback interface where there is none.
            port: UDP port that servers bind: 69, which boards use; 0 takes a free one.
            root: Folder to serve. Default: a new private folder for each server, which is removed
                when it stops.
            timeout: Default timeout of the ``Wait Until ...`` keywords, until `Set TFTP Timeout`.
            auto_stop: When to stop servers that no keyword has stopped.
            on_failure: What to do when a test, or the setup or teardown of a suite, fails: log its
                requests, ``NOTHING``, or run a keyword of yours, with two spaces before each
                argument:
                ``on_failure=Read Console \ ttyUSB0``. It runs before the servers of the test stop.
                If it fails, that is only a warning.
            lab: Lab host where servers and clients are, see `Labs`: ``ssh://pi@lab1``,
                ``unix:/run/tftplibrary/lab.sock``, ``wss://lab1`` or ``jumpstarter:tftp``.
                Default: the environment variable ``TFTPLIBRARY_LAB``, else this machine.

        Example:
        | Library    TftpLibrary    host=192.168.1.1    root=${CURDIR}/images    timeout=2 min
        """
        ServerSettings(host=host, port=port)
        limit = seconds(timeout, "timeout")
        state = LibraryState(
            Defaults(
                host,
                port,
                given(root),
                limit,
                auto_stop,
                to_on_failure(on_failure),
                lab or os.environ.get("TFTPLIBRARY_LAB", ""),
            )
        )
        groups = (
            ServerKeywords,
            FileKeywords,
            WaitingKeywords,
            TransferKeywords,
            AssertionKeywords,
            BootKeywords,
            CaptureKeywords,
            ClientKeywords,
            FaultKeywords,
            FaultCheckKeywords,
        )
        self._all_names: frozenset[str] = frozenset()
        self._boards = Boards(state)
        super().__init__([Scopes(state), *(group(state) for group in groups)])

    def get_keyword_documentation(self, name: str) -> str:
        """Returns the documentation of a keyword, of the import or of the library."""
        return with_list(super().get_keyword_documentation(name))

    # Arguments and results are of any type.

    def get_keyword_types(self, name: str) -> dict[str, Any]:
        """Returns the types of a keyword's arguments, which convert and check them."""
        return argument_types(super().get_keyword_types(name), self._names(name))

    def run_keyword(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs a keyword; what comes in is checked, and what goes out is readable."""
        named = kwargs or {}
        with readable_errors([*args, *named.values()]):
            self._names(name).check(args)
            is_of_records = "Transfers" in self.get_keyword_tags(name)
            named = self._boards.resolve(named, is_of_records=is_of_records)
            return readable_value(super().run_keyword(name, args, named))

    def _names(self, name: str) -> Names:
        specifications = self.keywords_spec
        if not self._all_names:
            every = (names_of(spec.argument_specification) for spec in specifications.values())
            self._all_names = frozenset(name.lstrip("*") for names in every for name in names)
        own = specifications[name].argument_specification
        return Names(names_of(own), self._all_names, needed_of(own))


check_import(TftpLibrary.__init__)
