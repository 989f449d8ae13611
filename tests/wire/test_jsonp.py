"""JSONP: scripts and forms, against JavaScript's own JSON.stringify and the client's way of escaping."""

import json
import subprocess
from itertools import product
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastsio.wire.jsonp import MAX_FIELDS, unwrap, wrap
from tests.requirements import require, require_npm

ANY_TEXT = st.text(max_size=30) | st.text(alphabet='\\n\n\r"+%&=d\u2028\u00e9\U0001f600', max_size=30)


# ---- out ----


@pytest.mark.parametrize(
    ("payload", "script"),
    [
        ("2:40", b'___eio[0]("2:40");'),  # these two as recorded from socket.io 4.8.4
        ('11:430["a\\nb"]', rb'___eio[0]("11:430[\"a\\nb\"]");'),
        (b'0{"sid":"\xc3\xa9"}', b'___eio[0]("0{\\"sid\\":\\"\xc3\xa9\\"}");'),
        ("\x1e\x7f/</script>", b'___eio[0]("\\u001e\x7f/</script>");'),
        ("\b\f\n\r\t\v\0", rb'___eio[0]("\b\f\n\r\t\u000b\u0000");'),
        ("\u2028\u2029\u2027", b'___eio[0]("\\u2028\\u2029\xe2\x80\xa7");'),
        ("\ud83d", rb'___eio[0]("\ud83d");'),
    ],
)
def test_script(payload, script):
    assert wrap("0", payload) == script


@pytest.mark.parametrize(
    ("index", "kept"),
    [
        ("7", b"7"),
        ("alert(1)//", b"1"),
        ("", b""),
        ("12a3", b"123"),
        ("](evil)[", b""),
        ("\u0663\u00b2", b""),
        ("1\n", b"1"),
    ],
)
def test_of_the_index_only_digits_are_kept(index, kept):
    assert wrap(index, "6") == b"___eio[" + kept + b']("6");'


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ValueError):
        wrap("0", b"\1\1\xff\4")


@given(ANY_TEXT)
def test_the_string_is_json_and_all_of_a_script_on_one_line(payload):
    script = wrap("3", payload).decode()
    assert json.loads(script.removeprefix("___eio[3](").removesuffix(");")) == payload
    assert not set(script) & set("\n\r\u2028\u2029")
    assert wrap("3", payload.encode()) == script.encode()


def test_the_string_is_as_javascript_writes_it():
    letters = [chr(code) for code in (*range(0x300), *range(0x2000, 0x2100), 0xD7FF, *range(0xE000, 0xE010), 0xFFFF)]
    letters += ["\ud800", "\udbff", "\udc00", "\udfff", "\U00010000", "\U0001f600", "\U0010ffff"]
    program = """
        const letters = JSON.parse(require("fs").readFileSync(0, "utf8"));
        const line = (letter) => JSON.stringify(letter).replace(/\\u2028/g, "\\\\u2028").replace(/\\u2029/g, "\\\\u2029");
        console.log(letters.map((letter) => `___eio[0](${line(letter)});`).join("\\n"));
    """
    done = subprocess.run([require("node"), "-e", program], input=json.dumps(letters).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(b"\n")[:-1] == [wrap("0", letter) for letter in letters]


# ---- in ----


def posted(data: str) -> bytes:
    """As a browser posts what engine.io-client 3 puts into its form's text area."""
    area = data.replace("\\n", "\\\n").replace("\n", "\\n")
    return urlencode({"d": area}).encode()


@given(ANY_TEXT)
def test_what_the_client_posts_is_unwrapped(data):
    assume("\\\n" not in data)  # is posted as \\n too; it does not occur in JSON
    assert unwrap(posted(data)) == data.encode()


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"d=18%3A420%5B%22echo%22%2C%22a%5C%5Cnb%22%5D", b'18:420["echo","a\\nb"]'),  # recorded
        (b"d=a+b%2Bc", b"a b+c"),
        (b"d=", b""),
        (b"d", b""),
        (b"x=1&d=2&e=3", b"2"),
        (b"&&d=2&", b"2"),
        (b"%64=2", b"2"),
        (b"d=a=b", b"a=b"),
        (b"d=%zz%4%", b"%zz%4%"),
        (b"d=%c3%A9\xc3\xa9", "\u00e9\u00e9".encode()),
        (b"d=%ff", b"\xff"),  # that this is no text is seen where the payload is read
        (rb"d=a\nb", b"a\nb"),
        (rb"d=a\\nb", rb"a\nb"),
        (rb"d=a\\\nb", rb"a\\nb"),
        (rb"d=a\\\\nb", rb"a\\\nb"),
        (rb"d=\n\n\\n\n", b"\n\n\\n\n"),
        (rb"d=\r\t\\", rb"\r\t\\"),
    ],
)
def test_form(body, data):
    assert unwrap(body) == data


@pytest.mark.parametrize("body", [b"", b"x=1", b"D=1", b"dd=1", b"d=1&d=2", b"=d", b"d%00=1", b"40"])
def test_a_form_without_one_d_is_refused(body):
    with pytest.raises(ValueError, match="fields d"):
        unwrap(body)


def test_many_fields():
    assert unwrap(b"d=1" + b"&x" * (MAX_FIELDS - 1)) == b"1"
    with pytest.raises(ValueError, match="more than"):
        unwrap(b"d=1" + b"&x" * MAX_FIELDS)


REFERENCE = """
    const {JSONP} = require(process.argv[1] + "/build/transports/polling-jsonp.js");
    const {Polling} = require(process.argv[1] + "/build/transports/polling.js");
    let seen;
    Polling.prototype.onData = (data) => { seen = data; };
    const bodies = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify(bodies.map((body) => { JSONP.prototype.onData.call({}, body); return seen; })));
"""


def test_forms_are_unwrapped_as_by_the_reference():
    folder = require_npm("engine.io")
    bodies = ["d=" + "".join(letters) for size in range(7) for letters in product("\\na", repeat=size)]
    bodies += ["d=" + quote_plus(letter) for letter in map(chr, range(0x20, 0x250))]
    bodies += ["d=" + "".join(letters) for size in range(6) for letters in product("%4g+", repeat=size)]
    command = [require("node"), "-e", REFERENCE, str(folder)]
    done = subprocess.run(command, input=json.dumps(bodies).encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [unwrap(body.encode()).decode() for body in bodies] == json.loads(done.stdout)
