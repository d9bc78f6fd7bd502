# The project's commands. Everything they need beyond Rust, Go, Python 3.10 and a C compiler they install themselves.
.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-16s %s\n", $$1, $$2 }'

.PHONY: tools
tools: ## Builds a Kubernetes control plane, kubectl and Helm into hack/bin (minutes, once)
	@hack/tools.sh

.PHONY: build
build: ## Builds everything in the workspace
	cargo build --workspace

.PHONY: demo
demo: tools ## Shows the operator at work on a control plane and back ends of its own (KEEP=1 leaves them running)
	@hack/demo.sh

# Most tests wait for servers of their own, so that more of them than there are cores run at one time.
.PHONY: test
test: tools lint check-generated ## Runs all checks and all tests, as CI does
	python=$$(hack/conformance-env.sh) && zenml=$$(hack/conformance-env.sh zenml) && \
		env RUST_TEST_THREADS=10 $${python:+"ROLEWRIGHT_CONFORMANCE_PYTHON=$$python"} \
			$${zenml:+"ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML=$$zenml"} cargo test --workspace
	hack/check-chart.sh

.PHONY: lint
lint: ## Checks the format and runs clippy; a warning is an error
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: generate
generate: ## Writes the CRDs, the chart's copies of them and the field reference
	hack/generate.sh

.PHONY: check-generated
check-generated: ## The same, and fails if that changed anything
	hack/generate.sh --check

.PHONY: bench
bench: ## Runs the benchmarks
	cargo bench

.PHONY: clean
clean: ## Removes everything that was built, the tools too
	cargo clean
	rm -rf hack/bin
