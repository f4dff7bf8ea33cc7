/* The schemas of the OpenAPI document: those of schemas.def, enumerations, and the job request's from its tables. */
#ifndef DESCENT_API_OPENAPI_SCHEMAS_H
#define DESCENT_API_OPENAPI_SCHEMAS_H

#define SCHEMA_REFERENCE "#/components/schemas/"

struct json_writer;

/* {"schemas":{…}}'s value: every schema by its name. */
void openapi_write_schemas(struct json_writer *writer);
/* {"$ref": …} */
void openapi_write_reference(const char *schema, struct json_writer *writer);

#endif
