#include "server/handlers/body_check.h"

#include <stdio.h>
#include <string.h>

enum status body_check_begin(struct body_check *check, const struct digest_fields *fields, struct error *error)
{
    enum status status = digest_fields_read(fields, &check->wanted, error);

    sha256_init(&check->sha256);
    return status == STATUS_OK && check->wanted.given[DIGEST_MD5] ? md5_new(&check->md5, error) : status;
}

enum status body_check_update(struct body_check *check, const void *data, size_t size, struct error *error)
{
    if (check->wanted.given[DIGEST_SHA256]) {
        sha256_update(&check->sha256, data, size);
    }
    return check->md5 != NULL ? md5_update(check->md5, data, size, error) : STATUS_OK;
}

static enum status compare(const struct body_check *check, enum digest_algorithm algorithm, const char *name,
                           const unsigned char *actual, struct error *error)
{
    char text[2 * DIGEST_BYTES_MAX + 1];

    if (!check->wanted.given[algorithm] || memcmp(actual, check->wanted.bytes[algorithm], digest_size(algorithm)) == 0) {
        return STATUS_OK;
    }
    for (size_t i = 0; i < digest_size(algorithm); i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", actual[i]);
    }
    return error_set(error, STATUS_CHECKSUM_MISMATCH, "the body that came has the %s %s", name, text);
}

enum status body_check_end(struct body_check *check, struct error *error)
{
    unsigned char sha256[SHA256_BYTES], md5[MD5_BYTES] = {0};

    sha256_final(&check->sha256, sha256);
    if (check->md5 != NULL) {
        md5_final(check->md5, md5);
    }
    enum status status = compare(check, DIGEST_SHA256, "SHA-256", sha256, error);
    return status == STATUS_OK ? compare(check, DIGEST_MD5, "MD5", md5, error) : status;
}

void body_check_release(struct body_check *check)
{
    md5_free(check->md5);
    check->md5 = NULL;
}
