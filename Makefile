# Catch Me My Capital: build, tests and checks. `make help` lists the targets.
#
# Settings, on the command line:
#   VARIANT=release|clang|asan|tsan|fuzz|hiredis1   what is built, each in its own folder below BUILD
#   WERROR=1                               warnings are errors, in a folder of its own again
#   NO_INSTALL=1                           say which packages are missing instead of installing them
#   FUZZ_SECONDS=20                        how long `make fuzz` runs each target
#   FUZZ_RUNS=200000                       how many inputs instead of how long
#   FUZZ_TARGETS=fuzz_backtest             which targets; all without it
#   BUILD=build                            where everything built goes
#   V=1                                    show whole commands

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL) $(filter -j%,$(MAKEFLAGS)),0 )
MAKEFLAGS += -j$(shell nproc)
endif

VARIANT ?= release
WERROR ?=
FUZZ_SECONDS ?= 20
FUZZ_RUNS ?=
FUZZ_TARGETS ?= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
BUILD ?= build
Q := $(if $(V),,@)
note = $(if $(V),,@echo "$(1) $@")

# The packages of scripts/deps.sh go with the distribution's Python, not with one found earlier in PATH.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
# The LLVM release that scripts/deps.sh asks for first, or the distribution's own.
llvm = $(firstword $(wildcard /usr/bin/$(1)-14) $(1))

# ---- What is compiled, and how ------------------------------------------------------------------------------------

ifneq ($(filter clang fuzz,$(VARIANT)),)
CC := $(call llvm,clang)
else ifeq ($(origin CC),default)
CC := gcc
endif

