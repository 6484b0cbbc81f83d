# SPDX-License-Identifier: GPL-2.0-only
# What one does with this repository; every target installs what it needs first.

CARGO ?= cargo
BINS := target/release/scx_alps target/release/scx_rlalps

.PHONY: all build demo test test-kernels test-cfs test-cfs-debug test-mutants test-soak test-report lint bench-overhead bench-queues bench-daemon bench-http bench-user-space bench-cfs bench-figures bench-sim evidence install clean

all: build

build:
	@scripts/setup build
	@$(CARGO) build --release --locked

demo: build
	@scripts/demo

# All at once, for with the tests' dependencies most of it would be built anew.
test:
	@scripts/setup build
	@$(CARGO) build --release --locked --bins --tests
	@scripts/setup kernel
	@kernel/check
	@scripts/setup vm
	@$(CARGO) test --release --locked

test-kernels: build
	@scripts/setup vm
	@SCX_ALPS_TEST_KERNELS=6.16,6.17 $(CARGO) test --release --locked --test vm

# On Linux 6.1 with the hooks in CFS, and without, both of which are built first:
# tens of minutes once.
test-cfs: build
	@scripts/setup vm
	@scripts/setup kernel
	@kernel/build patched >/dev/null
	@SCX_ALPS_TEST_KERNELS=hooks $(CARGO) test --release --locked --test vm
	@scripts/test-cfs-off

# The same with what finds mistakes in the hooks, much slower.
test-cfs-debug: build
	@scripts/setup vm
	@scripts/setup kernel
	@kernel/build debug >/dev/null
	@SCX_ALPS_TEST_KERNELS=hooks-debug $(CARGO) test --release --locked --test vm -- hooks

test-report: build
	@scripts/test-report

# Every mechanism broken on purpose, one after the other, and the scenario that must notice.
test-mutants: build
	@scripts/setup vm
	@scripts/test-mutants

# What takes too long for every change.
test-soak: build
	@scripts/setup vm
	@$(CARGO) test --release --locked --test vm -- user-space-storm

lint:
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	@scripts/test-mutants --check

# Measurements, each a few minutes or more; see the figures in README.md.
bench-overhead bench-queues bench-daemon bench-http bench-user-space bench-cfs bench-figures: build
	@scripts/setup vm
	@scripts/$@

# What simulating and learning cost, in time and memory, without a machine to run on.
bench-sim:
	@scripts/setup build
	@$(CARGO) bench --locked --bench growth --bench sim --bench learn

# Which predictor and which K are the best, by simulation: docs/evidence.md and its plots.
evidence:
	@scripts/setup build
	@$(CARGO) bench --locked --bench evidence -- predictors $(CURDIR)/docs
	@$(CARGO) bench --locked --bench evidence -- factors $(CURDIR)/docs

install: build
	install -m 0755 -t $(DESTDIR)/usr/local/bin $(BINS)

clean:
	@$(CARGO) clean
