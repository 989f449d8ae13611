"""Files that the engine serves beside Socket.IO: the browser client, and a page or two for a demo."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from fastsio.engine.http import Request, response

# Where npm puts the official client, or a wheel its copy.
CLIENT_FOLDERS = ("client-dist", "../node_modules/socket.io-client/dist", "../tests/node_modules/socket.io-client/dist")
CLIENT_FILES = ("socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js")
TYPES = {".js": "application/javascript; charset=utf-8", ".map": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class StaticFile:
    """A file in memory. content_type: its media type; body: its bytes."""

    content_type: str
    body: bytes
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "etag", f'"{blake2b(self.body, digest_size=12).hexdigest()}"')

    def answer(self, request: Request) -> bytes:
        """The HTTP answer to a request for it: 200, 304 for one who has it, 405 for other methods."""
        close = not request.keep_alive
        if request.method not in ("GET", "HEAD"):
            return response(405, [("Allow", "GET, HEAD")], b"", close=close)
        headers = [("Cache-Control", "public, max-age=0"), ("ETag", self.etag)]
        known = request.headers.get("If-None-Match", "")
        if self.etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
            return response(304, headers, b"", close=close)
        headers.append(("Content-Type", self.content_type))
        return response(200, headers, self.body, close=close, head=request.method == "HEAD")


def client_files(path: str) -> dict[str, StaticFile]:
    """The official browser client's bundles under `path`, those that are found."""
    package = Path(__file__).parent.parent
    for folder in (package / name for name in CLIENT_FOLDERS):
        files = [folder / name for name in CLIENT_FILES if (folder / name).is_file()]
        if files:
            files += [map_ for file in files if (map_ := file.with_name(file.name + ".map")).is_file()]
            return {f"{path}/{file.name}": StaticFile(TYPES[file.suffix], file.read_bytes()) for file in files}
    return {}
