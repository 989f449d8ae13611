"""JSONP, the polling of browsers without CORS: payloads as a call of a script, and posted as a form.

Both directions carry text alone: a client with JSONP takes its binary packets as base64.
"""

from __future__ import annotations

import json
import re
from urllib.parse import unquote_to_bytes

MAX_FIELDS = 1000  # of a form, as Node's querystring reads; clients send one

_NO_DIGIT = re.compile(r"[^0-9]")
_NEWLINE = re.compile(rb"(?<!\\)\\n")


def wrap(index: str, payload: str | bytes) -> bytes:
    r"""The script `___eio[index]("payload");`. Of the index, which the client chose (`j=`), only the digits are kept.

    The string is what JavaScript's JSON.stringify makes of it, with the two line ends that JSON allows inside
    a string and older JavaScript does not (\u2028, \u2029) escaped. ValueError: bytes that are not UTF-8.
    """
    text = payload if isinstance(payload, str) else payload.decode()
    script = json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    # half a surrogate pair is written as \udXXX, as JSON.stringify does
    return f"___eio[{_NO_DIGIT.sub('', index)}]({script});".encode(errors="backslashreplace")


def unwrap(body: bytes) -> bytes:
    r"""The payload in a posted form: its field `d`. ValueError: there is not exactly one.

    A form changes newlines, so clients write one as \n, and the two characters \n as \\n.
    """
    if body.count(b"&") >= MAX_FIELDS:
        raise ValueError(f"the form has more than {MAX_FIELDS} fields")
    fields = [field.partition(b"=") for field in body.split(b"&")]
    found = [value for name, _, value in fields if _unquote(name) == b"d"]
    if len(found) != 1:
        raise ValueError(f"the form has {len(found)} fields d, not one")
    return _NEWLINE.sub(b"\n", _unquote(found[0])).replace(b"\\\\n", b"\\n")


def _unquote(text: bytes) -> bytes:
    """application/x-www-form-urlencoded; a % without two hexadecimal digits stays as it is."""
    return unquote_to_bytes(text.replace(b"+", b" "))
