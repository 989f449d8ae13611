# make demo    the chat page at http://127.0.0.1:3000
# make test    everything: lint, types, unit, property and end-to-end tests
# make docs    the documentation as HTML, in build/docs
# make lint | types | pytest | wheel | bench | fuzz | clean
#
# Everything is installed into .venv and node_modules. PYTHON chooses the interpreter: make PYTHON=python3.13 demo

PYTHON ?= python3
FUZZ_SECONDS ?= 60# of each target
VENV := .venv
STAMPS := $(VENV)/stamps
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

PYX := $(shell find fastsio -name '*.pyx')
NATIVE := setup.py $(PYX) $(shell find fastsio -name '*.pxd') $(wildcard csrc/*.[ch])
PACKAGE := $(NATIVE) client_dist.py tests/package.json pyproject.toml MANIFEST.in README.md $(shell find fastsio -name '*.py' -o -name '*.pyi')
MODULES := $(subst /,.,$(PYX:.pyx=))

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: demo test docs pytest lint types wheel bench fuzz clean

demo: $(STAMPS)/built examples/chat/node_modules/.package-lock.json
	python examples/chat/server.py

test: lint types pytest

pytest: $(STAMPS)/built $(STAMPS)/test tests/node_modules/.package-lock.json examples/chat/node_modules/.package-lock.json
	pytest

lint: $(STAMPS)/test
	ruff check
	ruff format --check
	cython-lint fastsio

types: $(STAMPS)/built $(STAMPS)/test
	mypy
	python -m mypy.stubtest --allowlist .ci/stubtest.txt --ignore-unused-allowlist --ignore-disjoint-bases $(MODULES)

docs: $(STAMPS)/built $(STAMPS)/docs
	sphinx-build -W --keep-going --quiet --builder html docs build/docs
	@echo "open file://$(CURDIR)/build/docs/index.html"

wheel: dist/stamp

bench: $(STAMPS)/built $(STAMPS)/bench bench/node_modules/.package-lock.json
	$(MAKE) -C bench
	python -m bench.run

fuzz: $(STAMPS)/built $(STAMPS)/test
	python -m tests.fuzz.run $(FUZZ_SECONDS)

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	rm -rf tests/node_modules examples/chat/node_modules bench/node_modules bench/build
	find fastsio -name '*.so' -delete -o -name '*.html' -delete

# ---- what the targets stand on ----

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "fastsio needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1): name another one, make PYTHON=python3.12"; \
	    exit 1; }
	$(PYTHON) -m venv $(VENV)

# Dependencies come from pyproject.toml; a .pth file puts this folder on the environment's path.
$(STAMPS)/needs: pyproject.toml .ci/needs.py | $(VENV)/bin/python
	$(VENV)/bin/python .ci/needs.py > $(VENV)/needs.txt
	$(PIP) install --requirement $(VENV)/needs.txt
	echo "$(CURDIR)" > "$$($(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/fastsio.pth"
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test: $(STAMPS)/needs
	$(VENV)/bin/python .ci/needs.py test docs > $(VENV)/needs-test.txt
	$(PIP) install --requirement $(VENV)/needs-test.txt
	touch $@

$(STAMPS)/docs: $(STAMPS)/needs
	$(VENV)/bin/python .ci/needs.py docs > $(VENV)/needs-docs.txt
	$(PIP) install --requirement $(VENV)/needs-docs.txt
	touch $@

$(STAMPS)/bench: $(STAMPS)/needs bench/requirements.txt
	$(PIP) install --requirement bench/requirements.txt
	touch $@

$(STAMPS)/built: $(STAMPS)/needs $(NATIVE)
	python setup.py --quiet build_ext --inplace --parallel $$(getconf _NPROCESSORS_ONLN)
	touch $@

# Without npm the demo's page takes the client from elsewhere, and the tests that need it say so.
%/node_modules/.package-lock.json: %/package-lock.json
	@if command -v npm >/dev/null; then \
	    npm ci --prefix $* --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is not installed: going on without the official client in $*/node_modules"; fi

# From the source distribution, as others will build it.
dist/stamp: $(STAMPS)/test $(PACKAGE) | tests/node_modules/.package-lock.json
	rm -rf dist
	python -m build --no-isolation --outdir dist/plain
	if [ "$$(uname)" = Linux ]; then auditwheel repair --wheel-dir dist dist/plain/*.whl; else cp dist/plain/*.whl dist; fi
	touch $@
