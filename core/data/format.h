/*
 * What a file format must give to stand in parser.c's table. What all formats share (empty files, files of another
 * format, calls after an error) is taken care of by intake.c.
 */
#ifndef DESCENT_CORE_DATA_FORMAT_H
#define DESCENT_CORE_DATA_FORMAT_H

#include "core/data/parser.h"

struct format_parser {
    const char *name, *media_type;
    /* Gives *state, freed with `free` (also after an error); a NULL state is not freed. options are never NULL. */
    enum status (*new)(void **state, const struct parse_options *options, struct sink sink, struct error *error);
    /* As a sink writes; size > 0; the first call brings SNIFF_SIZE bytes, or all there are. */
    enum status (*feed)(void *state, const void *bytes, size_t size, struct error *error);
    enum status (*finish)(void *state, struct error *error);
    void (*free)(void *state);
};

#endif
