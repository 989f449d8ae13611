"""What the requests of polling carry: payloads of both protocols, JSONP, content types, compressed answers."""

import gzip
import json
import zlib
from urllib.parse import quote_plus

import pytest

from tests.dialects import POLLING, packets
from tests.engine.peer import Stage
from tests.engine.poller import EIO3_POLLING, EIO4_POLLING, OK, Poller, said
from tests.engine.requests import sent

ECHO = '421["echo","x"]'
ECHOED = '431["x"]'
BINARY_ECHO = '451-1["echo",{"_placeholder":true,"num":0}]'
BINARY_ECHOED = '461-1[{"_placeholder":true,"num":0}]'
OCTETS = "application/octet-stream"
PLAIN = "text/plain; charset=UTF-8"
EVERY_BYTE = bytes(range(256))


@pytest.fixture
def make():
    made = []

    def new(query=EIO4_POLLING, *, client=Poller, **options):
        made.append(Stage(**options))
        return client(made[-1], query).join()

    yield new
    for stage in made:
        stage.clear()


def answer_to(peer):
    (answer,) = peer.answers()
    assert answer.status == 200
    return answer


# ---- Engine.IO 4 ----


def test_payloads_of_protocol_4(make):
    one = make()
    one.push(ECHO, "421" + json.dumps(["echo", "é€😀\u2028"], ensure_ascii=False))
    answer = answer_to(one.get())
    assert answer.body == '431["x"]\x1e431["é€😀\u2028"]'.encode()
    assert answer.headers["content-type"] == PLAIN


@pytest.mark.parametrize(
    "type", ["text/plain;charset=UTF-8", "text/html", "", None, "application/x-www-form-urlencoded"]
)
def test_a_body_is_text_whatever_it_is_called(make, type):
    one = make()
    assert said(one.post(one.payload(ECHO), Content_Type=type)) == [OK]
    assert one.poll() == [ECHOED]


def test_octets_of_protocol_4(make):
    one = make()
    assert said(one.post(one.payload(ECHO), Content_Type=OCTETS)) == [(400, b"")]
    assert one.stage.told == [("transport error", "invalid content")]


@pytest.mark.parametrize(
    ("body", "status", "taken"),
    [
        (b"", 400, 0),
        (b"\x1e", 200, 0),
        (b"42[1]\x1e", 200, 0),
        (f"{ECHO}\x1e\x1e{ECHO}".encode(), 200, 1),
        (f"{ECHO}\x1e4\xff".encode("latin-1"), 200, 1),
        (f"{ECHO}\x1ex".encode(), 200, 1),
        (f"{ECHO}\x1eb!".encode(), 200, 1),
        (f"{ECHO}\x1e2\x1e{ECHO}".encode(), 200, 1),
    ],
)
def test_bad_payloads(make, body, status, taken):
    """What stands in front of the bad packet was taken, and the session ends."""
    one = make()
    waiting = one.get()
    assert [got for got, _ in said(one.post(body))] == [status]
    ((reason, _),) = one.stage.told
    assert reason == ("transport error" if b"\x1e2" in body else "parse error")
    assert one.packets(waiting) == ([ECHOED] if taken else ["1"])


# ---- Engine.IO 3 ----


def test_payloads_of_protocol_3(make):
    """Lengths count UTF-16 code units."""
    one = make(EIO3_POLLING)
    one.push(ECHO, "421" + json.dumps(["echo", "é€😀"], ensure_ascii=False))
    answer = answer_to(one.get())
    assert answer.body == '8:431["x"]11:431["é€😀"]'.encode()
    assert answer.headers["content-type"] == PLAIN
    assert one.session.protocol == 3


def test_the_opening_of_protocol_3(make):
    one = make(EIO3_POLLING)
    assert one.opened == {
        "sid": one.sid,
        "upgrades": ["websocket"],
        "pingInterval": 25000,
        "pingTimeout": 20000,
        "maxPayload": 1000000,
    }


