# The project's commands. They need Rust, Go, bash and a C compiler, and install everything else. The conformance tests need Python 3.10.
.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-16s %s\n", $$1, $$2 }'

.PHONY: tools
tools: ## Put a Kubernetes control plane, kubectl and Helm into hack/bin: downloaded, or built (minutes, once)
	@hack/tools.sh

.PHONY: build
build: ## Build the whole workspace
	cargo build --workspace

.PHONY: demo
demo: ## Show the operator at work with its own control plane and simulated back ends (KEEP=1 leaves them running)
	@hack/tools.sh etcd kube-apiserver kubectl
	@hack/demo.sh

# Most tests wait for their own servers, so more tests run at a time than there are cores.
.PHONY: test
test: tools lint lint-workflows check-generated ## Run all checks and all tests that need no root
	python=$$(hack/conformance-env.sh) && zenml=$$(hack/conformance-env.sh zenml) && \
		lenses=$$(hack/conformance-env.sh lenses) && \
		env RUST_TEST_THREADS=10 $${python:+"ROLEWRIGHT_CONFORMANCE_PYTHON=$$python"} \
			$${zenml:+"ROLEWRIGHT_CONFORMANCE_PYTHON_ZENML=$$zenml"} \
			$${lenses:+"ROLEWRIGHT_CONFORMANCE_PYTHON_LENSES=$$lenses"} cargo test --workspace
	hack/check-chart.sh
	hack/check-release.sh

.PHONY: binary
binary: ## Build the static binary and its SBOM into target/image (Linux)
	@hack/image.sh binary

.PHONY: image
image: ## Build the operator's image and its SBOM into target/image, without Docker (Linux with buildah)
	@hack/image.sh

.PHONY: test-install
test-install: ## Install the image in a real one-node cluster, without Docker (Linux, as root, after make image)
	@hack/test-install.sh

# SEED replays one schedule; without it, new ones are tried for SECONDS on each vendor.
.PHONY: explore
explore: ## Run random schedules of the operator in memory (SEED=7 STEPS=30 SECONDS=120)
	EXPLORE_SEED=$(SEED) EXPLORE_STEPS=$(STEPS) EXPLORE_SECONDS=$(or $(SECONDS),120) EXPLORE_FIRST=$$RANDOM \
		cargo test --test e2e -- simulation::explore simulation::guarded --nocapture

.PHONY: test-kubernetes
test-kubernetes: ## Run the end-to-end tests on another Kubernetes version (VERSION=1.33)
	$(if $(VERSION),,$(error VERSION is not set: write make test-kubernetes VERSION=1.33))
	@hack/tools.sh "k8s-$(VERSION)" helm
	hack/bin-$(VERSION)/kube-apiserver --version
	KUBEBUILDER_ASSETS="$(CURDIR)/hack/bin-$(VERSION)" RUST_TEST_THREADS=10 cargo test --test e2e

.PHONY: lint
lint: ## Check the format and run clippy; a warning is an error
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: lint-workflows
lint-workflows: ## Check the workflows of CI, and the scripts if shellcheck is installed
	@hack/tools.sh actionlint
	hack/bin/actionlint
	if command -v shellcheck >/dev/null; then shellcheck --severity warning hack/*.sh .ci/run; fi

.PHONY: deny
deny: ## Check the licences, sources and versions of dependencies, and advisories about them (ADVISORIES=required)
	@ADVISORIES=$(ADVISORIES) hack/deny.sh

.PHONY: generate
generate: ## Write the CRDs, the schemas, the field reference, the table of versions, and the checks for Argo CD and Flux
	hack/generate.sh

.PHONY: check-generated
check-generated: ## Run generate and fail if it changed a file
	hack/generate.sh --check

.PHONY: docs
docs: ## Build the site of the documentation into target/docs
	@hack/docs.sh

.PHONY: check-release
check-release: ## Check that everything has one version, and is ready for a release (VERSION=0.1.0)
	@hack/release.sh check $(if $(VERSION),"$(VERSION)")

.PHONY: release-notes
release-notes: ## Print the notes of a version from CHANGELOG.md (VERSION=0.1.0, or Unreleased)
	@hack/release.sh notes "$(or $(VERSION),Unreleased)"

.PHONY: release-files
release-files: ## Pack the binary that make binary built, and its SBOM, into target/dist
	@hack/release.sh files

.PHONY: chart
chart: ## Package the chart into target/dist
	@hack/release.sh chart

.PHONY: publish
publish: ## Push the images of target/release and the chart of target/dist (REGISTRY=ghcr.io/rolewright)
	@REGISTRY=$(REGISTRY) hack/release.sh publish

.PHONY: bench
bench: ## Run the benchmarks
	cargo bench

.PHONY: clean
clean: ## Remove everything that was built, also the tools (their cache stays)
	cargo clean
	rm -rf hack/bin hack/bin-*
