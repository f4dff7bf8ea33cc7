/*
 * What the operator chose: command-line options over DESCENTD_… environment variables over defaults, from one table
 * (config.c) that also writes --help.
 */
#ifndef DESCENT_SERVER_CONFIG_H
#define DESCENT_SERVER_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"
#include "server/settings.h"

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Strings are borrowed from argv, the environment or literals. Sizes are bytes. Types are those of enum setting_type. */
struct config {
    const char *listen;      /* ADDRESS:PORT, "[::1]:8080" */
    const char *data;        /* the data folder */
    const char *data_root;   /* NULL: no server-side paths */
    const char *kernel_tier; /* NULL: the best that the processor has */
    const char *token_file;  /* NULL: no tokens */
    const char *tls_cert;    /* NULL: plain HTTP */
    const char *tls_key;
    int insecure_http;
    int log_format;                  /* enum log_format */
    uint64_t threads;                /* worker threads; 0: one per core */
    uint64_t memory;                 /* budget for training; 0: three quarters of the machine's */
    struct setting_list allow_hosts; /* Host headers that are answered beside loopback and the listen address */
    uint64_t max_dataset_bytes;      /* an uploaded body */
    uint64_t max_connections;
    uint64_t max_queued_jobs;
    uint64_t http_threads; /* executor threads */
    uint64_t max_streams;  /* event streams; 0: three quarters of the connections */
    uint64_t keep_days;    /* finished jobs go after so many; 0: never */
    uint64_t keep_bytes;   /* of the data folder, by dropping finished jobs; 0: no limit */
};

enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION };

/*
 * Fills *config from argv[1 … argc-1] and the environment. STATUS_USAGE with the nearest known option's name.
 * Says through *action what was asked for.
 */
MUST_CHECK enum status config_parse(struct config *config, int argc, char *const argv[], enum config_action *action,
                                    struct error *error);

/* The text of --help. */
void config_help(FILE *out);

/*
 * What only the whole says: an address that is not loopback needs --token-file and TLS (or --insecure-http), a
 * certificate needs its key, an allowed host is a name alone. STATUS_CONFIG_INVALID with the reason.
 */
MUST_CHECK enum status config_check(const struct config *config, struct error *error);

#endif
