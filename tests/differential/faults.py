"""Where we differ from the references and should not: to be mended, and then to be deleted here."""

from __future__ import annotations

from tests.differential.difference import CORS, GOLDEN, GOOD, Difference, third

FAULTS: list[Difference] = [
    Difference(
        "CORS headers go on error answers too",
        f"413 {CORS}{GOOD}[vary: origin] ",
        "413 [close] the body is too large",
        ("cors: listed, 413",),
    ),
    Difference(
        "CORS headers go on error answers too",
        f"413 {CORS}[vary: origin] ",
        "413 [close] the body is too large",
        ("POST ?EIO=4&transport=polling&sid=<sid> of 1000001 bytes",),
        GOLDEN[:1],
    ),
    Difference(
        "a preflight for a file is a preflight",
        f"204 {CORS}[access-control-allow-headers: x-a, content-type] "
        f"[access-control-allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE] {GOOD}"
        "[vary: access-control-request-headers, origin] ",
        f"405 {CORS}{GOOD}[allow: GET, HEAD] [vary: origin] ",
        ("cors: preflight for a file",),
    ),
    Difference(
        "compress(False) says that a message is not worth it",
        "] <5012 bytes",
        "] [vary: accept-encoding] <5012 bytes",
        ("large answer, not to be compressed",),
    ),
    Difference(
        "compress(False) says that a message is not worth it",
        "[cache-control: no-store] [content-type: text/plain; charset=UTF-8] [vary",
        "[cache-control: no-store] [content-encoding: gzip] [content-type: text/plain; charset=UTF-8] [vary",
        ("large answer, not to be compressed",),
    ),
    Difference(
        "a packet that is out of place ends with this reason, as a second CONNECT does",
        "forced server close",
        "forced close",
        ("CONNECT_ERROR from the client",),
    ),
    Difference(
        "the engine's own reason is one, whoever closes",
        "engine: forced close",
        "engine: forced server close",
        (
            *("disconnect(true), no GET", "disconnect(true) later, no GET", "disconnect(true) while a GET waits"),
            *("disconnect(true) of two namespaces", "disconnect(true) after the upgrade", "connect twice"),
            *("event before connect", *third("disconnect(true)", "connects to / itself")),
            *third("event for a namespace not joined"),
        ),
    ),
    Difference(
        "the engine's own reason is one, whoever closes",
        "engine: forced close",
        "engine: forced server close",
        third("disconnect(true)", "connects to / itself", "event for a namespace not joined"),
        ("2",),
    ),
    Difference("a pong carries no data back", "1:3", "6:3probe", ("EIO 3: ping with data",), ("4", "2")),
]
