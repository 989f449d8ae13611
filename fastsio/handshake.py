"""Handshake: how a connection was opened, as users see it."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from multidict import CIMultiDict

    from fastsio.client import Client

HANDSHAKE = ("headers", "time", "address", "xdomain", "secure", "issued", "url", "query", "auth")


class Handshake:
    """How a connection was opened.

    auth: what the client sent with its CONNECT, {} without; a 2.x client's query for the namespace.
    Source: Socket.IO 2.x (`socket.handshake`), auth since 3.x.
    """

    __slots__ = ("_client", "auth")

    auth: Any

    def __init__(self, client: Client, auth: object) -> None:
        self._client = client
        self.auth = auth

    @property
    def headers(self) -> CIMultiDict[str]:
        """The request's headers: a case-insensitive multidict."""
        return self._client.request.headers

    @property
    def query(self) -> dict[str, str]:
        """The query parameters of the URL; a 2.x client's for its namespace go in front of them."""
        query = self._client.request.query
        return {**query, **self.auth} if self._client.conn.protocol == 3 and isinstance(self.auth, dict) else query

    @property
    def url(self) -> str:
        """The request's target: path and query."""
        return self._client.request.url

    @property
    def address(self) -> str:
        """The client's address, without the port."""
        return self._client.request.address

    @property
    def secure(self) -> bool:
        """Whether it came over TLS."""
        return self._client.request.secure

    @property
    def xdomain(self) -> bool:
        """Whether a browser sent it from a page of another origin."""
        origin = self.headers.get("origin")
        return origin is not None and urlsplit(origin).netloc != self.headers.get("host")

    def as_dict(self) -> dict[str, Any]:
        """All of it in plain values, as an adapter sends it to other servers. Source: ours."""
        return {name: getattr(self, name) for name in HANDSHAKE} | {"headers": dict(self.headers)}

    @property
    def issued(self) -> int:
        """When it was opened, in milliseconds since the epoch."""
        return round(self._client.conn.opened * 1000)

    @property
    def time(self) -> str:
        """The same as text, in UTC."""
        return formatdate(self.issued / 1000, usegmt=True)
