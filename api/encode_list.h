/* A page of a list: {"object":"list","data":[...],"first_id":...,"last_id":...,"has_more":...}. */
#ifndef DESCENT_API_ENCODE_LIST_H
#define DESCENT_API_ENCODE_LIST_H

#include <stddef.h>

struct json_writer;

/* Opens the page and its data; the items follow, one JSON value each. */
void encode_list_begin(struct json_writer *writer);
/* Closes it. first_id and last_id: of the first and last item, NULL on an empty page. */
void encode_list_end(struct json_writer *writer, const char *first_id, const char *last_id, int has_more);

#endif
