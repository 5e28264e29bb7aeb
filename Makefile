# `make` alone lists the targets: the text behind ## is their help.

GO       ?= go
BIN      := bin
SAMPLE   := $(BIN)/sample.snap
KEYS     := $(BIN)/receipt-keys
LISTEN   ?= 127.0.0.1:8080
ADMIN    ?= 127.0.0.1:9090
FUZZTIME ?= 30s
BENCH    ?= .
SIZES    ?= 300000,1000000
REGISTER ?= codepo_gb
# The same register a year earlier, for make year.
REGISTER_BEFORE ?= codepo_gb_before
PREMISES ?= 30000000
# The tools have a module file of their own, so that nothing of theirs reaches go.mod.
LINT     := $(GO) tool -modfile=.ci/tools.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help run test build sample lint fmt race crash fuzz bench bench-national bench-peers bench-go year story ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: sample ## build the sample snapshot and serve it on http://127.0.0.1:8080
	$(BIN)/coverd serve --snapshot $(SAMPLE) --receipt-keys $(KEYS) --listen $(LISTEN) --admin $(ADMIN)

test: ## run all tests
	$(GO) test -timeout 20m ./...

build: ## build bin/coverd
	$(GO) build -o $(BIN)/coverd ./cmd/coverd

sample: build
	$(BIN)/coverd build --manifest fixtures/sample/coverd.toml --out $(SAMPLE)

lint: ## formatting, vet, go fix, tidy, golangci-lint
	$(LINT) fmt --diff
	$(GO) vet ./...
	$(GO) fix -diff ./...
	$(GO) mod tidy -diff
	$(LINT) run

fmt: ## rewrite the sources as lint wants them
	$(GO) fix ./...
	$(LINT) fmt

race: ## run all tests under the race detector, the long ones shortened
	$(GO) test -race -short -timeout 20m ./...

crash: ## fail 100,000 power supplies in memory, kill 300 builds and servers for real, and damage a ledger in 3,600 ways
	$(GO) test ./index/generations -run Crash -v -count=1 -timeout=1h -crash.images=100000
	$(GO) test ./cmd/coverd -run Killed -v -count=1 -timeout=1h -crash.kills=300
	$(GO) test ./server/requests -run Damaged -v -count=1 -timeout=1h -damage.places=400

fuzz: ## fuzz each target for FUZZTIME (30s, or a count: 20000x)
	@grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | while IFS=: read -r file _ func; do \
	  echo "== $${func#func } in $$(dirname $$file)"; \
	  $(GO) test -run='^$$' -fuzz="^$${func#func }$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=0s "$$(dirname $$file)" </dev/null || exit 1; \
	done

bench: build ## measure at SIZES (300 k and 1 M premises) and write bin/bench/RESULTS.md
	$(BIN)/coverd bench report --sizes $(SIZES) --out $(BIN)/bench

bench-national: build ## the same at 30 M premises, and up to twice that, on REGISTER (codepo_gb), into bench/RESULTS.md and README.md
	$(BIN)/coverd bench report --sizes 1000000,3000000,10000000,30000000,60000000 --register $(REGISTER) --out bench
	$(GO) test ./bench -run Results -update

year: build ## a year of the register in one night: extracts of PREMISES on REGISTER_BEFORE, built against REGISTER
	$(GO) test ./cmd/coverd -run 'TestYear$$' -v -timeout 60m -args -year.before '$(abspath $(REGISTER_BEFORE))' -year.after '$(abspath $(REGISTER))' -year.premises $(PREMISES)

story: ## play the story of a house that is in no extract yet through the real binary, and hold cmd/coverd/STORY.md to it
	$(GO) test ./cmd/coverd -run 'TestScripts/story' -v -count=1

bench-peers: ## install what bench compares with: Redis, PostgreSQL with PostGIS, zstd (Debian, as root; their services start too, and bench uses none of them)
	apt-get update
	apt-get install -y --no-install-recommends redis-server postgresql postgresql-postgis zstd

bench-go: ## run the Go benchmarks matching BENCH (.)
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem ./...

ci: ## everything the gate checks
	bash .ci/run

clean: ## remove what build made
	rm -rf $(BIN)
