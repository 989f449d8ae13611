"""Clients in the test's own process: the real protocol code, without a port.

    from fastsio.testing import connect

    async def test_chat():
        async with connect(io, "/chat", auth={"name": "Ada"}) as client:
            client.emit("say", "hello")
            assert await client.receive("said") == "hello"

A client is one end of a pair of sockets, whose other end the server takes as a connection that it accepted: the HTTP
upgrade, the frames and the packets are those of a client elsewhere. The server need not listen. pytest finds the
fixture `sio_connect`, see fastsio.testing.plugin.
"""

from fastsio.testing.client import Client, connect

__all__ = ["Client", "connect"]
