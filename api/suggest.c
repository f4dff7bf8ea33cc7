#include "suggest.h"

#include <string.h>

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* Optimal string alignment: Wagner and Fischer's table with swaps, three rows of it at a time. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    unsigned rows[3][SUGGEST_MAX_WORD + 1];
    unsigned *before = rows[0], *previous = rows[1], *current = rows[2];

    for (size_t j = 0; j <= b_size; j++) {
        previous[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        current[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned replaced = previous[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));

            current[j] = smallest(previous[j] + 1, current[j - 1] + 1, replaced);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
                before[j - 2] + 1 < current[j]) {
                current[j] = before[j - 2] + 1;
            }
        }
        unsigned *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b_size];
}

void suggest_offer(struct suggestion *suggestion, const char *name)
{
    size_t word_size = strnlen(suggestion->word, SUGGEST_MAX_WORD + 1), name_size = strnlen(name, SUGGEST_MAX_WORD + 1);
    unsigned limit = word_size < 6 ? 1 : (unsigned)word_size / 3;
    unsigned found;

    if (word_size > SUGGEST_MAX_WORD || name_size > SUGGEST_MAX_WORD) {
        return;
    }
    found = distance(suggestion->word, word_size, name, name_size);
    if (found <= limit && (suggestion->best == NULL || found < suggestion->distance)) {
        suggestion->best = name;
        suggestion->distance = found;
    }
}
