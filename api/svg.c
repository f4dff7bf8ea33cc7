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

void svg_begin(struct text *out, const struct svg_head *head)
{
    text_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
                "<title>",
                head->width, head->height, head->width, head->height);
    svg_escaped(out, head->name);
    text_string(out, "</title>\n");
    text_string(out, head->style);
    text_printf(out, "<rect class=\"paper\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n<text class=\"title\" x=\"%d\" y=\"30\">",
                head->width, head->height, head->left);
    svg_escaped(out, head->title);
    text_printf(out, "</text>\n<text x=\"%d\" y=\"49\">", head->left);
    svg_escaped(out, head->subtitle);
    text_string(out, "</text>\n");
}
