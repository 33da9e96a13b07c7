# The main targets are `make demo` and `make test`. Both install what they need and can be repeated at any time.

SHELL := /bin/bash
WEB_SOURCES := $(shell find web/src web/index.html web/*.ts web/*.js web/package-lock.json -type f 2>/dev/null)

.PHONY: demo test test-programs test-tools test-a-o test-p-z test-docs gpu-bundle chaos chaos-faults chaos-page chaos-resume chaos-openapi build setup setup-test setup-lint libtorch web lint audit clean

demo: build
	./target/release/optlab demo

build: setup
	cargo build --release

setup: libtorch web

# Compilation and the downloads of the test tools run at the same time. Every suite runs even if one fails. Many wait more
# than they compute, so two halves, by the names of the suites, run at the same time; each lists its failed suites last.
test: setup
	$(MAKE) --no-print-directory --jobs 2 test-programs test-tools
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory --jobs 2 --keep-going test-a-o test-p-z test-docs

test-programs:
	cargo test --workspace --no-run

test-tools: setup-test setup-lint

test-a-o:
	cargo test --workspace --no-fail-fast --lib --bins --test '[a-o]*'

test-p-z:
	cargo test --workspace --no-fail-fast --test '[p-z]*'

test-docs:
	cargo test --workspace --doc

# Everything that a borrowed machine with a GPU needs to check optlab on it, in one file: docs/gpu.md
gpu-bundle: build
	crates/gpu-check/bundle.sh target/release target/gpu-bundle.tar.gz

# Tests that take too long for every day. They print their seeds and parts, which can be set to repeat a run.
chaos: chaos-faults chaos-page chaos-resume chaos-openapi

# Rounds of random faults on both databases: OPTLAB_CHAOS_ROUNDS=10 OPTLAB_CHAOS_SEED=7 make chaos-faults
chaos-faults: setup setup-test
	cargo build --workspace
	OPTLAB_CHAOS_JOBS=$${OPTLAB_CHAOS_JOBS:-60} OPTLAB_CHAOS_STEPS=$${OPTLAB_CHAOS_STEPS:-2500} \
	  OPTLAB_CHAOS_FAULTS=$${OPTLAB_CHAOS_FAULTS:-40} \
	  cargo test --workspace --test chaos -- --test-threads=1 --nocapture

# The dashboard for a minute, while four processes write to one SQLite file.
chaos-page: setup setup-test
	cargo build --workspace
	OPTLAB_PAGE_SECONDS=$${OPTLAB_PAGE_SECONDS:-60} \
	  cargo test --workspace --test browser four_processes -- --nocapture

# All combinations of options, each job interrupted and resumed. Takes half an hour on two cores; one eighth of it:
# OPTLAB_RESUME_SEED=7 OPTLAB_RESUME_PART=1/8 make chaos-resume
chaos-resume: setup
	cargo test --package optlab-runner --test resume_product -- --ignored --nocapture

# Many more requests generated from the OpenAPI document than in `make test`:
# OPTLAB_OPENAPI_EXAMPLES=1000 OPTLAB_OPENAPI_SEED=7 make chaos-openapi
chaos-openapi: setup setup-test
	OPTLAB_OPENAPI_EXAMPLES=$${OPTLAB_OPENAPI_EXAMPLES:-200} OPTLAB_OPENAPI_SEED=$${OPTLAB_OPENAPI_SEED:-$$RANDOM} \
	  cargo test --workspace --test openapi -- --nocapture

lint: setup setup-lint
	cargo fmt --all --check
	setup/.tools/bin/cargo-deny --workspace check licenses bans sources
	cargo clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet
	cd web && npm run --silent check && npm run --silent lint && npm test --silent

# Known vulnerabilities of the crates that are linked. Fetches RustSec's database from GitHub, so it is no part of lint.
audit: setup-lint
	setup/.tools/bin/cargo-deny --workspace check advisories

libtorch:
	@python3 setup/libtorch.py

web: web/dist/index.html

web/dist/index.html: $(WEB_SOURCES)
	@setup/web.sh

setup-test: web
	@setup/tests.sh

setup-lint:
	@setup/lint.sh

clean:
	cargo clean
	rm -rf setup/.tools web/dist web/node_modules tests/browser/node_modules tests/python/.venv tests/bucket/.venv tests/openapi/.venv tests/kubernetes/.venv
