# descentd: one Makefile for everything. `make help` lists what it can do.

MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := descentd

# release, debug, asan, tsan, fuzz, crash: one folder each under build/
MODE ?= release
BUILD ?= build/$(MODE)
CC_fuzz := clang-14
ifneq ($(filter default undefined,$(origin CC)),)
CC := $(if $(filter fuzz,$(MODE)),$(CC_fuzz),gcc)
endif
WERROR ?=

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 20

VERSION := $(shell cat VERSION)
ifndef COMMIT
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wdouble-promotion -Wformat=2 -Werror=format-security $(if $(filter release debug,$(MODE)),$(WERROR))
# No -ffast-math and no contraction: a result's bits depend on the source alone. Nobody looks at floating-point exceptions, and
# without a thought for them comparisons become vector code, too.
NUMERICS := -ffp-contract=off -fno-fast-math -fno-math-errno -fno-trapping-math
HARDENING := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection
FLAGS_release := -O3 -g $(HARDENING)
FLAGS_debug := -Og -g3
FLAGS_crash := $(FLAGS_release) -DFAILPOINTS
FLAGS_asan := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g1 -fsanitize=thread
FLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
CFLAGS := -std=c17 -D_GNU_SOURCE -I. -fPIE -pthread $(WARNINGS) $(NUMERICS) $(FLAGS_$(MODE))
LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack $(filter -fsanitize=%,$(FLAGS_$(MODE)))
LDFLAGS_tests := -fuse-ld=gold # hundreds of programs, in a fraction of the time
LIBS_core := -ldnnl -lgomp -lz -lm
LIBS_api := -lcjson $(LIBS_core)
LIBS_server := -lmicrohttpd -lgnutls -lsqlite3 $(LIBS_api)

# Debian packages by purpose: docs/dependencies.md says why each; `make deps-check` and the like install what is missing.
PACKAGES_build := gcc libc6-dev libmicrohttpd-dev libgnutls28-dev libcjson-dev libsqlite3-dev libdnnl-dev zlib1g-dev
PACKAGES_demo := curl jq dataset-fashion-mnist
PACKAGES_test := libcmocka-dev python3 curl jq openssl dataset-fashion-mnist
PACKAGES_check := $(PACKAGES_test) clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev cppcheck shellcheck patch \
	mmdebstrap prometheus
PACKAGES_fuzz := clang-14 libclang-rt-14-dev
PACKAGES_bench := $(PACKAGES_test) libdnnl-dev python3-venv g++

export ASAN_OPTIONS := detect_stack_use_after_return=1
export UBSAN_OPTIONS := print_stacktrace=1
export TSAN_OPTIONS := second_deadlock_stack=1

sources = $(shell find $(1) -name '*.c' 2>/dev/null | sort)
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

# V=1 shows the commands themselves.
V ?=
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@;)

LAYERS := core api server
SOURCES_core := $(call sources,core)
SOURCES_api := $(call sources,api)
SOURCES_server := $(filter-out server/main.c,$(call sources,server))
# Failpoints are the server's alone: below it, crash's is release's.
BUILD_below := $(if $(filter crash,$(MODE)),build/release,$(BUILD))
ARCHIVES_core := $(BUILD_below)/libdescent.a
ARCHIVES_api := $(BUILD_below)/libdescent_api.a $(ARCHIVES_core)
ARCHIVES_server := $(BUILD)/libdescent_server.a $(ARCHIVES_api)

##@ Build
.PHONY: descentd
descentd: $(BUILD)/descentd ## build the server (build/release/descentd; MODE=debug, asan, tsan for others)

$(BUILD)/descentd: $(BUILD)/server/main.o $(ARCHIVES_server)
	$(call say,link)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_server)

$(BUILD)/libdescent.a: $(call objects,$(SOURCES_core))
$(BUILD)/libdescent_api.a: $(call objects,$(SOURCES_api))
$(BUILD)/libdescent_server.a: $(call objects,$(SOURCES_server))
$(BUILD)/%.a:
	$(call say,ar)rm -f $@ && ar rcs $@ $^
ifeq ($(MODE),crash)
$(BUILD_below)/%.a: always
	+@$(MAKE) --no-print-directory MODE=release $@
endif

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc)$(CC) $(CFLAGS) $(DEFINES) -MMD -MP -c -o $@ $<
DEFINES :=

