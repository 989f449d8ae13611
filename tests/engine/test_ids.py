"""Ids are random, 120 bits of them, and no other process makes the same."""

import base64
import subprocess
import sys

from fastsio.engine.ids import generate_id


def test_ids():
    ids = [generate_id() for _ in range(3000)]
    assert len(set(ids)) == 3000
    assert {len(id) for id in ids} == {20}
    assert {len(base64.urlsafe_b64decode(id)) for id in ids} == {15}
    # every bit of them varies
    numbers = [int.from_bytes(base64.urlsafe_b64decode(id)) for id in ids]
    assert all(1000 < sum(number >> bit & 1 for number in numbers) < 2000 for bit in range(120))


def test_ids_after_a_fork():
    script = """
import os, sys
from fastsio.engine.ids import generate_id
generate_id()
reader, writer = os.pipe()
child = os.fork() == 0
ids = [generate_id() for _ in range(300)]
if child:
    os.write(writer, "\\n".join(ids).encode())
    os._exit(0)
os.wait()
theirs = os.read(reader, 10000).decode().split("\\n")
assert len(theirs) == 300
assert not set(ids) & set(theirs)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
