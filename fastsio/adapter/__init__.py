"""Adapters: who is in which room, and how a broadcast reaches them."""

from fastsio.adapter.memory import Adapter
from fastsio.adapter.options import BroadcastOptions, Packet

__all__ = ["Adapter", "BroadcastOptions", "Packet"]
