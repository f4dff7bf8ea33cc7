/*
 * The program: reads its configuration, puts store, scheduler and transport together, waits for signals, and takes all
 * down again.
 *
 * Signals are blocked in every thread and taken here one by one, so that no code ever runs inside a signal handler; only
 * the second SIGTERM, which must work whatever the first is stuck in, ends the process at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/app.h"
#include "server/backup_command.h"
#include "server/check_command.h"
#include "server/config.h"
#include "server/data_root.h"
#include "server/exit_code.h"
#include "server/fatal_signal.h"
#include "server/http/http.h"
#include "server/log.h"
#include "server/token_command.h"
#include "server/tokens.h"
#include "server/version.h"

/* From the first SIGTERM to the end: 10 s at most. */
#define DRAIN_MS 7000
#define STOP_MS  1000

/* glibc gives each thread a heap of its own; with many threads that is memory for nothing. */
#define HEAPS 4

struct server {
    struct config config;
    struct tokens *tokens;
    struct http *http;
    struct app *app;
};

/* A file opened later must not become standard error, or the log would be written into it. */
static int keep_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd)
            return 0;
    }
    return 1;
}

static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            log_warning(NULL, "the limit of open files stays at %llu", (unsigned long long)files.rlim_cur);
    }
}

static sigset_t taken_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

static void prepare_process(void)
{
    mallopt(M_ARENA_MAX, HEAPS);
    umask(077);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigset_t set = taken_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    raise_file_limit();
}

static enum status start(struct server *server, struct error *error)
{
    const struct config *config = &server->config;
    enum status status = config_check(config, error);
    if (status == STATUS_OK && config->data_root != NULL)
        status = data_root_check(config->data_root, error);
    if (status == STATUS_OK && config->token_file != NULL)
        status = tokens_open(config->token_file, &server->tokens, error);
    if (status == STATUS_OK)
        status = http_new(config, server->tokens, &server->http, error);
    if (status == STATUS_OK)
        status = app_new(config, http_waiters(server->http), &server->app, error);
    if (status == STATUS_OK)
        status = app_start(server->app, error);
    if (status != STATUS_OK)
        return status;
    struct http_app app = {
        .context = server->app, .handle = app_handle, .answer_at_once = app_answer_at_once, .upload = *app_uploads()};
    return http_start(server->http, &app, error);
}

static void tell_start(const struct server *server)
{
    const struct config *config = &server->config;
    if (config->insecure_http && config->token_file == NULL)
        log_warning(NULL, "no tokens are asked for: whoever reaches this address may do everything");
    log_info(NULL, "descentd %s listens on %s://%s, data in %s", version_text, config->tls_cert != NULL ? "https" : "http",
             http_address(server->http), config->data);
}

/* Tells what became of one of the files that SIGHUP reads again. */
static void tell_reload(const char *what, enum status status, const struct error *error)
{
    if (status == STATUS_OK)
        log_info(NULL, "SIGHUP: %s read again", what);
    else
        log_error(NULL, "SIGHUP: %s not read, the old ones stay: %s", what, error->message);
}

static void reload(struct server *server)
{
    struct error error = {.status = STATUS_OK};
    if (server->tokens != NULL)
        tell_reload("tokens", tokens_reload(server->tokens, &error), &error);
    error = (struct error){.status = STATUS_OK};
    if (server->config.tls_cert != NULL)
        tell_reload("certificate and key", http_reload(server->http, &error), &error);
    if (server->tokens == NULL && server->config.tls_cert == NULL)
        log_info(NULL, "SIGHUP: there is no token file and no certificate to read again");
}

static void wait_for_end(struct server *server)
{
    sigset_t set = taken_signals();
    for (;;) {
        int number = sigwaitinfo(&set, NULL);
        if (number == SIGHUP)
            reload(server);
        else if (number > 0) {
            log_info(NULL, "%s: draining", number == SIGINT ? "SIGINT" : "SIGTERM");
            return;
        }
    }
}

static void end_at_once(int number)
{
    (void)number;
    _exit(EXIT_FAILURE);
}

static void let_second_signal_end(void)
{
    struct sigaction action = {.sa_handler = end_at_once};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigset_t set = taken_signals();
    sigdelset(&set, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/*
 * Jobs first, while clients are still answered (new work with 503), then the connections: what is acknowledged is on the
 * disk at each of these points.
 */
static int stop(struct server *server)
{
    struct error error = {.status = STATUS_OK};
    int jobs_ended = app_drain(server->app, DRAIN_MS);
    http_drain(server->http);
    if (http_stop(server->http, STOP_MS, &error) != STATUS_OK) {
        /* Somebody may still use what would be freed now. */
        log_error(NULL, "ending with requests open: %s", error.message);
        return EXIT_FAILURE;
    }
    if (!jobs_ended) {
        /* As good as a kill: the job is taken up at the next start. Its threads use what would be freed now. */
        log_warning(NULL, "ended in the middle of a long step: its job goes on from its last checkpoint at the next start");
        _exit(EXIT_SUCCESS);
    }
    app_free(server->app);
    http_free(server->http);
    tokens_free(server->tokens);
    log_info(NULL, "ended");
    return EXIT_SUCCESS;
}

static int run(struct server *server)
{
    struct error error = {.status = STATUS_OK};
    prepare_process();
    log_set_format((enum log_format)server->config.log_format);
    fatal_signal_log((enum log_format)server->config.log_format);
    enum status status = start(server, &error);
    if (status != STATUS_OK) {
        log_error(NULL, "cannot start: %s", error.message);
        return exit_code(status);
    }
    tell_start(server);
    wait_for_end(server);
    let_second_signal_end();
    return stop(server);
}

/* What the program does instead of serving. */
static const struct {
    const char *name;
    int (*run)(int argc, char *const argv[]);
} commands[] = {{"backup", backup_command}, {"check", check_command}, {"token", token_command}};

int main(int argc, char *argv[])
{
    static struct server server;
    struct error error = {.status = STATUS_OK};
    enum config_action action;
    if (!keep_standard_files())
        return EX_OSERR;
    for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    if (config_parse(&server.config, argc, argv, &action, &error) != STATUS_OK) {
        fprintf(stderr, "descentd: %s\ndescentd --help lists the options.\n", error.message);
        return EX_USAGE;
    }
    switch (action) {
    case CONFIG_HELP:
        config_help(stdout);
        return EXIT_SUCCESS;
    case CONFIG_VERSION:
        printf("descentd %s (%s)\n", version_text, version_commit);
        return EXIT_SUCCESS;
    case CONFIG_RUN:
        break;
    }
    return run(&server);
}
