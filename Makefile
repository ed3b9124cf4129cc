# One target per job a person does; `make` alone lists them.

PYTHON  ?= python3
TRACKER ?= kcf
DATA    ?= data
RESULTS ?= results
REPORTS ?= reports
DEVICE  ?=
JOBS    ?= 2
WEIGHTS ?=
VIDEOS  ?=
RECIPE  ?= lite
RUN     ?= runs/$(RECIPE)
PRECISION ?= bf16-mixed
TABLES  ?= 5,6
SETS    ?= $(DATA)
BACKBONE ?=

BENCH := .venv/bin/bench
TRAIN := .venv/bin/python -m trackers.siamattn.training
RUN_OPTIONS = --data $(DATA) --results $(RESULTS) --jobs $(JOBS) \
	$(if $(DEVICE),--device $(DEVICE)) $(if $(WEIGHTS),--weights $(WEIGHTS))
TRAIN_OPTIONS = --workers 1 --precision $(PRECISION) \
	$(if $(filter-out nano nano-proposals,$(RECIPE)),--data $(DATA))
AFTER = $(if $(filter lite,$(RECIPE)),lite-heads)
BEGUN = $(RUN)-heads/weights.safetensors
SCORE_OPTIONS = --data $(DATA) --results $(RESULTS)
BENCHMARKS := otb2015 uav123 vot2016 vot2018 lasot trackingnet
MORE := avist dtb70 got10k lasotext nfs otb2013 tb50 tc128 tnl2k uav123-10fps uav20l vasttrack \
	vot2017 vot2019
STAMP := .venv/.complete

.DEFAULT_GOAL := help
.PHONY: help setup demo pictures tables report plots train train-smoke ablation test check format docs mini doctor speed clean

help: ## list every target
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20
	@echo
	@echo "variables: TRACKER=$(TRACKER) DATA=$(DATA) RESULTS=$(RESULTS) REPORTS=$(REPORTS)" \
		"DEVICE=$(DEVICE) JOBS=$(JOBS) WEIGHTS=$(WEIGHTS) RECIPE=$(RECIPE) RUN=$(RUN)" \
		"TABLES=$(TABLES) SETS=$(SETS) VIDEOS=$(VIDEOS) BACKBONE=$(BACKBONE)"

setup: $(STAMP) ## install everything into .venv (done by the other targets when needed)

# opencv-python is a stand-in for the headless build, installed first so that vot-toolkit
# cannot bring a second OpenCV.
$(STAMP): setup.cfg pyproject.toml constraints.txt packaging/opencv-python/setup.cfg
	$(PYTHON) -c 'import sys; sys.exit("Python >= 3.10 is needed") if sys.version_info < (3, 10) else 0'
	@echo "installing into .venv: a few minutes the first time, about 2 GB"
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt ./packaging/opencv-python
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[siamattn,train,imagenet,vot-toolkit,got10k,video,fast,docs,dev]'
	$(BENCH) doctor
	touch $@

demo: $(STAMP) ## run and score trackers on the built-in miniature of all six benchmarks
	sh scripts/demo.sh $(BENCH) $(JOBS)

pictures: $(STAMP) ## run siamattn-lite on the miniature anew, and draw the documentation's pictures
	rm -rf results/mini/*/siamattn-lite
	sh scripts/demo.sh $(BENCH) $(JOBS)
	.venv/bin/python scripts/pictures.py

mini: $(STAMP) ## write the built-in miniature to data/mini
	$(BENCH) mini data/mini --jobs $(JOBS)

eval-otb2015: ## run TRACKER on OTB-2015 under DATA and score it
eval-uav123: ## run TRACKER on UAV123 under DATA and score it
eval-vot2016: ## run TRACKER on VOT2016 under DATA and score it
eval-vot2018: ## run TRACKER on VOT2018 under DATA and score it
eval-lasot: ## run TRACKER on LaSOT under DATA and score it
eval-trackingnet: ## run TRACKER on TrackingNet under DATA and score it
eval-%: $(STAMP) ## the same for any other benchmark of docs/benchmarks.md
	$(BENCH) run $* --tracker $(TRACKER) $(RUN_OPTIONS)
	$(BENCH) eval $* $(SCORE_OPTIONS) --json $(REPORTS)/$*.json

tables: $(STAMP) ## write the paper's tables, printed beside scored, into REPORTS/tables
	$(BENCH) tables $(SCORE_OPTIONS) --out $(REPORTS)/tables

plots: $(STAMP) ## draw the scores of everything in RESULTS into REPORTS/plots (PDF, SVG, PNG)
	@failed=0; for benchmark in $(BENCHMARKS) $(MORE); do \
		if test -d "$(RESULTS)/$$benchmark"; then \
			$(BENCH) plots $$benchmark $(SCORE_OPTIONS) --out $(REPORTS)/plots || failed=1; \
		elif echo " $(BENCHMARKS) " | grep -q " $$benchmark "; then \
			echo "$$benchmark: no results in $(RESULTS)/$$benchmark"; \
		fi; \
	done; exit $$failed

report: $(STAMP) ## write the report page of everything in RESULTS into REPORTS/report
	$(BENCH) report $(SCORE_OPTIONS) --out $(REPORTS)/report

train: $(STAMP) ## train SiamAttn by RECIPE into RUN, or go on with a training that was stopped
	$(if $(AFTER),test -f $(BEGUN) || $(TRAIN) fit $(RUN)-heads --recipe $(AFTER) $(TRAIN_OPTIONS))
	$(TRAIN) fit $(RUN) --recipe $(RECIPE) $(TRAIN_OPTIONS) $(if $(AFTER),--initial $(BEGUN))

train-smoke: $(STAMP) ## learn a handful of pairs by heart, to see that training works here
	$(TRAIN) smoke $$(mktemp -d)/smoke

ablation: $(STAMP) ## train and score the rows of the paper's TABLES at a small size, on pairs of SETS and on VIDEOS
	$(if $(VIDEOS),,test -d data/mini-30/vot2016 || \
		$(BENCH) mini data/mini-30 --benchmark vot2016 --sequences 30 --jobs $(JOBS))
	$(TRAIN) ablation --tables $(TABLES) --out $(REPORTS)/ablation --precision $(PRECISION) \
		$(if $(VIDEOS),--benchmark folder --data $(VIDEOS),--data data/mini-30) \
		$(if $(BACKBONE),--backbone $(BACKBONE)) --training-data $(SETS)

test: $(STAMP) ## run the whole test suite
	.venv/bin/pytest -n 2 -q

check: $(STAMP) ## format, lint and type checks
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

docs: $(STAMP) ## build the documentation site into site/, refusing dead links
	.venv/bin/mkdocs build

format: $(STAMP) ## format the code and apply safe lint fixes
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

speed: $(STAMP) ## time scoring and frames beside other toolkits, SiamAttn by stage, the report page (no test)
	.venv/bin/python scripts/speed.py
	.venv/bin/python scripts/speed_frames.py
	.venv/bin/python scripts/speed_siamattn.py $(if $(VIDEOS),--videos $(VIDEOS))
	.venv/bin/python scripts/speed_report.py

doctor: $(STAMP) ## versions, devices and known traps
	$(BENCH) doctor

clean: ## remove the environment, caches and the miniature; results and reports stay
	rm -rf .venv data/mini .pytest_cache .mypy_cache .ruff_cache build dist site *.egg-info
