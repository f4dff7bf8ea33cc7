/*
 * JSON Merge Patch (RFC 7396), on the texts themselves: what a patch does not touch is copied as it stands, numbers digit
 * for digit and long lists without a tree of them.
 */
#ifndef DESCENT_API_MERGE_PATCH_H
#define DESCENT_API_MERGE_PATCH_H

#include "api/text.h"

/*
 * Appends to *out what becomes of target [target_size] under patch [patch_size]. target NULL: there is nothing yet. Both
 * have passed json_validate, which also bounds the recursion. Keys are equal where they mean the same, whatever escapes
 * they are written with; a member keeps its place, new ones follow. Out of memory: text_take says so.
 */
void merge_patch(const char *target, size_t target_size, const char *patch, size_t patch_size, struct text *out);

#endif
