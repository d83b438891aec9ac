"""POST to an address that an operator has named: once, within seconds, and never into a private network."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from urllib.parse import urlsplit

import msgspec

PATIENCE = 10.0  # seconds, from the first look-up to the head of the answer


class Unreached(Exception):  # noqa: N818 - a state of affairs
    """There was no answer. The message says why, without the address."""


class Forbidden(Unreached):
    """The address lies inside a private network, or is none."""


class Reply(msgspec.Struct, frozen=True):
    """The status of an answer, and what Retry-After said, if it did. The rest of it interests nobody."""

    status: int
    retry_after: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool = False) -> Reply:
    """Post a body and return the answer's head. Redirects are not followed. Raises Unreached and Forbidden.

    The name is resolved once, and the address that was checked is the one that is connected to. Only with `private` may
    it be one that not everybody on the Internet can reach.
    """
    connection = _connection(url, private=private)
    deadline = Timer(PATIENCE, lambda: connection.sock and connection.sock.shutdown(socket.SHUT_RDWR))
    deadline.daemon = True
    deadline.start()
    try:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {**headers, "Host": parts.netloc})
        answer = connection.getresponse()
        return Reply(answer.status, answer.getheader("Retry-After", ""))
    except (OSError, HTTPException, ValueError) as error:
        raise Unreached(f"no answer: {type(error).__name__}") from None
    finally:
        deadline.cancel()
        connection.close()


def _connection(url: str, *, private: bool) -> HTTPConnection:
    """Return a connection, already made, to an address that was checked."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = resolved(host, port, private=private)
    try:
        sock = socket.create_connection((address, port), PATIENCE)
        if parts.scheme == "https":
            secure = HTTPSConnection(host, port, timeout=PATIENCE)
            secure.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
            return secure
    except OSError as error:
        raise Unreached(f"no connection: {type(error).__name__}") from None
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    connection.sock = sock
    return connection


def resolved(host: str, port: int, *, private: bool = False) -> str:
    """Return an address of a host that may be connected to. Raises Unreached, and Forbidden where none may be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreached("the name is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    allowed = [address for address in addresses if private or is_public(address)]
    if not allowed:
        raise Forbidden("the address lies inside a private network")
    return allowed[0]


def is_public(address: str) -> bool:
    """Whether an IP address is anybody's on the Internet: not private, of this machine, of this link, or for many."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return ip.is_global and not ip.is_multicast and (inner is None or is_public(str(inner)))
