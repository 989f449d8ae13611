"""The handshake: who may open a session, in the order of checks of the reference, and what is answered.

Nothing here touches a connection: a Request goes in; a Refusal comes out, or nothing when the session may
open. Also here: session ids, and the head of the 101 answer (RFC 6455 4.2).
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Collection, Generator, Iterable
from hashlib import sha1
from json import dumps
from logging import getLogger
from typing import Any

from fastsio.engine.request import Request
from fastsio.engine.response import header_lines, response
from fastsio.errors import ConnectError
from fastsio.limits import rate_limited

log = getLogger("fastsio")

MESSAGES = {
    0: "Transport unknown",
    1: "Session ID unknown",
    2: "Bad handshake method",
    3: "Bad request",
    4: "Forbidden",
    5: "Unsupported protocol version",
}
UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_PROTOCOL = MESSAGES

MAX_ORIGINS_LOGGED = 20
ID_BYTES = 15  # 120 bits in 20 characters
IDS_AT_A_TIME = 256


class Refusal(Exception):
    """A request that opens no session.

    code: one of those above; message: for the client (default: the code's own); upgrade_status: the status
    when the request asked for a websocket; headers: for that answer.
    """

    def __init__(
        self,
        code: int,
        message: str | None = None,
        *,
        upgrade_status: int = 400,
        headers: Collection[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message or MESSAGES[code])
        self.code = code
        self.message = message or MESSAGES[code]
        self.upgrade_status = upgrade_status
        self.headers = headers

    def answer(self, request: Request) -> bytes:
        """The HTTP answer: JSON, or plain text to a request for a websocket, whose connection ends with it."""
        if request.upgrade:
            headers = [("Connection", "close"), ("Content-type", "text/html"), *self.headers]
            return response(self.upgrade_status, headers, self.message.encode(errors="replace"), close=False)
        return response(
            403 if self.code == FORBIDDEN else 400,
            [("Content-Type", "application/json")],
            dumps({"code": self.code, "message": self.message}, separators=(",", ":")).encode(),
            close=not request.keep_alive,
            head=request.method == "HEAD",
        )


class Handshake:
    """The checks of one engine. options: the engine's; sessions: the open ones by id."""

    def __init__(self, options: dict[str, Any], sessions: Collection[str]) -> None:
        self._path: str = options["path"]
        self._prefix = self._path + "/"
        self._slash_needed: bool = options["add_trailing_slash"]
        self._transports: Collection[str] = options.get("transports", ("websocket",))
        self._origins = options["origins"]
        self._allow_request: Callable[[Request], Any] | None = options["allow_request"]
        self._sessions = sessions
        self._origins_logged: set[str] = set()

    def matches(self, path: str) -> bool:
        """Whether a request for this path is ours; the path is taken as it was sent, and may go on behind ours."""
        if path == self._prefix or (path == self._path and not self._slash_needed):
            return True
        return path.startswith(self._prefix) and not {".", ".."}.intersection(path.split("/"))

    def check(self, request: Request) -> Generator[Any, Any, None]:
        """Raises Refusal, or ends when the session may open.

        Yields what the application's functions return, awaitable or not, and takes back what came of it.
        """
        try:
            transport, protocol, id = request.only("transport", "EIO", "sid")
        except ValueError:
            raise Refusal(BAD_REQUEST) from None
        if transport not in self._transports:
            raise Refusal(UNKNOWN_TRANSPORT)
        if id:
            # On websocket, the only transport yet, no request belongs to a session once it is open.
            raise Refusal(BAD_REQUEST if id in self._sessions else UNKNOWN_SID)
        if request.method != "GET":
            raise Refusal(BAD_METHOD)
        if request.upgrade != (transport == "websocket"):
            raise Refusal(BAD_REQUEST)
        origin = request.header("origin")
        if origin is not None:
            yield from self._check_origin(origin, request)
        if self._allow_request is not None:
            yield from self._ask(self._allow_request, request)
        if protocol != "4":
            raise Refusal(UNSUPPORTED_PROTOCOL)
        if request.upgrade:
            check_websocket(request)

    def _check_origin(self, origin: str, request: Request) -> Generator[Any, Any, None]:
        allowed = self._origins
        if allowed == "*":
            return
        if callable(allowed):
            try:
                good = yield allowed(origin)
            except Exception as error:
                if rate_limited("origins"):
                    log.error("exception in the function given as origins", exc_info=error)
                raise Refusal(FORBIDDEN, upgrade_status=403) from None
        elif allowed is None:
            good = is_same_origin(origin, request)
        else:
            good = origin == allowed if isinstance(allowed, str) else origin in allowed or "*" in allowed
        if not good:
            self._log_origin(origin)
            raise Refusal(FORBIDDEN, upgrade_status=403)

    def _log_origin(self, origin: str) -> None:
        if origin in self._origins_logged or len(self._origins_logged) >= MAX_ORIGINS_LOGGED or len(origin) > 200:
            return
        self._origins_logged.add(origin)
        log.warning("refused a page of origin %a; to allow it: Server(origins=[%a])", origin, origin)

    def _ask(self, allow_request: Callable[[Request], Any], request: Request) -> Generator[Any, Any, None]:
        try:
            allowed = yield allow_request(request)
        except ConnectError as error:
            raise Refusal(FORBIDDEN, str(error.message)) from None
        except Exception as error:
            if rate_limited("allow_request"):
                log.error("exception in allow_request", exc_info=error)
            raise Refusal(FORBIDDEN) from None
        if not allowed:
            raise Refusal(FORBIDDEN)


def check_websocket(request: Request) -> None:
    """RFC 6455 4.2.1: version and key."""
    if request.header("sec-websocket-version") != "13":
        version = [("Sec-WebSocket-Version", "13")]
        raise Refusal(BAD_REQUEST, "Unsupported websocket version", upgrade_status=426, headers=version)
    key = request.header("sec-websocket-key") or ""
    try:
        good = len(a2b_base64(key, strict_mode=True)) == 16
    except (Base64Error, ValueError):
        good = False
    if not good:
        raise Refusal(BAD_REQUEST, "Missing or invalid Sec-WebSocket-Key header")


def is_same_origin(origin: str, request: Request) -> bool:
    """Whether the page comes from where the request goes to.

    A plain connection may be the inner side of a proxy that speaks TLS outside, so there https is the same
    origin too; over TLS, http is not.
    """
    scheme, _, host = origin.partition("://")
    if scheme == "https":
        port = ":443"
    elif scheme == "http" and not request.secure:
        port = ":80"
    else:
        return False
    host = host.removesuffix(port)
    return host != "" and host == request.host.removesuffix(port)


# ---- ids ----

_ids: list[str] = []  # made ahead; another process must not have the same
os.register_at_fork(after_in_child=_ids.clear)


def generate_id() -> str:
    """A new id: 20 characters that are safe in URLs, 120 bits from the operating system."""
    try:
        return _ids.pop()
    except IndexError:
        text = urlsafe_b64encode(os.urandom(ID_BYTES * IDS_AT_A_TIME)).decode()
        new = [text[at : at + 20] for at in range(0, len(text), 20)]
        id = new.pop()
        _ids.extend(new)
        return id


# ---- the 101 answer ----

WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3

SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n%b\r\n"
)


def accept(key: str) -> bytes:
    """The Sec-WebSocket-Accept for a key."""
    return b2a_base64(sha1(key.encode() + WEBSOCKET_GUID, usedforsecurity=False).digest(), newline=False)


def switching_protocols(key: str, extra: Iterable[tuple[str, str]]) -> bytes:
    """The head of the 101 answer. extra: more headers. ValueError: CR, LF or NUL in one."""
    return SWITCHING % (accept(key), header_lines(extra))
