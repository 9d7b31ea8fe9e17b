# Commands of the checkout. "make" alone lists them.

.DEFAULT_GOAL := help
.PHONY: help run demo test test-sdk faults soak bench fuzz setup

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Where the official npm SDKs live that the end-to-end tests drive, and the file npm writes when they are in place.
e2e := cmd/octopus/e2e
sdks := $(e2e)/node_modules/.package-lock.json

# Test files built without the race detector, whose own work it would count: allocation tests.
norace_files = $(shell grep -rl --include='*_test.go' --exclude-dir=node_modules '^//go:build !race' .)
norace_tests = $(shell grep -ohE '^func Test\w+' $(norace_files) | sed 's/^func //' | sort -u | paste -sd '|')
norace_packages = $(sort $(patsubst %/,./%,$(patsubst ./%,%,$(dir $(norace_files)))))

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the server; ARGS="--config octopus.yaml" passes flags
	go run ./cmd/octopus start $(ARGS)

demo: ## run with a scripted provider inside and print curl lines to paste
	go run ./cmd/octopus demo $(ARGS)

# The tests of the binary come last and alone, for they measure time; their output is kept for the rows of faults.md. More
# of them run at once than there are cores, since those that may mostly wait.
test: setup $(sdks) ## everything a change must pass; on a fresh Debian too
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt is needed: $$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go test -count=1 -run '^($(norace_tests))$$' $(norace_packages)
	go test -count=1 -race -shuffle=on -timeout 8m $$(go list ./... | grep -v '^octopus/cmd/')
	go test -count=1 -race -shuffle=on -timeout 8m -p 1 -parallel 4 -v ./cmd/... | grep -vE '^=== |^ +--- PASS'

test-sdk: setup ## the official Go SDKs as clients (slow to compile)
	cd cmd/octopus/sdktest && go vet ./... && go test -count=1 -timeout 15m ./...

# The tests of rows in the packages of the binary.
rows := Faults|Scenarios|Overload|TwiceTheLoad|IdleStreams|Soak|ClientLeaves|SlowAndIdle|OddRequests|Bodies|DrainUnder|BadFileWouldBreak|SearchesAreBounded|NoSecretIsWritten

faults: setup $(sdks) ## what must be survived, in heavy forms; writes bench/RELIABILITY.md
	{ go test -count=1 -v -timeout 10m -run '$(rows)' ./cmd/octopus; \
		go test -count=1 -v -timeout 30m -parallel 4 -run '$(rows)' ./$(e2e) -full; } | go run ./bench/reliability bench/RELIABILITY.md

soak: setup ## random faults under 200 streams for SOAK (1h)
	go test -count=1 -v -timeout 0 -run '^TestSoak$$' ./$(e2e) -soak $(or $(SOAK),1h)

bench: ## measure beside direct calls and a minimal proxy; ARGS passes flags
	go run ./bench $(ARGS)

# Go's fuzzer reports the end of its time as a failure now and then (golang.org/issue/75804); that alone is none.
fuzz: ## every fuzz target for FUZZTIME (20s)
	@for package in $$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			out=$$(go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZTIME),20s) $$package 2>&1) || \
				{ grep -q 'context deadline exceeded' <<<"$$out" && ! grep -q 'Failing input' <<<"$$out"; } || \
				{ echo "$$out"; exit 1; }; \
		done; \
	done

setup:
	@.ci/setup

# npm touches this file last, so it is older than the lock file exactly when the modules are not those it asks for.
$(sdks): $(e2e)/package.json $(e2e)/package-lock.json | setup
	cd $(e2e) && npm ci --no-audit --no-fund
	@touch $@
