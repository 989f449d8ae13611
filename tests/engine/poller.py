"""Clients that poll, on a stage. Each of their requests has a connection of its own unless one is named.

Poller    polls
Upgrader  may go over to websocket
"""

from __future__ import annotations

import json
from typing import Any

from fastsio.engine.polling import Polling
from fastsio.engine.session import Session
from tests.dialects import BASE64, EIO3, POLLING, Packet, packets
from tests.e2e.rawws import TEXT, Frame, text
from tests.engine.peer import Answer, Peer, Stage, frames_in
from tests.engine.requests import sent

EIO4_POLLING = "EIO=4&transport=polling"
EIO3_POLLING = "EIO=3&transport=polling"
PLAIN = "text/plain;charset=UTF-8"
OK = (200, b"ok")
UNKNOWN = (400, b'{"code":1,"message":"Session ID unknown"}')


class Poller:
    """opened: the open packet; first: what came behind it."""

    def __init__(self, stage: Stage, query: str = EIO4_POLLING, **headers: str) -> None:
        self.stage = stage
        self.query = query
        self.dialect = POLLING | (EIO3 if "EIO=4" not in query else 0) | (BASE64 if "b64=1" in query else 0)
        opening = self.get(**headers)
        opened, *self.first = self.packets(opening)
        assert isinstance(opened, str) and opened[0] == "0"
        self.opened: dict[str, Any] = json.loads(opened[1:])
        self.sid: str = self.opened["sid"]
        self.query += f"&sid={self.sid}"

    @property
    def session(self) -> Session:
        return self.stage.io.engine.clients[self.sid]

    def get(self, on: Peer | None = None, **headers: str) -> Peer:
        """Sends a GET."""
        peer = on or self.stage.peer()
        peer.send(sent(self.query, upgrade=False, **headers))
        return peer

    def post(self, body: bytes, on: Peer | None = None, **headers: str) -> Peer:
        """Sends a POST."""
        peer = on or self.stage.peer()
        peer.send(self.posted(body, **headers))
        return peer

    def posted(self, body: bytes, **headers: str) -> bytes:
        """The bytes of a POST."""
        fields = {"Content_Type": PLAIN, "Content_Length": str(len(body)), **headers}
        return sent(self.query, method="POST", upgrade=False, **fields) + body

    def packets(self, peer: Peer) -> list[Packet]:
        """What the answer to a GET carries."""
        (answer,) = peer.answers()
        assert answer.status == 200, answer
        return self.decoded(answer)

    def decoded(self, answer: Answer) -> list[Packet]:
        return packets(answer.body + (b"" if self.dialect & EIO3 else b"\x1e"), self.dialect)

    def poll(self) -> list[Packet]:
        """What a GET gets that is answered at once."""
        return self.packets(self.get())

    def push(self, *texts: str) -> None:
        """Posts packets, which are taken."""
        (answer,) = self.post(self.payload(*texts)).answers()
        assert (answer.status, answer.body) == OK, answer

    def payload(self, *texts: str) -> bytes:
        if self.dialect & EIO3:
            return "".join(f"{len(text.encode('utf-16-le')) // 2}:{text}" for text in texts).encode()
        return "\x1e".join(texts).encode()

    def join(self) -> Poller:
        """Is in "/" afterwards, with nothing left to receive."""
        if self.dialect & EIO3:
            assert [str(packet)[:2] for packet in self.poll()] == ["40"]
        else:
            self.push("40")
            assert [str(packet)[:10] for packet in self.poll()] == ['40{"sid":"']
        return self


class Upgrader(Poller):
    """A polling client that is in "/"; its candidates are peers of the stage."""

    def __init__(self, stage: Stage, query: str = EIO4_POLLING) -> None:
        super().__init__(stage, query)
        self.join()

    @property
    def asking(self) -> str:
        """The request of a candidate."""
        return f"EIO={self.query[4]}&transport=websocket&sid={self.sid}"

    def candidate(self, *more: bytes, secure: bool = False) -> Peer:
        """One that was let in, with more bytes behind its request."""
        peer = self.stage.peer(secure=secure)
        peer.send(sent(self.asking), *more)
        head, _, frames = peer.everything().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        peer.first = frames_in(frames)
        return peer

    def probed(self, **options: bool) -> Peer:
        """One whose probe was answered."""
        peer = self.candidate(text("2probe"), **options)
        assert peer.first == [Frame(TEXT, b"3probe")]
        return peer

    def upgraded(self, **options: bool) -> Peer:
        peer = self.probed(**options)
        peer.send(text("5"))
        return peer

    def polls(self) -> bool:
        """Whether all is as if there had never been a candidate."""
        waiting = self.get()
        self.push('421["echo","x"]')
        assert self.packets(waiting) == ['431["x"]']
        session = self.session
        return session.may_upgrade and not session.upgraded and session.transport.name == "polling"


def said(peer: Peer) -> list[tuple[int, bytes]]:
    """Status and body of each answer."""
    return [(answer.status, answer.body) for answer in peer.answers()]


def gone(one: Poller) -> bool:
    """Whether the session is forgotten and its slot given back, and no other polls."""
    one.stage.loop.settle()
    polling = [owner for owner in one.stage.core.owners() if isinstance(owner, Polling)]
    return said(one.get()) == [UNKNOWN] and polling == [] and one.stage.core.lingering == {}
