/*
 * Comma-separated text into rows of cells (RFC 4180, and what files in the wild do): a push tokenizer.
 *
 * Lines end with LF, CR LF or CR; blank lines are skipped, and counted. A field that begins with a quotation mark goes on
 * to the next single one, over line ends, and a doubled one in it stands for one; blanks around fields are dropped, inside
 * the quotes they are kept. A row is held until it is complete; the rest of the file never is.
 */
#ifndef DESCENT_CORE_DATA_CSV_READER_H
#define DESCENT_CORE_DATA_CSV_READER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#define CSV_MAX_COLUMNS 16384
#define CSV_MAX_FIELD   65536
#define CSV_MAX_ROW     16777216

struct csv_row {
    int64_t line; /* of its first byte, from 1 */
    uint32_t cells;
    const char *text;     /* the cells, each ended by a NUL; no cell has one inside */
    const size_t *starts; /* [cells + 1], offsets into text */
};

static inline const char *csv_cell(const struct csv_row *row, uint32_t i)
{
    return row->text + row->starts[i];
}

static inline size_t csv_cell_size(const struct csv_row *row, uint32_t i)
{
    return row->starts[i + 1] - row->starts[i] - 1;
}

/* Takes a row, valid during the call only. */
typedef enum status (*csv_row_taker)(void *context, const struct csv_row *row, struct error *error);

struct csv_reader;

MUST_CHECK enum status csv_reader_new(struct csv_reader **reader, csv_row_taker take, void *context, struct error *error);
void csv_reader_free(struct csv_reader *reader);
/*
 * STATUS_CSV_NUL_BYTE, STATUS_CSV_BAD_QUOTE, STATUS_CSV_FIELD_TOO_LONG, STATUS_TOO_MANY_COLUMNS with line and column (the
 * field's number, from 1), or what `take` returned. No call may follow an error.
 */
MUST_CHECK enum status csv_reader_feed(struct csv_reader *reader, const unsigned char *bytes, size_t size,
                                       struct error *error);
/* End of input: the last line need not be ended. STATUS_CSV_UNTERMINATED_QUOTE at the line where the quote began. */
MUST_CHECK enum status csv_reader_finish(struct csv_reader *reader, struct error *error);

#endif
