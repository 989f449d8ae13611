"""The benchmark: `python -m bench.run`. See README.md beside this file."""
