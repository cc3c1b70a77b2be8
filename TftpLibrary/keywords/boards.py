"""The aliases of boards: a server that names one board in `clients=` lends it its own alias.

Every keyword that takes a client takes such an alias; this is the one place that looks it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.networks import Client, Mac, network_text, parse_clients, parse_mac, parse_network
from TftpLibrary.station import Station

_OF_HOST = "for_client"
_ARGUMENTS = ("client", "only_for", _OF_HOST)
"""The names of arguments that name a board; a keyword has one of them at most."""


class Boards:
    """The boards that running servers name, each one alone.

    Args:
        state: has the servers, and the record that knows the address of a MAC address.
    """

    def __init__(self, state: LibraryState) -> None:
        self._state = state

    # The arguments of keywords are of any type.
    def resolve(self, named: Mapping[str, Any], *, is_of_records: bool) -> Mapping[str, Any]:
        """Returns the arguments of a keyword with a client in the place of an alias.

        The alias names the server too, unless `server` is given.

        Args:
            named: the named arguments.
            is_of_records: whether the keyword looks at records, which know MAC addresses.

        Raises:
            UsageError: there is no such alias, or the address of the board is not known.
        """
        argument = next((each for each in _ARGUMENTS if named.get(each)), "")
        text = named.get(argument)
        if not isinstance(text, str) or _is_network(text, argument):
            return named
        mac = parse_mac(text)
        if mac is not None:
            return {**named, argument: self._found(mac, argument, is_of_records=is_of_records)}
        server = self._server(text, argument)
        if server is None:
            return named
        board = _alone(server)
        if board is None:
            raise UsageError(
                f"{argument}={text}: the server '{server.alias}' does not name one board alone in "
                "clients=, so its alias is not that of a board. Give the address of the board."
            )
        found = self._found(board, argument, is_of_records=is_of_records)
        return {**named, argument: found, "server": named.get("server") or server.alias}

    def _server(self, text: str, argument: str) -> Station | None:
        """Returns the server with an alias; None leaves the text to the keyword.

        Raises:
            UsageError: there is none, but others name boards.
        """
        if self._state.is_running(text):
            server = self._state.server(text)
            # The name of a host may be an alias by chance.
            return server if _alone(server) or argument != _OF_HOST else None
        running = map(self._state.server, self._state.running())
        aliases = [server.alias for server in running if _alone(server)]
        if not aliases or argument == _OF_HOST:
            return None
        raise UsageError(
            f"{argument}={text!r} is neither an address nor a network, nor the alias of a server "
            f"that names one board alone. Such servers: {', '.join(aliases)}."
        )

    def _found(self, board: Client, argument: str, *, is_of_records: bool) -> str:
        if not isinstance(board, Mac):
            return network_text(board)
        if is_of_records:
            return str(board)
        for transfer in reversed(self._state.recorder.transfers()):
            if transfer.client_mac == str(board):
                return transfer.client
        raise UsageError(
            f"{argument}= names the board {board}, whose address is not known before it asks. Give "
            f"its address, or leave {argument}= out where the server serves this board alone."
        )


def _alone(server: Station) -> Client | None:
    """Returns the one board that a server names; None if it names none, or may serve several."""
    named = parse_clients(server.settings.clients)
    if len(named) != 1 or not (isinstance(named[0], Mac) or named[0].num_addresses == 1):
        return None
    return named[0]


def _is_network(text: str, argument: str) -> bool:
    try:
        parse_network(text, argument)
    except UsageError:
        return False
    return True
