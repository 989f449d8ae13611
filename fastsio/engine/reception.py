"""Reception: what becomes of a request.

A request goes through middlewares, the origin's check and the checks of handshake.py, some of which may wait for
a function of the application; then a session opens, a polling session gets its GET or POST, a websocket is offered
to a session for its upgrade, or a file is sent. Every request gets exactly one answer, whatever goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from inspect import isawaitable
from logging import getLogger
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from multidict import CIMultiDict

from fastsio.engine.cookie import set_cookie
from fastsio.engine.core import Core
from fastsio.engine.cors import Cors
from fastsio.engine.handshake import BAD_REQUEST, FORBIDDEN, MESSAGES, UNKNOWN_SID, Handshake, Headers, Refusal
from fastsio.engine.http import HttpError
from fastsio.engine.origins import OriginCheck
from fastsio.engine.polling import Polling
from fastsio.engine.request import Request
from fastsio.engine.response import header_lines
from fastsio.engine.session import Session
from fastsio.engine.static import StaticFile
from fastsio.engine.switching import switching_protocols
from fastsio.errors import ConnectError
from fastsio.events import Emitter
from fastsio.handlers import Listeners
from fastsio.limits import rate_limited
from fastsio.tasks import spawn
from fastsio.wire.deflate import negotiate

if TYPE_CHECKING:
    from fastsio.engine.engine import Engine

log = getLogger("fastsio")

Middleware = Callable[[Request], Any]


class Exchange(Protocol):
    """One HTTP request under way, whoever carries it."""

    waiter: Any
    session: Session | None

    @property
    def peer(self) -> str: ...
    @property
    def secure(self) -> bool: ...
    def respond(self, status: int, headers: Headers, body: bytes) -> None: ...
    def upgrade(self, head: bytes, session: Session, probing: bool, deflate: bool) -> None: ...
    def wait(self) -> None: ...
    def abort(self) -> None: ...


class Preflight(list[tuple[str, str]]):
    """The headers of the answer to an OPTIONS request."""


class Opening(NamedTuple):
    """A new session. id: its own; protocol: Engine.IO's."""

    id: str
    protocol: int


# What a request is for: a new session, a session that it upgrades, a polling session, a file, or a preflight.
Purpose = Opening | Session | Polling | StaticFile | Preflight
# The way there: yields what the application's functions return, takes what came of it.
Steps = Generator[object, Any, Purpose]


class EngineSocket(Session, Emitter):
    """The engine socket: one Engine.IO client. `conn` of a Client and of a Socket is one of these.

    id: the session's, as the client has it; protocol: of Engine.IO, 3 (clients 2.x) or 4; request: that opened it;
    upgraded: whether it went over from polling to websocket.
    Events: `packet(packet)` and `message(data)` come in; `packet_create(packet)` is what goes out by `send()` and the
    heartbeat, before it is queued, while events of Socket.IO are encoded once for many and not told one by one; a packet
    is {"type": ..., "data": ...}. `drain()`: all that was queued has left; `upgrade(transport)`,
    `close(reason, description)`. Source: Engine.IO.
    """

    __slots__ = ()

    def _table(self) -> Listeners:
        return Session._table(self)


