/* Whether a body is what its sender says: the checksums that were announced, computed as the body comes. */
#ifndef DESCENT_SERVER_HANDLERS_BODY_CHECK_H
#define DESCENT_SERVER_HANDLERS_BODY_CHECK_H

#include "server/handlers/digest_field.h"
#include "server/http/md5.h"

/* Zero-initialise; release in any case. */
struct body_check {
    struct digests wanted;
    struct sha256 sha256;
    struct md5 *md5; /* NULL: not asked for */
};

/* STATUS_CHECKSUM_MISMATCH: a field holds no checksum, or two contradict each other. STATUS_OUT_OF_MEMORY. */
MUST_CHECK enum status body_check_begin(struct body_check *check, const struct digest_fields *fields, struct error *error);
MUST_CHECK enum status body_check_update(struct body_check *check, const void *data, size_t size, struct error *error);
/* STATUS_CHECKSUM_MISMATCH: the body is another one. */
MUST_CHECK enum status body_check_end(struct body_check *check, struct error *error);
void body_check_release(struct body_check *check);

#endif
