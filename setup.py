"""Build of the compiled modules. The metadata is in pyproject.toml.

Switches from the environment (each "1" to turn on):
    FASTSIO_DEBUG      assertions and consistency checks in csrc, -O0 -g
    FASTSIO_SANITIZE   address and undefined-behaviour sanitizers
    FASTSIO_TRACE      line tracing, for coverage of the .pyx files
    FASTSIO_ANNOTATE   cython -a: an .html beside each .pyx
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

# What a module links beside its own: csrc has no global state, so that each may have its copy.
FRAMES = ["ws", "utf8"]
MESSAGE = ["message", *FRAMES]
OUTBOX = ["outbox", "bitset", *MESSAGE]

# module -> the C files that it links
EXTENSIONS = {
    "fastsio.wire.ws": FRAMES,
    "fastsio.wire.sio": ["sio"],
    "fastsio.wire.payload": [],
    "fastsio.message": ["sio", *MESSAGE],
    "fastsio.rooms": ["bitset"],
    "fastsio.outbox": OUTBOX,
    "fastsio.engine.http": ["http_syntax"],
    "fastsio.engine.timers": ["wheel", *OUTBOX],
    "fastsio.engine.core": [],
    "fastsio.engine.session": OUTBOX,
    "fastsio.engine.connection": OUTBOX,
    "fastsio.handlers": [],
    "fastsio.dispatch": MESSAGE,
    "fastsio.client": ["sio", *MESSAGE],
}


def switch(name: str) -> bool:
    return os.environ.get(f"FASTSIO_{name}", "0") not in ("", "0")


def flags() -> tuple[list[str], list[str], list[tuple[str, str | None]]]:
    """Compiler flags, linker flags and macros that the switches ask for."""
    compile_args = ["-std=c11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden"]
    link_args: list[str] = []
    macros: list[tuple[str, str | None]] = []
    if switch("DEBUG"):
        compile_args += ["-O0", "-g"]
        macros += [("FASTSIO_DEBUG", "1")]
    else:
        compile_args += ["-O3", "-g1"]
    if switch("SANITIZE"):
        sanitize = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
        compile_args += sanitize
        link_args += sanitize
    if switch("TRACE"):
        macros += [
            ("CYTHON_TRACE", "1"),
            ("CYTHON_TRACE_NOGIL", "1"),
            ("CYTHON_USE_SYS_MONITORING", "0"),
        ]
    return compile_args, link_args, macros


def extensions() -> list[Extension]:
    compile_args, link_args, macros = flags()
    return [
        Extension(
            module,
            [module.replace(".", "/") + ".pyx", *(f"csrc/{name}.c" for name in sources)],
            include_dirs=["csrc"],
            depends=[f"csrc/{name}.h" for name in sources],
            extra_compile_args=compile_args,
            extra_link_args=link_args,
            define_macros=macros,
        )
        for module, sources in EXTENSIONS.items()
    ]


setup(
    ext_modules=cythonize(
        extensions(),
        build_dir="build/cython",
        annotate=switch("ANNOTATE"),
        nthreads=os.cpu_count() if sys.platform == "linux" else 0,
        compiler_directives={
            "language_level": 3,
            "binding": True,
            "boundscheck": False,
            "wraparound": False,
            "initializedcheck": False,
            "embedsignature": False,
            "freethreading_compatible": False,
            "linetrace": switch("TRACE"),
        },
    )
)
