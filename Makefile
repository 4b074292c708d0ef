# Brama. `make run` starts everything on this machine; `make test` proves it. Both install what they lack.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

CACHE  := $(CURDIR)/.cache
TOOLS  := $(CACHE)/tools
STATIC := provider/web/static
export PATH := $(CACHE)/node/bin:$(PATH)
export BRAMA_CACHE := $(CACHE)

# Tools, pinned. Each is installed once a version.
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.8.0
BENCHSTAT     := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

# Of a fixed length: git shortens a commit by how many it knows.
VERSION := $(shell git describe --tags --always --dirty --abbrev=12 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
WASM_SOURCES := $(shell find cmd/brama-wasm internal/der internal/dstu internal/challenge internal/qes -name '*.go' -not -name '*_test.go') go.mod

.PHONY: build wasm run test unit e2e check crypto assembler race vulncheck sbom reproducible bench bench-provider setup clean fmt FORCE

build: wasm
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/brama ./cmd/brama

wasm: $(STATIC)/wasm/brama.wasm.br $(STATIC)/wasm/wasm_exec.js

$(CACHE)/brama.wasm: $(WASM_SOURCES)
	GOOS=js GOARCH=wasm go build -trimpath -ldflags '-s -w' -o $@ ./cmd/brama-wasm

# The server holds the compressed forms only: it can unpack one of them for whoever takes neither.
$(STATIC)/wasm/brama.wasm.br: $(CACHE)/brama.wasm
	go run ./internal/tools/compress $(STATIC)/wasm $<
	rm -f $(STATIC)/wasm/brama.wasm

$(STATIC)/wasm/wasm_exec.js: go.mod
	cp "$$(go env GOROOT)/lib/wasm/wasm_exec.js" $@

run: build
	bin/brama dev $(ARGS)

# Debian packages and node modules that the tests need; nothing is done where they are there.
setup:
	@internal/tools/setup.sh

test: setup build check unit

unit: wasm
	go test -timeout 30m ./...

e2e: setup build
	go test -timeout 20m -v ./internal/e2e/...

check: wasm $(TOOLS)/staticcheck $(TOOLS)/golangci-lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./cmd/brama-wasm
	GOARCH=arm64 go build ./...
	go build -tags purego ./...
	go test ./internal/layers ./provider/web
	go vet -tags pkcs11 ./...
	go test -tags pkcs11 ./provider/keys/... ./cmd/brama/internal/wiring/... ./cmd/brama/internal/serve/... ./cmd/brama/internal/systems/... ./internal/pkcs11/...
	$(MAKE) --no-print-directory agent-windows
	$(TOOLS)/staticcheck ./...
	$(TOOLS)/staticcheck -tags pkcs11 ./cmd/brama/internal/... ./internal/pkcs11/... ./provider/keys/...
	$(TOOLS)/golangci-lint run ./...
	go vet github.com/ory/x/... && $(TOOLS)/staticcheck github.com/ory/x/...
	$(MAKE) --no-print-directory crypto assembler race vulncheck

# Every way to calculate: without assembler all tests, and each way against its twin on inputs that nobody chose. Counted, not
# timed: a fuzz run that is stopped by the clock may call that a failure.
crypto:
	go test -tags purego ./internal/dstu/...
	go test -run '^$$' -fuzz '^FuzzMul$$' -fuzztime 20000x -fuzzminimizetime 10x ./internal/dstu/internal/gf2m
	go test -run '^$$' -fuzz '^FuzzFormulas$$' -fuzztime 20000x -fuzzminimizetime 10x ./internal/dstu/internal/gf2m
	go test -run '^$$' -fuzz '^FuzzTwin$$' -fuzztime 20000x -fuzzminimizetime 10x ./internal/dstu/kalyna

# The assembler is what its generator writes.
GF2M := internal/dstu/internal/gf2m
assembler:
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; cp -r $(GF2M)/_asm "$$dir/"; \
	(cd "$$dir/_asm" && go run . -out ../gf2m_amd64.s -stubs ../stubs_amd64.go -pkg gf2m); \
	for f in gf2m_amd64.s stubs_amd64.go; do \
	  diff -q "$$dir/$$f" $(GF2M)/$$f || { echo "$(GF2M)/$$f is not what _asm writes: go generate ./$(GF2M)"; exit 1; }; done

# The packages where goroutines meet.
race:
	go test -race -short -timeout 20m ./storage/... ./provider/... ./connectors/... ./internal/audit/... ./internal/batch ./internal/disk ./internal/fetch/... ./internal/qes/revocation/... ./internal/qes/cmp/...

# Skipped, with the reason, where the tool or its database cannot be reached; a finding fails.
vulncheck:
	@mkdir -p $(TOOLS); [ -x $(TOOLS)/govulncheck ] || GOBIN=$(TOOLS) go install $(GOVULNCHECK) >$(CACHE)/govulncheck.log 2>&1 || { \
	  echo "govulncheck skipped: it cannot be installed: $$(tail -n 1 $(CACHE)/govulncheck.log)"; exit 0; }; \
	out=$$($(TOOLS)/govulncheck ./... 2>&1) && echo "$$out" | tail -n 3 || { \
	  if grep -q 'fetching vulnerabilities' <<<"$$out"; then echo "govulncheck skipped: its database cannot be reached"; \
	  else echo "$$out"; exit 1; fi; }

# What is linked into the programs: a CycloneDX bill of materials beside each.
sbom: build agent
	for p in brama brama-agent; do go run ./internal/tools/sbom $(VERSION) bin/$$p > bin/$$p.cdx.json; done

# The same bytes from two clones in two places, each compiled anew (threat T102). Before a release: it takes minutes.
reproducible:
	BRAMA_REPRODUCIBLE=1 go test -count=1 -v -timeout 30m -run TestReproducible ./internal/layers

# The table of the national cryptography beside its peers, then every benchmark of the project.
bench: setup wasm
	go run ./internal/tools/bench
	go test -run '^$$' -bench . -benchmem -cpu 1 ./internal/dstu/... ./internal/qes/... ./provider/oauth/... ./storage/...
	go test -run '^$$' -bench 'Waiting|BesideOutage' -benchtime 3s ./provider

# What the provider costs its machine beside npm's oidc-provider, each on one core, with its bounds.
bench-provider: setup wasm
	go run ./internal/tools/benchprovider

$(TOOLS)/staticcheck: Makefile
	@mkdir -p $(TOOLS); GOBIN=$(TOOLS) go install $(STATICCHECK) && touch $@
$(TOOLS)/golangci-lint: Makefile
	@mkdir -p $(TOOLS); GOBIN=$(TOOLS) go install $(GOLANGCI_LINT) && touch $@
$(TOOLS)/benchstat: Makefile
	@mkdir -p $(TOOLS); GOBIN=$(TOOLS) go install $(BENCHSTAT) && touch $@

fmt:
	gofmt -w $$(git ls-files '*.go')

clean:
	rm -rf bin .cache $(STATIC)/wasm/brama.wasm* $(STATIC)/wasm/wasm_exec.js

include deploy/agent/agent.mk
