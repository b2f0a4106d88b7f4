# make run: install what is missing, build, run proctor on the demo workspace.
# make test: the whole suite.
SHELL := /bin/bash
PROCTOR := .build/debug/proctor
# The virtual environment that scripts/setup.sh makes has pytest.
export VIRTUAL_ENV := $(CURDIR)/.cache/python

.PHONY: goldens run test build setup format-check dist bench clean

setup:
	scripts/setup.sh

build: setup
	swift build

run: build
	$(PROCTOR) run fixtures/polyglot || [ $$? -eq 1 ]

test: setup format-check
	scripts/setup-runners.sh
	# The image for the containers comes over the network while the compiler works.
	{ [ "$$(id -u)" -ne 0 ] || scripts/setup-containers.sh prepare; } & \
	  swift build --build-tests; status=$$?; wait; exit $$status
	scripts/with-containers.sh scripts/run-tests.sh

format-check:
	scripts/check-format.sh

# One file that runs on another machine of the same distribution.
dist:
	scripts/setup.sh --build
	scripts/build-release.sh
	install -D .build-release/release/proctor dist/proctor

bench: setup
	Benchmarks/run.sh

clean:
	rm -rf .build .build-release dist .cache

# Writes every expected.json anew; read the difference by hand.
goldens: build
	python3 Tests/Support/update_goldens.py $(PROCTOR) fixtures/projects/*/* fixtures/lies/*
	python3 Tests/Support/lies_page.py
