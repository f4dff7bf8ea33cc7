#include "core/landscape/landscape.h"

#include <string.h>

static const struct landscape landscapes[] = {
#define LANDSCAPE(landscape_name, landscape_title, text, x0, x1, y0, y1, is_convex, start_x, start_y, about)                \
    {.name = #landscape_name,                                                                                               \
     .title = (landscape_title),                                                                                            \
     .formula = (text),                                                                                                     \
     .note = (about),                                                                                                       \
     .box = {{(x0), (x1)}, {(y0), (y1)}},                                                                                   \
     .convex = (is_convex),                                                                                                 \
     .start = {(start_x), (start_y)}},
#include "core/landscape/landscapes.def"
#undef LANDSCAPE
};

size_t landscape_count(void)
{
    return sizeof landscapes / sizeof *landscapes;
}

const struct landscape *landscape_at(size_t i)
{
    return &landscapes[i];
}

const struct landscape *landscape_find(const char *name, size_t length)
{
    for (size_t i = 0; i < landscape_count(); i++) {
        if (strlen(landscapes[i].name) == length && memcmp(landscapes[i].name, name, length) == 0) {
            return &landscapes[i];
        }
    }
    return NULL;
}
