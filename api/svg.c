#include "svg.h"

#include "api/text.h"

void svg_escaped(struct text *out, const char *string)
{
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '&') {
            text_string(out, "&amp;");
        } else if (c == '<') {
            text_string(out, "&lt;");
        } else if (c == '>') {
            text_string(out, "&gt;");
        } else if (c == '"') {
            text_string(out, "&quot;");
        } else if (c >= ' ' && c != 0x7f) { /* XML 1.0 has no control characters */
            text_put(out, string, 1);
        }
    }
}
