"""Who may do what: the checks of a request, in the order of the reference.

Nothing here touches a connection: a Request goes in; a Refusal comes out, or what the request is for. The order,
with the code of what is refused: transport (0), session id (1), transport or protocol of that session (3); for a
new session method (2), upgrade (3), origin (4), allow_request (4), protocol (5).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from json import dumps
from logging import getLogger
from typing import Any

from fastsio.engine.polling import Polling
from fastsio.engine.request import Request
from fastsio.engine.session import Session
from fastsio.engine.switching import is_key
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

Headers = list[tuple[str, str]]


class Refusal(Exception):
    """A request that is refused; what listeners of the engine's `connection_error` get.

    code: 0 "Transport unknown", 1 "Session ID unknown", 2 "Bad handshake method", 3 "Bad request", 4 "Forbidden",
    5 "Unsupported protocol version"; message: what the client is told, the code's own or that of who refused;
    context: what was wrong, for the log; request: the one that was refused. Source: Engine.IO 6.x.
    """

    code: int
    message: str
    context: dict[str, object]
    request: Request

    def __init__(
        self,
        code: int,
        message: str | None = None,
        *,
        context: dict[str, object] | None = None,
        upgrade_status: int = 400,
        headers: Headers | None = None,
    ) -> None:
        super().__init__(message or MESSAGES[code])
        self.code = code
        self.message = message or MESSAGES[code]
        self.context = context or {}
        self._upgrade_status = upgrade_status
        self._headers = headers or []

    def answer(self, request: Request) -> tuple[int, Headers, bytes]:
        """Status, headers and body: JSON, or plain text to a request for a websocket."""
        if request.upgrade:
            headers = [("Content-type", "text/html"), *self._headers]
            return self._upgrade_status, headers, self.message.encode(errors="replace")
        body = dumps({"code": self.code, "message": self.message}, separators=(",", ":")).encode()
        return 403 if self.code == FORBIDDEN else 400, [("Content-Type", "application/json")], body


class Handshake:
    """The checks of one engine.

    options: the engine's; sessions: the open ones by id; lingering: those that have ended, while their clients
    have not been told.
    """

    def __init__(
        self, options: dict[str, Any], sessions: Mapping[str, Session], lingering: Mapping[str, Polling]
    ) -> None:
        self._path: str = options["path"]
        self._prefix = self._path + "/"
        self._slash_needed: bool = options["add_trailing_slash"]
        self._transports = frozenset(options["transports"])
        self._allow_upgrades: bool = options["allow_upgrades"]
        self._allow_eio3: bool = options["allow_eio3"]
        self._allow_request: Callable[[Request], Any] | None = options["allow_request"]
        self._sessions = sessions
        self._lingering = lingering

    def matches(self, path: str) -> bool:
        """Whether a request for this path is ours; the path is taken as it was sent, and may go on behind ours."""
        if path == self._prefix or (path == self._path and not self._slash_needed):
            return True
        return path.startswith(self._prefix) and not {".", ".."}.intersection(path.split("/"))

    def check(self, request: Request) -> Session | Polling | int:
        """What the request is for: a Session that wants to upgrade, a Polling that gets a GET or POST, or a new
        session of this protocol. Raises Refusal."""
        try:
            transport, protocol, id = request.only("transport", "EIO", "sid")
        except ValueError as error:
            raise Refusal(BAD_REQUEST, context={"name": str(error)}) from None
        if transport is None or transport not in self._transports:
            raise Refusal(UNKNOWN_TRANSPORT, context={"transport": transport})
        revision = 4 if protocol == "4" else 3
        if id:
            return self._find(request, transport, revision, id)
        if request.method != "GET":
            raise Refusal(BAD_METHOD, context={"method": request.method})
        if request.upgrade != (transport == "websocket"):
            raise Refusal(BAD_REQUEST, context={"name": "TRANSPORT_HANDSHAKE_ERROR"})
        return revision

    def _find(self, request: Request, transport: str, protocol: int, id: str) -> Session | Polling:
        session = self._sessions.get(id)
        if session is None:
            ended = self._lingering.get(id)
            if ended is None or transport != "polling" or request.method not in ("GET", "POST"):
                raise Refusal(UNKNOWN_SID, context={"sid": id})
            return ended
        carrier = session.transport
        if request.upgrade:
            if transport != "websocket" or request.method != "GET" or not self._allow_upgrades:
                raise Refusal(BAD_REQUEST, context={"name": "TRANSPORT_MISMATCH", "transport": transport})
            if not session.may_upgrade:
                raise Refusal(BAD_REQUEST, context={"name": "UPGRADE_TWICE"})
        elif transport != "polling" or not isinstance(carrier, Polling):
            raise Refusal(BAD_REQUEST, context={"name": "TRANSPORT_MISMATCH", "transport": transport})
        if session.protocol != protocol:
            raise Refusal(BAD_REQUEST, context={"protocol": protocol})
        if request.upgrade:
            check_websocket(request)
            return session
        if request.method not in ("GET", "POST"):
            raise Refusal(BAD_REQUEST, context={"method": request.method})
        assert isinstance(carrier, Polling)
        return carrier

    def admit(self, request: Request, protocol: int) -> Generator[Any, Any, None]:
        """Whether a new session may open: Refusal, if not.

        Yields what the application's function returns, awaitable or not, and takes back what came of it.
        """
        if self._allow_request is not None:
            yield from self._ask(self._allow_request, request)
        if protocol == 3 and not self._allow_eio3:
            raise Refusal(UNSUPPORTED_PROTOCOL)
        if request.upgrade:
            check_websocket(request)

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
    if not is_key(request.header("sec-websocket-key")):
        raise Refusal(BAD_REQUEST, "Missing or invalid Sec-WebSocket-Key header")
