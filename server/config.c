#include "server/config.h"

#include <string.h>

#include "server/http/address.h"

#define PREFIX "DESCENTD_"

#define KIB UINT64_C(1024)
#define GIB (KIB * KIB * KIB)

static const char *const log_formats[] = {[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json", NULL};

#define FIELD(member) offsetof(struct config, member)

static const struct setting table[] = {
    {"listen", "ADDRESS:PORT", SETTING_TEXT, FIELD(listen), "127.0.0.1:8080", 0, 0, NULL,
     "Where to listen; port 0 picks a free one. An address that is not loopback needs --token-file and TLS."},
    {"data", "DIR", SETTING_TEXT, FIELD(data), "data", 0, 0, NULL,
     "The folder of data sets, jobs and models; made if missing."},
    {"threads", "N", SETTING_COUNT, FIELD(threads), "0", 0, 1024, NULL, "Threads that train; 0: one a core."},
    {"memory", "BYTES", SETTING_SIZE, FIELD(memory), "0", 0, UINT64_MAX, NULL,
     "What running jobs may take together; 0: three quarters of the machine's memory."},
    {"data-root", "DIR", SETTING_TEXT, FIELD(data_root), NULL, 0, 0, NULL,
     "Lets clients name files below this folder as data sets; without it they cannot."},
    {"kernel-tier", "NAME", SETTING_TEXT, FIELD(kernel_tier), NULL, 0, 0, NULL,
     "Computes as a lesser processor would, for equal bits on unlike machines: avx512, avx2, baseline, or reference, which "
     "is the same everywhere. The processor's best if not given."},
    {"token-file", "FILE", SETTING_TEXT, FIELD(token_file), NULL, 0, 0, NULL,
     "Asks every client for a token of this file (see descentd token new); read again on SIGHUP."},
    {"tls-cert", "FILE", SETTING_TEXT, FIELD(tls_cert), NULL, 0, 0, NULL,
     "Serves HTTPS with this certificate chain (PEM); read again on SIGHUP, with its key."},
    {"tls-key", "FILE", SETTING_TEXT, FIELD(tls_key), NULL, 0, 0, NULL, "The certificate's private key (PEM)."},
    {"insecure-http", NULL, SETTING_FLAG, FIELD(insecure_http), NULL, 0, 0, NULL,
     "Allows an address that is not loopback without TLS or tokens."},
    {"allow-host", "NAME", SETTING_LIST, FIELD(allow_hosts), NULL, 0, 0, NULL,
     "A name by which clients reach this server, beside loopback and the address listened on; several are divided by "
     "commas, or the option is repeated."},
    {"log-format", "text|json", SETTING_CHOICE, FIELD(log_format), "text", 0, 0, log_formats,
     "How standard error is written, one line an event."},
    {"max-dataset-bytes", "BYTES", SETTING_SIZE, FIELD(max_dataset_bytes), "2G", 1, 1024 * GIB, NULL,
     "The largest body of an upload."},
    {"max-connections", "N", SETTING_COUNT, FIELD(max_connections), "1024", 8, 65536, NULL,
     "Connections served at once; more wait."},
    {"max-queued-jobs", "N", SETTING_COUNT, FIELD(max_queued_jobs), "10000", 1, 1000000, NULL,
     "Jobs that may wait; more are refused."},
    {"http-threads", "N", SETTING_COUNT, FIELD(http_threads), "4", 1, 64, NULL,
     "Threads that work on requests (not on training)."},
    {"max-streams", "N", SETTING_COUNT, FIELD(max_streams), "0", 0, 65536, NULL,
     "Event streams open at once; more are refused. 0, and at most: three quarters of the connections."},
    {"keep-days", "N", SETTING_COUNT, FIELD(keep_days), "0", 0, 36500, NULL,
     "Deletes jobs that ended more than so many days ago; their models stay. 0: never."},
    {"keep-bytes", "BYTES", SETTING_SIZE, FIELD(keep_bytes), "0", 0, UINT64_MAX, NULL,
     "While the data folder holds more, drops the checkpoints of the jobs that ended first, then those jobs; never models "
     "and data sets. 0: no limit."},
};

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

enum status config_parse(struct config *config, int argc, char *const argv[], enum config_action *action,
                         struct error *error)
{
    /* Asked for anywhere, so that a bad option beside it does not hide the help. */
    *action = CONFIG_RUN;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            *action = CONFIG_HELP;
        else if (strcmp(argv[i], "--version") == 0 && *action == CONFIG_RUN)
            *action = CONFIG_VERSION;
    }
    if (*action != CONFIG_RUN)
        return STATUS_OK;
    return settings_parse(table, TABLE_SIZE, PREFIX, config, argc, argv, error);
}

void config_help(FILE *out)
{
    fputs("descentd trains classifiers over HTTP.\n\n"
          "usage: descentd [options]\n"
          "       descentd token new --token-file FILE --scopes LIST [options]\n"
          "       descentd check --data DIR\n"
          "       descentd backup --data DIR --to DIR\n\n"
          "options, each with its environment variable; an option beats its variable:\n\n",
          out);
    settings_help(table, TABLE_SIZE, PREFIX, out);
    fputs("  --help\n      This text.\n  --version\n      The version, and the commit that it was built from.\n\n"
          "BYTES may end in K, M, G or T, powers of 1024. SIGTERM and SIGINT drain and end\n"
          "the server, a second one ends it at once; SIGHUP reads the token file, the\n"
          "certificate and its key again.\n",
          out);
}

/* A scheme, a port or a path would never equal a Host header's name, and nobody would be told. */
static enum status check_allowed_hosts(const struct setting_list *hosts, struct error *error)
{
    for (size_t i = 0; i < hosts->count; i++) {
        for (const char *name = hosts->items[i]; *name != '\0'; name += *name == ',') {
            size_t size = strcspn(name, ",");
            const char *colon = memchr(name, ':', size);
            int has_port = colon != NULL && memchr(colon + 1, ':', size - (size_t)(colon + 1 - name)) == NULL;
            if (strcspn(name, "/[] ") < size || has_port)
                return error_set(error, STATUS_CONFIG_INVALID,
                                 "--allow-host \"%.*s\": a name or an address alone is wanted, without scheme and port",
                                 (int)(size < 100 ? size : 100), name);
            name += size;
        }
    }
    return STATUS_OK;
}

enum status config_check(const struct config *config, struct error *error)
{
    struct address address;
    enum status status = address_parse(config->listen, &address, error);
    if (status == STATUS_OK)
        status = check_allowed_hosts(&config->allow_hosts, error);
    if (status != STATUS_OK)
        return status;
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        return error_set(error, STATUS_CONFIG_INVALID, "--tls-cert and --tls-key go together, only --tls-%s is given",
                         config->tls_cert == NULL ? "key" : "cert");
    if (address_is_loopback(&address) || config->insecure_http)
        return STATUS_OK;
    int tokens = config->token_file != NULL, tls = config->tls_cert != NULL;
    if (tokens && tls)
        return STATUS_OK;
    return error_set(
        error, STATUS_CONFIG_INVALID,
        "--listen %.60s can be reached from other machines: that needs %s%s%s, or --insecure-http to do without",
        config->listen, tokens ? "" : "--token-file", tokens || tls ? "" : " and ",
        tls ? "" : "TLS (--tls-cert, --tls-key)");
}