class Reception:
    """The requests of one engine. core: the engine's share of the event loop."""

    def __init__(self, engine: Engine, core: Core) -> None:
        self._engine = engine
        self._core = core
        self._options = options = engine._options
        self._listeners = engine._listeners
        self._clients = engine.clients
        self._handshake = Handshake(options, engine.clients, core.lingering)
        self._origins = OriginCheck(options["origins"])
        self._cors = Cors(options["origins"], options["cors"])
        # The requests that wait for a function of the application; an exchange may have one after the other.
        self._deciding: dict[Exchange, Request] = {}

    def matches(self, path: str) -> bool:
        """Whether the path is below the engine's."""
        return self._handshake.matches(path)

    # ---- what connections call ----

    def on_lost(self, exchange: Exchange) -> None:
        """Its connection is gone."""
        self._deciding.pop(exchange, None)

    def on_announced(self, exchange: Exchange, request: Request) -> None:
        """The head of a request whose body is still coming: two POSTs to one session at a time are refused."""
        if self._handshake.matches(request.path):
            session = self._clients.get(request.query.get("sid", ""))
            carrier = session.transport if session is not None else None
            if isinstance(carrier, Polling) and request.method == "POST":
                carrier.on_announced(exchange, self._cors.headers(None))

    def on_request(self, exchange: Exchange, request: Request | HttpError) -> None:
        """Answers a request, or begins to; an HttpError stands for what is not HTTP as we take it."""
        if isinstance(request, HttpError):
            self._deciding.pop(exchange, None)
            self._count(f"http {request.status}")
            exchange.respond(request.status, self._error_headers(request), str(request).encode())
            return
        headers: Headers = []
        try:
            request.address = exchange.peer
            request.secure = exchange.secure
            path = request.path
            if path in self._engine.files and not request.upgrade:
                self._advance(exchange, request, headers, self._file_steps(self._engine.files[path], request, headers))
            elif self._handshake.matches(path):
                if not self._poll_at_once(exchange, request):
                    self._advance(exchange, request, headers, self._steps(request, headers))
            else:
                self._count("http 404")
                exchange.respond(404, [], b"")
        except Exception as error:
            self._fail(exchange, request, headers, error)

    def _poll_at_once(self, exchange: Exchange, request: Request) -> bool:
        """Whether it was a polling session's request in which nobody has a say: of the steps only the checks are left.

        That is nearly all of what a polling client sends, and a quarter less work.
        """
        if self._engine._middlewares or self._cors.configured or request.upgrade or "sid=" not in request.url:
            return False
        if request.header("origin") is not None:
            return False
        found = self._handshake.check(request)
        if not isinstance(found, Polling):
            return False
        self._poll(exchange, request, [], found)
        return True

    def _error_headers(self, error: HttpError) -> Headers:
        """CORS, as far as it can be said at once."""
        if error.request is None or not self._cors.configured or not self._handshake.matches(error.request.path):
            return []
        origin = error.request.header("origin")
        return self._cors.headers(origin if origin is not None and self._origins.is_listed(origin) else None)

    # ---- from a request to what it is for ----

    def _steps(self, request: Request, headers: Headers) -> Steps:
        """What the request is for. headers: for its answer, errors too; Refusal: it is refused."""
        for middleware in self._engine._middlewares:
            yield from self._pass(middleware, request, headers)
        origin = request.header("origin")
        allowed = origin is None or (yield from self._origins.judge(origin, request))
        if self._cors.configured:
            readable = origin if allowed else None
            if request.method == "OPTIONS":
                return self._preflight(readable, request)
            headers += self._cors.headers(readable)
        found = self._handshake.check(request)
        if not allowed:
            raise Refusal(FORBIDDEN, upgrade_status=403, context={"origin": origin})
        if not isinstance(found, int):
            return found
        yield from self._handshake.admit(request, found)
        id = yield self._engine.generate_id(request)
        if not isinstance(id, str) or not id or id in self._clients:
            raise ValueError(f"generate_id must return a new, non-empty str, got {id!r}")
        return Opening(id, found)

    def _file_steps(self, file: StaticFile, request: Request, headers: Headers) -> Steps:
        origin = request.header("origin")
        if self._cors.configured:
            allowed = origin is not None and (yield from self._origins.judge(origin, request))
            readable = origin if allowed else None
            if request.method == "OPTIONS":
                return self._preflight(readable, request)
            headers += self._cors.headers(readable)
        return file

    def _preflight(self, origin: str | None, request: Request) -> Preflight:
        return Preflight(self._cors.preflight(origin, request.header("access-control-request-headers"))[1])

    def _pass(self, middleware: Middleware, request: Request, headers: Headers) -> Generator[object, Any, None]:
        try:
            result = yield middleware(request)
            if result is not None:
                more = list(result.items() if isinstance(result, Mapping) else result)
                header_lines(more)  # raises ValueError where they cannot be sent
                headers += more
        except ConnectError as error:
            raise Refusal(FORBIDDEN, error.message, context={"name": "MIDDLEWARE_FAILURE"}) from None
        except Exception as error:
            if rate_limited("engine middleware"):
                log.error("exception in a middleware of the engine", exc_info=error)
            raise Refusal(BAD_REQUEST, context={"name": "MIDDLEWARE_FAILURE"}) from None

    def _advance(self, exchange: Exchange, request: Request, headers: Headers, steps: Steps) -> None:
        """Takes the steps; from the first that has to be waited for on, in a task."""
        result: object = None
        try:
            while True:
                result = steps.send(result)
                if type(result) is not str and isawaitable(result):
                    self._deciding[exchange] = request
                    spawn(self._advance_later(exchange, request, headers, steps, result))
                    return
        except StopIteration as end:
            self._proceed(exchange, request, headers, end.value)

    async def _advance_later(
        self, exchange: Exchange, request: Request, headers: Headers, steps: Steps, result: object
    ) -> None:
        try:
            purpose = await remaining(steps, result)
            if self._deciding.get(exchange) is request:  # else it was answered, or its client is gone
                self._proceed(exchange, request, headers, purpose)
        except BaseException as error:
            if self._deciding.get(exchange) is request:
                self._fail(exchange, request, headers, error)
            if not isinstance(error, Exception):
                raise
        finally:
            if self._deciding.get(exchange) is request:
                del self._deciding[exchange]

    def _proceed(self, exchange: Exchange, request: Request, headers: Headers, purpose: Purpose) -> None:
        if isinstance(purpose, Polling):
            self._poll(exchange, request, headers, purpose)
        elif isinstance(purpose, Opening):
            self._open(exchange, request, headers, purpose)
        elif isinstance(purpose, Session):
            if not purpose.may_upgrade:  # it was, when this began
                raise Refusal(BAD_REQUEST)
            self._switch(exchange, request, self._told(headers, request, initial=False), purpose, probing=True)
        elif isinstance(purpose, StaticFile):
            status, own, body = purpose.reply(request)
            exchange.respond(status, own + headers, body)
        else:
            exchange.respond(204, [*headers, *purpose], b"")

    def _poll(self, exchange: Exchange, request: Request, headers: Headers, polling: Polling) -> None:
        if not polling.active:  # it was, when this began
            raise Refusal(UNKNOWN_SID)
        headers = self._told(headers, request, initial=False)
        if request.method == "GET":
            polling.on_get(exchange, request, headers)
        else:
            polling.on_post(exchange, request, headers)

    def _open(self, exchange: Exchange, request: Request, headers: Headers, opening: Opening) -> None:
        if len(self._clients) >= self._engine._max_connections:
            self._count("sessions above max_connections")
            exchange.respond(503, [("Retry-After", "10"), *headers], b"")
            return
        id, protocol = opening
        query = request.query if "b64=" in request.url or "j=" in request.url else {}
        receiver = self._engine._new_receiver()
        session = EngineSocket(self._core, id, request, receiver, protocol, bool(query.get("b64")) or "j" in query)
        session.on_closed = self._engine._forget
        receiver.attach(session)
        if not request.upgrade and self._options["cookie"] is not None:
            headers.append(("Set-Cookie", set_cookie(self._options["cookie"], id, request.secure)))
        headers = self._told(headers, request, initial=True)
        self._clients[id] = session
        try:
            if request.upgrade:
                self._switch(exchange, request, headers, session, probing=False)
            else:
                Polling(self._core, session, query.get("j")).open(exchange, request, headers)
        finally:
            if session.ready_state == "opening":  # something went wrong
                self._engine._forget(session)

    def _switch(
        self, exchange: Exchange, request: Request, headers: Headers, session: Session, *, probing: bool
    ) -> None:
        """Answers 101."""
        extension = None
        settings = self._core.deflate
        if settings is not None and request.header("sec-websocket-extensions") is not None:
            extension = negotiate(request.headers.getall("sec-websocket-extensions"), settings)
            if extension is not None:
                headers = [*headers, ("Sec-WebSocket-Extensions", extension)]
        exchange.upgrade(switching_protocols(request, headers), session, probing, extension is not None)

    def _told(self, headers: Headers, request: Request, *, initial: bool) -> Headers:
        """The headers, after the listeners of `initial_headers` and `headers` have had a look."""
        if not self._listeners.names():
            return headers
        names = [name for name in ("initial_headers", "headers") if self._listeners.get(name)]
        if not names or (not initial and "headers" not in names):
            return headers
        changing = CIMultiDict(headers)
        for name in names:
            if initial or name == "headers":
                self._listeners.fire(self._engine, name, changing, request)
        changed = list(changing.items())
        header_lines(changed)  # raises ValueError where they cannot be sent
        return changed

    def _fail(self, exchange: Exchange, request: Request, headers: Headers, error: BaseException) -> None:
        """Whatever went wrong, the request gets an answer."""
        if isinstance(error, Refusal):
            self._count(f"refused: {MESSAGES[error.code]}")
            error.request = request
            self._listeners.fire(self._engine, "connection_error", error)
            status, own, body = error.answer(request)
            exchange.respond(status, own + headers, body)
            return
        self._count("http 500")
        if rate_limited("http 500"):
            log.error("exception while a request was answered", exc_info=error)
        if exchange.session is not None:
            exchange.abort()  # the 101 is out: there is no other answer any more
        else:
            exchange.respond(500, [], b"")

    def _count(self, what: str) -> None:
        self._core.counters[what] += 1


async def remaining(steps: Steps, result: object) -> Purpose:
    """Takes the steps from a result on, which may have to be awaited like those after it."""
    try:
        while True:
            try:
                value = await result if isawaitable(result) else result
            except Exception as error:
                result = steps.throw(error)
            else:
                result = steps.send(value)
    except StopIteration as end:
        purpose: Purpose = end.value
        return purpose
