"""Prints what pip has to install, one requirement a line: to build and run, and for the extras named as arguments."""

import sys
import tomllib
from pathlib import Path

config = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
extras = [need for extra in sys.argv[1:] for need in config["project"]["optional-dependencies"][extra]]
print(*config["build-system"]["requires"], *config["project"]["dependencies"], *extras, sep="\n")
