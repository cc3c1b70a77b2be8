"""The keywords that write the packets of a server to a file for Wireshark."""

from __future__ import annotations

from pathlib import Path

from robot.api.deco import keyword

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords, new_place, output_path, scope_name
from TftpLibrary.keywords.capture_files import Keep


class CaptureKeywords(Keywords):
    """Start and stop captures."""

    @keyword("Start Packet Capture", tags=("Capture",))
    def start_packet_capture(
        self, path: Path | None = None, *, server: str = "", keep: Keep = Keep.failed
    ) -> Path:
        """Writes every packet of a TFTP server to a file from now on, also in running transfers.

        Args:
            path: File to write, or a folder that exists. A relative path starts at the output
                folder of the run; missing folders are made. Default: a new file in the output
                folder, named after the test and the server.
            server: Alias of the server. Default: the active one.
            keep: Whether the file stays when the test ends. Default: only if the test failed. If a
                suite setup starts the capture, the result of the suite counts.

        Returns:
            The path of the file.

        Wireshark and tshark open the file, which is a pcapng. It has one record for each datagram,
        also where many left in one system call. The IP and UDP headers are made up. A packet that
        the server sent again has a comment that begins with ``retransmit``; for a packet that the
        board sent again the comment begins with ``repeat``.

        A packet that a fault on purpose struck has a comment such as ``fault drop-1: dropped ACK
        7``. Packets that were not sent on purpose are in the file too, on an interface of their
        own: the filter ``frame.interface_name != "lost on purpose"`` shows what was on the wire.

        The capture ends with `Stop Packet Capture`, with the server, or with the test. A full disk
        ends it with a warning; transfers go on in any case.

        Wireshark knows TFTP by port 69. For another port the log shows the option that it needs.

        Example:
        | `Start TFTP Server`    host=127.0.0.1    port=0
        | `Start Packet Capture`    boot.pcapng    keep=always
        """
        target = self.state.server(server)
        captures, chosen = self.state.captures, output_path(path)
        if chosen.is_dir():
            chosen = captures.free_path(chosen, scope_name(), target.alias)
        captures.start(target, new_place(chosen), keep, self.state.scope)
        reporting.log_capturing(target, chosen, keep)
        return chosen

    @keyword("Stop Packet Capture", tags=("Capture",))
    def stop_packet_capture(self, *, server: str = "") -> Path | None:
        """Ends the capture of a TFTP server.

        Args:
            server: Alias of the server. Default: the active one.

        Returns:
            The path of the file, which is complete now; None if no capture was running.

        If no capture is running, the keyword only warns, so it is safe in teardowns. The file stays
        at least until the test ends; then ``keep`` of `Start Packet Capture` decides.

        Example:
        | `Start TFTP Server`    host=127.0.0.1    port=0
        | `Start Packet Capture`
        | ${path}=    `Stop Packet Capture`
        | File Should Exist    ${path}
        """
        if not self.state.is_running(server):
            reporting.warn_not_running(self.state.absence(server))
            return None
        target = self.state.server(server)
        captured = self.state.captures.stop(target)
        if captured is None:
            reporting.warn_not_running(f"No capture of '{target.alias}' is running.")
            return None
        reporting.log_captured(captured, target.port)
        return captured.path
