/*
 * Edit distance with swaps of neighbours ("optimal string alignment"), by dynamic programming over three rows. Case
 * counts as nothing: "Limit" is "limit" misspelt.
 */
#include "nearest.h"

#include <string.h>

struct nearest nearest_to(const char *text, size_t size)
{
    return (struct nearest){.text = text, .size = size, .distance = (unsigned)(size / 3 > 1 ? size / 3 : 1) + 1};
}

static unsigned smallest(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    unsigned rows[3][NEAREST_MAX_SIZE + 1];

    for (unsigned j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            unsigned change = lower(a[i - 1]) != lower(b[j - 1]);

            row[j] = smallest(above[j - 1] + change, smallest(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = smallest(row[j], above_that[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
    size_t size = strlen(name);

    if (size <= NEAREST_MAX_SIZE && nearest->size <= NEAREST_MAX_SIZE) {
        unsigned edits = distance(nearest->text, nearest->size, name, size);

        if (edits < nearest->distance) {
            nearest->distance = edits;
            nearest->name = name;
        }
    }
}