# Sources for one instruction set, which the kernel tier decides on at run time.
ifeq ($(shell uname -m),x86_64)
VECTORS_avx2 := -mavx2 -mfma -mprfchw
VECTORS_avx512 := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprfchw -mprefer-vector-width=512
VECTORS_avx512bf16 := $(VECTORS_avx512) -mavx512bf16
VECTORS_amx := $(VECTORS_avx512bf16) -mamx-tile -mamx-bf16
# Written once, compiled for dozens of cases each: under sanitizers optimizing that takes longer than the tests do.
QUICKLY := $(if $(filter asan tsan,$(MODE)),-Og)
%_avx2.o: DEFINES = $(VECTORS_avx2) $(QUICKLY)
%_avx512.o: DEFINES = $(VECTORS_avx512) $(QUICKLY)
%_avx512bf16.o: DEFINES = $(VECTORS_avx512bf16) $(QUICKLY)
%_amx.o: DEFINES = $(VECTORS_amx) $(QUICKLY)
export VECTORS_avx2 VECTORS_avx512 VECTORS_avx512bf16 VECTORS_amx
endif

$(BUILD)/server/version.o: DEFINES = -DDESCENTD_VERSION='"$(VERSION)"' -DDESCENTD_COMMIT='"$(COMMIT)"'
$(BUILD)/server/version.o: $(BUILD)/version

# What objects depend on besides their sources: files that are written only when they change.
.PHONY: always
$(BUILD)/flags: text = $(CC) $(CFLAGS)
$(BUILD)/version: text = $(VERSION) $(COMMIT)
$(BUILD)/flags $(BUILD)/version: always
	@mkdir -p $(@D)
	@echo '$(text)' | cmp -s - $@ || echo '$(text)' >$@

deps: deps-build ## install the Debian packages that the build needs (deps-test, deps-check, deps-demo likewise)
deps-%:
	@scripts/install-packages $(PACKAGES_build) $(PACKAGES_$*)

.PHONY: install
install: descentd ## install the server under DESTDIR/PREFIX
	install -D -m 755 $(BUILD)/descentd $(DESTDIR)$(PREFIX)/bin/descentd

.PHONY: clean
clean: ## remove all that was built
	rm -rf build

##@ Try
.PHONY: demo
demo: deps-demo ## train on Fashion-MNIST and watch it learn
	+@$(MAKE) --no-print-directory descentd
	@scripts/demo $(BUILD)/descentd

.PHONY: bench bench-venv bench-run
bench: deps-bench ## measure against peers and this machine's limit, write bench/results.md (PART="rates…" for some)
	+@$(MAKE) --no-print-directory descentd bench-venv bench-run
bench-venv: build/bench-venv/made ## PyTorch, JAX and scikit-learn as peers, under build/: 6 GB
build/bench-venv/made: bench/requirements.txt
	@scripts/make-venv $(@D) $<
bench-run: $(BUILD)/descentd | build/bench-venv/made
	@bench/run $(BUILD)/descentd $(BUILD)/bench $(PART)
PART ?=
# PROGRAM: its objects besides its own, and libraries
define bench_program
PROGRAMS_bench += $(BUILD)/bench/$(1)
$(BUILD)/bench/$(1): $(BUILD)/bench/$(1).o $(2)
	$$(call say,link)$$(CC) $$(LDFLAGS) -o $$@ $$^ $(3)
endef
PROGRAMS_bench :=
$(eval $(call bench_program,train,$(ARCHIVES_api),$(LIBS_api)))
$(eval $(call bench_program,peak,$(BUILD)/bench/peak_convolution.o,-ldnnl -lgomp))
$(eval $(call bench_program,load,$(BUILD)/bench/client.o,))
$(eval $(call bench_program,jobs,$(BUILD)/bench/client.o,))
bench-run: $(PROGRAMS_bench)

