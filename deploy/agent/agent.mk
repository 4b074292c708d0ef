# The agent for hardware tokens: `make agent`, `make agent-packages` (deb and rpm), `make agent-windows`. Works by itself,
# too: make -f deploy/agent/agent.mk agent-packages
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

AGENT_OUT     ?= $(CURDIR)/bin
AGENT_TOOLS   ?= $(CURDIR)/.cache/tools
# A number in front is what package managers want.
AGENT_VERSION ?= $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' | grep . || echo 0.0.0+$$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown))
AGENT_LDFLAGS ?= -s -w -X main.version=$(AGENT_VERSION)
AGENT_ARCH    ?= $(shell go env GOARCH)

.PHONY: agent agent-packages agent-windows

# cgo: PKCS#11 modules are libraries of C.
agent:
	CGO_ENABLED=1 go build -trimpath -ldflags '$(AGENT_LDFLAGS)' -o $(AGENT_OUT)/brama-agent ./cmd/brama-agent

agent-packages: agent $(AGENT_TOOLS)/nfpm
	for kind in deb rpm; do \
	  AGENT_VERSION='$(AGENT_VERSION)' AGENT_ARCH='$(AGENT_ARCH)' AGENT_BINARY='$(AGENT_OUT)/brama-agent' \
	    $(AGENT_TOOLS)/nfpm package --config deploy/agent/nfpm.yaml --packager $$kind --target $(AGENT_OUT)/; \
	done

$(AGENT_TOOLS)/nfpm: deploy/agent/agent.mk
	@mkdir -p $(AGENT_TOOLS); GOBIN=$(AGENT_TOOLS) GOFLAGS=-mod=mod go install $(NFPM) && touch $@

# Two programs: many makers of tokens have modules of 32 bits only, which the second one loads for the first.
agent-windows:
	mkdir -p $(AGENT_OUT)/windows
	CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc go build -trimpath -ldflags '$(AGENT_LDFLAGS) -H=windowsgui' -o $(AGENT_OUT)/windows/brama-agent.exe ./cmd/brama-agent
	CGO_ENABLED=1 GOOS=windows GOARCH=386 CC=i686-w64-mingw32-gcc go build -trimpath -ldflags '$(AGENT_LDFLAGS) -H=windowsgui' -o $(AGENT_OUT)/windows/brama-agent32.exe ./cmd/brama-agent
	cp deploy/agent/install.ps1 deploy/agent/agent.yaml $(AGENT_OUT)/windows/
