# faasd. `make` lists what there is; `make run` and `make test` are the two that matter.
.POSIX:

STATE_DIR = /var/lib/faasd-demo
LISTEN = 127.0.0.1:8080
FIXTURES =
PREFIX = /usr/local
DESTDIR =
SWIFT = swift
PYTHON = /usr/bin/python3
UNITTEST_FLAGS =
SECONDS_EACH = 60
# Swift's own library in each program instead of beside it, inlining across modules, and no checks at run time of what the
# debug build, which make test uses, does check: an eighth more calls (docs/decisions/0022).
RELEASE = -c release --static-swift-stdlib -Xswiftc -cross-module-optimization -Xswiftc -enforce-exclusivity=unchecked

.PHONY: help deps build run test test-ledger test-v2 bench lint format install clean

help:
	@echo 'make run      build a release, start a marketplace on LISTEN, fill it with the examples, say how to call them'
	@echo 'make test     every test: Swift, Python, end to end with the official client (root or sudo; a quarter of an hour)'
	@echo 'make test-ledger  the whole proof of the ledger, written to docs/ledger-proof.md (root or sudo; half an hour)'
	@echo 'make test-v2  the unit, the sandbox and the attacks on Debian 12 with control groups v2, in a virtual machine (root)'
	@echo 'make bench    measures on a quiet machine, and writes docs/benchmarks.md (a quarter of an hour)'
	@echo 'make lint     formatting and syntax, in seconds'
	@echo 'make build    the release binaries, in .build/release'
	@echo 'make deps     the Debian packages and the system user that the above need; they call it themselves'
	@echo 'make install  programs and runtimes below PREFIX (and DESTDIR)'
	@echo 'make format   format the Swift code in place'
	@echo 'make clean    remove what was built'
	@echo
	@echo 'Settings: STATE_DIR=$(STATE_DIR) LISTEN=$(LISTEN) PREFIX=$(PREFIX) FIXTURES=$(FIXTURES) (yes: make run adds Fixtures/)'

deps:
	@sh scripts/deps.sh

build: deps
	$(SWIFT) build $(RELEASE)

run: build
	@sh scripts/run.sh "$$($(SWIFT) build -c release --show-bin-path)" '$(STATE_DIR)' '$(LISTEN)' $(FIXTURES:yes=--fixtures)

test: deps
	$(SWIFT) build --build-tests
	@SWIFT='$(SWIFT)' PYTHON='$(PYTHON)' UNITTEST_FLAGS='$(UNITTEST_FLAGS)' sh scripts/test.sh

test-ledger: deps
	$(SWIFT) build $(RELEASE)
	@SWIFT='$(SWIFT)' PYTHON='$(PYTHON)' UNITTEST_FLAGS='$(UNITTEST_FLAGS)' sh scripts/test-ledger.sh

test-v2: deps
	$(SWIFT) build --build-tests
	@sh scripts/test-v2.sh "$$($(SWIFT) build --show-bin-path)"

bench: build
	@sh scripts/bench.sh "$$($(SWIFT) build -c release --show-bin-path)" $(SECONDS_EACH)

lint:
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift
	@PYTHON='$(PYTHON)' sh scripts/lint.sh

format:
	$(SWIFT) format -i --parallel --recursive Sources Tests Benchmarks Package.swift

install: build
	@PYTHON='$(PYTHON)' sh scripts/install.sh "$$($(SWIFT) build -c release --show-bin-path)" '$(DESTDIR)$(PREFIX)'

clean:
	rm -rf .build .build-algorithmia
