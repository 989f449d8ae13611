"""A Socket.IO server that makes one mistake, to see whether the load generator notices: python faulty.py FAULT PORT

FAULT: none, or what becomes of the 20th packet to the client that came first: it is dropped, doubled, delayed behind
the next one, altered, or the connection is closed instead. Knows no more than the load generator needs.
"""

import asyncio
import base64
import hashlib
import json
import re
import sys

FAULT, PORT = sys.argv[1], int(sys.argv[2])
FAULTS = ("none", "drop", "double", "reorder", "alter", "close")
MOMENT = 20
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
ALTERED = str.maketrans("a", "b")  # every payload of 64 bytes has an "a"

clients: list["Client"] = []


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.is_first = False
        self.packets = 0
        self.delayed: list[str] = []

    def frame(self, text: str) -> None:
        data = text.encode()
        length = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
        self.writer.write(b"\x81" + length + data)

    def packet(self, text: str) -> None:
        """An event or an acknowledgement, with the mistake where it is due."""
        self.packets += 1
        faulty = self.is_first and self.packets == MOMENT
        if faulty and FAULT == "reorder":
            self.delayed.append(text)
        elif faulty and FAULT == "close":
            self.writer.close()
        elif faulty and FAULT == "alter":
            self.frame(text.translate(ALTERED))
        elif not faulty or FAULT != "drop":
            self.frame(text)
            if faulty and FAULT == "double":
                self.frame(text)
            while self.delayed:
                self.frame(self.delayed.pop())

    async def read(self) -> str:
        """The next text frame; anything else ends the connection."""
        head = await self.reader.readexactly(2)
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        mask, data = await self.reader.readexactly(4), await self.reader.readexactly(length)
        if head[0] != 0x81:
            raise EOFError
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)).decode()

    async def serve(self) -> None:
        request = await self.reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.writer.write(answer + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.frame('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}')
        while True:
            self.on_packet(await self.read())

    def on_packet(self, text: str) -> None:
        found = re.match(r"4([02])(\d*)(.*)", text)
        assert found is not None, text
        if found[1] == "0":
            self.is_first = not clients
            clients.append(self)
            self.frame('40{"sid":"x"}')
            return
        name, *items = json.loads(found[3])
        if name == "b":
            for client in clients:
                client.packet("42" + json.dumps([name, *items], separators=(",", ":")))
        else:
            self.packet(f"43{found[2]}" + json.dumps(items if name == "echo" else [0.5]))


async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    client = Client(reader, writer)
    try:
        await client.serve()
    except (EOFError, ConnectionError):
        pass
    finally:
        if client in clients:
            clients.remove(client)
        writer.close()


async def main() -> None:
    assert FAULT in FAULTS, FAULT
    await asyncio.start_server(on_connection, "127.0.0.1", PORT)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
