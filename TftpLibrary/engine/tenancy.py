"""The tenancy of one server at its port: it enters, serves, leaves, and may come back.

The constructor and `close` may be called from any thread, everything else on the engine's.
"""

from __future__ import annotations

import socket

from TftpLibrary.engine import hosts
from TftpLibrary.engine.clients import Clients
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.ports import RequestPort, Tenant
from TftpLibrary.errors import UsageError
from TftpLibrary.settings import ServerSettings


class Tenancy:
    """One server at its port.

    Args:
        tenant: the server.
        settings: its host, port and clients.
        engine: has the ports.

    Raises:
        UsageError: the port cannot be bound, or another server there has the clients.

    Attributes:
        at: the port.
        is_wildcard: whether it is bound to all addresses of this machine.
    """

    def __init__(self, tenant: Tenant, settings: ServerSettings, engine: Engine) -> None:
        self._host = hosts.default_address() if settings.host == "auto" else settings.host
        self.is_wildcard = hosts.is_wildcard(self._host)
        self._tenant = tenant
        self._engine = engine
        self.check(settings)
        # Not on the engine's thread: the name of a host may take long to find.
        self._place = hosts.resolve_local(self._host, settings.port)
        self.at: RequestPort = engine.call(self._enter)

    @property
    def sock(self) -> socket.socket:
        """The socket of the port."""
        return self.at.sock

    def check(self, settings: ServerSettings) -> None:
        """Checks that broadcast requests can come, if they are to be answered.

        Raises:
            UsageError: they cannot.
        """
        if settings.broadcast and not self.is_wildcard:
            raise UsageError(
                "A server that is bound to one address gets no request to a broadcast address: "
                f"broadcast=True needs host=0.0.0.0 or host=::, got host={settings.host}."
            )

    def check_clients(self, clients: Clients) -> None:
        """Checks that the server may have other clients.

        Raises:
            UsageError: another server at the port has them.
        """
        self.at.check(self._tenant, clients, f"Cannot change clients= of '{self._tenant.alias}'")

    def begin(self) -> None:
        """Serves from now on."""
        self.at.serve(self._tenant)

    def unbind(self) -> None:
        """Leaves the port, which closes.

        Raises:
            UsageError: it does not close, since other servers share it.
        """
        if self.at.is_shared:
            raise UsageError(
                f"A crash closes the port, which is shared by {self.at.names}. Pause the server "
                "with power_cut: its boards get no answer either, and the others go on."
            )
        self.leave()

    def rebind(self, bound: Address) -> None:
        """Opens the same port again, and serves there.

        Raises:
            UsageError: it was taken meanwhile.
        """
        self._place = self._place[0], bound
        self.at = self._enter()
        self.begin()

    def leave(self) -> None:
        """Leaves the port. Idempotent."""
        self.at.leave(self._tenant)

    def close(self) -> None:
        """Leaves the port. Idempotent; from any thread."""
        try:
            self._engine.call(self.leave)
        except UsageError:
            # The engine was stopped, and its thread is over.
            self.leave()

    def _enter(self) -> RequestPort:
        return self._engine.ports.enter(self._tenant, self._host, self._place)
