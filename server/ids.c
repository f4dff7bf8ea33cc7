/* Identifiers. */
#include "server/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define RANDOM_LETTERS 20
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
#define ALPHABET (sizeof(alphabet) - 1)

/*
 * For so few bytes the call can only be interrupted, or be missing from the kernel: then nothing that is safe could be
 * made, and there is nobody to tell.
 */
static void random_bytes(unsigned char *bytes, size_t size)
{
    while (getrandom(bytes, size, 0) != (ssize_t)size) {
        if (errno != EINTR) {
            abort();
        }
    }
}

void id_new(char id[ID_TEXT], const char *prefix)
{
    size_t length = strnlen(prefix, ID_TEXT - 1 - RANDOM_LETTERS);
    memcpy(id, prefix, length);
    for (size_t made = 0; made < RANDOM_LETTERS;) {
        unsigned char bytes[32];
        random_bytes(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes) && made < RANDOM_LETTERS; i++) {
            if (bytes[i] < 256 / ALPHABET * ALPHABET) { /* the rest would favour the first letters */
                id[length + made++] = alphabet[bytes[i] % ALPHABET];
            }
        }
    }
    id[length + RANDOM_LETTERS] = '\0';
}

int id_valid(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(text, prefix, length) != 0) {
        return 0;
    }
    size_t letters = strspn(text + length, alphabet);
    return letters == RANDOM_LETTERS && text[length + letters] == '\0';
}
