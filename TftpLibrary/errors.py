"""The errors of TftpLibrary: the class says whose fault it is.

    TftpError
    ├── UsageError         the test asked for something impossible
    ├── PacketError        octets that are no packet              (answer: ERROR 4)
    ├── NegotiationError   options that cannot be agreed          (answer: ERROR 8)
    ├── PeerError          the peer sent ERROR; code and text as received
    ├── TransferTimeout    the peer stopped answering
    ├── TransferAborted    we ended it
    ├── LabError           the lab host cannot be reached, or was lost
    └── ExpectationError   also AssertionError: an expected event did not happen

A store adds `StoreError` (`TftpLibrary.store.base`), which carries the error code for the peer.
"""


class TftpError(Exception):
    """The base of every error that TftpLibrary raises on purpose.

    Its text is a sentence for the person who reads the log: what was expected, what came
    instead, and what to do. It never goes to a peer.
    """

    # Robot Framework then shows the message without the name of the class.
    ROBOT_SUPPRESS_NAME = True


class UsageError(TftpError):
    """The caller asked for something impossible: a wrong argument, a port that is taken."""


class PacketError(TftpError):
    """Octets that are no TFTP packet. The answer to such a request is ERROR 4."""


class NegotiationError(TftpError):
    """An option answer that breaks RFC 2347. The answer is ERROR 8."""


class PeerError(TftpError):
    """The peer ended the transfer with an ERROR packet.

    Attributes:
        code: the error code as received (RFC 1350, section 5 and RFC 2347).
        text: the error message as received, printable.
    """

    def __init__(self, message: str, code: int, text: str) -> None:
        super().__init__(message)
        self.code = code
        self.text = text


class TransferTimeout(TftpError):
    """The peer stopped answering, and every retry was used."""


class TransferAborted(TftpError):
    """This end gave the transfer up: it was stopped, or its own disk refused."""


class ExpectationError(TftpError, AssertionError):
    """An event that a test waited for, or asserted, did not happen."""


class LabError(TftpError):
    """The lab host cannot be reached, does not answer any more, or refuses the session."""
