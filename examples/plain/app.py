"""A bare ASGI application beside Socket.IO, both on one port of ours.

python app.py, then open http://127.0.0.1:3000. PORT in the environment names another port.
"""

import logging
import os
from typing import Any

from fastsio import Server, Socket

PAGE = b"""<!doctype html><title>plain</title><ul></ul><button>echo</button>
<script src="/socket.io/socket.io.min.js"></script>
<script>
  const socket = io(), list = document.querySelector("ul");
  const add = (text) => list.appendChild(document.createElement("li")).append(text);
  socket.on("visit", (path) => add("somebody asked for " + path));
  document.querySelector("button").onclick = () => socket.emit("echo", "hello", add);
</script>
"""


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Everything that is not Socket.IO's comes here."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    io.emit("visit", scope["path"])
    found = scope["path"] == "/"
    headers = [(b"content-type", b"text/html; charset=utf-8" if found else b"text/plain")]
    await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE if found else b"there is nothing here\n"})


io = Server(app)


@io.event
def echo(socket: Socket, text: str) -> str:
    return text


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    io.run(int(os.environ.get("PORT", "3000")))
