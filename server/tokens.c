#include "server/tokens.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/routes.h"
#include "api/timestamp.h"
#include "core/base/sha256.h"
#include "server/text_file.h"

#define MARK         "dct_" /* begins every token, so that logs and secret scanners know one */
#define SECRET_BYTES 32

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct token {
    char id[TOKEN_ID_TEXT];
    unsigned char digest[SHA256_BYTES];
    unsigned scopes;
    int64_t expires; /* seconds since 1970, 0: never */
};

struct token_list {
    struct token *items;
    size_t count;
};

struct tokens {
    char *path;
    pthread_rwlock_t lock; /* guards list; a leaf */
    struct token_list list;
};

static void digest_of(const char *token, size_t size, unsigned char digest[SHA256_BYTES])
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_update(&hash, token, size);
    sha256_final(&hash, digest);
}

unsigned tokens_scopes(const char *text, size_t size)
{
    static const struct {
        enum scope scope;
        unsigned bits; /* with what it implies */
    } scopes[] = {
        {SCOPE_READ, SCOPE_READ},
        {SCOPE_WRITE, SCOPE_READ | SCOPE_WRITE},
        {SCOPE_ADMIN, SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN},
    };
    unsigned bits = 0;
    for (size_t at = 0; at <= size;) {
        const char *comma = memchr(text + at, ',', size - at);
        size_t length = comma != NULL ? (size_t)(comma - text) - at : size - at;
        unsigned found = 0;
        for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
            const char *name = scope_name(scopes[i].scope);
            if (strlen(name) == length && memcmp(name, text + at, length) == 0)
                found = scopes[i].bits;
        }
        if (found == 0)
            return 0;
        bits |= found;
        at += length + 1;
    }
    return bits;
}

static int id_is_valid(const char *id, size_t size)
{
    return size > 0 && size < TOKEN_ID_TEXT && strspn(id, alphabet) >= size;
}

/* hex [size] holds no NUL. */
static int parse_digest(const char *hex, size_t size, unsigned char digest[SHA256_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (size != 2 * SHA256_BYTES)
        return 0;
    for (size_t i = 0; i < size; i++) {
        const char *digit = strchr(digits, hex[i]);
        if (digit == NULL)
            return 0;
        unsigned value = (unsigned)(digit - digits);
        digest[i / 2] = (unsigned char)(i % 2 == 0 ? value << 4 : digest[i / 2] | value);
    }
    return 1;
}

/* "" never expires. */
static int parse_expiry(const char *text, int64_t *expires)
{
    *expires = 0;
    if (text[0] == '\0')
        return 1;
    size_t size = strlen(text);
    if (strspn(text, "0123456789") == size && size <= 12) {
        *expires = strtoll(text, NULL, 10);
        return *expires > 0;
    }
    int64_t ms;
    if (timestamp_parse(text, &ms, NULL) != STATUS_OK)
        return 0;
    *expires = ms / 1000;
    return *expires > 0;
}

/* NULL when the line is right; otherwise what is wrong with it. Cuts the line up. */
static const char *parse_line(char *line, struct token *token)
{
    char *rest = line;
    const char *id = strsep(&rest, ":");
    const char *scopes = strsep(&rest, ":");
    const char *hex = strsep(&rest, ":");
    if (hex == NULL)
        return "id:scopes:sha256hex[:expires] is wanted";
    if (!id_is_valid(id, strlen(id)))
        return "the id may have 1 to 64 of A-Z a-z 0-9 - _";
    token->scopes = tokens_scopes(scopes, strlen(scopes));
    if (token->scopes == 0)
        return "the scopes are a comma-separated list of read, write, admin";
    if (!parse_digest(hex, strlen(hex), token->digest))
        return "the hash is 64 lower-case hexadecimal digits";
    if (!parse_expiry(rest != NULL ? rest : "", &token->expires))
        return "the expiry is a time like 2026-12-31T00:00:00Z or seconds since 1970";
    snprintf(token->id, sizeof(token->id), "%s", id);
    return NULL;
}

static enum status parse_file(const char *path, char *text, struct token_list *list, struct error *error)
{
    char *rest = text;
    int number = 0;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        number++;
        size_t size = strlen(line);
        if (size > 0 && line[size - 1] == '\r')
            line[size - 1] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        struct token token = {.scopes = 0};
        const char *wrong = parse_line(line, &token);
        for (size_t i = 0; wrong == NULL && i < list->count; i++) {
            if (strcmp(list->items[i].id, token.id) == 0)
                wrong = "the id stands twice";
        }
        if (wrong != NULL)
            return error_set_line(error, STATUS_CONFIG_INVALID, number, 0, "token file %.100s, line %d: %s", path, number,
                                  wrong);
        struct token *items = reallocarray(list->items, list->count + 1, sizeof(*items));
        if (items == NULL)
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the tokens");
        list->items = items;
        list->items[list->count++] = token;
    }
    return STATUS_OK;
}

