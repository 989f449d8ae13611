"""Origins: which pages may connect (RFC 6454). Judged for every request that names one, before anything is opened."""

from __future__ import annotations

from collections.abc import Generator
from logging import getLogger
from typing import Any

from fastsio.engine.cors import Origins, is_any
from fastsio.engine.request import Request
from fastsio.limits import rate_limited

log = getLogger("fastsio")

MAX_ORIGINS_LOGGED = 20


class OriginCheck:
    """The option `origins` of one engine."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._any = is_any(origins)
        self._logged: set[str] = set()

    def is_listed(self, origin: str) -> bool:
        """Whether it is allowed without asking a function."""
        allowed = self._origins
        if self._any:
            return True
        if allowed is None or callable(allowed):
            return False
        return origin == allowed if isinstance(allowed, str) else origin in allowed

    def judge(self, origin: str, request: Request) -> Generator[Any, Any, bool]:
        """Whether the origin may connect. Yields what the application's function returns, awaitable or not."""
        allowed = self._origins
        if self.is_listed(origin) or is_same_origin(origin, request):
            return True
        if callable(allowed):
            try:
                good = bool((yield allowed(origin)))
            except Exception as error:
                if rate_limited("origins"):
                    log.error("exception in the function given as origins", exc_info=error)
                return False
            if good:
                return True
        self._log(origin)
        return False

    def _log(self, origin: str) -> None:
        if origin in self._logged or len(self._logged) >= MAX_ORIGINS_LOGGED or len(origin) > 200:
            return
        self._logged.add(origin)
        log.warning("refused a page of origin %a; to allow it: Server(origins=[%a])", origin, origin)


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
