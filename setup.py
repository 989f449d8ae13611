"""Build of the compiled modules, and the browser client for packages. The metadata is in pyproject.toml.

Wheels and source distributions carry the bundles of npm's socket.io-client in fastsio/client-dist, in the version that
tests/package.json names: from tests/node_modules, or else through npm, where there is one; in a source distribution
they are there already. A checkout is left as it is and finds them in tests/node_modules.

Switches from the environment (each "1" to turn on):
    FASTSIO_DEBUG      assertions and consistency checks in csrc, -O0 -g
    FASTSIO_SANITIZE   address and undefined-behaviour sanitizers
    FASTSIO_TRACE      line tracing, for coverage of the .pyx files
    FASTSIO_ANNOTATE   cython -a: an .html beside each .pyx
    FASTSIO_CLIENT     no package without the browser client: an error where it is not to be had
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from base64 import b64encode
from glob import glob
from hashlib import sha512
from pathlib import Path
from tempfile import TemporaryDirectory

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.modified import newer_group

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


# ---- the browser client ----

CLIENT = Path("fastsio/client-dist")  # in packages
NPM_CLIENT = "node_modules/socket.io-client"
NPM_SECONDS = 120


def put_client(root: Path) -> None:
    """Puts the browser client into a package under root, in place of one that is there."""
    shutil.rmtree(root / CLIENT, ignore_errors=True)
    with TemporaryDirectory() as folder:
        try:
            for file in client_in(Path(folder)):
                (root / CLIENT).mkdir(exist_ok=True)
                shutil.copyfile(file, root / CLIENT / file.name)
        except LookupError as error:
            if switch("CLIENT"):
                raise SystemExit(f"the browser client is missing: {error}") from None
            print(f"going on without the browser client: {error}", file=sys.stderr)


def client_in(spare: Path) -> list[Path]:
    """The client's files: bundles, maps, package.json and LICENSE. spare: an empty folder. LookupError: none."""
    if CLIENT.is_dir():
        return list(CLIENT.iterdir())
    if not Path("tests/package.json").exists():
        raise LookupError("this source distribution was made without it")
    version = json.loads(Path("tests/package.json").read_text())["devDependencies"]["socket.io-client"]
    package = Path("tests", NPM_CLIENT)
    described = package / "package.json"
    if not described.exists() or json.loads(described.read_text())["version"] != version:
        package = from_npm(version, spare)
    return [package / "LICENSE", package / "package.json", *package.glob("dist/socket.io*.js*")]


def from_npm(version: str, folder: Path) -> Path:
    """Where npm's package is unpacked, below the folder. It is the one that tests/package-lock.json knows."""
    npm = shutil.which("npm")
    if npm is None:
        raise LookupError("npm is not installed")
    command = [npm, "pack", f"socket.io-client@{version}", "--pack-destination", str(folder), "--loglevel=error"]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=NPM_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise LookupError(f"npm pack failed: {error}") from None
    (packed,) = folder.glob("*.tgz")
    known = json.loads(Path("tests/package-lock.json").read_text())["packages"][NPM_CLIENT]["integrity"]
    if known != "sha512-" + b64encode(sha512(packed.read_bytes()).digest()).decode():
        raise SystemExit(f"socket.io-client {version} from npm is not the one of tests/package-lock.json")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


class BuildPy(build_py):
    """Adds the browser client to what goes into a wheel."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            put_client(Path(self.build_lib))


class SourceDist(sdist):
    """Adds the browser client, so that a wheel made from it takes no npm."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        put_client(Path(base_dir))


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