static enum status load(const char *path, struct token_list *list, struct error *error)
{
    char *text = NULL;
    enum status status = text_file_read(path, "token file", TEXT_FILE_SECRET, &text, error);
    if (status == STATUS_OK)
        status = parse_file(path, text, list, error);
    if (status == STATUS_OK && list->count == 0)
        status = error_set(error, STATUS_CONFIG_INVALID, "token file %.100s has no token: nobody could do anything", path);
    free(text);
    return status;
}

enum status tokens_open(const char *path, struct tokens **tokens, struct error *error)
{
    struct tokens *made = calloc(1, sizeof(*made));
    char *copy = strdup(path);
    enum status status = STATUS_OUT_OF_MEMORY;
    if (made == NULL || copy == NULL) {
        error_set(error, status, "no memory for the tokens");
    } else {
        status = load(path, &made->list, error);
    }
    if (status != STATUS_OK) {
        if (made != NULL)
            free(made->list.items);
        free(made);
        free(copy);
        return status;
    }
    made->path = copy;
    pthread_rwlock_init(&made->lock, NULL);
    *tokens = made;
    return STATUS_OK;
}

enum status tokens_reload(struct tokens *tokens, struct error *error)
{
    struct token_list list = {0};
    enum status status = load(tokens->path, &list, error);
    if (status == STATUS_OK) {
        pthread_rwlock_wrlock(&tokens->lock);
        struct token_list old = tokens->list;
        tokens->list = list;
        pthread_rwlock_unlock(&tokens->lock);
        list = old;
    }
    free(list.items);
    return status;
}

void tokens_free(struct tokens *tokens)
{
    if (tokens == NULL)
        return;
    pthread_rwlock_destroy(&tokens->lock);
    free(tokens->list.items);
    free(tokens->path);
    free(tokens);
}

