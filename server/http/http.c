#include "server/http/http.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/clock.h"
#include "server/http/internal.h"
#include "server/http/tls.h"
#include "server/http/waiters.h"
#include "server/log.h"

#define POLLING_THREADS   2u
#define BACKLOG           1024
#define IDLE_SECONDS      60u
#define CONNECTION_BYTES  ((size_t)64 * 1024) /* head, read and write buffers of one connection */
#define CONNECTION_GROWTH ((size_t)16 * 1024)
#define POLLING_STACK     ((size_t)512 * 1024)
#define FILES_RESERVED    64 /* descriptors kept for what are no connections */
#define LOG_LINES_SECOND  5  /* of the library's own */

/* 0.9.75 has three levels, of which only the most lenient refuses "Name : value", the one that matters. */
#define STRICTNESS (-1)

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static enum status bind_socket(struct http *http, struct address *address, struct error *error)
{
    const char *text = http->config->listen;
    http->listen_fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (http->listen_fd < 0 || setsockopt(http->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return error_set(error, STATUS_SYSTEM_ERROR, "the system gives no socket for %.60s", text);
    if (bind(http->listen_fd, (struct sockaddr *)&address->storage, address->size) != 0) {
        const char *reason = errno == EADDRINUSE      ? "another program listens there"
                             : errno == EACCES        ? "ports below 1024 need a privilege"
                             : errno == EADDRNOTAVAIL ? "the machine has no such address"
                                                      : "the system refuses it";
        return error_set(error, STATUS_CONFIG_INVALID, "cannot listen on %.60s: %s", text, reason);
    }
    if (getsockname(http->listen_fd, (struct sockaddr *)&address->storage, &address->size) != 0)
        return error_set(error, STATUS_SYSTEM_ERROR, "the socket has no address");
    address_format(address, http->address);
    if (!address_is_any(address))
        address_host(address, http->local);
    return STATUS_OK;
}

static void tick(void *context, int64_t now)
{
    struct http *http = context;
    waiters_expire(http->waiters, now);
}

enum status http_new(const struct config *config, struct tokens *tokens, struct http **http, struct error *error)
{
    struct http *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the transport");
    made->config = config;
    made->listen_fd = -1;
    made->stream_limits = &stream_defaults;
    made->check = (struct first_check){.config = config, .tokens = tokens, .throttle = &made->throttle};
    throttle_init(&made->throttle);
    struct address address;
    enum status status = STATUS_OK;
    if (getrandom(&made->boot, sizeof(made->boot), 0) != (ssize_t)sizeof(made->boot))
        status = error_set(error, STATUS_SYSTEM_ERROR, "the system gives no random numbers");
    if (status == STATUS_OK)
        status = http_reload(made, error);
    if (status == STATUS_OK)
        status = address_parse(config->listen, &address, error);
    if (status == STATUS_OK)
        status = bind_socket(made, &address, error);
    if (status == STATUS_OK)
        status = executor_new((unsigned)config->http_threads, &made->executor, error);
    if (status == STATUS_OK)
        status = waiters_new(made->executor, &made->waiters, error);
    if (status == STATUS_OK)
        status = watchdog_new(&watchdog_defaults, tick, made, &made->watchdog, error);
    if (status != STATUS_OK) {
        http_free(made);
        return status;
    }
    *http = made;
    return STATUS_OK;
}

enum status http_reload(struct http *http, struct error *error)
{
    const struct config *config = http->config;
    return config->tls_cert != NULL ? tls_load(config->tls_cert, config->tls_key, error) : STATUS_OK;
}

struct waiters *http_waiters(struct http *http)
{
    return http->waiters;
}

const char *http_address(const struct http *http)
{
    return http->address;
}

/* The library's messages, at most a few a second: a broken client must not fill the log. */
static void log_library(void *context, const char *format, va_list values)
{
    static _Atomic int64_t second;
    static atomic_uint lines;
    (void)context;
    int64_t now = clock_monotonic_ms() / 1000;
    if (atomic_exchange(&second, now) != now)
        atomic_store(&lines, 0);
    if (atomic_fetch_add(&lines, 1) >= LOG_LINES_SECOND)
        return;
    char message[256];
    vsnprintf(message, sizeof(message), format, values);
    message[strcspn(message, "\n")] = '\0';
    log_event(LOG_LEVEL_DEBUG, NULL, "http: %s", message);
}

/* The library found its own state broken. */
static void panic(void *context, const char *file, unsigned line, const char *reason)
{
    (void)context;
    log_error(NULL, "libmicrohttpd gives up: %s (%s:%u)", reason != NULL ? reason : "no reason", file, line);
    abort();
}

/* Paths and arguments stay as they were sent: the router reads them raw. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static unsigned connection_limit(const struct http *http)
{
    struct rlimit files;
    uint64_t limit = http->config->max_connections;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 2 < limit + FILES_RESERVED)
        limit = files.rlim_cur / 2 > 2 * FILES_RESERVED ? files.rlim_cur / 2 - FILES_RESERVED : FILES_RESERVED;
    return (unsigned)limit;
}

/* Streams must leave connections for requests that are answered at once. */
static unsigned stream_limit(const struct http *http, unsigned connections)
{
    uint64_t wanted = http->config->max_streams;
    unsigned room = connections - connections / 4;
    return wanted == 0 || wanted > room ? room : (unsigned)wanted;
}

/* All clients of a loopback server share an address; elsewhere none may take more than its share. */
static unsigned address_limit(const struct http *http, unsigned connections)
{
    struct address address;
    if (address_parse(http->address, &address, NULL) == STATUS_OK && address_is_loopback(&address))
        return 0;
    return connections / 4;
}

enum status http_start(struct http *http, const struct http_app *app, struct error *error)
{
    http->app = *app;
    MHD_set_panic_func(panic, NULL);
    if (listen(http->listen_fd, BACKLOG) != 0)
        return error_set(error, STATUS_CONFIG_INVALID, "cannot listen on %.60s: another program listens there",
                         http->config->listen);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    int with_tls = http->config->tls_cert != NULL;
    unsigned connections = connection_limit(http);
    http->max_streams = stream_limit(http, connections);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    http->daemon = MHD_start_daemon(
        flags | (with_tls ? MHD_USE_TLS : 0), 0, NULL, NULL, exchange_step, http,
        /* the logger first: it takes the messages of the options behind it */
        MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, http->listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, POLLING_THREADS, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, address_limit(http, connections), MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, CONNECTION_GROWTH,
        MHD_OPTION_THREAD_STACK_SIZE, POLLING_STACK, MHD_OPTION_STRICT_FOR_CLIENT, STRICTNESS, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_uri, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        exchange_connection, http, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, http, MHD_OPTION_ARRAY,
        with_tls ? tls : &tls[2], MHD_OPTION_END);
    if (http->daemon == NULL)
        return error_set(error, STATUS_SYSTEM_ERROR, "the HTTP threads could not be started");
    return STATUS_OK;
}

unsigned http_open_streams(const struct http *http)
{
    return atomic_load(&http->open_streams);
}

/*
 * From here on packets to the listening socket are dropped; who has come so far is served. Rejected: MHD_quiesce_daemon,
 * which takes the socket out of the sets of polling threads that may be doing so themselves, and gives up where they were
 * first (in 0.9.75 as later); shutdown, of which those threads would hear again and again.
 */
static void let_nobody_in(int listen_fd)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0); /* bytes to keep of a packet */
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    char text[128];
    if (setsockopt(listen_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
        log_warning(NULL, "clients are let in to the end: %s", strerror_r(errno, text, sizeof(text)));
}

void http_drain(struct http *http)
{
    if (http->daemon == NULL || http->draining)
        return;
    http->draining = 1;
    let_nobody_in(http->listen_fd);
    waiters_drain(http->waiters);
}

static void wait_for_zero(atomic_uint *count, int64_t deadline)
{
    while (atomic_load(count) != 0 && clock_monotonic_ms() < deadline)
        sleep_ms(2);
}

enum status http_stop(struct http *http, int64_t wait_ms, struct error *error)
{
    if (http->daemon == NULL)
        return STATUS_OK;
    http_drain(http);
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    wait_for_zero(&http->open_requests, deadline);
    /* From here on no request is handed over, so that "none is" stays true once it was seen. */
    atomic_store(&http->stopping, 1);
    wait_for_zero(&http->handed_requests, deadline + wait_ms);
    unsigned handed = atomic_load(&http->handed_requests);
    if (handed != 0)
        return error_set(error, STATUS_INTERNAL, "%u requests were not answered in time", handed);
    MHD_stop_daemon(http->daemon); /* closes the listening socket */
    http->daemon = NULL;
    http->listen_fd = -1;
    /* What a cut off upload left is cleaned up before the app goes. */
    watchdog_free(http->watchdog);
    http->watchdog = NULL;
    executor_free(http->executor);
    http->executor = NULL;
    return STATUS_OK;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    watchdog_free(http->watchdog);
    executor_free(http->executor);
    waiters_free(http->waiters);
    if (http->listen_fd >= 0)
        close(http->listen_fd);
    tls_unload();
    free(http);
}
