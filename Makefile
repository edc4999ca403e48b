# Chattrix Calls. `make help` lists what can be made; everything takes overrides from the environment
# (CALL_TIMEOUT_SECONDS=3 make up), STACK_DIR and STACK_PORT among them.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=
STACK      := Tests/Stack/stack.sh
PROGRAMS   := supervisor worker signaling webhooks ctl

# The standard library goes into the programs, so a host needs no Swift; the import check holds the
# modules to the edges that Package.swift draws.
SWIFT_CHECKS := --explicit-target-dependency-import-check error
SWIFT_FLAGS  := -c release --static-swift-stdlib $(SWIFT_CHECKS)

# Twelve functions of C++'s library are needed: as a shared one it has a megabyte of every process. The
# linker takes the archive from a folder where there is nothing else.
ARCHIVES     := $(CURDIR)/.build/archives
SWIFT_FLAGS  += -Xswiftc -L$(ARCHIVES)

# The addresses that a start adjusts, as a bit map and not as a table of half a megabyte, which would be
# read, and so resident, in every process. glibc knows the bit map (DT_RELR) from 2.36, and Swift's
# default linker, gold, does not write it.
KNOWS_RELR   := printf 'glibc 2.36\n%s\n' "$$(getconf GNU_LIBC_VERSION)" | sort --version-sort --check=quiet
SWIFT_FLAGS  += -Xswiftc -use-ld=lld $(shell $(KNOWS_RELR) && echo -Xlinker -z -Xlinker pack-relative-relocs)

# Folders too: their time changes when a file goes.
SOURCES := Package.swift $(shell find Sources)
BUILT   := .build/release.built

help: ## Show this list
	@awk -F '( [a-z]+)?:.*## ' '/^[a-z0-9 -]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build release: $(BUILT) ## Build the programs into .build/release

$(BUILT): $(SOURCES) Makefile | packages swift $(ARCHIVES)/libstdc++.a
	swift build $(SWIFT_FLAGS)
	@touch $@