/* 1 if equal; every byte is looked at. */
static unsigned digests_equal(const unsigned char *a, const unsigned char *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < SHA256_BYTES; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

enum status tokens_check(struct tokens *tokens, const char *token, size_t size, int64_t now, unsigned *scopes,
                         char id[TOKEN_ID_TEXT])
{
    unsigned char digest[SHA256_BYTES];
    digest_of(token, size, digest);
    enum status status = STATUS_INVALID_TOKEN;
    pthread_rwlock_rdlock(&tokens->lock);
    for (size_t i = 0; i < tokens->list.count; i++) {
        const struct token *known = &tokens->list.items[i];
        if (!digests_equal(known->digest, digest))
            continue;
        status = known->expires != 0 && now >= known->expires ? STATUS_TOKEN_EXPIRED : STATUS_OK;
        *scopes = known->scopes;
        memcpy(id, known->id, TOKEN_ID_TEXT);
    }
    pthread_rwlock_unlock(&tokens->lock);
    return status;
}

void tokens_scrub(char *text)
{
    for (char *at = strstr(text, MARK); at != NULL; at = strstr(at, MARK)) {
        at += sizeof(MARK) - 1;
        size_t size = strspn(at, alphabet);
        memset(at, '*', size);
        at += size;
    }
}

/* `size` random bytes as base64url digits, without padding; fills (4 * size + 2) / 3 characters and a NUL. */
static enum status random_text(size_t size, char *text, struct error *error)
{
    unsigned char bytes[SECRET_BYTES];
    assert(size <= sizeof(bytes));
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        return error_set(error, STATUS_SYSTEM_ERROR, "the system gives no random numbers");
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *text++ = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *text++ = alphabet[bits << (6 - held) & 63];
    *text = '\0';
    explicit_bzero(bytes, sizeof(bytes));
    return STATUS_OK;
}

/* The line of a token: everything but the token itself. */
static int format_line(char *line, size_t room, const char *id, unsigned scopes, const char *token, int64_t expires,
                       int needs_newline)
{
    char hex[SHA256_HEX], expiry[TIMESTAMP_TEXT + 1] = "";
    sha256_text(token, strlen(token), hex);
    if (expires != 0) {
        expiry[0] = ':';
        timestamp_format(expires * 1000, expiry + 1);
    }
    const char *highest = scope_name(scopes & SCOPE_ADMIN ? SCOPE_ADMIN : scopes & SCOPE_WRITE ? SCOPE_WRITE : SCOPE_READ);
    return snprintf(line, room, "%s%s:%s:%s%s\n", needs_newline ? "\n" : "", id, highest, hex, expiry);
}

/* Under the file's lock: the new id must not be there yet; then one write, synced. */
static enum status append(int fd, const char *path, const char *id, unsigned scopes, int64_t expires, const char *token,
                          struct error *error)
{
    struct token_list list = {0};
    char *text = NULL;
    enum status status = text_file_read_open(fd, path, "token file", TEXT_FILE_SECRET, &text, error);
    if (status != STATUS_OK)
        return status;
    size_t size = strlen(text);
    int needs_newline = size > 0 && text[size - 1] != '\n';
    status = parse_file(path, text, &list, error);
    for (size_t i = 0; status == STATUS_OK && i < list.count; i++) {
        if (strcmp(list.items[i].id, id) == 0)
            status = error_set(error, STATUS_USAGE, "token file %.100s has a token named %s already", path, id);
    }
    free(list.items);
    free(text);
    if (status != STATUS_OK)
        return status;
    char line[256];
    int length = format_line(line, sizeof(line), id, scopes, token, expires, needs_newline);
    assert(length > 0 && length < (int)sizeof(line));
    if (write(fd, line, (size_t)length) != length || fsync(fd) != 0)
        return error_set(error, STATUS_STORAGE_ERROR, "token file %.100s cannot be written", path);
    return STATUS_OK;
}

/* The name of a new file is there after a power failure once its folder knows of it. */
static enum status sync_folder(const char *path, struct error *error)
{
    char text[PATH_MAX];
    if (snprintf(text, sizeof(text), "%s", path) >= (int)sizeof(text))
        return error_set(error, STATUS_STORAGE_ERROR, "token file %.100s: its path is too long", path);
    int fd = open(dirname(text), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) /* one that may not be read cannot be synced */
        return STATUS_OK;
    int is_synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == EROFS);
    if (fd >= 0)
        close(fd);
    return is_synced ? STATUS_OK
                     : error_set(error, STATUS_STORAGE_ERROR, "the folder of token file %.100s cannot be synced", path);
}

enum status tokens_add(const char *path, const char *name, unsigned scopes, int64_t expires, char text[TOKEN_TEXT],
                       struct error *error)
{
    char id[TOKEN_ID_TEXT];
    enum status status = STATUS_OK;
    if (name != NULL && !id_is_valid(name, strlen(name)))
        return error_set(error, STATUS_USAGE, "the name \"%.70s\" is not valid: 1 to 64 of A-Z a-z 0-9 - _", name);
    if (name != NULL)
        snprintf(id, sizeof(id), "%s", name);
    else
        status = random_text(9, id, error);
    memcpy(text, MARK, sizeof(MARK));
    if (status == STATUS_OK)
        status = random_text(SECRET_BYTES, text + sizeof(MARK) - 1, error);
    if (status != STATUS_OK)
        return status;
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return error_set(error, STATUS_STORAGE_ERROR, "token file %.100s cannot be opened for writing", path);
    if (flock(fd, LOCK_EX) != 0)
        status = error_set(error, STATUS_SYSTEM_ERROR, "token file %.100s cannot be locked", path);
    else
        status = append(fd, path, id, scopes, expires, text, error);
    if (status == STATUS_OK)
        status = sync_folder(path, error);
    if (close(fd) != 0 && status == STATUS_OK)
        status = error_set(error, STATUS_STORAGE_ERROR, "token file %.100s cannot be written", path);
    return status;
}
