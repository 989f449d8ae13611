"""The steps of the two straight lines one by one, timed by pytest-benchmark, each with its result checked.

    pytest --benchmark-enable bench/micro [-k push] [--benchmark-sort=name]

With --benchmark-disable every step runs once: a test. What a step costs among all the others is what bench.run measures.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fastsio.message import Message
from fastsio.outbox import Outbox
from fastsio.packets import Packet
from fastsio.rooms import Rooms
from fastsio.wire import payload, sio
from fastsio.wire.ws import Decoder, encode_frame
from tests.csrc.probing import StillLoop, probe
from tests.wire.twins import client_frame

TEXT, BINARY = 1, 2
UNLIMITED = 1 << 40
PUSHES = 200

SMALL: list[Any] = ["message", 7, "hello"]
KILOBYTE: list[Any] = ["state", {"id": 12345, "names": ["name"] * 20, "text": "x" * 800, "ratio": 0.25}]
WITH_BINARY: list[Any] = ["image", {"name": "a.png", "data": b"\x01" * 500}, [b"\x02" * 500]]
PLACEHOLDERS = [
    "image",
    {"name": "a.png", "data": {"_placeholder": True, "num": 0}},
    [{"_placeholder": True, "num": 1}],
]
ATTACHMENTS = [b"\x01" * 500, b"\x02" * 500]

data = pytest.mark.parametrize(
    ("items", "written", "attachments"),
    [(SMALL, SMALL, []), (KILOBYTE, KILOBYTE, []), (WITH_BINARY, PLACEHOLDERS, ATTACHMENTS)],
    ids=["small", "1 KB", "attachments"],
)
Benchmark = Callable[..., Any]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


# ---- encode ----


@data
def test_encode_message(benchmark: Benchmark, items: object, written: object, attachments: list[bytes]) -> None:
    message = benchmark(Message, Packet(sio.EVENT, "/", items))
    head = b"45%d-" % len(attachments) if attachments else b"42"
    frames = encode_frame(TEXT, head + compact(written))
    assert message.frames == frames + b"".join(encode_frame(BINARY, attachment) for attachment in attachments)


@data
def test_encode_payload(benchmark: Benchmark, items: object, written: object, attachments: list[bytes]) -> None:
    assert benchmark(payload.encode, items) == (compact(written), attachments or None)


# ---- decode ----


@data
def test_decode_payload(benchmark: Benchmark, items: object, written: object, attachments: list[bytes]) -> None:
    assert benchmark(payload.decode, compact(written), attachments) == items


@pytest.mark.parametrize("size", [20, 1000])
def test_decode_frames(benchmark: Benchmark, size: int) -> None:
    messages = [b"42%03d" % number + b"x" * (size - 5) for number in range(100)]
    burst = b"".join(client_frame(TEXT, message) for message in messages)
    decoder = Decoder(100_000)
    assert benchmark(decoder.feed, burst) == [(TEXT, message, 0) for message in messages]
    assert decoder.held == 0


def test_decode_frames_cut_anywhere(benchmark: Benchmark) -> None:
    burst = client_frame(TEXT, b"42" + b"x" * 998) * 20
    pieces = [burst[at : at + 1448] for at in range(0, len(burst), 1448)]
    decoder = Decoder(100_000)
    events = benchmark(lambda: [event for piece in pieces for event in decoder.feed(piece)])
    assert events == [(TEXT, b"42" + b"x" * 998, 0)] * 20


@pytest.mark.parametrize(
    ("packet", "head"),
    [
        (b'2["a"]', (sio.EVENT, 0, b"", None, 1)),
        (b'52-/admin,123["a"]', (sio.BINARY_EVENT, 2, b"/admin", 123, 13)),
    ],
    ids=["short", "full"],
)
def test_decode_head(benchmark: Benchmark, packet: bytes, head: tuple[Any, ...]) -> None:
    assert benchmark(sio.scan, packet) == head


# ---- select ----


def rooms_of(count: int) -> Rooms:
    """Slots 0 to count: all in "all", the even ones in "even", every tenth in "tenth"."""
    rooms = Rooms()
    for slot in range(count):
        rooms.add_socket(f"id{slot}", slot)
        rooms.join(slot, "all")
        if slot % 2 == 0:
            rooms.join(slot, "even")
        if slot % 10 == 0:
            rooms.join(slot, "tenth")
    return rooms


@pytest.mark.parametrize("count", [10, 1000, 10_000])
@pytest.mark.parametrize(
    ("names", "excepts", "sender", "wanted"),
    [
        ((), (), -1, lambda slot: True),
        (("even",), (), -1, lambda slot: slot % 2 == 0),
        (("id3",), (), -1, lambda slot: slot == 3),
        (("even", "tenth", "id3"), (), -1, lambda slot: slot % 2 == 0 or slot == 3),
        (("all",), ("even", "id3"), -1, lambda slot: slot % 2 == 1 and slot != 3),
        ((), (), 5, lambda slot: slot != 5),
    ],
    ids=["everybody", "room", "id", "union", "except", "broadcast"],
)
def test_select(
    benchmark: Benchmark, names: Any, excepts: Any, sender: int, wanted: Callable[[int], bool], count: int
) -> None:
    rooms = rooms_of(count)
    assert benchmark(rooms.selected, names, excepts, sender) == [slot for slot in range(count) if wanted(slot)]


# ---- push ----


def receivers(outbox: Outbox, count: int) -> list[Any]:
    """Slots whose bytes are handed over, and kept in `got`."""

    class Receiver(probe().Probe):  # type: ignore[misc]
        got = b""

        def handover(self, data: memoryview) -> None:
            self.got += bytes(data)

    return [Receiver(outbox) for _ in range(count)]


@pytest.mark.parametrize("count", [1000, 10_000])
@pytest.mark.parametrize("names", [(), ("even",)], ids=["everybody", "room"])
def test_push(benchmark: Any, names: tuple[str, ...], count: int) -> None:
    """Nothing is sent while it is timed: the sequence that all receivers share only grows."""
    loop = StillLoop()
    outbox, rooms = Outbox(loop, UNLIMITED), rooms_of(count)  # type: ignore[arg-type]
    slots = receivers(outbox, count)
    message = Message(Packet(sio.EVENT, "/", SMALL))
    chosen = [slot for slot in slots if not names or slot.number % 2 == 0]
    arguments = (rooms, names, (), -1, message)
    assert benchmark.pedantic(outbox.send_to, arguments, rounds=PUSHES, warmup_rounds=1) == len(chosen)
    pushes, rest = divmod(outbox.stats()["pushed"], len(chosen))
    assert pushes > 0 and rest == 0
    loop.settle()
    expected = message.frames * pushes
    assert all(slot.got == (expected if slot in chosen else b"") for slot in (slots[0], slots[1], slots[-2]))
    assert sum(slot.got == expected for slot in slots) == len(chosen)
    for slot in slots:
        slot.close()
