# The two commands are `make demo` and `make test`; both set up what they need and can be run again at any time.

SHELL := /bin/bash
WEB_SOURCES := $(shell find web/src web/index.html web/*.ts web/*.js web/package-lock.json -type f 2>/dev/null)

.PHONY: demo test chaos build setup setup-test libtorch web lint clean

demo: build
	./target/release/optlab demo

build: setup
	cargo build --release

setup: libtorch web

test: setup setup-test lint
	cargo test --workspace

# Whole rounds of faults on both databases: OPTLAB_CHAOS_ROUNDS=10 OPTLAB_CHAOS_SEED=7 make chaos
chaos: setup setup-test
	OPTLAB_CHAOS_JOBS=$${OPTLAB_CHAOS_JOBS:-60} OPTLAB_CHAOS_FAULTS=$${OPTLAB_CHAOS_FAULTS:-40} \
	  cargo test --workspace --test chaos -- --test-threads=1 --nocapture

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet
	cd web && npm run --silent check && npm test --silent

libtorch:
	@python3 setup/libtorch.py

web: web/dist/index.html

web/dist/index.html: $(WEB_SOURCES)
	@setup/web.sh

setup-test: web
	@setup/tests.sh

clean:
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules
