"""Build of the compiled modules, with the browser client (client_dist.py). The metadata is in pyproject.toml.

Switches from the environment (each "1" to turn on):
    FASTSIO_DEBUG      assertions and consistency checks in csrc, -O0 -g
    FASTSIO_SANITIZE   address and undefined-behaviour sanitizers
    FASTSIO_TRACE      line tracing, for coverage of the .pyx files
    FASTSIO_ANNOTATE   cython -a: an .html beside each .pyx
    FASTSIO_CLIENT     no package without the browser client: an error where it is not to be had
"""

import os
import sys
from glob import glob
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.modified import newer_group

sys.path.append(os.getcwd())  # where pip and build do not look
from client_dist import put_client  # noqa: E402

# What a module links beside its own: csrc has no global state, so that each may have its copy.
FRAMES = ["ws", "utf8"]
MESSAGE = ["message", "forms", *FRAMES]
OUTBOX = ["outbox", "bitset", *MESSAGE]

# module -> the C files that it links
EXTENSIONS = {
    "fastsio.wire.ws": FRAMES,
    "fastsio.wire.sio": ["sio"],
    "fastsio.wire.payload": [],
    "fastsio.wire.polling": ["eio", "utf8"],
    "fastsio.message": ["sio", *MESSAGE],
    "fastsio.rooms": ["bitset"],
    "fastsio.outbox": OUTBOX,
    "fastsio.engine.request": ["http_syntax"],
    "fastsio.engine.http": ["http_chunks", "http_syntax"],
    "fastsio.engine.timers": ["wheel", *OUTBOX],
    "fastsio.engine.core": [],
    "fastsio.engine.session": OUTBOX,
    "fastsio.engine.connection": OUTBOX,
    "fastsio.engine.asgi": OUTBOX,
    "fastsio.engine.polling": ["eio", *OUTBOX],
    "fastsio.handlers": [],
    "fastsio.catching": [],
    "fastsio.space": [],
    "fastsio.dispatch": MESSAGE,
    "fastsio.client": ["sio", *MESSAGE],
    "fastsio.parsing": ["sio", *MESSAGE],
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
            [module.replace(".", "/") + ".pyx"],
            include_dirs=["csrc"],
            depends=[f"csrc/{name}.{suffix}" for name in sources for suffix in "ch"],
            extra_compile_args=compile_args,
            extra_link_args=link_args,
            define_macros=macros,
        )
        for module, sources in EXTENSIONS.items()
    ]


class BuildExt(build_ext):
    """Compiles csrc once, before the modules that link it are built side by side."""

    def build_extensions(self) -> None:
        compile_args, _, macros = flags()
        objects: dict[str, str] = {}
        for source in glob("csrc/*.c"):
            (made,) = self.compiler.object_filenames([source], output_dir=self.build_temp)
            if self.force or newer_group([source, *glob("csrc/*.h")], made):
                self.compiler.compile(
                    [source],
                    output_dir=self.build_temp,
                    macros=macros,
                    include_dirs=["csrc"],
                    extra_postargs=compile_args,
                )
            objects[source] = made
        for extension in self.extensions:
            extension.extra_objects = [objects[f"csrc/{name}.c"] for name in EXTENSIONS[extension.name]]
        super().build_extensions()


class BuildPy(build_py):
    """Adds the browser client to what goes into a wheel."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            put_client(Path(self.build_lib), required=switch("CLIENT"))


class SourceDist(sdist):
    """Adds the browser client, so that a wheel made from it takes no npm."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        put_client(Path(base_dir), required=switch("CLIENT"))


setup(
    cmdclass={"build_ext": BuildExt, "build_py": BuildPy, "sdist": SourceDist},
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
    ),
)
