/*
 * Accept and Content-Type. Both are read leniently where RFC 9110 lets senders vary (spaces, case, unknown parameters)
 * and never fail on what they cannot read: an unreadable range of an Accept header matches nothing.
 */
#include "negotiate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *word, *type, *content_type;
} media_table[MEDIA_COUNT] = {
    [MEDIA_NONE] = {"", "", ""},
#define MEDIA(NAME, word, type, content_type) [MEDIA_##NAME] = {word, type, content_type},
#include "api/media.def"
#undef MEDIA
};

const char *media_word(enum media media)
{
    return media_table[media].word;
}

const char *media_type(enum media media)
{
    return media_table[media].type;
}

const char *media_content_type(enum media media)
{
    return media_table[media].content_type;
}

enum media media_by_word(const char *word, const uint8_t *offers, size_t count)
{
    for (size_t i = 0; i < count && offers[i] != MEDIA_NONE; i++) {
        if (strcmp(word, media_table[offers[i]].word) == 0) {
            return (enum media)offers[i];
        }
    }
    return MEDIA_NONE;
}

/* A piece of a header, not NUL-terminated. */
struct piece {
    const char *text;
    size_t size;
};

static struct piece piece_of(const char *text)
{
    return (struct piece){text == NULL ? "" : text, text == NULL ? 0 : strlen(text)};
}

/* Takes the piece up to `separator` (one inside quotes does not count) off the front, trimmed; 0 when nothing is left. */
static int take_piece(struct piece *rest, char separator, struct piece *piece)
{
    size_t end = 0;
    int quoted = 0;

    if (rest->size == 0) {
        return 0;
    }
    while (end < rest->size && (quoted || rest->text[end] != separator)) {
        if (quoted && rest->text[end] == '\\' && end + 1 < rest->size) {
            end++;
        } else if (rest->text[end] == '"') {
            quoted = !quoted;
        }
        end++;
    }
    *piece = (struct piece){rest->text, end};
    end += end < rest->size; /* the separator itself */
    *rest = (struct piece){rest->text + end, rest->size - end};
    while (piece->size > 0 && (*piece->text == ' ' || *piece->text == '\t')) {
        piece->text++;
        piece->size--;
    }
    while (piece->size > 0 && (piece->text[piece->size - 1] == ' ' || piece->text[piece->size - 1] == '\t')) {
        piece->size--;
    }
    return 1;
}

static int piece_is(struct piece piece, const char *text)
{
    return piece.size == strlen(text) && strncasecmp(piece.text, text, piece.size) == 0;
}

/* Cuts "name=value" (quotes around the value are dropped). */
static void cut_parameter(struct piece whole, struct piece *name, struct piece *value)
{
    const char *equals = memchr(whole.text, '=', whole.size);

    *name = whole;
    *value = (struct piece){"", 0};
    if (equals != NULL) {
        name->size = (size_t)(equals - whole.text);
        *value = (struct piece){equals + 1, whole.size - name->size - 1};
        if (value->size >= 2 && value->text[0] == '"' && value->text[value->size - 1] == '"') {
            *value = (struct piece){value->text + 1, value->size - 2};
        }
    }
}

/* A quality "0.7" in thousandths; -1 when it is not one (RFC 9110, 12.4.2). */
static int parse_quality(struct piece piece)
{
    int quality = 0, scale = 100;

    if (piece.size == 0 || piece.size > 5 || (piece.text[0] != '0' && piece.text[0] != '1') ||
        (piece.size > 1 && piece.text[1] != '.')) {
        return -1;
    }
    quality = (piece.text[0] - '0') * 1000;
    for (size_t i = 2; i < piece.size; i++, scale /= 10) {
        if (piece.text[i] < '0' || piece.text[i] > '9') {
            return -1;
        }
        quality += (piece.text[i] - '0') * scale;
    }
    return quality <= 1000 ? quality : -1;
}