##@ Test
# Unit tests: tests/<layer>/.../test_x.c is one program, linked with its layer's archive and those below it only.
define unit_tests
TESTS_$(1) := $(patsubst %.c,$(BUILD)/%,$(shell find tests/$(1) -name 'test_*.c' 2>/dev/null | sort))
$$(TESTS_$(1)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/assert_close.o $$(ARCHIVES_$(1))
	$$(call say,link)$$(CC) $$(LDFLAGS) $$(LDFLAGS_tests) -o $$@ $$^ -lcmocka $$(LIBS_$(1))
endef
$(foreach layer,$(LAYERS),$(eval $(call unit_tests,$(layer))))
# Its allocations, and those of the code under test, can be made to fail.
$(BUILD)/tests/server/store/test_failing_calls: private LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=reallocarray,--wrap=aligned_alloc,--wrap=strdup
# Under sanitizers tests are compiled quickly: what they test is not.
$(BUILD)/tests/%.o: DEFINES = $(if $(filter asan tsan,$(MODE)),-O0)
# Emulates vectors, lane by lane: much code, which need not be fast. To optimize what has many cases takes longer than to run it.
$(addprefix $(BUILD)/tests/core/base/test_,bf16_product_avx512bf16.o bf16_product_amx.o): DEFINES = -Wno-psabi -O1
$(addprefix $(BUILD)/tests/core/nn/test_,blocked.o blocked_winograd.o narrow_dense.o): DEFINES = -Wno-psabi -O0 -U_FORTIFY_SOURCE
# Those that take longest first, so that no core is idle at the end.
TESTS := $(TESTS_server) $(TESTS_api) $(TESTS_core)
# ThreadSanitizer looks at what has threads: teams of workers, what is computed once for all, the server. What fails call by
# call, thousands of times, is AddressSanitizer's, and so are kernels, derivatives and parsers.
ifeq ($(MODE),tsan)
TESTS := $(filter-out %/test_failing_calls %/test_network_derivatives %/test_checkpoint_read,$(TESTS))
TESTS := $(filter $(addprefix $(BUILD)/tests/,core/base/test_pool core/base/test_thread_tag core/eval/% \
	core/landscape/test_landscape core/nn/test_network% core/optim/test_muon core/train/% server/%),$(TESTS))
endif

.PHONY: lecture
lecture: $(BUILD)/descentd ## paste docs/lecture.md anew: what it says comes out, and its pictures
	@scripts/lecture $(BUILD)/descentd $(LECTURE)
LECTURE ?=

.PHONY: test
test: deps-test ## install what is missing, build, run the unit tests, the tests over HTTP, a short crash test
	+@scripts/pieces 'make unit' 'make http' 'make crash-kill CYCLES=60 SEED=1' 'make crash-power CYCLES=10 SEED=1'

.PHONY: quick
quick: unit check-format check-ceilings check-layers check-forbidden ## seconds: the unit tests and the cheap checks

.PHONY: program objects tests unit http
program: $(ARCHIVES_server) $(BUILD)/server/main.o
objects: $(TESTS:=.o) program
tests: $(TESTS) $(BUILD)/descentd $(PROGRAMS_bench) ## build all tests of this MODE
unit: $(TESTS) ## run the unit tests of this MODE
	@scripts/unit $(TESTS)
http: $(BUILD)/descentd $(BUILD)/bench/train ## run the tests over HTTP in this MODE (HTTP="name…" for some)
	@tests/http/run --mode $(MODE) $(BUILD)/descentd $(HTTP)
HTTP ?=

.PHONY: crash crash-kill crash-power
crash: ## kill the server CYCLES times, then cut its power: nothing may be lost (SEED=… for the same again)
	+@scripts/pieces 'make crash-kill' 'make crash-power'
crash-kill: ## only the kills, at failpoints and at random
	+@$(MAKE) --no-print-directory descentd MODE=crash
	@tests/crash/run --cycles $(CYCLES) $(SEED:%=--seed %) build/crash/descentd
crash-power: ## only the losses of power: with each kill goes what was not synced
	+@$(MAKE) --no-print-directory descentd lost-writes MODE=crash
	@tests/crash/run --cycles $(CYCLES) $(SEED:%=--seed %) --power build/crash/lost_writes.so build/crash/descentd
crash-power: CYCLES = 200
CYCLES ?= 1000
SEED ?=

.PHONY: lost-writes
lost-writes: $(BUILD)/lost_writes.so
$(BUILD)/lost_writes.so: $(BUILD)/tests/crash/lost_writes.o
	$(call say,link)$(CC) -shared -pthread -o $@ $^
$(BUILD)/tests/crash/lost_writes.o: DEFINES = -fPIC

##@ Check
CHECKS := format ceilings layers forbidden headers codes packages scripts openapi prometheus warnings tidy cppcheck
C_FILES = $(shell find core api server tests bench -name '*.[ch]' 2>/dev/null | sort)
HEADERS = $(filter %.h,$(C_FILES))
# Those that their own source includes before all others: that they can stand alone is seen when it is compiled.
HEADERS_own := $(shell awk '/^.include/ { if ($$2 == "\"" substr(FILENAME, 1, length(FILENAME) - 1) "h\"") \
	print substr($$2, 2, length($$2) - 2); nextfile }' $(filter %.c,$(C_FILES)))

.PHONY: check $(CHECKS:%=check-%)
check: deps-check ## everything that CI runs besides `make test`
	+@scripts/pieces $(CHECKS:%='make check-%') 'make unit MODE=asan' 'make http MODE=asan' 'make unit MODE=tsan' \
		'make http MODE=tsan' 'make fuzz-replay' 'make mutants' 'make docker-test'

check-format:
	@clang-format-14 --dry-run --Werror $(C_FILES)
check-ceilings:
	@scripts/check-ceilings
check-layers: $(ARCHIVES_server)
	@scripts/check-layers "$(CC) $(LDFLAGS)" '$(ARCHIVES_core)|$(LIBS_core)' '$(ARCHIVES_api)|$(LIBS_api)'
check-forbidden:
	@scripts/check-forbidden
check-headers: $(patsubst %,$(BUILD)/alone/%,$(filter-out $(HEADERS_own),$(HEADERS))) $(HEADERS_own:%.h=$(BUILD)/%.o)
$(BUILD)/alone/core/base/simd_avx512.h: DEFINES = $(VECTORS_avx512)
$(BUILD)/alone/core/base/simd_bf16.h $(BUILD)/alone/core/base/simd_amx.h: DEFINES = $(VECTORS_amx)
$(BUILD)/alone/core/base/simd_avx2.h $(BUILD)/alone/core/base/simd_sums.h: DEFINES = $(VECTORS_avx2)
$(BUILD)/alone/%.h: %.h
	@mkdir -p $(@D)
	@printf '#include "%s"\ntypedef int alone;\n' $< | $(CC) $(CFLAGS) $(DEFINES) -Werror -fsyntax-only -Wno-unused-function -Wno-psabi -x c -
	@touch $@
check-codes:
	@scripts/check-codes
check-packages:
	@scripts/check-packages $(sort $(foreach p,build demo test check fuzz bench,$(PACKAGES_$(p))))
check-scripts:
	@shellcheck --exclude=SC2016 .ci/run $$(grep -lrE '^#!.*\bbash' scripts tests docker bench)
check-openapi: $(BUILD)/descentd
	@scripts/check-openapi $(BUILD)/descentd
check-prometheus: $(BUILD)/descentd
	@scripts/check-prometheus $(BUILD)/descentd
check-warnings:
	+$(if $(WERROR),,@$(MAKE) --no-print-directory objects MODE=release BUILD=build/strict/release WERROR=-Werror)
	+@$(MAKE) --no-print-directory program MODE=debug BUILD=build/strict/debug FLAGS_debug=-Og WERROR=-Werror
check-tidy:
	@printf '%s\0' $(filter core/%.c api/%.c server/%.c,$(C_FILES)) | xargs -0 -n 1 -P $$(nproc) scripts/tidy -std=c17 -D_GNU_SOURCE -I.
check-cppcheck:
	@mkdir -p build/cppcheck
	@cppcheck --quiet --std=c11 --language=c -I. -D_GNU_SOURCE --enable=warning,performance,portability --error-exitcode=1 \
		--cppcheck-build-dir=build/cppcheck -j$$(nproc) $(wildcard core api server)

.PHONY: mutants
mutants: ## break the source in known ways: the named test must go red each time (MUTANTS="name…" for some)
	+@tests/mutants/run $(MUTANTS)
MUTANTS ?=
mutants: export BUILD := $(BUILD)
mutants: export COMPILE = $(CC) $(CFLAGS)
mutants: export LINK = $(CC) $(LDFLAGS)
$(foreach layer,$(LAYERS),$(eval mutants: export LINKED_$(layer) = $$(ARCHIVES_$(layer)) -lcmocka $$(LIBS_$(layer))))

.PHONY: docker-test
docker-test: ## run the Dockerfile's own steps in a new Debian and train a job there
	@docker/test

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
.PHONY: fuzz fuzz-replay fuzzers replays
fuzz: deps-fuzz ## run each fuzzer for FUZZ_SECONDS
	+@$(MAKE) --no-print-directory fuzzers MODE=fuzz
	@scripts/fuzz $(FUZZ_SECONDS) $(FUZZERS)
fuzz-replay: ## replay the fuzzers' corpora under AddressSanitizer, without clang
	+@$(MAKE) --no-print-directory replays MODE=asan
	@scripts/fuzz replay $(FUZZERS)
replays: $(FUZZERS:%=$(BUILD)/replay_%)
$(BUILD)/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(ARCHIVES_server)
	$(call say,link)$(CC) $(LDFLAGS) $(LDFLAGS_tests) -o $@ $^ $(LIBS_server)
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz_%)
$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(ARCHIVES_server)
	$(call say,link)$(CC) $(LDFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS_server)

##@ Help
.PHONY: help
help: ## list these targets
	@awk -F':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
