/* What all pictures as SVG share. */
#ifndef DESCENT_API_SVG_H
#define DESCENT_API_SVG_H

struct text;

/*
 * A picture's style sheet, for light and for dark readers: what all of them have (paper, text, titles, grid, axes), then the
 * picture's own rules for both.
 */
#define SVG_STYLE(light, dark)                                                                                              \
    "<style>"                                                                                                               \
    ".paper{fill:#fff}"                                                                                                     \
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:12px;"          \
    "fill:#57606a}"                                                                                                         \
    ".title{font-size:17px;font-weight:600;fill:#1f2328}"                                                                   \
    ".name{font-weight:600;fill:#1f2328}"                                                                                   \
    ".end{text-anchor:end}.middle{text-anchor:middle}"                                                                      \
    ".grid{stroke:#d8dee4;stroke-width:1;fill:none}"                                                                        \
    ".axis{stroke:#8c959f;stroke-width:1;fill:none}" light "@media(prefers-color-scheme:dark){"                             \
    ".paper{fill:#0d1117}text{fill:#9198a1}.title,.name{fill:#e6edf3}.grid{stroke:#2a313a}.axis{stroke:#656d76}" dark       \
    "}</style>\n"

/* Eight colours that can be told apart, as strokes (.c0 to .c7). */
#define SVG_COLOURS_LIGHT                                                                                                   \
    ".c0{stroke:#0969da}.c1{stroke:#d4650a}.c2{stroke:#1a7f64}.c3{stroke:#b3309b}"                                          \
    ".c4{stroke:#7a6200}.c5{stroke:#5b50d6}.c6{stroke:#c4303c}.c7{stroke:#4d5a66}"
#define SVG_COLOURS_DARK                                                                                                    \
    ".c0{stroke:#4c9fff}.c1{stroke:#f0883e}.c2{stroke:#3fb68b}.c3{stroke:#e06ccb}"                                          \
    ".c4{stroke:#d4b13a}.c5{stroke:#9a92ff}.c6{stroke:#ff6b74}.c7{stroke:#9fb0c0}"

/* UTF-8 as text or attribute of XML 1.0: signs with a meaning are written as entities, control characters left out. */
void svg_escaped(struct text *out, const char *string);

/* How a picture begins: its size in pixels, a name for those who do not see it, the paper, two lines of text from `left`. */
struct svg_head {
    int width, height, left;
    const char *name, *title, *subtitle; /* UTF-8, escaped when written */
    const char *style;                   /* SVG_STYLE */
};
void svg_begin(struct text *out, const struct svg_head *head);

#endif
