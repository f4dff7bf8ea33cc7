/* What all pictures as SVG share. */
#ifndef DESCENT_API_SVG_H
#define DESCENT_API_SVG_H

struct text;

/* UTF-8 as text or attribute of XML 1.0: signs with a meaning are written as entities, control characters left out. */
void svg_escaped(struct text *out, const char *string);

#endif
