/* Base64 and hexadecimal of digests, nothing more general. */
#include "server/handlers/digest_field.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    size_t size;
} algorithms[DIGEST_COUNT] = {
    [DIGEST_SHA256] = {"sha-256", SHA256_BYTES},
    [DIGEST_MD5] = {"md5", 16},
};

size_t digest_size(enum digest_algorithm algorithm)
{
    return algorithms[algorithm].size;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void digest_field_format(const unsigned char digest[SHA256_BYTES], char text[DIGEST_FIELD_TEXT])
{
    static const char start[] = "sha-256=:";
    char *out = text + sizeof(start) - 1;
    uint32_t bits = 0;
    unsigned count = 0;

    memcpy(text, start, sizeof(start) - 1);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        bits = bits << 8 | digest[i];
        for (count += 8; count >= 6; count -= 6) {
            *out++ = base64_digits[bits >> (count - 6) & 63];
        }
    }
    *out++ = base64_digits[bits << (6 - count) & 63];
    memcpy(out, "=:", 3);
}

/* The canonical base64 of `bytes` bytes; -1: not that. */
static int decode_base64(const char *text, size_t size, unsigned char *digest, size_t bytes)
{
    size_t digits = (bytes * 8 + 5) / 6, padding = strspn(text + (digits < size ? digits : size), "=");

    if (size != (bytes + 2) / 3 * 4 || digits + padding < size) {
        return -1;
    }
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < digits; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(base64_digits, text[i]);
        if (digit == NULL) {
            return -1;
        }
        bits = bits << 6 | (uint32_t)(digit - base64_digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *digest++ = (unsigned char)(bits >> count);
        }
    }
    return (bits & ((1u << count) - 1)) == 0 ? 0 : -1;
}

static int hex_value(char letter)
{
    static const char digits[] = "0123456789abcdef";
    char lower = letter >= 'A' && letter <= 'F' ? (char)(letter - 'A' + 'a') : letter;
    const char *digit = lower == '\0' ? NULL : strchr(digits, lower);

    return digit == NULL ? -1 : (int)(digit - digits);
}

static int decode_hex(const char *text, unsigned char digest[SHA256_BYTES])
{
    if (strlen(text) != 2 * SHA256_BYTES) {
        return -1;
    }
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        digest[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

/* One more digest of the body, which must be the same as one that is known. */
static enum status take(struct digests *digests, enum digest_algorithm algorithm, const unsigned char *bytes,
                        struct error *error)
{
    if (digests->given[algorithm] && memcmp(digests->bytes[algorithm], bytes, algorithms[algorithm].size) != 0) {
        return error_set(error, STATUS_CHECKSUM_MISMATCH, "two %s of the body contradict each other",
                         algorithms[algorithm].name);
    }
    memcpy(digests->bytes[algorithm], bytes, algorithms[algorithm].size);
    digests->given[algorithm] = 1;
    return STATUS_OK;
}

static enum status take_base64(struct digests *digests, enum digest_algorithm algorithm, const char *field, const char *text,
                               size_t size, struct error *error)
{
    unsigned char bytes[DIGEST_BYTES_MAX];

    if (decode_base64(text, size, bytes, algorithms[algorithm].size) != 0) {
        return error_set(error, STATUS_CHECKSUM_MISMATCH, "%s must have %zu characters of base64 for %s", field,
                         (algorithms[algorithm].size + 2) / 3 * 4, algorithms[algorithm].name);
    }
    return take(digests, algorithm, bytes, error);
}

/* "algorithm=value"; `wrapped`: the value stands between colons. */
static enum status take_member(struct digests *digests, const char *field, const char *member, size_t size, int wrapped,
                               struct error *error)
{
    for (int a = 0; a < DIGEST_COUNT; a++) {
        size_t name = strlen(algorithms[a].name);

        if (size > name && member[name] == '=' && strncasecmp(member, algorithms[a].name, name) == 0) {
            const char *value = member + name + 1;
            size_t value_size = size - name - 1;

            if (wrapped && (value_size < 2 || value[0] != ':' || value[value_size - 1] != ':')) {
                return error_set(error, STATUS_CHECKSUM_MISMATCH, "%s must be like %s=:base64:", field, algorithms[a].name);
            }
            return take_base64(digests, (enum digest_algorithm)a, field, value + wrapped, value_size - 2 * (size_t)wrapped,
                               error);
        }
    }
    return STATUS_OK; /* another algorithm */
}

/* A list of members, with commas between them, which base64 cannot hold. */
static enum status take_list(struct digests *digests, const char *field, const char *value, int wrapped, struct error *error)
{
    enum status status = STATUS_OK;

    for (const char *at = value != NULL ? value : ""; *at != '\0' && status == STATUS_OK;) {
        at += strspn(at, " \t");
        size_t size = strcspn(at, ","), end = size;
        while (end > 0 && (at[end - 1] == ' ' || at[end - 1] == '\t')) {
            end--;
        }
        status = take_member(digests, field, at, end, wrapped, error);
        at += size + (at[size] == ',');
    }
    return status;
}

enum status digest_fields_read(const struct digest_fields *fields, struct digests *digests, struct error *error)
{
    unsigned char bytes[SHA256_BYTES];

    memset(digests, 0, sizeof(*digests));
    enum status status = take_list(digests, "Content-Digest", fields->content_digest, 1, error);
    if (status == STATUS_OK) {
        status = take_list(digests, "Digest", fields->digest, 0, error);
    }
    if (status == STATUS_OK && fields->content_md5 != NULL) {
        status = take_base64(digests, DIGEST_MD5, "Content-MD5", fields->content_md5, strlen(fields->content_md5), error);
    }
    if (status != STATUS_OK || fields->x_content_sha256 == NULL) {
        return status;
    }
    if (decode_hex(fields->x_content_sha256, bytes) != 0) {
        return error_set(error, STATUS_CHECKSUM_MISMATCH, "X-Content-SHA256 must be 64 hexadecimal digits");
    }
    return take(digests, DIGEST_SHA256, bytes, error);
}
