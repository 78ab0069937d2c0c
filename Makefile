# Thin names for commands that can also be typed. `make book` and `make test` need Python >= 3.11 and a network, nothing else.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SITE := _build/html
# Which build of PyTorch: auto (a CPU build where there is no NVIDIA GPU), cpu, cuda, or none to bring your own.
TORCH ?= auto

.PHONY: book html test test-fast js js-check stills notebooks experiments inspect bench lint wheel elsewhere versions clean

book: html  ## build the book and serve it
	@$(BIN)/python -m flatten_edu.publish.serve $(SITE) --port $(PORT)

html: $(VENV)/.book  ## build the book, where anything that it is made of has changed
	@$(BIN)/python tools/build.py

site.zip: html  ## the built book as an archive that any static server can show, offline
	@$(BIN)/python tools/archive.py $(SITE) $@

test: $(VENV)/.dev html  ## everything: units, notebooks, the built site in a browser
	$(BIN)/python tools/chromium.py
	$(BIN)/python -m pytest --nbval-lax -n 2 --dist loadfile --durations 60 --durations-min 8

test-fast: $(VENV)/.dev  ## units and properties only
	$(BIN)/python -m pytest tests -m "not browser and not slow" -q -n 2

lint: $(VENV)/.dev  ## style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy

elsewhere: $(VENV)/.dev  ## run the notebooks from the wheel alone, with Colab's ipywidgets (NOTEBOOKS=names)
	$(BIN)/python tools/elsewhere.py $(NOTEBOOKS)

versions:  ## test the library in an environment of your own, whatever its versions are
	$(PYTHON) -m pytest tests -q -m "not browser and not slow" -p no:cacheprovider --ignore tests/browser \
	  --ignore tests/publish --ignore tests/tools --ignore tests/test_figures.py --ignore tests/test_package.py \
	  --ignore tests/test_project.py

wheel: $(VENV)/.dev  ## what PyPI would take, in _build/dist
	$(BIN)/python -m build --outdir _build/dist . && $(BIN)/twine check --strict _build/dist/* && ls -sh _build/dist

js: node_modules/.installed  ## rebuild the labs' bundles (needs Node)
	npm run --silent check
	npm run --silent build

js-check: node_modules/.installed  ## fail where a committed bundle differs from its source
	npm run --silent check
	npm run --silent build -- --check

stills: $(VENV)/.dev  ## photograph the labs that changed (needs Chromium)
	$(BIN)/python tools/stills.py

notebooks: $(VENV)/.dev  ## run the notebooks, keep the outputs that nbval checks
	$(BIN)/python tools/notebooks.py

experiments: $(VENV)/.dev  ## train what the book measures (about a day on a CPU); stopped, it goes on where it was
	$(BIN)/python tools/experiments.py $(RUNS)

inspect: $(VENV)/.dev  ## knock parts out of the shipped models, and see what they look at (minutes)
	$(BIN)/python tools/inspect_trained.py

bench: $(VENV)/.dev  ## time attention on this machine (under 10 minutes on two cores): a record and its plot in _build/bench
	$(BIN)/python -m flatten_edu bench --device cpu --out _build/bench/cpu.json $(BENCH)

clean:
	rm -rf _build node_modules $(VENV) site.zip

$(VENV)/.book: pyproject.toml constraints.txt tools/setup.py
	$(PYTHON) tools/setup.py $(VENV) --extras book --torch $(TORCH)
	@touch $@

$(VENV)/.dev: $(VENV)/.book
	$(PYTHON) tools/setup.py $(VENV) --extras book,dev,train,hub --torch $(TORCH)
	@touch $@

node_modules/.installed: package.json package-lock.json
	npm ci --silent
	@touch $@
