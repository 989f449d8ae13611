"""Files that the engine serves beside Socket.IO: the browser client, and a page or two for a demo.

They are held in memory, and so is each form that a client asked for: one for every coding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from json import loads
from pathlib import Path

from fastsio.engine.compression import Compression, CompressionSettings, Encoded, choose
from fastsio.engine.request import Request
from fastsio.engine.response import response

# Where a wheel has the official client, or npm puts it.
CLIENT_FOLDERS = ("client-dist", "../node_modules/socket.io-client/dist", "../tests/node_modules/socket.io-client/dist")
CLIENT_FILES = ("socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js")
TYPES = {".js": "application/javascript; charset=utf-8", ".map": "application/json; charset=utf-8"}

# Whatever the option http_compression says: it costs once, not for each client.
COMPRESSION = Compression(CompressionSettings())


@dataclass(frozen=True)
class StaticFile:
    """A file in memory. content_type: its media type; body: its bytes; etag: its version, default: by its bytes."""

    content_type: str
    body: bytes
    etag: str = ""
    _forms: dict[str | None, Encoded] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.etag:
            object.__setattr__(self, "etag", f'"{blake2b(self.body, digest_size=12).hexdigest()}"')

    def reply(self, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body for a request for it: 200, 304 for one who has it, 405 for other methods.

        A HEAD request gets the same as GET: that its body stays here is the sender's part.
        """
        if request.method not in ("GET", "HEAD"):
            return 405, [("Allow", "GET, HEAD")], b""
        form = self._form(request.header("accept-encoding"))
        headers = [("Cache-Control", "public, max-age=0"), ("ETag", self.etag)]
        if self._is_known(request.headers.getall("If-None-Match", [])):
            return 304, headers + [pair for pair in form.headers if pair[0] == "Vary"], b""
        return 200, [*headers, ("Content-Type", self.content_type), *form.headers], form.body

    def answer(self, request: Request) -> bytes:
        """The reply as bytes."""
        status, headers, body = self.reply(request)
        return response(status, headers, body, close=not request.keep_alive, head=request.method == "HEAD")

    def _form(self, accept_encoding: str | None) -> Encoded:
        encoding = choose(accept_encoding)
        form = self._forms.get(encoding)
        if form is None:
            form = self._forms[encoding] = COMPRESSION.encode(encoding, self.body, self.content_type)
        return form

    def _is_known(self, lines: list[str]) -> bool:
        """RFC 9110 13.1.2: whether the client has it, by weak comparison of its tags with ours."""
        tags = [tag.strip(" \t").removeprefix("W/") for line in lines for tag in line.split(",")]
        return self.etag in tags or tags == ["*"]


def client_files(path: str) -> dict[str, StaticFile]:
    """The official browser client's bundles under `path`, those that are found."""
    package = Path(__file__).parent.parent
    for folder in (package / name for name in CLIENT_FOLDERS):
        files = bundles(folder)
        if files:
            etag = client_etag(folder)
            return {f"{path}/{file.name}": StaticFile(TYPES[file.suffix], file.read_bytes(), etag) for file in files}
    return {}


def bundles(folder: Path) -> list[Path]:
    """The bundles in a folder and their maps."""
    files = [folder / name for name in CLIENT_FILES if (folder / name).is_file()]
    return files + [map_ for file in files if (map_ := file.with_name(file.name + ".map")).is_file()]


def client_etag(folder: Path) -> str:
    """The client's version, as the reference server does it; "" where no package.json tells it."""
    for package in (folder / "package.json", folder.parent / "package.json"):
        if package.is_file():
            return f'"{loads(package.read_bytes())["version"]}"'
    return ""
