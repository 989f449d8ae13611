"""The cookie with the session's id, for load balancers that keep a client on one server by it (RFC 6265 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from fastsio.checks import check_bool, check_number, is_token

SAME_SITE = ("Strict", "Lax", "None")
LONGEST_AGE = 2**31 - 1  # seconds
SAFE_IN_VALUES = "!'()*~"  # what JavaScript's encodeURIComponent leaves as it is, beside what quote does


@dataclass(frozen=True)
class CookieSettings:
    """The option `cookie`.

    name: its name; path: of the URLs that it is sent to, None for the folder of the request; http_only: hides it
    from scripts; same_site: "Strict", "Lax", "None" or None to leave it to the browser; secure: only over TLS, None:
    where the handshake came over TLS; max_age: in seconds, None: until the browser is closed; domain: None for the host
    alone.
    """

    name: str = "io"
    path: str | None = "/"
    http_only: bool = True
    same_site: str | None = "Lax"
    secure: bool | None = None
    max_age: int | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a str, got {type(self.name).__name__}")
        if not is_token(self.name):
            raise ValueError(f"name must be letters, digits and the likes of '-' and '_', got {self.name!r}")
        check_attribute("path", self.path)
        check_attribute("domain", self.domain)
        check_bool("http_only", self.http_only)
        if self.secure is not None:
            check_bool("secure", self.secure)
        if self.max_age is not None:
            check_number("max_age", self.max_age, (int,), 0, LONGEST_AGE)
        self._check_same_site()

    def _check_same_site(self) -> None:
        if self.same_site is None:
            return
        if not isinstance(self.same_site, str):
            raise TypeError(f"same_site must be a str or None, got {type(self.same_site).__name__}")
        object.__setattr__(self, "same_site", self.same_site.capitalize())
        if self.same_site not in SAME_SITE:
            raise ValueError(f"same_site must be 'Strict', 'Lax' or 'None', got {self.same_site!r}")
        if self.same_site == "None" and self.secure is False:
            raise ValueError("same_site must be 'Strict' or 'Lax' where secure is False: browsers refuse 'None' there")


def check_attribute(name: str, value: object) -> None:
    """RFC 6265 4.1.1: path-value and the like are any characters except controls and ";"."""
    if value is None:
        return
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str or None, got {type(value).__name__}")
    if not value or not value.isascii() or not value.isprintable() or ";" in value:
        raise ValueError(f"{name} must be visible ASCII without ';', got {value!r}")


def set_cookie(settings: CookieSettings, sid: str, secure: bool) -> str:
    """The value of the Set-Cookie header. sid: the session's id; secure: whether the request came over TLS."""
    parts = [f"{settings.name}={quote(sid, SAFE_IN_VALUES, errors='replace')}"]
    if settings.max_age is not None:
        parts.append(f"Max-Age={settings.max_age}")
    if settings.domain is not None:
        parts.append(f"Domain={settings.domain}")
    if settings.path is not None:
        parts.append(f"Path={settings.path}")
    if settings.http_only:
        parts.append("HttpOnly")
    if secure if settings.secure is None else settings.secure:
        parts.append("Secure")
    if settings.same_site is not None:
        parts.append(f"SameSite={settings.same_site}")
    return "; ".join(parts)
