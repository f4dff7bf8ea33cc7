/*
 * A walk along both texts. Each member of an object is looked up in the other by reading that again from its start: objects
 * are small (JSON_MAX_KEYS), an index would be longer than what it saves.
 */
#include "merge_patch.h"

#include "api/json_piece.h"

struct member {
    struct json_piece key, value;
};

static int find_member(struct json_piece object, struct json_piece key, struct member *found)
{
    struct json_pieces members = json_pieces_of(object);

    while (json_piece_is_object(object) && json_pieces_next(&members, &found->key, &found->value)) {
        if (json_piece_same_key(found->key, key)) {
            return 1;
        }
    }
    return 0;
}

/* Empty for what is no object. */
static struct json_pieces members_of(struct json_piece value)
{
    return json_pieces_of(json_piece_is_object(value) ? value : (struct json_piece){NULL, 0});
}

static void put_piece(struct text *out, struct json_piece piece)
{
    text_put(out, piece.text, piece.size);
}

static void merge(struct json_piece target, struct json_piece patch, struct text *out);

/* The member `key`, with a comma before all but the first; patch.text NULL: it stays as it was. */
static void put_member(struct text *out, int *is_first, struct json_piece key, struct json_piece target,
                       struct json_piece patch)
{
    text_string(out, *is_first ? "" : ",");
    *is_first = 0;
    put_piece(out, key);
    text_string(out, ":");
    if (patch.text == NULL) {
        put_piece(out, target);
    } else {
        merge(target, patch, out);
    }
}

static void merge(struct json_piece target, struct json_piece patch, struct text *out)
{
    struct json_pieces kept = members_of(target), changes = json_pieces_of(patch);
    struct member member, other;
    int is_first = 1;

    if (!json_piece_is_object(patch)) {
        put_piece(out, patch);
        return;
    }
    text_string(out, "{");
    while (json_pieces_next(&kept, &member.key, &member.value)) {
        if (!find_member(patch, member.key, &other)) {
            put_member(out, &is_first, member.key, member.value, (struct json_piece){NULL, 0});
        } else if (!json_piece_is_null(other.value)) {
            put_member(out, &is_first, member.key, member.value, other.value);
        }
    }
    while (json_pieces_next(&changes, &member.key, &member.value)) {
        if (!json_piece_is_null(member.value) && !find_member(target, member.key, &other)) {
            put_member(out, &is_first, member.key, (struct json_piece){NULL, 0}, member.value);
        }
    }
    text_string(out, "}");
}

void merge_patch(const char *target, size_t target_size, const char *patch, size_t patch_size, struct text *out)
{
    struct json_piece nothing = {NULL, 0};

    merge(target == NULL ? nothing : json_piece_of(target, target_size), json_piece_of(patch, patch_size), out);
}
