"""Requests as clients send them."""

from fastsio.engine.http import HttpParser

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
GOOD = "EIO=4&transport=websocket"


def sent(query=GOOD, *, method="GET", path="/socket.io/", upgrade=True, version="1.1", **headers):
    """The bytes of a request; header names with _ for -; None leaves one out."""
    fields = {"Host": "a:3000", **(WEBSOCKET if upgrade else {})}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    target = path + ("" if query is None else f"?{query}")
    return "\r\n".join([f"{method} {target} HTTP/{version}", *lines, "", ""]).encode("latin-1")


def request(*args, **kwargs):
    (found,) = HttpParser(1000).feed(sent(*args, **kwargs))
    return found
