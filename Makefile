# descentd: one Makefile for everything. `make help` lists what it can do.

MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := descentd

# release, debug, asan, tsan: one folder each under build/
MODE ?= release
BUILD := build/$(MODE)
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
WERROR ?=

VERSION := $(shell cat VERSION)
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wdouble-promotion -Wformat=2 -Werror=format-security $(WERROR)
# No -ffast-math and no contraction: a result's bits depend on the source alone.
NUMERICS := -ffp-contract=off -fno-fast-math
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection
FLAGS_release := -O3 -g $(HARDENING)
FLAGS_debug := -Og -g3
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fsanitize=thread
CFLAGS := -std=c17 -D_GNU_SOURCE -I. -fPIE -pthread $(WARNINGS) $(NUMERICS) $(FLAGS_$(MODE))
LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack $(filter -fsanitize=%,$(FLAGS_$(MODE)))
LIBS_core := -ldnnl -lgomp -lm
LIBS_api := -lcjson $(LIBS_core)
LIBS_server := -lmicrohttpd -lgnutls -lsqlite3 -lz $(LIBS_api)

sources = $(shell find $(1) -name '*.c' | sort)
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

LAYERS := core api server
SOURCES_core := $(call sources,core)
SOURCES_api := $(call sources,api)
SOURCES_server := $(filter-out server/main.c,$(call sources,server))
ARCHIVES_core := $(BUILD)/libdescent.a
ARCHIVES_api := $(BUILD)/libdescent_api.a $(ARCHIVES_core)
ARCHIVES_server := $(BUILD)/libdescent_server.a $(ARCHIVES_api)

.PHONY: descentd
descentd: $(BUILD)/descentd ## build the server (build/release/descentd)

$(BUILD)/descentd: $(BUILD)/server/main.o $(ARCHIVES_server)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_server)

$(BUILD)/libdescent.a: $(call objects,$(SOURCES_core))
$(BUILD)/libdescent_api.a: $(call objects,$(SOURCES_api))
$(BUILD)/libdescent_server.a: $(call objects,$(SOURCES_server))
$(BUILD)/%.a:
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: tests/<layer>/…/test_x.c is one program, linked with its layer's archive and those below it only.
define unit_tests
TESTS_$(1) := $(patsubst %.c,$(BUILD)/%,$(shell find tests/$(1) -name 'test_*.c' 2>/dev/null | sort))
$$(TESTS_$(1)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/assert_close.o $$(ARCHIVES_$(1))
	$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcmocka -lz $$(LIBS_$(1))
endef
$(foreach layer,$(LAYERS),$(eval $(call unit_tests,$(layer))))
TESTS := $(foreach layer,$(LAYERS),$(TESTS_$(layer)))

.PHONY: unit
unit: $(TESTS) ## build and run the unit tests of this MODE
	@failed=0; for t in $(TESTS); do echo "$$t"; $$t 2>&1 | sed 's/^/    /' || failed=1; done; exit $$failed

.PHONY: help
help: ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
