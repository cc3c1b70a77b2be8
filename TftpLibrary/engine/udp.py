"""UDP as this project needs it: binding, the address asked, and windows in one system call.

Linux specialities are used where the platform has them and left out where it does not:

- IP_PKTINFO / IPV6_RECVPKTINFO: which local address a request was sent to, so that the answer
  comes from there (RFC 1123 section 4.2.3.5 also wants broadcast requests ignored);
- UDP_SEGMENT (generic segmentation offload): a window of datagrams in one call;
- a second, unconnected socket on the TID of a transfer, which sees the strangers that a
  connected socket never sees (RFC 1350 section 4: ERROR 5 for them).
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Sequence
from math import inf

from TftpLibrary.engine import hosts
from TftpLibrary.engine.hosts import Address
from TftpLibrary.errors import UsageError

Control = Sequence[tuple[int, int, bytes]]
"""Control messages, as `recvmsg` and `sendmsg` have them: level, kind and octets."""

Arrived = tuple[bytes, Address, Address | None, bool, float, Control]
"""A datagram that came to a request socket; `receive_request` says what each part is."""

IS_LINUX = sys.platform == "linux"
"""Beside a call that other systems do not have, `sys.platform` shows that to type checkers."""
DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_SOL_UDP = 17
_UDP_SEGMENT = 103
_UDP_GRO = 104
_IP_PKTINFO = 8
_IP_MTU_DISCOVER = 10
_IP_PMTUDISC_DONT = 0
_IP_MTU = 14
_IPV6_MTU = 24
_IPV6_RECVPKTINFO = getattr(socket, "IPV6_RECVPKTINFO", 49)
_IPV6_PKTINFO = getattr(socket, "IPV6_PKTINFO", 50)
_IN_PKTINFO = struct.Struct("=i4s4s")
_IN6_PKTINFO = struct.Struct("=16sI")

_MOMENT = struct.pack("@ll", 0, 10_000)
"""10 ms as a timeval: a lone session delays a command or a new request by no more."""

MAX_SEGMENTS = 64
"""Datagrams of one call; older kernels take no more."""
MAX_SEND = 65507
"""Octets of one call: the payload of the largest IPv4 datagram."""
CONTROL_SIZE = 128
"""Octets of control messages that a receive call has room for."""
MAX_MERGED = 65536
"""Octets that the kernel merges into one receive call at most."""
_IP_UDP_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}

# On Linux a datagram takes more room in the socket's buffer than its payload.
RECEIVE_BUFFER = 4 * 1024 * 1024
SEND_BUFFER = 1024 * 1024


def bind_request_socket(
    host: str, port: int, found: tuple[int, Address] | None = None
) -> socket.socket:
    """Opens the socket that takes requests.

    Args:
        host: address or name.
        port: port; 0 for a free one.
        found: what `hosts.resolve_local` returned for them, which may have taken time.

    Raises:
        UsageError: the address cannot be bound; the text says why and what to do.
    """
    family, address = found or hosts.resolve_local(host, port)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            # `::` serves IPv4 too.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise UsageError(hosts.bind_trouble(host, port, error)) from error
    sock.setblocking(False)
    _enlarge(sock, socket.SO_RCVBUF, RECEIVE_BUFFER)
    _enlarge(sock, socket.SO_SNDBUF, SEND_BUFFER)
    if IS_LINUX:
        _let_fragment(sock)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    if IS_LINUX and hosts.is_wildcard(str(address[0])):
        # A socket with an address of its own gets only datagrams that were sent to it.
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        # On `::` too: only this one shows that an IPv4 request went to a broadcast address.
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    return sock


def hear_of_trouble(sock: socket.socket, *, is_wanted: bool) -> None:
    """Lets an unconnected socket hear that a port is closed, or a host out of reach. Linux only.

    Args:
        sock: the socket.
        is_wanted: False forgets what has come, and hears no more.
    """
    if IS_LINUX:
        is_ipv6 = sock.family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if is_ipv6 else socket.IPPROTO_IP
        sock.setsockopt(level, _IPV6_RECVERR if is_ipv6 else _IP_RECVERR, int(is_wanted))


def take_troubles(sock: socket.socket) -> list[tuple[str, int]]:
    """Returns what a socket heard since: the hosts it had sent to, and the error numbers."""
    found: list[tuple[str, int]] = []
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            while True:
                flags = socket.MSG_ERRQUEUE | DONTWAIT
                _, control, _, address = sock.recvmsg(1, CONTROL_SIZE, flags)
                for _, kind, octets in control:
                    if kind in (_IP_RECVERR, _IPV6_RECVERR):
                        (number,) = struct.unpack_from("@I", octets)
                        found.append((hosts.readable_host(address), number))
    return found


def open_tid(
    local: Address, family: int, port_range: tuple[int, int] | None = None
) -> socket.socket:
    """Opens the socket of one transfer, at a port of its own.

    Raises:
        OSError: no port of the range is free, or no descriptor is left.
    """
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if IS_LINUX:
            # A lone session waits in recv for a moment; all other calls say MSG_DONTWAIT.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _MOMENT)
            _let_fragment(sock)
        else:
            sock.setblocking(False)
        if port_range is None:
            sock.bind((local[0], 0, *local[2:]))
        else:
            _bind_in_range(sock, local, port_range)
    except BaseException:
        sock.close()
        raise
    return sock


def open_stranger_socket(sock: socket.socket) -> socket.socket | None:
    """Opens a second socket on the TID of a transfer, before its own one is connected.

    The kernel gives each datagram to the connected socket if its sender is the peer, and to this
    one otherwise. None where the platform cannot do that.
    """
    if sys.platform != "linux" or not IS_LINUX:
        return None
    # Only now: the free port was found without the option, so no two transfers share one.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stranger = socket.socket(sock.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(sock.getsockname())
    except OSError:
        stranger.close()
        return None
    return stranger


def receive_request(sock: socket.socket, size: int) -> Arrived | None:
    """Takes one datagram from the request socket.

    Returns:
        The octets; the peer; the local address to which it was sent (None if unknown); whether that
        is a broadcast address; when it came, in seconds of the wall clock (infinity if unknown);
        and the control messages. None when there is no datagram.
    """
    try:
        if sys.platform == "win32" or not IS_LINUX:
            datagram, peer = sock.recvfrom(size)
            return datagram, peer, None, False, inf, ()
        datagram, control, _, peer = sock.recvmsg(size, CONTROL_SIZE)
    except (BlockingIOError, InterruptedError, ConnectionError):
        # Windows reports here that an earlier answer reached nobody.
        return None
    came = inf
    if control and control[0][1] == _SO_TIMESTAMPNS:
        seconds, nanoseconds = _TIMESPEC.unpack(control.pop(0)[2])
        came = seconds + nanoseconds * 1e-9
    local, is_broadcast = _asked_address(control)
    return datagram, peer, local, is_broadcast, came, control


def send_from(sock: socket.socket, datagram: bytes, peer: Address, local: Address | None) -> None:
    """Sends from a wildcard socket with the source address that was asked. Errors are ignored.

    A reply that cannot leave is the same as one that was lost.
    """
    with contextlib.suppress(OSError):
        if sys.platform == "win32" or local is None or not IS_LINUX:
            sock.sendto(datagram, peer)
        else:
            sock.sendmsg([datagram], pktinfo(sock.family, local), DONTWAIT, peer)


def pktinfo(family: int, local: Address) -> list[tuple[int, int, bytes]]:
    """Returns the control message that names the source address."""
    host = str(local[0]).partition("%")[0]
    if family == socket.AF_INET:
        source = socket.inet_pton(socket.AF_INET, host)
        return [(socket.IPPROTO_IP, _IP_PKTINFO, _IN_PKTINFO.pack(0, source, b"\0" * 4))]
    scope = int(local[3]) if len(local) > 3 else 0
    source = socket.inet_pton(socket.AF_INET6, host)
    return [(socket.IPPROTO_IPV6, _IPV6_PKTINFO, _IN6_PKTINFO.pack(source, scope))]


def local_host(control: Control) -> str:
    """Returns the local address in control messages; empty if there is none."""
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            _, source, header = _IN_PKTINFO.unpack_from(data)
            return socket.inet_ntop(socket.AF_INET, header if any(header) else source)
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            return socket.inet_ntop(socket.AF_INET6, data[:16])
    return ""


def enlarge_buffers(sock: socket.socket, *, is_sending: bool) -> None:
    """Asks for larger socket buffers; the system may give less, and nothing depends on it."""
    if is_sending:
        _enlarge(sock, socket.SO_SNDBUF, SEND_BUFFER)
    else:
        _enlarge(sock, socket.SO_RCVBUF, RECEIVE_BUFFER)


def enable_offload(sock: socket.socket, segment: int) -> bool:
    """Lets one send carry many datagrams of `segment` octets, if the route and the kernel can.

    While the option is set, a send longer than a segment is cut into datagrams of that size.
    """
    if not IS_LINUX:
        return False
    is_ipv4 = sock.family == socket.AF_INET
    level, option = (socket.IPPROTO_IP, _IP_MTU) if is_ipv4 else (socket.IPPROTO_IPV6, _IPV6_MTU)
    try:
        if segment + _IP_UDP_HEADERS[sock.family] > sock.getsockopt(level, option):
            # The kernel refuses segments that would need fragments, even a single one.
            return False
        sock.setsockopt(_SOL_UDP, _UDP_SEGMENT, segment)
    except OSError:
        return False
    return True


def disable_offload(sock: socket.socket) -> None:
    """Goes back to one datagram for each send."""
    with contextlib.suppress(OSError):
        sock.setsockopt(_SOL_UDP, _UDP_SEGMENT, 0)


def segment_size(sock: socket.socket) -> int:
    """Returns the octets of each datagram of one send; 0 if one send is one datagram."""
    try:
        return sock.getsockopt(_SOL_UDP, _UDP_SEGMENT) if IS_LINUX else 0
    except OSError:
        return 0


def merge_datagrams(sock: socket.socket) -> bool:
    """Lets one receive call take many datagrams of one size, the last one perhaps shorter."""
    if not IS_LINUX:
        return False
    try:
        sock.setsockopt(_SOL_UDP, _UDP_GRO, 1)
    except OSError:
        return False
    return True


def merged_size(control: Control) -> int:
    """Returns the octets of each datagram that one receive call merged; 0 for a single one."""
    sizes = [data for level, kind, data in control if (level, kind) == (_SOL_UDP, _UDP_GRO)]
    return int.from_bytes(sizes[0][:4], sys.byteorder) if sizes else 0


def burst_size(segment: int) -> int:
    """Returns how many octets of framed datagrams one call may carry."""
    return min(MAX_SEGMENTS, max(1, MAX_SEND // segment)) * segment


def _let_fragment(sock: socket.socket) -> None:
    """Lets routers cut datagrams: otherwise large blocks vanish where ICMP is filtered.

    It is for IPv4, also on an IPv6 socket; in IPv6 no router cuts anything.
    """
    sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)


def _bind_in_range(sock: socket.socket, local: Address, ports: tuple[int, int]) -> None:
    low, high = ports
    for port in range(low, high + 1):
        try:
            sock.bind((local[0], port, *local[2:]))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == high:
                raise
        else:
            return


def _asked_address(control: list[tuple[int, int, bytes]]) -> tuple[Address | None, bool]:
    asked: tuple[Address | None, bool] = None, False
    for level, kind, data in control:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            _, local, header = _IN_PKTINFO.unpack_from(data)
            host, is_broadcast = socket.inet_ntop(socket.AF_INET, local), local != header
            if asked[0] is None:
                return (host, 0), is_broadcast
            # An IPv4 request to a socket of both families.
            return (f"::ffff:{host}", 0, 0, 0), is_broadcast
        if level == socket.IPPROTO_IPV6 and kind == _IPV6_PKTINFO:
            octets, index = _IN6_PKTINFO.unpack_from(data)
            host = socket.inet_ntop(socket.AF_INET6, octets)
            is_link_local = octets[:2] == b"\xfe\x80"
            is_multicast = octets[0] == 0xFF
            asked = (host, 0, 0, index if is_link_local else 0), is_multicast
    return asked


def _enlarge(sock: socket.socket, option: int, octets: int) -> None:
    with contextlib.suppress(OSError):
        if sock.getsockopt(socket.SOL_SOCKET, option) < octets:
            sock.setsockopt(socket.SOL_SOCKET, option, octets)
