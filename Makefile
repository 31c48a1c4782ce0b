# Two commands: `make run` sets up and runs the embedded study, `make test` sets up and tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
# A study of your own: make run CONFIG=study.yaml, or several files in quotes.
CONFIG ?=
ARGS ?=
# By the interpreter, as a script's first line cannot name one whose path has quotes.
SNAKEMAKE := $(BIN)/python -m snakemake
# The library of this checkout, also where it was copied or moved with its environment.
STOCKPOT := PYTHONPATH=workflow_scripts $(BIN)/python -m stockpot.cli
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# What comes after --configfile counts as files, so that targets have to stand before it.
STUDY := $(ARGS) $(if $(CONFIG),--configfile $(CONFIG))

.PHONY: run status why test test-fast lint seeds methods cross evidence report reference docs docs-figures benchmarks clean

run: $(VENV)/run.stamp
	$(SNAKEMAKE) --cores $(CORES) $(STUDY)

# How every run of the study that was given last is doing; of all studies with ARGS=--all.
status: $(VENV)/run.stamp
	@$(STOCKPOT) status $(ARGS)

# Why jobs would run, and why those of the last run did; of one job with JOB=base.
JOB ?=
why: $(VENV)/run.stamp
	@$(STOCKPOT) why $(JOB) $(STUDY)

test: lint
	$(BIN)/python -m pytest

# Unit tests that start no process and are quick: after each change, before `make test`.
test-fast: $(VENV)/dev.stamp
	$(BIN)/python -m pytest tests/unit -m "not process and not slow" -n 2 --dist loadfile

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(SNAKEMAKE) --lint

seeds: $(VENV)/run.stamp
	$(SNAKEMAKE) --cores $(CORES) --configfile configs/seeds.yaml

methods: $(VENV)/run.stamp
	$(SNAKEMAKE) --cores $(CORES) --configfile configs/methods.yaml

cross: $(VENV)/run.stamp
	for task in objects digits textures colours; do \
		$(SNAKEMAKE) --cores $(CORES) --config study=cross-$$task --configfile \
			$$(test $$task = objects || echo configs/$$task.yaml) configs/cross.yaml || exit 1; \
	done
	$(BIN)/python docs/scripts/cross_tasks.py results/studies > results/studies/cross.md

evidence: seeds
	for study in digits textures colours evidence; do \
		$(SNAKEMAKE) --cores $(CORES) --configfile configs/$$study.yaml || exit 1; \
	done
	$(BIN)/python docs/scripts/choosing_alpha.py results/studies results/studies

report: run
	name=$$($(STOCKPOT) study-name $(STUDY)) && \
		$(SNAKEMAKE) $(STUDY) --report-stylesheet report/policy.css \
			--report results/studies/$$name/report.html

# Tables of options in docs/ and the schema for editors, from what the schema and plug-ins declare.
reference: $(VENV)/run.stamp
	$(BIN)/python docs/scripts/reference.py

docs: evidence methods cross
	cp results/studies/objects/summary.md docs/results/seeds.md
	cp results/studies/cross.md docs/results/cross.md
	cp results/studies/methods/seed0/*.csv results/studies/methods/seed0/main_table.md docs/results/methods/
	cp results/studies/methods/seed0/figures/methods.png docs/results/methods/
	cp results/studies/objects/seed0/*.csv results/studies/objects/seed0/main_table.md docs/results/objects/
	for figure in alpha effective-robustness methods samples shifts soups; do \
		cp results/studies/objects/seed0/figures/$$figure.png docs/results/objects/ || exit 1; \
	done
	cp results/studies/choosing-alpha.md results/studies/choosing-alpha.csv results/studies/choosing-alpha.png docs/results/
	for result in objects/chords objects/calibration objects/overrides objects/frontier \
		evidence/brittleness evidence/growing evidence/growing-seeds evidence/diversity \
		evidence/landscape evidence/low-shot evidence/joint evidence/diagnosis evidence/pairs; do \
		study=results/studies/$$(dirname $$result)/seed0; \
		cp $$study/analyses/$$(basename $$result).csv docs/results/ || exit 1; \
		cp $$study/figures/$$(basename $$result | sed s/pairs/pair/)*.png docs/results/ || exit 1; \
	done

# Figures of docs/ from the tables beside them, after a change of colours: no study runs.
docs-figures: $(VENV)/run.stamp
	$(BIN)/python docs/scripts/figures.py

benchmarks: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf results .snakemake

# The library is installed from where it lies, so that a change of its code counts at once.
$(VENV)/run.stamp: requirements.txt constraints.txt pyproject.toml envs/complete.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	-$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/python envs/complete.py
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(PIP) -r requirements-dev.txt
	touch $@