def test_binary_of_protocol_3(make):
    """The whole payload is binary as soon as one packet is."""
    one = make(EIO3_POLLING)
    one.push(ECHO, BINARY_ECHO, "b4AP8=")
    answer = answer_to(one.get())
    assert answer.headers["content-type"] == OCTETS
    assert answer.body == b"".join(
        [
            b"\x00\x08\xff" + ECHOED.encode(),
            b"\x00\x03\x06\xff" + BINARY_ECHOED.encode(),
            b"\x01\x03\xff\x04\x00\xff",
        ]
    )


@pytest.mark.parametrize("mode", ["b64=1", "b64=0", "b64=x"])
def test_base64_of_protocol_3(make, mode):
    one = make(f"{EIO3_POLLING}&{mode}")
    one.push(BINARY_ECHO, "b4AP8=")
    answer = answer_to(one.get())
    assert answer.headers["content-type"] == PLAIN
    assert answer.body == b"36:" + BINARY_ECHOED.encode() + b"6:b4AP8="


def octets(*parts):
    return b"".join(
        bytes([isinstance(part, bytes), *map(int, str(len(data))), 255]) + data
        for part in parts
        for data in [part if isinstance(part, bytes) else part.encode()]
    )


def test_octets_of_protocol_3(make):
    one = make(EIO3_POLLING)
    assert said(one.post(octets(ECHO, BINARY_ECHO, b"\x04" + EVERY_BYTE), Content_Type=OCTETS)) == [OK]
    assert one.poll() == [ECHOED, BINARY_ECHOED, EVERY_BYTE]


@pytest.mark.parametrize(
    ("body", "type", "taken"),
    [
        (b"x", PLAIN, 0),
        (b"5:42", PLAIN, 0),
        (b":42", PLAIN, 0),
        (f"15:{ECHO}999999999999:".encode(), PLAIN, 1),
        (b"2:4\xff", PLAIN, 0),
        (b"\x00\x05\xff42", OCTETS, 0),
        (octets(ECHO) + b"\x02\x01\xff4", OCTETS, 1),
        (octets(ECHO, b"\x05x"), OCTETS, 1),
        (octets(ECHO, b""), OCTETS, 1),
        (f"15:{ECHO}".encode(), OCTETS, 0),
    ],
)
def test_bad_payloads_of_protocol_3(make, body, type, taken):
    one = make(EIO3_POLLING)
    waiting = one.get()
    assert [status for status, _ in said(one.post(body, Content_Type=type))] == [200]
    ((reason, _),) = one.stage.told
    assert reason == "parse error"
    assert one.packets(waiting) == ([ECHOED] if taken else ["1"])


def test_an_empty_packet_of_protocol_3_is_none(make):
    one = make(EIO3_POLLING)
    one.push(ECHO, "", ECHO)
    assert one.poll() == [ECHOED, ECHOED]


def test_both_protocols_get_the_same(make):
    one = make()
    other, third = Poller(one.stage, EIO3_POLLING).join(), Poller(one.stage, EIO3_POLLING + "&b64=1").join()
    one.stage.io.emit("b", "é😀", EVERY_BYTE)
    one.stage.io.emit("n", 0)
    assert one.poll() == other.poll() == third.poll()


# ---- JSONP ----


class JsonpPoller(Poller):
    """Reads scripts, and posts forms."""

    def decoded(self, answer):
        head, tail = b"___eio[7](", b");"
        assert answer.body.startswith(head) and answer.body.endswith(tail)
        script = answer.body.decode()
        assert not {"\u2028", "\u2029"}.intersection(script)
        payload = json.loads(script[len(head) : -len(tail)])
        return packets((payload + ("" if self.dialect != POLLING else "\x1e")).encode(), self.dialect)

    def posted(self, body, **headers):
        text = body.decode().replace("\\n", "\\\\n").replace("\n", "\\n")
        return super().posted(
            b"d=" + quote_plus(text).encode(), **{"Content_Type": "application/x-www-form-urlencoded", **headers}
        )


@pytest.fixture(params=[EIO4_POLLING, EIO3_POLLING + "&b64=1"], ids=["protocol 4", "protocol 3"])
def jsonp(make, request):
    return make(request.param + "&j=7", client=JsonpPoller)


def test_jsonp(jsonp):
    jsonp.push(ECHO)
    answer = answer_to(jsonp.get())
    assert answer.headers["content-type"] == PLAIN
    assert jsonp.decoded(answer) == [ECHOED]


