#include "core/data/sniff.h"

#include <string.h>
#include <strings.h>

#define CSV (1u << DATA_CSV)
#define IDX (1u << DATA_IDX)

/* Signatures, longest first where one begins another, and the formats that they rule out. */
static const struct {
    const char *bytes;
    size_t size;
    unsigned rules_out;
    int any_case;
    const char *what;
} SIGNATURES[] = {
#define SIGNATURE(bytes, rules_out, any_case, what)                                                                         \
    {                                                                                                                       \
        bytes, sizeof bytes - 1, rules_out, any_case, what                                                                  \
    }
    SIGNATURE("\x89PNG\r\n\x1A\n", CSV | IDX, 0, "a PNG image"),
    SIGNATURE("\xFF\xD8\xFF", CSV | IDX, 0, "a JPEG image"),
    SIGNATURE("GIF87a", CSV | IDX, 0, "a GIF image"),
    SIGNATURE("GIF89a", CSV | IDX, 0, "a GIF image"),
    SIGNATURE("%PDF-", CSV | IDX, 0, "a PDF document"),
    SIGNATURE("\x7F"
              "ELF",
              CSV | IDX, 0, "an ELF program"),
    SIGNATURE("<!DOCTYPE html", CSV | IDX, 1, "an HTML page"),
    SIGNATURE("<html", CSV | IDX, 1, "an HTML page"),
    SIGNATURE("<?xml", CSV | IDX, 1, "an XML document"),
    SIGNATURE("PK\x03\x04", CSV | IDX, 0, "a ZIP archive"),
    SIGNATURE("BZh", IDX, 0, "bzip2 data"),
    SIGNATURE("\xFD"
              "7zXZ\0",
              CSV | IDX, 0, "xz data"),
    SIGNATURE("\x28\xB5\x2F\xFD", CSV | IDX, 0, "Zstandard data"),
    SIGNATURE("\x93NUMPY", CSV | IDX, 0, "a NumPy array"),
    SIGNATURE("\x89HDF\r\n\x1A\n", CSV | IDX, 0, "an HDF5 file"),
    SIGNATURE("SQLite format 3", CSV | IDX, 0, "an SQLite database"),
    SIGNATURE("PAR1", IDX, 0, "a Parquet file"),
    SIGNATURE("\xFF\xFE", CSV | IDX, 0, "UTF-16 text"),
    SIGNATURE("\xFE\xFF", CSV | IDX, 0, "UTF-16 text"),
    SIGNATURE("\x1F\x8B", CSV, 0, "gzip data"),
#undef SIGNATURE
};

/* IDX files begin with 0, 0, a type and a rank: no text does. */
static int is_idx(const unsigned char *bytes, size_t size)
{
    return size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E && bytes[3] >= 1 &&
           bytes[3] <= 4;
}

const char *sniff_foreign(enum data_format format, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof SIGNATURES / sizeof *SIGNATURES; i++) {
        size_t length = SIGNATURES[i].size;

        if (!(SIGNATURES[i].rules_out >> format & 1) || size < length)
            continue;
        if (SIGNATURES[i].any_case ? strncasecmp((const char *)bytes, SIGNATURES[i].bytes, length) == 0
                                   : memcmp(bytes, SIGNATURES[i].bytes, length) == 0)
            return SIGNATURES[i].what;
    }
    return format == DATA_CSV && is_idx(bytes, size) ? "an IDX file" : NULL;
}
