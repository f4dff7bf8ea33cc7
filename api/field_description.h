/* Fields of requests told to others: as JSON Schema (OpenAPI), and in the words of GET /v1/algorithms. */
#ifndef DESCENT_API_FIELD_DESCRIPTION_H
#define DESCENT_API_FIELD_DESCRIPTION_H

struct field;
struct json_writer;

/* 0 for a default that is not fixed: it is then told by the field's help. */
int field_has_default(const struct field *field);
/* The schema of a field's values; `reference`: the address of the schema of its object, NULL: none of its own. */
void field_write_schema(const struct field *field, const char *reference, struct json_writer *writer);
/* {"name","type","required","default","minimum",...,"choices","help"} */
void field_write_parameter(const struct field *field, struct json_writer *writer);

#endif
