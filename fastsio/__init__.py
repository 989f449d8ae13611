"""fastsio: a Socket.IO server whose data plane is C and Cython."""

from fastsio.asgi import ASGIApp
from fastsio.engine.engine import Engine
from fastsio.errors import AckTimeout, ConnectError, Disconnected, EventError, FastsioError
from fastsio.event import Event
from fastsio.handlers import Ack
from fastsio.namespace import Namespace
from fastsio.packets import Packet
from fastsio.parser import MessagePackParser, Parser
from fastsio.server import Server
from fastsio.sockets import Socket

__all__ = [
    "ASGIApp",
    "Ack",
    "AckTimeout",
    "ConnectError",
    "Disconnected",
    "Engine",
    "Event",
    "EventError",
    "FastsioError",
    "MessagePackParser",
    "Namespace",
    "Packet",
    "Parser",
    "Server",
    "Socket",
]
