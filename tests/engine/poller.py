"""A client that polls, on a stage. Each of its requests has a connection of its own unless one is named."""

from __future__ import annotations

import json
from typing import Any

from fastsio.engine.session import Session
from tests.dialects import BASE64, EIO3, POLLING, Packet, packets
from tests.engine.peer import Answer, Peer, Stage
from tests.engine.requests import sent

EIO4_POLLING = "EIO=4&transport=polling"
EIO3_POLLING = "EIO=3&transport=polling"
PLAIN = "text/plain;charset=UTF-8"
OK = (200, b"ok")


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