SOURCES := $(sort $(wildcard base/*.c store/*.c cache/*.c backtest/*.c backtest/*/*.c jobs/*.c ingest/*.c ingest/*/*.c \
	server/*.c handlers/*.c cli/*.c))
HEADERS := $(sort $(wildcard base/*.h store/*.h cache/*.h backtest/*.h backtest/*/*.h jobs/*.h ingest/*.h ingest/*/*.h \
	server/*.h handlers/*.h cli/*.h))
TEST_C := $(sort $(wildcard tests/*/*.c))
TEST_H := $(sort $(wildcard tests/*/*.h))
OUT := $(BUILD)/$(VARIANT)$(if $(WERROR),-werror)

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef -Wvla -Wcast-qual -Wcast-align -Wwrite-strings -Wdouble-promotion \
	-Wfloat-equal -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum
# GCC's -Wdouble-promotion is enough: Clang's also counts INFINITY and NAN, which are floats by definition.
WARNINGS += $(if $(findstring clang,$(CC)),-Wthread-safety -Wcomma -Wno-double-promotion,-Wduplicated-cond -Wlogical-op)
WARNINGS += $(if $(WERROR),-Werror)

# A file that needs more than POSIX defines _GNU_SOURCE itself, before its first include; glibc lets that win.
LANGUAGE := -std=c17 -D_POSIX_C_SOURCE=200809L -ffp-contract=off -fno-omit-frame-pointer -fPIE -pthread
HARDENING := -fstack-protector-strong $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3

# _FORTIFY_SOURCE and the sanitizers replace the same functions, so a build has one or the other. The checks that the
# sanitizers insert also show GCC's -Wnull-dereference paths that the program does not have; it is off there.
ifeq ($(VARIANT),asan)
OPTIMISE := -O1 -g
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
WARNINGS += -Wno-null-dereference
else ifeq ($(VARIANT),tsan)
OPTIMISE := -O1 -g
SANITIZE := -fsanitize=thread
WARNINGS += -Wno-null-dereference
else ifeq ($(VARIANT),fuzz)
OPTIMISE := -O1 -g
SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
else ifneq ($(filter release clang hiredis1,$(VARIANT)),)
# A page of rows is tens of thousands of short calls into libpq and libc: without the stub between, 5 % of its cost less.
OPTIMISE := -O2 -g -fno-plt $(FORTIFY)
SANITIZE :=
else
$(error VARIANT=$(VARIANT) is not one of release clang asan tsan fuzz hiredis1)
endif

# The reference LAPACK and BLAS, linked statically by name: `-llapack` would be whatever BLAS the machine has chosen, and
# one that picks its code by processor changes the last bits of weights (docs/adr/0015).
LAPACK_LIBS = $(addprefix /usr/lib/$(shell gcc -print-multiarch)/,lapack/liblapack.a blas/libblas.a)

PACKAGES := libmicrohttpd jansson libpq sqlite3 libcrypto zlib libzstd libbrotlienc hiredis libcurl expat
# Asked once and only when a recipe needs it: on a fresh machine pkg-config is not there while this file is read.
LIB_CFLAGS = $(eval LIB_CFLAGS := $$(patsubst -I%,-isystem %,$$(shell $(PKG_CONFIG) --cflags $(PACKAGES) $(TLS_PACKAGES))) \
	$$(if $(TLS_PACKAGES),-DCMMC_REDIS_TLS))$(LIB_CFLAGS)
LIB_LIBS = $(eval LIB_LIBS := $$(shell $(PKG_CONFIG) --libs $(PACKAGES) $(TLS_PACKAGES)) $$(LAPACK_LIBS))$(LIB_LIBS)
# TLS to Redis is a second library of hiredis 1.0 and later; Debian 12 has an older one (docs/adr/0027).
TLS_PACKAGES = $(eval TLS_PACKAGES := $$(shell $(PKG_CONFIG) --exists hiredis_ssl && echo hiredis_ssl libssl))$(TLS_PACKAGES)
# hiredis1 is built with the hiredis that `make hiredis1` fetches, whatever the distribution has.
HIREDIS1 := $(BUILD)/packages/hiredis1
PKG_CONFIG := $(if $(filter hiredis1,$(VARIANT)),PKG_CONFIG_PATH=$(abspath $(HIREDIS1)) )pkg-config
CMOCKA_LIBS = $(eval CMOCKA_LIBS := $$(shell pkg-config --libs cmocka libbrotlidec))$(CMOCKA_LIBS)

DEFINES := -DCMMC_VERSION='"$(shell cat VERSION)"'
CFLAGS_ALL = $(LANGUAGE) $(OPTIMISE) $(SANITIZE) $(HARDENING) $(WARNINGS) -I. $(DEFINES) $(LIB_CFLAGS)
LDFLAGS_ALL := $(SANITIZE) -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
COMPILE = $(CC) $(CFLAGS_ALL) $(FILE_CFLAGS) -MMD -MP -c -o $@ $<

OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)
GENERATED := $(BUILD)/gen/migrations_embedded.c $(BUILD)/gen/warehouse_migrations.c $(BUILD)/gen/gold_models.c \
	$(BUILD)/gen/openapi_embedded.c $(BUILD)/gen/openapi_json_embedded.c
ifneq ($(wildcard handlers/web_embedded.h),)
GENERATED += $(BUILD)/gen/web_embedded.c
endif
LIB_OBJECTS := $(filter-out $(OUT)/cli/main.o,$(OBJECTS)) $(GENERATED:$(BUILD)/%.c=$(OUT)/%.o)
LIB := $(OUT)/libcmmc.a
BIN := $(OUT)/cmmc

# Numeric kernels: one source, compiled once per instruction set; the choice is made at start.
ifeq ($(shell uname -m),x86_64)
$(OUT)/backtest/kernels_avx2.o $(BUILD)/tidy/backtest/kernels_avx2.ok \
	$(BUILD)/analyze/backtest/kernels_avx2.ok: FILE_CFLAGS := -mavx2
$(OUT)/backtest/kernels_avx512.o $(BUILD)/tidy/backtest/kernels_avx512.ok \
	$(BUILD)/analyze/backtest/kernels_avx512.ok: FILE_CFLAGS := -mavx512f -mavx512dq -mavx512vl
# Address sanitizers lay 64-byte vectors at multiples of 32: GCC 12 on the stack that detect_stack_use_after_return keeps (seen here),
# Clang without it (its issue 91565). That source is sanitized at the other widths.
ifneq ($(filter asan fuzz,$(VARIANT)),)
$(OUT)/backtest/kernels_avx512.o: FILE_CFLAGS += -fno-sanitize=address
endif
endif
# Tests compare exact results: two runs must give the same bits.
$(OUT)/tests/%.o: FILE_CFLAGS := -Wno-float-equal
# An embedded file is longer than the strings that every C17 compiler must take; GCC and Clang take it.
$(OUT)/gen/%.o: FILE_CFLAGS := -Wno-overlength-strings

.PHONY: all build run test unit itest kills contract clients hiredis1 redis-tests data fault asan tsan bench fuzz analyze tidy format format-check \
	layers check deps help clean distclean unit-programs fault-programs fuzz-programs FORCE
all: build unit-programs ## Build the server and the unit tests

# A hard link rather than a symbolic one: the program looks for its sample data from where it was started.
build: $(BIN) ## Build the server, build/cmmc
	@case $(VARIANT) in release) ln -f $(BIN) $(BUILD)/cmmc ;; esac

$(BIN): $(OUT)/cli/main.o $(LIB) $(OUT)/flags
	$(call note,link)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIB_LIBS) -lm

$(LIB): $(LIB_OBJECTS) $(OUT)/objects
	@rm -f $@
	$(call note,archive)
	$(Q)ar rcs $@ $(LIB_OBJECTS)

$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call note,compile)
	$(Q)$(COMPILE)

$(OUT)/gen/%.o: $(BUILD)/gen/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call note,compile)
	$(Q)$(COMPILE)

# Written only when their text changes: other flags or another VERSION compile everything again, a source that is
# gone rebuilds the archive.
write_if_new = @mkdir -p $(@D); printf '%s\n' $(1) >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(OUT)/flags: FORCE
	$(call write_if_new,"$$($(CC) --version | head -n 1)" $(CFLAGS_ALL) $(LDFLAGS_ALL))
$(OUT)/objects: FORCE
	$(call write_if_new,$(LIB_OBJECTS))

$(BUILD)/gen/migrations_embedded.c: FORCE
	@scripts/embed.sh migrations migrations/serving migrations_embedded $@
$(BUILD)/gen/warehouse_migrations.c: FORCE
	@scripts/embed.sh migrations warehouse/migrations warehouse_migrations $@
$(BUILD)/gen/gold_models.c: FORCE
	@scripts/embed.sh migrations warehouse/gold gold_models $@
$(BUILD)/gen/openapi_embedded.c: FORCE
	@scripts/embed.sh text openapi_embedded openapi.yaml $@
$(BUILD)/gen/openapi_json_embedded.c: $(BUILD)/gen/openapi.json
	@scripts/embed.sh text openapi_json_embedded $< $@
$(BUILD)/gen/openapi.json: openapi.yaml $(BUILD)/gen/yaml_json
	@$(BUILD)/gen/yaml_json <$< >$@
# A program of the build, not of the server: always for the machine that builds, without the variant's options.
$(BUILD)/gen/yaml_json: scripts/yaml_json.c
	@mkdir -p $(@D)
	$(call note,compile)
	$(Q)gcc -std=c17 -O1 -Wall -Wextra -Wconversion -o $@ $< $$(pkg-config --cflags --libs yaml-0.1)
$(BUILD)/gen/web_embedded.c: FORCE
	@scripts/embed.sh web web $@

# ---- Running ------------------------------------------------------------------------------------------------------

run: ## Install what is missing, build, take in the sample data once, serve on the embedded default
	@scripts/deps.sh run
	@$(MAKE) build
	@$(BUILD)/cmmc ingest --sample --if-empty
	@exec $(BUILD)/cmmc serve

deps: ## Install the packages that `make test` needs (NO_INSTALL=1: only say which)
	@scripts/deps.sh test

# ---- Tests --------------------------------------------------------------------------------------------------------

export CMMC_BIN := $(abspath $(BIN))
export CMMC_TEST_VARIANT := $(VARIANT)
export CMMC_TEST_BUILD := $(abspath $(BUILD))
TALLY := $(PYTHON) scripts/tally.py
# ThreadSanitizer finds its memory taken where the kernel randomises addresses too widely.
UNDER = $(if $(filter tsan,$(VARIANT)),$(shell setarch -R true 2>/dev/null && echo setarch -R))

SUPPORT_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/support/*.c))
UNIT_TESTS := $(wildcard tests/unit/test_*.c)
# ThreadSanitizer has nothing to see in tests of the layers that know no threads (scripts/check_layers.sh), unless they use one above.
ifeq ($(VARIANT),tsan)
UNIT_TESTS := $(filter-out $(shell grep -LE 'pthread|\#include "(server|jobs|cache|handlers)/' \
	$$(grep -lE '\#include "(backtest|warehouse|tests/support/conformance)' $(UNIT_TESTS))),$(UNIT_TESTS))
endif
UNIT_PROGRAMS := $(UNIT_TESTS:%.c=$(OUT)/%)
FAULT_PROGRAMS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fault/test_*.c))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(OUT)/tests/fuzz/%)

REDIS_TESTS := redis_tls cache access

# Programs over tests/support/store_fixture.h run once per back end.
STORE_PROGRAMS = $(patsubst %.c,$(OUT)/%,$(shell grep -l 'store_fixture\.h' $(UNIT_TESTS)))

# Programs that look at CMMC_TEST_S3 run once more, against a real server.
S3_PROGRAMS = $(patsubst %.c,$(OUT)/%,$(shell grep -l 'CMMC_TEST_S3' $(UNIT_TESTS)))

unit-programs: $(UNIT_PROGRAMS)
	@:
fault-programs: $(FAULT_PROGRAMS)
	@:

$(OUT)/tests/unit/%: $(OUT)/tests/unit/%.o $(SUPPORT_OBJECTS) $(LIB)
	$(call note,link)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(CMOCKA_LIBS) $(LIB_LIBS) -lm
# The allocation functions of these programs go through wrappers in the test, which make the n-th call fail.
$(OUT)/tests/fault/%: $(OUT)/tests/fault/%.o $(SUPPORT_OBJECTS) $(LIB)
	$(call note,link)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc -o $@ $^ $(CMOCKA_LIBS) $(LIB_LIBS) -lm

test: ## Install what is missing, build, run every test
	@scripts/deps.sh test
	@$(MAKE) build unit-programs fault-programs
	@failed=; for suite in unit fault itest contract data; do $(MAKE) $$suite || failed="$$failed $$suite"; done; \
	$(TALLY) total $(VARIANT) || failed="$$failed total"; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

unit: unit-programs ## Run the unit tests; those of the store once on SQLite and once on PostgreSQL, the lake's on S3 too
	@failed=; dir=$$(mktemp -d); chmod 755 "$$dir"; \
	trap 'tests/support/pg.sh stop "$$dir/pg" || true; tests/support/ceph.sh stop "$$dir/s3" || true; rm -rf "$$dir"' EXIT; \
	tests/support/ceph.sh start "$$dir/s3" >"$$dir/s3.url" & s3=$$!; \
	$(UNDER) $(TALLY) cmocka unit $(UNIT_PROGRAMS) || failed=1; \
	url=$$(tests/support/pg.sh start "$$dir/pg"); \
	CMMC_TEST_PG_URL=$$url $(UNDER) $(TALLY) cmocka unit-postgresql $(STORE_PROGRAMS) || failed=1; \
	code=0; wait $$s3 || code=$$?; \
	if [ $$code -eq 77 ]; then echo "unit-s3: skipped, Ceph is not installed"; \
	elif [ $$code -ne 0 ]; then failed=1; \
	else CMMC_TEST_S3=$$(cat "$$dir/s3.url") $(UNDER) $(TALLY) cmocka unit-s3 $(S3_PROGRAMS) || failed=1; fi; \
	[ -z "$$failed" ]
fault: fault-programs ## Run the fault injection tests
	@$(UNDER) $(TALLY) cmocka fault $(FAULT_PROGRAMS)
itest: build ## Run the integration tests: the real server, over HTTP
	@$(UNDER) $(TALLY) unittest itest tests/integration
# Every point of these, or those that DIE_POINTS=A..B names; what held is not tried again.
KILLS ?= test_ingest_kills test_job_kills
kills: export DIE_POINTS ?= all
kills: export DIE_LOG ?= $(CURDIR)/build/kills.log
kills: build ## Kill ingestion and jobs at every point, on every set-up, once
	@cd tests/integration && PYTHONPATH=..:. $(PYTHON) -m unittest $(KILLS)
contract: build ## Compare the server's tables with openapi.yaml and the documents
	@$(TALLY) unittest contract tests/contract
clients: build ## Test with clients of others: a browser that clicks, libraries and tools from package indexes
	@$(TALLY) unittest clients tests/clients
# Ubuntu 24.04 has hiredis 1.2, Debian 12 has 0.14: the first is built here, on both. What cannot be fetched is not tested.
hiredis1: ## Build with hiredis 1.2, which has TLS, and run the tests of Redis
	@if tests/support/hiredis.py $(HIREDIS1); then \
		$(MAKE) VARIANT=hiredis1 redis-tests; else [ $$? -eq 75 ] && echo "hiredis1: skipped"; fi
redis-tests: build
	@$(TALLY) unittest redis $(REDIS_TESTS:%=tests/integration/test_%.py)
data: ## Check the sample data set
	@$(TALLY) unittest data tests/data

sanitized = @$(MAKE) VARIANT=$(1) build unit-programs fault-programs && failed=; \
	for suite in unit fault itest; do $(MAKE) VARIANT=$(1) $$suite || failed="$$failed $$suite"; done; \
	if [ -n "$$failed" ]; then echo "failed under $(1):$$failed" >&2; exit 1; fi
asan: ## Unit, fault and integration tests with the address and undefined-behaviour sanitizers
	+$(call sanitized,asan)
tsan: ## Unit, fault and integration tests with the thread sanitizer
	+$(call sanitized,tsan)

bench: build ## Run the benchmarks, tests/bench/*.sh and tests/bench/*/run.sh (ten minutes)
	@for script in $(sort $(wildcard tests/bench/*.sh tests/bench/*/run.sh)); do echo "== $$script"; bash $$script; done

# The engine's own driver, for tests/bench/engine; the ceilings it measures are those of AVX2 with FMA.
ifeq ($(shell uname -m),x86_64)
$(OUT)/tests/bench/engine/roofline.o: FILE_CFLAGS := -mavx2 -mfma -ffp-contract=fast
endif
$(OUT)/tests/bench/engine/driver: $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/bench/engine/*.c)) $(LIB)
	$(call note,link)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIB_LIBS) -lm
$(OUT)/tests/bench/ingest/driver: $(OUT)/tests/bench/ingest/driver.o $(LIB)
	$(call note,link)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIB_LIBS) -lm

# ---- Fuzzing ------------------------------------------------------------------------------------------------------

fuzz-programs: $(FUZZ_PROGRAMS)
ifeq ($(VARIANT),fuzz)
$(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(LIB)
	$(call note,link)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(LIB) $(LIB_LIBS) -lm
endif

# New inputs go to build/, found crashes to $(BUILD)/fuzz/crashes; the corpus in the repository is only read.
fuzz: ## Run every fuzz target for FUZZ_SECONDS, or FUZZ_RUNS inputs
	@NO_INSTALL=1 scripts/deps.sh check
	@$(MAKE) VARIANT=fuzz fuzz-programs
	@scripts/fuzz.sh $(if $(FUZZ_RUNS),runs=$(FUZZ_RUNS),$(FUZZ_SECONDS)) $(FUZZ_PROGRAMS:$(OUT)/%=$(BUILD)/fuzz/%)

# ---- Checks -------------------------------------------------------------------------------------------------------

FORMATTED := $(SOURCES) $(HEADERS) $(TEST_C) $(TEST_H)

layers: ## Check who includes whom, and the banned functions
	@scripts/check_layers.sh

format: ## Lay out every .c and .h file
	@NO_INSTALL=1 scripts/deps.sh check
	@$(call llvm,clang-format) -i $(FORMATTED)
format-check: ## Fail where the layout differs from .clang-format
	@NO_INSTALL=1 scripts/deps.sh check
	@$(call llvm,clang-format) --dry-run --Werror $(FORMATTED)

# One stamp per file, so that files run in parallel and an unchanged one is not read twice; any header touches all. The analyser
# looks at so many states of a function; a fifth of the time of its own limit, which `make analyze` goes to.
TIDY_NODES := -Xclang -analyzer-config -Xclang max-nodes=75000
tidy: ## Run clang-tidy
	@NO_INSTALL=1 scripts/deps.sh check
	@$(MAKE) --keep-going $(SOURCES:%.c=$(BUILD)/tidy/%.ok)
$(BUILD)/tidy/%.ok: %.c $(HEADERS) .clang-tidy
	@mkdir -p $(@D)
	@echo "tidy $<"
	@$(call llvm,clang-tidy) --quiet $< -- $(filter-out -Wduplicated-cond -Wlogical-op,$(CFLAGS_ALL)) $(FILE_CFLAGS) $(TIDY_NODES) 2>/dev/null
	@touch $@

analyze: ## Run the analysers: gcc -fanalyzer, then scan-build
	@NO_INSTALL=1 scripts/deps.sh check
	@$(MAKE) --keep-going $(SOURCES:%.c=$(BUILD)/analyze/%.ok)
	@rm -rf $(BUILD)/scan
	@$(call llvm,scan-build) --status-bugs --use-cc=$(call llvm,clang) -o $(BUILD)/scan/reports \
		$(MAKE) VARIANT=release OUT=$(BUILD)/scan $(BUILD)/scan/cmmc
$(BUILD)/analyze/%.ok: %.c $(HEADERS)
	@mkdir -p $(@D)
	@echo "analyze $<"
	@gcc $(filter-out -Wthread-safety -Wcomma,$(CFLAGS_ALL)) $(FILE_CFLAGS) -fanalyzer -Werror -c -o /dev/null $<
	@touch $@

check: ## Everything that has to pass before a push
	@.ci/run

# ---- The rest -----------------------------------------------------------------------------------------------------

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

clean: ## Remove build/
	rm -rf $(BUILD)
distclean: clean ## Remove build/ and the local data in var/
	rm -rf var

-include $(OBJECTS:.o=.d) $(patsubst %.c,$(OUT)/%.d,$(TEST_C))
