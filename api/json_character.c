#include "json_character.h"

#include <stdint.h>
#include <string.h>

#include "core/base/utf8.h"

/* The value of the four hexadecimal digits at text[at]; -1 when they are not there. */
static int32_t hexadecimal(const char *text, size_t size, size_t at)
{
    int32_t value = 0;

    if (size - at < 4) {
        return -1;
    }
    for (size_t i = at; i < at + 4; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static void encode(uint32_t code, struct json_character *character)
{
    static const unsigned char FIRST[] = {0, 0, 0xC0, 0xE0, 0xF0};

    character->length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (character->length == 1) {
        character->bytes[0] = (char)code;
        return;
    }
    for (size_t i = character->length; i-- > 1; code >>= 6) {
        character->bytes[i] = (char)(0x80 | (code & 0x3F));
    }
    character->bytes[0] = (char)(FIRST[character->length] | code);
}

/* Behind "\u": four digits, and for a high surrogate its second half. */
static enum status read_code(const char *text, size_t size, size_t *at, struct json_character *character)
{
    int32_t code = hexadecimal(text, size, *at);

    if (code < 0) {
        return STATUS_JSON_INVALID;
    }
    if (code == 0) {
        return STATUS_JSON_NUL_IN_STRING;
    }
    if (code >= 0xD800 && code <= 0xDFFF) {
        int32_t low = code <= 0xDBFF && size - *at >= 6 && memcmp(text + *at + 4, "\\u", 2) == 0
                          ? hexadecimal(text, size, *at + 6)
                          : -1;

        if (low < 0xDC00 || low > 0xDFFF) {
            return STATUS_JSON_BAD_UTF8;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    *at += 4;
    encode((uint32_t)code, character);
    return STATUS_OK;
}

static enum status read_escape(const char *text, size_t size, size_t *at, struct json_character *character)
{
    static const char LETTERS[] = "\"\\/bfnrt", MEANINGS[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (*at == size) {
        return STATUS_JSON_INVALID;
    }
    if (text[*at] == 'u') {
        ++*at;
        return read_code(text, size, at, character);
    }
    letter = text[*at] != '\0' ? strchr(LETTERS, text[*at]) : NULL;
    if (letter == NULL) {
        return STATUS_JSON_INVALID;
    }
    ++*at;
    encode((unsigned char)MEANINGS[letter - LETTERS], character);
    return STATUS_OK;
}

enum status json_character_read(const char *text, size_t size, size_t *at, struct json_character *character)
{
    size_t length;

    if (*at == size || (unsigned char)text[*at] < 0x20) {
        return STATUS_JSON_INVALID;
    }
    if (text[*at] == '"') {
        ++*at;
        character->length = 0;
        return STATUS_OK;
    }
    if (text[*at] == '\\') {
        ++*at;
        return read_escape(text, size, at, character);
    }
    length = utf8_sequence(text + *at, size - *at);
    if (length == 0) {
        return STATUS_JSON_BAD_UTF8;
    }
    memcpy(character->bytes, text + *at, length);
    character->length = length;
    *at += length;
    return STATUS_OK;
}
