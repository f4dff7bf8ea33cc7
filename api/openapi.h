/* The interface as an OpenAPI 3.1 document, made from the tables that route and check requests. */
#ifndef DESCENT_API_OPENAPI_H
#define DESCENT_API_OPENAPI_H

struct json_writer;

/* version: of the program, e.g. "0.1.0". */
void openapi_write(const char *version, struct json_writer *writer);

#endif
