# The two commands are `make demo` and `make test`; both set up what they need and can be run again at any time.

SHELL := /bin/bash
WEB_SOURCES := $(shell find web/src web/index.html web/*.ts web/*.js web/package-lock.json -type f 2>/dev/null)

.PHONY: demo test build setup setup-test libtorch web lint clean

demo: build
	./target/release/optlab demo

build: setup
	cargo build --release

setup: libtorch web

test: setup setup-test lint
	cargo test --workspace

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
