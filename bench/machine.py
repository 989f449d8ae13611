"""The machine that measures, in the words that a reader compares with his own."""

import os
import platform
import time
from pathlib import Path

from bench.process import cores


def describe() -> dict[str, str]:
    server, load = cores()
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": f"{os.cpu_count()}, server on {server}, load on {load}",
        "memory": _memory(),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "load average at the start": f"{os.getloadavg()[0]:.2f}",
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _processor() -> str:
    return _field("/proc/cpuinfo", "model name") or platform.machine()


def _memory() -> str:
    kilobytes = _field("/proc/meminfo", "MemTotal").removesuffix(" kB")
    return f"{int(kilobytes) / 1024 / 1024:.0f} GiB"
