"""Settings: what a Server tells of its options, and lets change before it listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, overload

from fastsio.engine.cors import Origins

if TYPE_CHECKING:
    from fastsio.adapter import Adapter
    from fastsio.engine.engine import Engine
    from fastsio.namespace import Namespace
    from fastsio.parser import Parser

UNSET: Final[Any] = object()  # None is a value


class Settings:
    """Each reads an option without an argument, and with one sets it and returns the server.

    Setting checks as the constructor does. RuntimeError: the server listens already.
    """

    engine: Engine
    _options: dict[str, Any]  # all of them, of the engine too, with their defaults
    _new_adapter: Callable[[Namespace], Adapter]

    def _set(self, **options: Any) -> None:
        raise NotImplementedError

    def _setting(self, name: str, value: Any) -> Any:
        if value is UNSET:
            return self._options[name]
        self._set(**{name: value})
        return self

    @property
    def options(self) -> Mapping[str, Any]:
        """All options with their values or defaults, the engine's too, by name; read-only. For adapters, above all.

        A group, such as `connection_state_recovery`, is an object with its keys as attributes, or None when it is off.
        Source: ours.
        """
        return MappingProxyType(self._options)

    @overload
    def path(self) -> str: ...
    @overload
    def path(self, value: str) -> Self: ...
    def path(self, value: Any = UNSET) -> Any:
        """What URLs of the server begin with (default: "/socket.io"); starts with "/".

        Without an argument it is returned, otherwise set, and the server returned. ValueError: it does not start
        with "/"; RuntimeError: the server listens already. Source: Socket.IO 2.x.
        """
        return self._setting("path", value)

    @overload
    def serve_client(self) -> bool: ...
    @overload
    def serve_client(self, value: bool) -> Self: ...
    def serve_client(self, value: Any = UNSET) -> Any:
        """Whether the browser client is served under `path`, as `/socket.io/socket.io.js` (default: True).

        Without an argument it is returned, otherwise set, and the server returned. TypeError: no bool;
        RuntimeError: the server listens already. Source: Socket.IO 2.x (serveClient).
        """
        return self._setting("serve_client", value)

    @overload
    def origins(self) -> Origins: ...
    @overload
    def origins(self, value: Origins) -> Self: ...
    def origins(self, value: Any = UNSET) -> Any:
        """Which pages may connect, by polling and websocket alike (default: None, those of the server's own origin).

        "*" (or "*:*") for all, a list of origins such as "https://example.com", or a function, sync or async:
        `fn(origin) -> bool`. Without an argument it is returned, otherwise set, and the server returned.
        TypeError: none of these; ValueError: "*" together with `cors` credentials; RuntimeError: the server listens
        already. Source: Socket.IO 2.x, where any origin may connect by default.
        """
        return self._setting("origins", value)

    @overload
    def connect_timeout(self) -> float: ...
    @overload
    def connect_timeout(self, value: float) -> Self: ...
    def connect_timeout(self, value: Any = UNSET) -> Any:
        """The seconds in which a client has to join a namespace (default: 45.0; 0: whenever it likes).

        Without an argument it is returned, otherwise set, and the server returned. TypeError: no number;
        ValueError: a negative one; RuntimeError: the server listens already. Source: Socket.IO 4.x (connectTimeout).
        """
        return self._setting("connect_timeout", value)

    @overload
    def parser(self) -> Parser | None: ...
    @overload
    def parser(self, value: Parser | None) -> Self: ...
    def parser(self, value: Any = UNSET) -> Any:
        """The format of packets, which the clients need too (default: None, the protocol's own).

        Without an argument it is returned, otherwise set, and the server returned. TypeError: no Parser;
        RuntimeError: the server listens already. Source: Socket.IO 4.x.
        """
        return self._setting("parser", value)

    @overload
    def adapter(self) -> Callable[[Namespace], Adapter]: ...
    @overload
    def adapter(self, value: Callable[[Namespace], Adapter] | None) -> Self: ...
    def adapter(self, value: Any = UNSET) -> Any:
        """What makes a namespace's adapter (default: None, in memory).

        A subclass of fastsio.adapter.Adapter, or a function that makes one of a namespace. Without an argument what
        is in use is returned, otherwise it is set for all namespaces, those that are there get a new one, and the
        server is returned. TypeError: it cannot be called; RuntimeError: the server listens already.
        Source: Socket.IO 2.x.
        """
        return self._new_adapter if value is UNSET else self._setting("adapter", value)
