"""Adapters: who is in which room, and how a broadcast reaches them."""

from fastsio.adapter.memory import Adapter
from fastsio.adapter.options import BroadcastOptions
from fastsio.adapter.recovery import RecoverableSession, RecoveryAdapter
from fastsio.packets import Packet

__all__ = ["Adapter", "BroadcastOptions", "Packet", "RecoverableSession", "RecoveryAdapter"]