$(ARCHIVES)/libstdc++.a: | swift
	@mkdir -p $(@D)
	@for compiler in clang++ c++; do \
	  file=$$($$compiler -print-file-name=$(@F) 2>/dev/null) || continue; \
	  [[ $$file != /* ]] || { ln -sf "$$file" $@; exit 0; }; \
	done; \
	echo "There is no $(@F) (libstdc++-dev): the programs take the shared library" >&2

swift:
	@command -v swift >/dev/null || { \
	  echo "Swift 6.2 or newer is not in PATH: https://www.swift.org/install" >&2; exit 1; }

packages:
	@$(STACK) packages build

run: build ## Everything in the foreground, with two demo users; Ctrl-C stops it
	@$(STACK) packages stack
	@$(STACK) run

up: build ## The same in the background; writes $STACK_DIR/env (.stack/env)
	@$(STACK) packages stack
	@$(STACK) up

down: ## Stop what `make up` started; the data stays
	@$(STACK) down

clean-stack: ## Stop it and remove its data
	@$(STACK) wipe

test: swift ## Lint, unit tests and the end-to-end suite
	@Tests/Stack/all.sh

test-unit: swift ## Unit tests, those of the storage on a MariaDB of their own (FILTER=… picks some)
	@$(STACK) packages test
	@Tests/Stack/unit.sh

test-e2e: build ## The end-to-end suite through nginx (PYTEST_ARGS=… picks some)
	@$(STACK) packages test
	@Tests/Stack/end-to-end.sh

test-apache: ## The end-to-end suite behind Apache httpd in place of nginx (PYTEST_ARGS=… picks some)
	@$(MAKE) test-e2e STACK_SERVER=apache

test-cluster: build ## Two hosts over a Galera cluster of three nodes (PYTEST_ARGS="--rounds 200")
	@$(STACK) packages cluster
	@PYTEST_ARGS="-n 0 -m 'slow or not slow' --rounds 50 test_galera.py test_galera_failures.py test_galera_chaos.py \
	  $${PYTEST_ARGS-}" Tests/Stack/end-to-end.sh

# Where the release has no MySQL, that of Debian unstable, in a folder of its own (debootstrap: root).
test-mysql: swift ## Unit and end-to-end tests on MySQL, and two hosts over a group of three servers of it
	@$(STACK) packages mysql
	@Tests/Stack/mysql.sh
	@PATH="$(CURDIR)/.build/mysql/bin:$$PATH" STACK_DATABASE=mysql $(MAKE) test-unit test-e2e test-group

test-group: build
	@$(STACK) packages test
	@PYTEST_ARGS="-n 0 -m slow --rounds 50 test_group.py test_group_chaos.py $${PYTEST_ARGS-}" Tests/Stack/end-to-end.sh

# The short form of it is part of test-e2e.
test-upgrade: ## Reload, restarts and migrations under 1,000 WebSockets and calls: nothing fails, nothing is lost
	@$(MAKE) test-e2e PYTEST_ARGS="test_upgrades.py -n 0 -s -m slow"

lint: swift ## Format and style of Swift, Python, shell and systemd files, of console and guide
	@$(STACK) packages lint
	@Tests/Stack/lint.sh

# Needs nothing but Swift's toolchain; FUZZ_TARGETS="json jwt" picks some.
fuzz: packages swift ## Fuzz what reads from outside, FUZZ_SECONDS (20) each, with AddressSanitizer
	@Tests/Fuzz/run.sh

tsan: packages swift ## Tests of what has threads, under ThreadSanitizer (FILTER=… picks others)
	@Tests/ThreadSanitizer/run.sh

# Seeded: the faults and what clients decide come from CHAOS_SEED; Tests/Chaos/run.sh has the other settings.
chaos: build ## Calls while everything is killed, then the proof (CHAOS_SEED=… CHAOS_CALLS=10000 CHAOS_CLUSTER=galera or group)
	@$(STACK) packages test
	@case $${CHAOS_CLUSTER-} in \
	  group) $(STACK) packages mysql && Tests/Stack/mysql.sh ;; \
	  ?*) $(STACK) packages cluster ;; \
	esac
	@Tests/Chaos/run.sh

# Needs Python 2.7, which Autobahn's suite is written in.
conformance: packages swift $(ARCHIVES)/libstdc++.a ## Autobahn's WebSocket test suite against the sidecar's event loop
	swift build $(SWIFT_FLAGS) --product echo-server
	@Tests/Conformance/run.sh

# Figures that depend on the machine: read them as ratios of one run.
bench: build ## Measure the parts of Tests/Bench/parts beside their peers (BENCH_PARTS=… picks some)
	@$(STACK) packages test
	@Tests/Bench/run.sh

deb: build ## A Debian package, .build/chattrix-calls_VERSION_ARCHITECTURE.deb
	@$(STACK) packages deb
	@systemd/debian/build.sh

# Root only: debootstrap and chroot. DEB_SUITES="bookworm trixie" picks releases.
test-deb: deb ## Install, configure, upgrade, remove and purge the package in clean roots of Debian
	@$(STACK) packages test-deb
	@Tests/Package/run.sh

# Strips names that only a debugger reads; those a backtrace prints are in the dynamic table.
install: build ## Install programs, SQL, nginx and systemd files, manual pages (DESTDIR, PREFIX, SYSCONFDIR)
	install -d $(addprefix "$(DESTDIR)$(PREFIX)"/,bin share/chattrix/sql/routines share/chattrix/sql/import \
	  share/chattrix/description share/chattrix/monitoring share/chattrix/console/ops share/chattrix/guide \
	  share/chattrix/apache/chattrix \
	  share/bash-completion/completions share/man \
	  lib/systemd/system lib/sysusers.d lib/tmpfiles.d)
	install -d $(addprefix "$(DESTDIR)$(SYSCONFDIR)"/,chattrix nginx/sites-available nginx/chattrix)
	for program in $(PROGRAMS); do \
	  install -s -m 755 ".build/release/chattrix-$$program" "$(DESTDIR)$(PREFIX)/bin/"; \
	done
	install -m 644 sql/*.sql "$(DESTDIR)$(PREFIX)/share/chattrix/sql/"
	install -m 644 sql/routines/*.sql "$(DESTDIR)$(PREFIX)/share/chattrix/sql/routines/"
	install -m 644 sql/import/*.sql "$(DESTDIR)$(PREFIX)/share/chattrix/sql/import/"
	for file in nginx/description/*; do \
	  [[ ! -f $$file ]] || install -m 644 "$$file" "$(DESTDIR)$(PREFIX)/share/chattrix/description/"; \
	done
	systemd/man/pages.sh "$(DESTDIR)$(PREFIX)/share/man"
	install -m 644 systemd/chattrix-ctl.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/chattrix-ctl"
	install -m 644 $(wildcard nginx/console/*.*) "$(DESTDIR)$(PREFIX)/share/chattrix/console/"
	install -m 644 nginx/console/ops/* "$(DESTDIR)$(PREFIX)/share/chattrix/console/ops/"
	install -m 644 nginx/guide/* "$(DESTDIR)$(PREFIX)/share/chattrix/guide/"
	install -m 644 nginx/apache/chattrix.conf "$(DESTDIR)$(PREFIX)/share/chattrix/apache/"
	install -m 644 nginx/apache/chattrix/* "$(DESTDIR)$(PREFIX)/share/chattrix/apache/chattrix/"
	sed -i 's|/usr/share/chattrix|$(PREFIX)/share/chattrix|' \
	  "$(DESTDIR)$(PREFIX)/share/chattrix/apache/chattrix/host.conf"
	for file in nginx/chattrix/*.conf; do \
	  target="$(DESTDIR)$(SYSCONFDIR)/$$file"; \
	  [[ $$file == */@(host|site|limits|origins).conf && -e $$target ]] || install -m 644 "$$file" "$$target"; \
	done
	sed 's|/usr/share/chattrix|$(PREFIX)/share/chattrix|' nginx/chattrix.conf | install -m 644 \
	  /dev/stdin "$(DESTDIR)$(SYSCONFDIR)/nginx/sites-available/chattrix.conf"
	install -m 644 systemd/monitoring/* "$(DESTDIR)$(PREFIX)/share/chattrix/monitoring/"
	for unit in systemd/*.service systemd/*.socket; do \
	  sed 's|/usr/bin/chattrix-|$(PREFIX)/bin/chattrix-|' "$$unit" | install -m 644 \
	    /dev/stdin "$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}"; \
	done
	install -m 644 systemd/sysusers.conf "$(DESTDIR)$(PREFIX)/lib/sysusers.d/chattrix.conf"
	install -m 644 systemd/tmpfiles.conf "$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/chattrix.conf"
	install -m 640 systemd/calls.env.example "$(DESTDIR)$(SYSCONFDIR)/chattrix/calls.env.example"

clean: ## Remove what was built; stacks stay
	rm -rf .build .venv

.PHONY: help build release swift packages run up down clean-stack test test-unit test-e2e test-apache \
  test-cluster test-mysql test-group test-upgrade lint bench fuzz tsan chaos conformance deb test-deb install clean
