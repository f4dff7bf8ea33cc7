/* What POST /v1/cross_entropy answers as JSON. */
#ifndef DESCENT_API_ENCODE_CROSS_ENTROPY_H
#define DESCENT_API_ENCODE_CROSS_ENTROPY_H

struct cross_entropy_request;
struct json_writer;

/*
 * {"object":"cross_entropy","cross_entropy","entropy","kl","infinite"}: figures in nats; of lists of vectors, each a list.
 * JSON has no infinity: a cross-entropy that is infinite, and its kl, are null, and "infinite" is true.
 */
void encode_cross_entropy(const struct cross_entropy_request *request, struct json_writer *writer);

#endif
