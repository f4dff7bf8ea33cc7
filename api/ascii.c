#include "ascii.h"

#include <string.h>

#include "api/text.h"

/* Whether the byte is inside a UTF-8 character, not its first. */
static int continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t width_of(const char *string)
{
    size_t width = 0;

    for (; *string != '\0'; string++) {
        width += !continues(*string);
    }
    return width;
}

void ascii_spaces(struct text *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_put(out, " ", 1);
    }
}

void ascii_cut(struct text *out, const char *string, size_t width)
{
    for (; *string != '\0'; string++) {
        if ((unsigned char)*string < ' ' || *string == 0x7f) {
            continue;
        }
        if (!continues(*string) && width-- == 0) {
            break;
        }
        text_put(out, string, 1);
    }
}

void ascii_row_begin(struct text *out, const char *label)
{
    const size_t room = ASCII_MARGIN - 2, width = width_of(label);

    ascii_spaces(out, width < room ? room - width : 0);
    text_string(out, label);
    text_string(out, label[0] == '\0' ? " │" : " ┤");
}

void ascii_x_axis(struct text *out, const char *is_tick, uint32_t columns)
{
    ascii_spaces(out, ASCII_MARGIN - 1);
    text_string(out, "└");
    for (uint32_t column = 0; column < columns; column++) {
        text_string(out, is_tick[column] ? "┬" : "─");
    }
    text_put(out, "\n", 1);
}

void ascii_x_label(struct text *out, size_t *used, const char *label, uint32_t column, uint32_t columns)
{
    const size_t width = width_of(label), at = ASCII_MARGIN + column, end = ASCII_MARGIN + columns;
    size_t start = at > width / 2 ? at - width / 2 : 0, latest = end > width ? end - width : 0;

    start = start < latest ? start : latest;
    if (width > 0 && (start > *used || *used == 0)) {
        ascii_spaces(out, start - *used);
        text_string(out, label);
        *used = start + width;
    }
}

void ascii_x_name(struct text *out, const char *name, uint32_t columns)
{
    const size_t width = width_of(name);

    text_put(out, "\n", 1);
    ascii_spaces(out, ASCII_MARGIN + (width < columns ? (columns - width) / 2 : 0));
    ascii_cut(out, name, columns);
    text_put(out, "\n", 1);
}
