#include "server/http/md5.h"

#include <gnutls/crypto.h>

/* The handle is a pointer already: struct md5 is what it points to. */
static gnutls_hash_hd_t handle(struct md5 *md5)
{
    return (gnutls_hash_hd_t)(void *)md5;
}

enum status md5_new(struct md5 **md5, struct error *error)
{
    gnutls_hash_hd_t made;

    *md5 = NULL;
    if (gnutls_hash_init(&made, GNUTLS_DIG_MD5) != 0) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "MD5 cannot be computed at the moment");
    }
    *md5 = (struct md5 *)(void *)made;
    return STATUS_OK;
}

enum status md5_update(struct md5 *md5, const void *data, size_t size, struct error *error)
{
    return gnutls_hash(handle(md5), data, size) == 0 ? STATUS_OK : error_set(error, STATUS_INTERNAL, "MD5 failed");
}

void md5_final(struct md5 *md5, unsigned char digest[MD5_BYTES])
{
    gnutls_hash_output(handle(md5), digest);
}

void md5_free(struct md5 *md5)
{
    if (md5 != NULL) {
        gnutls_hash_deinit(handle(md5), NULL);
    }
}
