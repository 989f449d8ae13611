"""Cross-origin requests: the headers that let a page of another origin read our answers (Fetch Standard, 3.3).

Whether an origin is allowed is decided elsewhere, exactly and before anything else (handshake.py); here an origin
that was allowed becomes headers, and one that was not, or none at all, comes in as None. Without the option `origins`
only pages of our own origin are let in, which need no header: then there are none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from fastsio.checks import check_bool, check_number, is_token, tokens

Origins = None | str | Collection[str] | Callable[[str], bool | Awaitable[bool]]
Headers = list[tuple[str, str]]

METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")
ANY = ("*", "*:*")
LONGEST_AGE = 2**31 - 1  # seconds


@dataclass(frozen=True)
class CorsSettings:
    """The option `cors`.

    credentials: whether pages may send cookies and read the answer; methods: that a preflight allows; headers: that
    requests may carry, None for those that the preflight asks for; max_age: how long in seconds a browser may remember
    a preflight, None for the browser's own (5 s); expose_headers: that pages may read from an answer.
    """

    credentials: bool = False
    methods: Collection[str] | str = METHODS
    headers: Collection[str] | str | None = None
    max_age: int | None = None
    expose_headers: Collection[str] | str = ()

    def __post_init__(self) -> None:
        check_bool("credentials", self.credentials)
        object.__setattr__(self, "methods", tokens("methods", self.methods))
        object.__setattr__(self, "expose_headers", tokens("expose_headers", self.expose_headers))
        if self.headers is not None:
            object.__setattr__(self, "headers", tokens("headers", self.headers))
        if self.max_age is not None:
            check_number("max_age", self.max_age, (int,), 0, LONGEST_AGE)


class Cors:
    """The headers for one engine. settings: None for the defaults. ValueError: any origin, and credentials."""

    def __init__(self, origins: Origins, settings: CorsSettings | None) -> None:
        settings = settings or CorsSettings()
        self._any_origin = is_any(origins)
        if self._any_origin and settings.credentials:
            raise ValueError(
                "origins='*' together with cors credentials would let every page act as your users: "
                "list the origins that you trust, origins=['https://example.com'], or leave credentials out"
            )
        #: Whether other origins than our own are let in at all: then every OPTIONS request is a preflight.
        self.configured = origins is not None
        self._headers = settings.headers
        self._common: Headers = []
        if settings.credentials:
            self._common.append(("Access-Control-Allow-Credentials", "true"))
        self._exposed: Headers = []
        if settings.expose_headers:
            self._exposed.append(("Access-Control-Expose-Headers", ",".join(settings.expose_headers)))
        self._methods = ",".join(settings.methods)
        self._max_age: Headers = []
        if settings.max_age is not None:
            self._max_age.append(("Access-Control-Max-Age", str(settings.max_age)))

    def headers(self, origin: str | None) -> Headers:
        """For any answer, errors too. origin: the request's, if it was allowed; None: it was not, or there is none."""
        if not self.configured:
            return []
        return self._allowed(origin, []) + self._common + self._exposed

    def preflight(self, origin: str | None, requested: str | None) -> tuple[int, Headers]:
        """Status and headers for an OPTIONS request (Fetch Standard 3.3.3); there is no body.

        origin: as for `headers`; requested: the request's Access-Control-Request-Headers.
        """
        if not self.configured:
            return 204, []
        reflected = self._headers is None
        headers = self._allowed(origin, ["Access-Control-Request-Headers"] if reflected else []) + self._common
        headers.append(("Access-Control-Allow-Methods", self._methods))
        names = requested if self._headers is None else ",".join(self._headers)
        if names and are_names(names):
            headers.append(("Access-Control-Allow-Headers", names))
        return 204, headers + self._max_age + self._exposed

    def _allowed(self, origin: str | None, vary: list[str]) -> Headers:
        """The origin, and what else in the request the answer depends on."""
        headers = []
        if self._any_origin:
            headers.append(("Access-Control-Allow-Origin", "*"))
        else:
            if origin is not None and is_visible(origin):
                headers.append(("Access-Control-Allow-Origin", origin))
            vary = ["Origin", *vary]
        if vary:
            headers.append(("Vary", ", ".join(vary)))
        return headers


def is_any(origins: Origins) -> bool:
    """Whether every origin is allowed: "*", alone or in a list; "*:*" is its name in Socket.IO 2.x."""
    if isinstance(origins, str):
        return origins in ANY
    return isinstance(origins, Collection) and any(name in origins for name in ANY)


def is_visible(text: str) -> bool:
    """Whether it may be sent back in a header: ASCII without spaces and control characters."""
    return text.isascii() and text.isprintable() and " " not in text


def are_names(text: str) -> bool:
    """Whether it is a list of header names: tokens with commas, spaces and tabs between them, nothing else."""
    return all(is_token(name.strip(" \t")) for name in text.split(","))
