/*
 * What answers have in common: finished texts, entity tags, the places of new things, pages of lists.
 *
 * A handler that answers with JSON alone calls reply_json. One that adds headers fills a response (reply_json_response,
 * reply_text_response), adds them and calls request_respond. As with request_respond, nothing of the request may be
 * touched after any of these that answers.
 */
#ifndef DESCENT_SERVER_HANDLERS_REPLY_H
#define DESCENT_SERVER_HANDLERS_REPLY_H

#include "api/query.h"
#include "server/http/request.h"
#include "server/store/store.h"

struct json_writer;

/* Takes what was written; a writer that failed becomes its problem document. The writer needs no release afterwards. */
void reply_text_response(struct response *response, const struct request *request, unsigned status, enum media media,
                         struct json_writer *writer);
void reply_json_response(struct response *response, const struct request *request, unsigned status,
                         struct json_writer *writer);
void reply_text(struct request *request, unsigned status, enum media media, struct json_writer *writer);
void reply_json(struct request *request, unsigned status, struct json_writer *writer);

/* JSON, and the Location of what it shows: collection ("/v1/datasets") and id. 201: it is new; 200: it was there. */
void reply_created(struct request *request, unsigned status, const char *collection, const char *id,
                   struct json_writer *writer);

/* 204, or another status without a body. */
void reply_empty(struct request *request, unsigned status);

/* The media type that the request asks for: by its query's parameter `format`, if that is given, else by its Accept. */
MUST_CHECK enum status reply_negotiate(const struct request *request, enum query_id format, enum media *media,
                                       struct error *error);

/* One error made on the spot: reply_error(request, STATUS_NOT_FOUND, "there is no data set %s", id). */
void reply_error(struct request *request, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* STATUS_IN_USE, with the jobs that stand in the way: "jobs" beside a problem's usual members. */
void reply_in_use(struct request *request, const struct job_users *users, const struct error *error);

/* 409 state_conflict with what may be asked of a job in this status. */
void reply_state_conflict(struct request *request, enum job_status status);

/*
 * Entity tags. reply_tag writes one with its quotes; the text between them must be printable ASCII without quotes.
 * reply_not_modified answers 304 with the tag and returns 1 if the request's If-None-Match has it (lists, weak tags and
 * "*" included), else 0: the handler then answers in full and adds the tag with reply_add_tag.
 */
#define REPLY_TAG_TEXT 96
void reply_tag(char tag[REPLY_TAG_TEXT], const char *format, ...) PRINTF_LIKE(2, 3);
int reply_not_modified(struct request *request, const char *tag);
void reply_add_tag(struct response *response, const char *tag);
/* What reply_not_modified decides by: does the value of If-None-Match (NULL: not sent) have the tag? */
int reply_tag_matches(const char *if_none_match, const char *tag);

/*
 * Whether If-Match (NULL: not sent) lets the version with this tag be changed. By strong comparison: a weak tag matches
 * nothing.
 */
int reply_may_change(const char *if_match, const char *tag);

/* limit, after and order of the request's query; borrows from the request. */
struct page_query reply_page_query(const struct request *request);
/* A page of a list; with has_more its Link names the next one, which begins after last_id. */
void reply_page(struct request *request, struct json_writer *writer, const char *last_id, int has_more);
/* What the store says of a list that it cannot give: STATUS_QUERY_INVALID is about `after`. */
void reply_page_error(struct request *request, const struct error *error);

#endif
