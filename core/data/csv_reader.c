#include "core/data/csv_reader.h"

#include <stdlib.h>
#include <string.h>

enum state {
    CELL_START,  /* before a cell's first byte, blanks apart */
    PLAIN,       /* in a cell without quotes */
    QUOTED,      /* between the quotes */
    AFTER_QUOTE, /* after a quote inside quotes: the end, or the first of two */
    AFTER_CELL,  /* blanks after a quoted cell */
};

struct csv_reader {
    csv_row_taker take;
    void *context;
    enum state state;
    int after_cr;      /* the last byte was a CR: an LF belongs to it */
    int64_t line;      /* of the next byte */
    int64_t row_line;  /* of the row's first byte */
    int64_t cell_line; /* of the cell's first byte */
    int quoted;        /* the cell has quotes */
    char *text;        /* complete cells, then the one being read */
    size_t size, capacity;
    size_t *starts; /* [cells + 1] */
    uint32_t cells, starts_capacity;
};

enum status csv_reader_new(struct csv_reader **reader, csv_row_taker take, void *context, struct error *error)
{
    *reader = calloc(1, sizeof **reader);
    if (!*reader)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a CSV reader");
    **reader = (struct csv_reader){
        .take = take, .context = context, .line = 1, .row_line = 1, .cell_line = 1, .capacity = 4096, .starts_capacity = 64};
    (*reader)->text = malloc((*reader)->capacity);
    (*reader)->starts = malloc((*reader)->starts_capacity * sizeof(size_t));
    if (!(*reader)->text || !(*reader)->starts) {
        csv_reader_free(*reader);
        *reader = NULL;
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a CSV reader");
    }
    (*reader)->starts[0] = 0;
    return STATUS_OK;
}

void csv_reader_free(struct csv_reader *reader)
{
    if (!reader)
        return;
    free(reader->text);
    free(reader->starts);
    free(reader);
}

static size_t cell_size(const struct csv_reader *reader)
{
    return reader->size - reader->starts[reader->cells];
}

/* Adds bytes to the cell; leaves room for its NUL. */
static enum status append(struct csv_reader *reader, const unsigned char *bytes, size_t size, struct error *error)
{
    if (size > CSV_MAX_FIELD - cell_size(reader))
        return error_set_line(error, STATUS_CSV_FIELD_TOO_LONG, reader->cell_line, (int64_t)reader->cells + 1,
                              "the field is longer than %d bytes", CSV_MAX_FIELD);
    if (size > CSV_MAX_ROW - reader->size)
        return error_set_line(error, STATUS_CSV_FIELD_TOO_LONG, reader->row_line, (int64_t)reader->cells + 1,
                              "the row is longer than %d bytes", CSV_MAX_ROW);
    if (reader->size + size >= reader->capacity) {
        size_t capacity = 2 * (reader->size + size + 1);
        char *text = realloc(reader->text, capacity);

        if (!text)
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a row of %zu bytes", capacity);
        reader->text = text;
        reader->capacity = capacity;
    }
    memcpy(reader->text + reader->size, bytes, size);
    reader->size += size;
    return STATUS_OK;
}

static enum status end_cell(struct csv_reader *reader, struct error *error)
{
    enum status status;

    if (!reader->quoted)
        while (cell_size(reader) > 0 && (reader->text[reader->size - 1] == ' ' || reader->text[reader->size - 1] == '\t'))
            reader->size--;
    if (reader->cells == CSV_MAX_COLUMNS)
        return error_set_line(error, STATUS_TOO_MANY_COLUMNS, reader->row_line, CSV_MAX_COLUMNS + 1,
                              "the row has more than %d fields", CSV_MAX_COLUMNS);
    if ((status = append(reader, (const unsigned char *)"", 0, error)))
        return status;
    reader->text[reader->size++] = '\0';
    if (++reader->cells == reader->starts_capacity) {
        size_t *starts = realloc(reader->starts, 2 * (size_t)reader->starts_capacity * sizeof *starts);

        if (!starts)
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a row of %u fields", reader->cells);
        reader->starts = starts;
        reader->starts_capacity *= 2;
    }
    reader->starts[reader->cells] = reader->size;
    reader->state = CELL_START;
    reader->quoted = 0;
    reader->cell_line = reader->line;
    return STATUS_OK;
}

