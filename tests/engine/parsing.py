"""Bytes for HttpParser, and what it makes of them at any splits."""

from hypothesis import strategies as st

from fastsio.engine.http import Announcement, HttpError, HttpParser

MAX_BODY = 1000

cuts = st.lists(st.integers(0, 3000), max_size=8)


def head(*headers, line="GET /socket.io/?EIO=4 HTTP/1.1", host="Host: a"):
    return "\r\n".join([line, *([host] if host else []), *headers, "", ""]).encode("latin-1")


def post(*headers, body=b""):
    return head(*headers, line="POST / HTTP/1.1") + body


def chunked(body, *headers):
    return post("Transfer-Encoding: chunked", *headers, body=body)


def pieces(data, cuts):
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]


def events(parts, hosted=None):
    """What the parser makes of it, and what came behind an upgrade; pieces of raw bytes that meet are joined."""
    parser = HttpParser(MAX_BODY, hosted)
    found = []
    for part in parts:
        for event in parser.feed(part):
            if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
                found[-1] += event
            elif not isinstance(event, Announcement):
                found.append(event)
    return found, parser.tail


def described(event):
    if isinstance(event, HttpError):
        return event.status, str(event)
    if isinstance(event, bytes):
        return event
    return event.method, event.url, event.body, event.keep_alive, event.upgrade, event.hosted


def summary(parts, hosted=None):
    found, tail = events(parts, hosted)
    return [described(event) for event in found], tail


def parse(data, hosted=None):
    """The outcome, which is the same however the bytes arrive."""
    whole = summary([data], hosted)
    assert summary([data[at : at + 1] for at in range(len(data))], hosted) == whole
    assert summary([data[at : at + 7] for at in range(0, len(data), 7)], hosted) == whole
    return events([data], hosted)
