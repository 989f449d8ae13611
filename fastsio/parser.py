"""Parsers: how a Socket.IO packet becomes Engine.IO messages and back, where it is not the built-in JSON format.

    class PlainJson(Parser):
        def encode(self, packet):
            return [json.dumps(packet)]

        def decode(self, message):
            return Packet(*json.loads(message))

    io = Server(parser=PlainJson())

Clients need the same format, see the option `parser` of socket.io-client.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastsio.packets import Packet

if TYPE_CHECKING:
    from ormsgpack import Ext

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = range(5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Parser:
    """A format of packets: derive from it, and give an instance to `Server(parser=...)`.

    One instance serves all connections of the server. Source: Socket.IO 2.x and 4.x (custom parsers).
    """

    def encode(self, packet: Packet) -> list[str | bytes]:
        """The Engine.IO messages, at least one, that make the packet; they are sent one behind the other.

        It is called once for a packet, however many clients get it; what it raises, the emit raises.
        """
        raise NotImplementedError

    def decode(self, message: str | bytes) -> Packet | None:
        """The packet that the message makes; None: more messages of it are to come.

        Whatever it raises closes the connection that sent the message.
        """
        raise NotImplementedError

    def decoder(self) -> Callable[[str | bytes], Packet | None]:
        """What decodes the messages of one connection, called when it opens; `decode` itself where that keeps nothing
        from one message to the next."""
        return self.decode


class MessagePackParser(Parser):
    """Packets as MessagePack, each one binary message: those of npm socket.io-msgpack-parser 3.x.

    Smaller than JSON where there are numbers or binary values. A Date is a datetime here, both ways: in UTC when it
    comes, and naive ones are taken for UTC; `undefined` comes as None. An ArrayBuffer of exactly 8 bytes, or of a
    single 0, that a client on Node sends looks like a Date or `undefined` and comes as that, a Buffer does not; in
    browsers both are safe. ImportError: ormsgpack is missing, `pip install fastsio[msgpack]`. Source: Socket.IO 4.x.
    """

    def __init__(self) -> None:
        try:
            import ormsgpack
        except ImportError as error:
            raise ImportError("MessagePackParser needs ormsgpack: pip install fastsio[msgpack]") from error
        self._pack, self._unpack = ormsgpack.packb, ormsgpack.unpackb
        self._option = ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_PASSTHROUGH_DATETIME
        self._unpack_option = ormsgpack.OPT_NON_STR_KEYS

    def encode(self, packet: Packet) -> list[str | bytes]:
        """One binary message. TypeError: a value that MessagePack does not have."""
        fields: dict[str, Any] = {"type": packet.type, "nsp": packet.nsp}
        if packet.data is not None:
            fields["data"] = packet.data
        if packet.id is not None:
            fields["id"] = packet.id
        return [self._pack(fields, to_extension, self._option)]

    def decode(self, message: str | bytes) -> Packet:
        """ValueError: no packet."""
        if isinstance(message, str):
            raise ValueError("a text message, where packets are binary")
        fields = self._unpack(message, ext_hook=from_extension, option=self._unpack_option)
        if not isinstance(fields, dict):
            raise ValueError("a packet is a map")
        return Packet(fields.get("type"), fields.get("nsp"), fields.get("data"), fields.get("id"))  # type: ignore[arg-type]


def from_extension(type: int, data: bytes) -> Any:
    """What notepack.io sends as an extension. ValueError: another one."""
    if type != 0:
        raise ValueError(f"the extension type {type} is unknown")
    if data == b"\0":
        return None
    if len(data) == 8:
        try:
            return EPOCH + timedelta(milliseconds=int.from_bytes(data, "big", signed=True))
        except OverflowError:
            return data
    return data


def to_extension(value: object) -> Ext:
    """A datetime as notepack.io has it. TypeError: another value."""
    import ormsgpack

    if not isinstance(value, datetime):
        raise TypeError(f"MessagePack does not have {type(value).__name__}")
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return ormsgpack.Ext(0, ((moment - EPOCH) // timedelta(milliseconds=1)).to_bytes(8, "big", signed=True))


def check_packet(packet: Any) -> str | None:
    """What is wrong with a packet that a client sent; None: nothing."""
    if not isinstance(packet, Packet):
        return f"the parser gave no Packet but {type(packet).__name__}"
    if type(packet.type) is not int or not CONNECT <= packet.type <= CONNECT_ERROR:
        return "unknown packet type"
    if not isinstance(packet.nsp, str):
        return "the namespace must be a string"
    if packet.id is not None and (type(packet.id) is not int or not 0 <= packet.id < 2**53):
        return "illegal id"
    if packet.type in (EVENT, ACK) and not isinstance(packet.data, list):
        return "the payload must be an array"
    if packet.type == CONNECT and not isinstance(packet.data, dict | None):
        return "the payload of CONNECT must be an object"
    if packet.type == DISCONNECT and packet.data is not None:
        return "DISCONNECT has no payload"
    return None
