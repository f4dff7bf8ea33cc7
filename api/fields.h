/*
 * Objects of requests as tables: one row a field, with its type, range, default and help. The same table decodes the
 * object (all errors at once), encodes it again, and describes it in GET /v1/algorithms and OpenAPI.
 */
#ifndef DESCENT_API_FIELDS_H
#define DESCENT_API_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/optim/hyperparameter.h"

struct json_value;
struct json_writer;
struct problem;

enum field_kind {
    FIELD_NUMBER,         /* double */
    FIELD_COUNT32,        /* uint32_t */
    FIELD_COUNT64,        /* uint64_t, at most 2^53 - 1 */
    FIELD_INT32,          /* int32_t */
    FIELD_FLAG,           /* int: true or false */
    FIELD_CHOICE,         /* an enum: one of the choices, stored as its index */
    FIELD_FLAG_OR_CHOICE, /* the same; false stands for the first choice, true for the last */
    FIELD_NAME,           /* char [NAME_TEXT]: [A-Za-z0-9][A-Za-z0-9 ._-]{0,63} */
    FIELD_SEED,           /* uint64_t: a number up to 2^53 - 1, or a string of decimal or 0x digits */
    FIELD_PAIR,           /* uint32_t [2]: [height, width], or one number for both; choice i: FIELD_PAIR_CHOICE(i) in both */
    FIELD_OTHER,          /* an object, a list, something with forms of its own: decoded and encoded by hand */
};

struct field {
    const char *name;
    enum field_kind kind;
    int required;
    size_t offset;        /* of the member in the struct that the table is about */
    double default_value; /* as it is stored (a choice: its index); NaN: there is no fixed one, see `help` */
    double minimum, maximum;
    int minimum_excluded, maximum_excluded;
    /* A word that may stand instead of a number or choice: "auto", "full"; "null" is JSON's null. NULL: none. */
    const char *word;
    size_t word_flag;    /* offset of an int that the word sets to 1; 0: the word is stored as the value 0 */
    int word_is_default; /* then default_value does not count */
    /* The choices' names: an array or a function; use field_choice. */
    const char *const *choices;
    const char *(*choice)(unsigned index);
    size_t choice_count;
    const char *json_type; /* FIELD_OTHER: "object", "array", ... for descriptions */
    const char *help;
};

/* One object, or one variant of an object whose "type" says which fields it has. */
#define FIELD_TABLE_MAX 24

#define FIELD_POINTER_TEXT       192
#define FIELD_PAIR_CHOICE(index) (UINT32_MAX - (uint32_t)(index))
#define FIELD_EXACT_INTEGER      9007199254740991.0 /* 2^53 - 1: up to here every integer is a double */
struct field_table {
    const char *name;    /* "job", "training", "stop.early", "optimizer", "layer" */
    const char *variant; /* value of "type" that this is about ("sgd"); NULL: there is only one */
    const char *help;    /* of the object or variant; may be a formula */
    struct field fields[FIELD_TABLE_MAX];
    size_t count;
};

/* Pointer of a member or element: base, '/', key with '~' and '/' escaped; cut where it is too long. */
void field_pointer(char pointer[FIELD_POINTER_TEXT], const char *base, const char *key);
void field_pointer_index(char pointer[FIELD_POINTER_TEXT], const char *base, size_t index);
/* The error of a value of another type than `expected` ("a number"). */
void field_wrong_type(const struct json_value *value, const char *expected, const char *pointer, struct problem *problem);
/* The error of a word that is none of those allowed, for which `choice` is asked. */
void field_unknown_value(const struct field *field, const char *value, const char *pointer, struct problem *problem);

/* The error of a member that is none of these fields; names the nearest one. */
void field_unknown(const struct field *fields, size_t count, const char *name, const char *pointer, struct problem *problem);

/* Name of choice `index`, 0 ... choice_count - 1. */
const char *field_choice(const struct field *field, size_t index);
/* Sets every field that has a fixed default; leaves the others alone. */
void fields_set_defaults(const struct field *fields, size_t count, void *object);
/* A row for a hyper-parameter. Limits that float32 training cannot tell apart from 0 or infinity are drawn in. */
struct field field_of_hyperparameter(const struct hyperparameter *parameter);

/*
 * Decodes a JSON object at `pointer` into *into. Unknown members are errors ("did you mean"), so are required ones that
 * are missing; what is not given is left as it was. FIELD_OTHER is only checked for presence. Every error goes to
 * `problem`. `value` of another type than object: type_mismatch.
 */
void fields_decode(const struct field *fields, size_t count, const struct json_value *value, void *into, const char *pointer,
                   struct problem *problem);
/* One value at `pointer`. Returns 1 when it was stored. */
int field_decode(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                 struct problem *problem);

/* Stores a value that is known to be allowed (a choice: its index); not for FIELD_NAME. */
void field_store(const struct field *field, double value, void *into);
/* Stores that the word was given (1), or a value instead of it (0). */
void field_store_word(const struct field *field, int given, void *into);
/*
 * The member as it is stored (a choice as its index; of a pair the first), whatever its kind; FIELD_NAME, FIELD_SEED,
 * FIELD_OTHER: not to be asked.
 */
double field_load(const struct field *field, const void *from);
/* Writes members for all fields but FIELD_OTHER; names that are empty are left out. */
void fields_encode(const struct field *fields, size_t count, const void *from, struct json_writer *writer);
/* The default as JSON; null when there is no fixed one. */
void field_write_default(const struct field *field, struct json_writer *writer);

#endif
