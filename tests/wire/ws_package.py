"""deflate_peer.mjs from Python: one Node process for all tests of a module."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.requirements import require_npm

SCRIPT = Path(__file__).with_name("deflate_peer.mjs")


class Refused(Exception):
    """ws has thrown an error."""


class WsPackage:
    """The client side of permessage-deflate in the npm package ws."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, operation: str, argument: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([operation, argument]), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the Node process has ended"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("result")

    def compress(self, message: bytes) -> bytes:
        return b64decode(self.ask("compress", b64encode(message).decode()))

    def decompress(self, message: bytes) -> bytes:
        return b64decode(self.ask("decompress", b64encode(message).decode()))


@contextmanager
def ws_package() -> Iterator[WsPackage]:
    require_npm("ws")
    with subprocess.Popen(["node", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield WsPackage(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
