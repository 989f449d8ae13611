"""Ids of sessions and sockets."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode

ID_BYTES = 15  # 120 bits in 20 characters
IDS_AT_A_TIME = 256

_ids: list[str] = []  # made ahead; another process must not have the same
os.register_at_fork(after_in_child=_ids.clear)


def generate_id() -> str:
    """A new id: 20 characters that are safe in URLs, 120 bits from the operating system."""
    try:
        return _ids.pop()
    except IndexError:
        text = urlsafe_b64encode(os.urandom(ID_BYTES * IDS_AT_A_TIME)).decode()
        new = [text[at : at + 20] for at in range(0, len(text), 20)]
        id = new.pop()
        _ids.extend(new)
        return id