/* How exactly a range of an Accept header names `type`: 3 wholly, 2 by its first half, 1 by any, 0 not. */
static int range_match(struct piece range, const char *type)
{
    size_t main_type = strcspn(type, "/") + 1;

    if (piece_is(range, type)) {
        return 3;
    }
    if (range.size == main_type + 1 && range.text[main_type] == '*' && strncasecmp(range.text, type, main_type) == 0) {
        return 2;
    }
    return piece_is(range, "*/*");
}

/* The quality that one range of an Accept header carries, in thousandths; -1 when it cannot be read. */
static int range_quality(struct piece parameters)
{
    struct piece part, name, value;
    int quality = 1000;

    while (take_piece(&parameters, ';', &part)) {
        cut_parameter(part, &name, &value);
        if (piece_is(name, "q")) {
            quality = parse_quality(value);
        }
    }
    return quality;
}

/* The quality that an Accept header gives to `type`, by its most exact range. */
static int accept_quality(const char *accept, const char *type)
{
    int best_match = 0, best_quality = 0;
    struct piece rest = piece_of(accept), range, name;

    while (take_piece(&rest, ',', &range)) {
        if (!take_piece(&range, ';', &name)) {
            continue;
        }
        int match = range_match(name, type), quality = range_quality(range);
        if (match > best_match && quality >= 0) {
            best_match = match;
            best_quality = quality;
        }
    }
    return best_quality;
}

/* "text/csv, application/json" */
static void list_types(const uint8_t *media, size_t count, char *out, size_t capacity)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count && media[i] != MEDIA_NONE && used < capacity; i++) {
        used += (size_t)snprintf(out + used, capacity - used, "%s%s", i > 0 ? ", " : "", media_table[media[i]].type);
    }
}

enum status negotiate_accept(const char *accept, const uint8_t *offers, size_t count, enum media *media, struct error *error)
{
    int best = 0;
    char types[160];

    *media = (enum media)offers[0];
    if (accept == NULL || accept[strspn(accept, " \t,")] == '\0') {
        return STATUS_OK;
    }
    for (size_t i = 0; i < count && offers[i] != MEDIA_NONE; i++) {
        int quality = accept_quality(accept, media_table[offers[i]].type);

        if (quality > best) {
            best = quality;
            *media = (enum media)offers[i];
        }
    }
    if (best == 0) {
        list_types(offers, count, types, sizeof types);
        return error_set(error, STATUS_NOT_ACCEPTABLE, "this answer can be given as %s", types);
    }
    return STATUS_OK;
}

enum status negotiate_content_type(const char *content_type, const uint8_t *accepted, size_t count, enum media *media,
                                   struct error *error)
{
    struct piece rest = piece_of(content_type), type = {"", 0}, part, name, value;
    char types[160];

    *media = MEDIA_NONE;
    (void)take_piece(&rest, ';', &type);
    for (size_t i = 0; i < count && accepted[i] != MEDIA_NONE; i++) {
        if (piece_is(type, media_table[accepted[i]].type)) {
            *media = (enum media)accepted[i];
        }
    }
    if (*media == MEDIA_NONE) {
        list_types(accepted, count, types, sizeof types);
        return error_set(error, STATUS_CONTENT_TYPE_UNSUPPORTED, "Content-Type must be %s%s",
                         count > 1 && accepted[1] ? "one of " : "", types);
    }
    while (take_piece(&rest, ';', &part)) {
        cut_parameter(part, &name, &value);
        if (piece_is(name, "charset") && !piece_is(value, "utf-8") && !piece_is(value, "us-ascii")) {
            *media = MEDIA_NONE;
            return error_set(error, STATUS_CHARSET_UNSUPPORTED, "charset is %.*s, only utf-8 is read",
                             (int)(value.size > 40 ? 40 : value.size), value.text);
        }
    }
    return STATUS_OK;
}
