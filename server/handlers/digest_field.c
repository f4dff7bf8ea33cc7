/* Base64 and hexadecimal of 32 bytes, nothing more general. */
#include "server/handlers/digest_field.h"

#include <string.h>

#define BASE64_SIZE 44 /* of 32 bytes: 43 digits and one "=" */

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

/* The canonical base64 of 32 bytes; -1: not that. */
static int decode_base64(const char *text, size_t size, unsigned char digest[SHA256_BYTES])
{
    if (size != BASE64_SIZE || text[BASE64_SIZE - 1] != '=') {
        return -1;
    }
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < BASE64_SIZE - 1; i++) {
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

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/*
 * The member sha-256 of a dictionary of digests: 1 found, 0 absent, -1 malformed. Members of other algorithms are passed
 * over up to their comma, which base64 cannot hold.
 */
static int find_member(const char *field, unsigned char digest[SHA256_BYTES])
{
    static const char name[] = "sha-256=";
    int found = 0;

    for (const char *at = skip_blanks(field); *at != '\0';) {
        size_t size = strcspn(at, ",");
        size_t end = size;
        while (end > 0 && (at[end - 1] == ' ' || at[end - 1] == '\t')) {
            end--;
        }
        if (strncmp(at, name, sizeof(name) - 1) == 0) {
            const char *value = at + sizeof(name) - 1;
            size_t value_size = end - (sizeof(name) - 1);
            if (value_size < 2 || value[0] != ':' || value[value_size - 1] != ':' ||
                decode_base64(value + 1, value_size - 2, digest) != 0) {
                return -1;
            }
            found = 1;
        }
        at = at[size] == ',' ? skip_blanks(at + size + 1) : at + size;
    }
    return found;
}

enum status digest_field_expected(const char *content_digest, const char *x_content_sha256,
                                  unsigned char digest[SHA256_BYTES], int *given, struct error *error)
{
    *given = 0;
    if (content_digest != NULL) {
        *given = find_member(content_digest, digest);
        if (*given < 0) {
            return error_set(error, STATUS_CHECKSUM_MISMATCH,
                             "Content-Digest must be sha-256=:...: with 44 characters of base64");
        }
    }
    if (x_content_sha256 != NULL) {
        unsigned char other[SHA256_BYTES];
        if (decode_hex(x_content_sha256, other) != 0) {
            return error_set(error, STATUS_CHECKSUM_MISMATCH, "X-Content-SHA256 must be 64 hexadecimal digits");
        }
        if (*given && memcmp(digest, other, SHA256_BYTES) != 0) {
            return error_set(error, STATUS_CHECKSUM_MISMATCH,
                             "Content-Digest and X-Content-SHA256 are not of the same body");
        }
        memcpy(digest, other, SHA256_BYTES);
        *given = 1;
    }
    return STATUS_OK;
}
