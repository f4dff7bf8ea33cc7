/*
 * Pieces of a JSON text: walking its values without making a tree of them, so that what is not touched can be copied as it
 * stands. The text must have passed json_validate, which also means that nothing here can fail.
 */
#ifndef DESCENT_API_JSON_PIECE_H
#define DESCENT_API_JSON_PIECE_H

#include <stddef.h>

/* A value, or a key with its quotes, without blanks around it; borrows the text. text NULL: there is none. */
struct json_piece {
    const char *text;
    size_t size;
};

/* The value that a text is. */
struct json_piece json_piece_of(const char *text, size_t size);
int json_piece_is_object(struct json_piece value); /* 0 for none */
int json_piece_is_null(struct json_piece value);   /* likewise */

/* The members of an object or the elements of a list, one after the other; none of any other value. */
struct json_pieces {
    const char *at, *end;
    int has_keys;
};
struct json_pieces json_pieces_of(struct json_piece value);
/* 0 behind the last one. *key: none in a list. */
int json_pieces_next(struct json_pieces *pieces, struct json_piece *key, struct json_piece *value);

/* Whether two keys mean the same, whatever escapes they are written with; whether one means this text. */
int json_piece_same_key(struct json_piece a, struct json_piece b);
int json_piece_is_text(struct json_piece string, const char *text, size_t size);
/* The member of that name; none where there is none, or of what is no object. */
struct json_piece json_piece_get(struct json_piece object, const char *name, size_t size);

/*
 * JSON pointers (RFC 6901). The next segment of one, unescaped, moves *pointer past it; 0 at its end, or where it is none.
 * What is longer than POINTER_SEGMENT_TEXT is cut.
 */
#define POINTER_SEGMENT_TEXT 192
int json_pointer_next(const char **pointer, char segment[POINTER_SEGMENT_TEXT], size_t *size);
/* "" or segments that each begin with '/', '~' only as "~0" or "~1". */
int json_pointer_is_valid(const char *pointer);
/* What a pointer leads to, through objects and lists; none where it leads nowhere. */
struct json_piece json_piece_at(struct json_piece value, const char *pointer);
/* A string as what it means, any other value as it stands; cut to whole characters where it does not fit. */
void json_piece_words(struct json_piece value, char *words, size_t room);
/* 1: the value is a number, and finite as a double. */
int json_piece_number(struct json_piece value, double *number);

#endif