def test_jsonp_carries_any_text(jsonp):
    text = json.dumps(["é€😀\u2028\u2029\\n\n\"'</script>&=+%;"], ensure_ascii=False)
    jsonp.push("421" + text.replace("[", '["echo",', 1))
    assert jsonp.poll() == ["431" + text]


def test_jsonp_carries_binary_as_base64(jsonp):
    """In both directions."""
    prefix = "b4" if jsonp.session.protocol == 3 else "b"
    jsonp.push(BINARY_ECHO, prefix + "AP8=")
    assert jsonp.poll() == [BINARY_ECHOED, b"\x00\xff"]


def test_jsonp_for_errors_too(jsonp):
    jsonp.session.close()
    assert jsonp.poll() == ["1"]
    (answer,) = jsonp.get().answers()
    assert answer.status == 400
    assert json.loads(answer.body)["code"] == 1


@pytest.mark.parametrize(("index", "digits"), [("<x>7", "7"), ("", ""), ("a", "")])
def test_nothing_but_digits_of_the_index(make, index, digits):
    peer = make().stage.peer()
    peer.send(sent(f"{EIO4_POLLING}&j={index}", upgrade=False))
    (answer,) = peer.answers()
    assert answer.body.startswith(b"___eio[%b](" % digits.encode())


@pytest.mark.parametrize("form", [b"", b"e=4", b"d=42%5B1%5D&d=3", b"d="])
def test_bad_forms(make, form):
    one = make(f"{EIO4_POLLING}&j=7", client=JsonpPoller)
    peer = one.stage.peer()
    peer.send(Poller.posted(one, form))
    assert said(peer) == [(400, b"")]
    ((reason, _),) = one.stage.told
    assert reason == "parse error"


# ---- compression ----

READERS = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@pytest.mark.parametrize("coding", READERS)
def test_compressed_answers(make, coding):
    one = make()
    one.stage.io.emit("big", "x" * 2000)
    answer = answer_to(one.get(Accept_Encoding=coding))
    assert answer.headers["content-encoding"] == coding
    assert len(answer.body) < 200
    assert READERS[coding](answer.body).decode() == '42["big","' + "x" * 2000 + '"]'


def test_what_is_not_compressed(make):
    one = make()
    for size, accepted in [(100, "gzip"), (2000, None), (2000, "gzip;q=0"), (2000, "zstd")]:
        one.stage.io.emit("big", "x" * size)
        answer = answer_to(one.get(Accept_Encoding=accepted))
        assert "content-encoding" not in answer.headers
        assert len(one.decoded(answer)[0]) == size + len('42["big",""]')


def test_it_is_the_messages_that_want_it(make):
    one = make()
    one.stage.io.compress(False).emit("big", "x" * 2000)
    assert "content-encoding" not in answer_to(one.get(Accept_Encoding="gzip")).headers
    one.stage.io.compress(False).emit("big", "x" * 2000)
    one.stage.io.emit("n")
    assert "content-encoding" in answer_to(one.get(Accept_Encoding="gzip")).headers


@pytest.mark.parametrize(("setting", "compressed"), [(False, False), ({"threshold": 10_000}, False), (True, True)])
def test_the_option(make, setting, compressed):
    one = make(http_compression=setting)
    one.stage.io.emit("big", "x" * 2000)
    assert ("content-encoding" in answer_to(one.get(Accept_Encoding="gzip")).headers) is compressed


def test_jsonp_is_compressed_as_a_script(make):
    one = make(f"{EIO4_POLLING}&j=7", client=JsonpPoller)
    one.stage.io.emit("big", "x" * 2000)
    answer = answer_to(one.get(Accept_Encoding="gzip"))
    assert gzip.decompress(answer.body).startswith(b'___eio[7]("42[')


def test_binary_payloads_are_compressed_too(make):
    one = make(EIO3_POLLING)
    one.stage.io.emit("b", b"x" * 2000)
    answer = answer_to(one.get(Accept_Encoding="gzip"))
    assert answer.headers["content-type"] == OCTETS
    head, data = one.decoded(answer._replace(body=gzip.decompress(answer.body)))
    assert data == b"x" * 2000
