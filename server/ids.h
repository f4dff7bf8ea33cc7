/* Identifiers: a prefix that names the kind ("job_", "ds_", "mdl_", "req_") and 20 random characters of [a-z0-9]. */
#ifndef DESCENT_SERVER_IDS_H
#define DESCENT_SERVER_IDS_H

#include "api/views.h"

/* Writes a new identifier from the kernel's generator (103 bits: never made twice). prefix: at most 6 characters. */
void id_new(char id[ID_TEXT], const char *prefix);
/* 1 if `text` could be an identifier of that kind. Never reads past the first wrong character. */
int id_valid(const char *text, const char *prefix);

#endif
