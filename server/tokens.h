/*
 * Bearer tokens: a file of hashes, what each may do, and until when.
 *
 * A line is `id:scopes:sha256hex[:expires]`: scopes comma-separated of read, write, admin (admin implies write, write
 * implies read), expires RFC 3339 UTC or seconds since 1970. Empty lines and lines that begin with # are skipped. The
 * tokens themselves are nowhere: they are 256 random bits, so one SHA-256 without salt protects them.
 */
#ifndef DESCENT_SERVER_TOKENS_H
#define DESCENT_SERVER_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#define TOKEN_ID_TEXT 65
#define TOKEN_TEXT    64 /* "dct_" + 43 characters and a NUL, with room */

struct tokens;

/*
 * Reads `path`. STATUS_CONFIG_INVALID when it is missing, empty, world-readable or has a bad line; the message names
 * the file and line.
 */
MUST_CHECK enum status tokens_open(const char *path, struct tokens **tokens, struct error *error);

/* Reads the file again; on an error the tokens stay as they were. Safe while others check. */
MUST_CHECK enum status tokens_reload(struct tokens *tokens, struct error *error);

void tokens_free(struct tokens *tokens);

/*
 * Whether `token` (`size` bytes, anything a client may send) is known and not expired at `now` (seconds since 1970).
 * STATUS_OK: *scopes (bits of enum scope, implied ones included) and id are filled. STATUS_INVALID_TOKEN,
 * STATUS_TOKEN_EXPIRED. The time taken does not depend on how much of a token is right.
 */
MUST_CHECK enum status tokens_check(struct tokens *tokens, const char *token, size_t size, int64_t now, unsigned *scopes,
                                    char id[TOKEN_ID_TEXT]);

/* Blanks every token in a text that is about to be written somewhere. */
void tokens_scrub(char *text);

/* "read,write" to bits of enum scope, implied ones included; 0 when a name is unknown or none is given. */
unsigned tokens_scopes(const char *text, size_t size);

/*
 * Makes a token, appends its hash to `path` (created with mode 0600), syncs, and writes the token to `text`: the only
 * time that it is seen. `name` (NULL: a random one) becomes its id; expires is seconds since 1970, 0: never.
 */
MUST_CHECK enum status tokens_add(const char *path, const char *name, unsigned scopes, int64_t expires,
                                  char text[TOKEN_TEXT], struct error *error);

#endif
