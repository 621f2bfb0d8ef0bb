# `make demo` and `make test` work on a bare Debian machine with Rust: they install what is missing, build, and run.
# Everything is built once, in the release profile, for the binary and the tests alike.

PREVISION := $(or $(CARGO_TARGET_DIR),target)/release/prevision

.PHONY: help setup build demo test test-wgpu docs clean-demo

help:
	@echo "make demo       record episodes, train, evaluate, plan, report: runs/demo (continues one that was interrupted)"
	@echo "make test       all tests of the CPU build"
	@echo "make test-wgpu  the tests of the GPU backend, on a GPU or on Mesa's software Vulkan"
	@echo "make build      the binary alone: $(PREVISION)"
	@echo "make docs       the book and the API documentation"
	@echo "make clean-demo remove runs/demo"

setup:
	@sh .ci/setup

build: setup
	cargo build --release --workspace

demo: build
	$(PREVISION) demo

test: setup
	@if cargo nextest --version >/dev/null 2>&1; \
	then cargo nextest run --release --workspace; \
	else cargo test --release --workspace --lib --bins --tests; fi

test-wgpu: setup
	@sh .ci/setup wgpu
	cargo test --release -p prevision --features wgpu --test wgpu

docs:
	cargo doc --release --workspace --no-deps
	@if command -v mdbook >/dev/null; then mdbook build docs; else echo "the book's text is in docs/src (mdbook renders it)"; fi

clean-demo:
	rm -rf runs/demo
