# `make demo` and `make test` work on a bare Debian machine with Rust: they install what is missing, build, and run.
# Everything is built once, in the release profile, for the binary and the tests alike.

PREVISION := $(or $(CARGO_TARGET_DIR),target)/release/prevision

# Renders the book.
MDBOOK := 0.5.4

.PHONY: help setup build demo test test-levels test-lance test-wgpu own-parts sanitize fuzz docs clean-demo

help:
	@echo "make demo       record episodes, train, evaluate, plan, report: runs/demo (continues one that was interrupted)"
	@echo "make test       all tests of the CPU build"
	@echo "make test-levels  the same at every lower level of the kernels that this processor has"
	@echo "make own-parts  docs/own-parts: parts of your own through record, train, evaluate, plan and report"
	@echo "make test-lance  the tests of data sets with Lance tables (cargo feature lance), which take protoc and some minutes to build"
	@echo "make test-wgpu  the tests of the GPU backend, on a GPU or on Mesa's software Vulkan"
	@echo "make sanitize   the kernels' tests under AddressSanitizer (nightly) or valgrind"
	@echo "make fuzz       the fuzz targets, FUZZ_SECONDS (60) each: damaged files of every format"
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
	cargo test --release --workspace --doc

test-lance: setup
	@sh .ci/setup lance
	@if cargo nextest --version >/dev/null 2>&1; \
	then cargo nextest run --release -p prevision-data --features lance; \
	else cargo test --release -p prevision-data --features lance; fi

test-wgpu: setup
	@sh .ci/setup wgpu
	cargo test --release -p prevision --features wgpu --test wgpu

test-levels: build
	.ci/levels

own-parts: build
	.ci/own-parts

sanitize: setup
	sh .ci/sanitize

fuzz: setup
	sh .ci/fuzz

docs:
	cargo doc --release --workspace --no-deps
	@command -v mdbook >/dev/null || cargo install --locked mdbook@$(MDBOOK)
	mdbook build docs

clean-demo:
	rm -rf runs/demo