/* Ends the row's last cell and hands the row on, unless it is a blank line. */
static enum status end_row(struct csv_reader *reader, struct error *error)
{
    int quoted = reader->quoted;
    enum status status = end_cell(reader, error);

    if (!status && (reader->cells > 1 || reader->size > 1 || quoted)) {
        struct csv_row row = {
            .line = reader->row_line, .cells = reader->cells, .text = reader->text, .starts = reader->starts};

        status = reader->take(reader->context, &row, error);
    }
    reader->size = 0;
    reader->cells = 0;
    reader->line++;
    reader->row_line = reader->cell_line = reader->line;
    return status;
}

/* A byte between quotes that is no plain text. */
static enum status step_quoted(struct csv_reader *reader, unsigned char byte, int after_cr, struct error *error)
{
    if (byte == '"') {
        reader->state = AFTER_QUOTE;
        return STATUS_OK;
    }
    reader->line += byte == '\r' || (byte == '\n' && !after_cr);
    return append(reader, &byte, 1, error);
}

/* One byte that is not just more of a cell. */
static enum status step(struct csv_reader *reader, unsigned char byte, struct error *error)
{
    int after_cr = reader->after_cr;

    reader->after_cr = byte == '\r';
    if (byte == '\0')
        return error_set_line(error, STATUS_CSV_NUL_BYTE, reader->line, (int64_t)reader->cells + 1,
                              "the text has a NUL byte");
    if (reader->state == QUOTED)
        return step_quoted(reader, byte, after_cr, error);
    if (reader->state == AFTER_QUOTE && byte == '"') {
        reader->state = QUOTED;
        return append(reader, &byte, 1, error);
    }
    if (byte == ',')
        return end_cell(reader, error);
    if (byte == '\n' && after_cr)
        return STATUS_OK;
    if (byte == '\r' || byte == '\n')
        return end_row(reader, error);
    if (reader->state == AFTER_QUOTE || reader->state == AFTER_CELL) {
        reader->state = AFTER_CELL;
        if (byte != ' ' && byte != '\t')
            return error_set_line(error, STATUS_CSV_BAD_QUOTE, reader->line, (int64_t)reader->cells + 1,
                                  "text follows the closing quotation mark");
        return STATUS_OK;
    }
    if (byte == '"') {
        reader->state = QUOTED;
        reader->quoted = 1;
    }
    return STATUS_OK; /* a blank before the cell otherwise */
}

/* How many of bytes [size] are just more of the cell. A cell without quotes begins here. */
static size_t run_length(struct csv_reader *reader, const unsigned char *bytes, size_t size)
{
    static const unsigned char NOT_PLAIN[256] = {
        ['\0'] = 1, [','] = 1, ['\r'] = 1, ['\n'] = 1, ['"'] = 1, [' '] = 1, ['\t'] = 1};
    static const unsigned char ENDS_PLAIN[256] = {['\0'] = 1, [','] = 1, ['\r'] = 1, ['\n'] = 1};
    static const unsigned char ENDS_QUOTED[256] = {['\0'] = 1, ['"'] = 1, ['\r'] = 1, ['\n'] = 1};
    const unsigned char *ends;
    size_t length = 0;

    if (reader->state == CELL_START && !NOT_PLAIN[*bytes])
        reader->state = PLAIN;
    if (reader->state != PLAIN && reader->state != QUOTED)
        return 0;
    ends = reader->state == QUOTED ? ENDS_QUOTED : ENDS_PLAIN;
    while (length < size && !ends[bytes[length]])
        length++;
    return length;
}

enum status csv_reader_feed(struct csv_reader *reader, const unsigned char *bytes, size_t size, struct error *error)
{
    const unsigned char *at = bytes, *end = bytes + size;
    enum status status = STATUS_OK;

    while (at < end && !status) {
        size_t run = run_length(reader, at, (size_t)(end - at));

        if (run > 0) {
            reader->after_cr = 0;
            status = append(reader, at, run, error);
            at += run;
        } else {
            status = step(reader, *at++, error);
        }
    }
    return status;
}

enum status csv_reader_finish(struct csv_reader *reader, struct error *error)
{
    if (reader->state == QUOTED)
        return error_set_line(error, STATUS_CSV_UNTERMINATED_QUOTE, reader->cell_line, (int64_t)reader->cells + 1,
                              "the quotation mark that opens here is not closed");
    if (reader->cells == 0 && reader->state == CELL_START)
        return STATUS_OK;
    return end_row(reader, error);
}
