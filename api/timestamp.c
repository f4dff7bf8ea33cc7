/* Times of the contract; see timestamp.h. Both conversions: H. Hinnant, "chrono-compatible low-level date algorithms". */
#include "timestamp.h"

#include <string.h>

#define DAY_MS 86400000

struct date {
    int64_t year;
    unsigned month, day; /* 1 ... 12, 1 ... 31 */
};

/* The date of a day counted from 1970-01-01. Years begin in March, so that the leap day comes last. */
static struct date civil_from_days(int64_t days)
{
    days += 719468; /* 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0: March */

    return (struct date){.year = (int64_t)year_of_era + era * 400 + (month >= 10),
                         .month = month < 10 ? month + 3 : month - 9,
                         .day = day_of_year - (153 * month + 2) / 5 + 1};
}

static int64_t days_from_civil(struct date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + (int64_t)day_of_era - 719468;
}

/* `value` in exactly `digits` digits. */
static char *put_digits(char *out, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

void timestamp_format(int64_t ms, char text[TIMESTAMP_TEXT])
{
    const int64_t first = -62167219200000, last = 253402300799999; /* 0000-01-01, 9999-12-31 */

    ms = ms < first ? first : ms > last ? last : ms;
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    uint64_t rest = (uint64_t)(ms - days * DAY_MS);
    struct date date = civil_from_days(days);
    const struct {
        uint64_t value;
        int digits;
        char after;
    } parts[] = {{(uint64_t)date.year, 4, '-'}, {date.month, 2, '-'},       {date.day, 2, 'T'},   {rest / 3600000, 2, ':'},
                 {rest / 60000 % 60, 2, ':'},   {rest / 1000 % 60, 2, '.'}, {rest % 1000, 3, 'Z'}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        text = put_digits(text, parts[i].value, parts[i].digits);
        *text++ = parts[i].after;
    }
    *text = '\0';
}

/* Reads exactly `digits` digits and then `after`; 0 when something else stands there. */
static int take_digits(const char **text, int digits, char after, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9') {
            return 0;
        }
        *value = *value * 10 + (unsigned)(**text - '0');
    }
    return after == '\0' || *(*text)++ == after;
}

static int take_fraction(const char **text, unsigned *ms)
{
    unsigned scale = 100;

    *ms = 0;
    if (**text != '.') {
        return 1;
    }
    (*text)++;
    if (**text < '0' || **text > '9') {
        return 0;
    }
    for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10) {
        *ms += (unsigned)(**text - '0') * scale;
    }
    return 1;
}

enum status timestamp_parse(const char *text, int64_t *ms, struct error *error)
{
    unsigned year, month, day, hour, minute, second, fraction;
    const char *at = text;

    if (take_digits(&at, 4, '-', &year) && take_digits(&at, 2, '-', &month) && take_digits(&at, 2, 'T', &day) &&
        take_digits(&at, 2, ':', &hour) && take_digits(&at, 2, ':', &minute) && take_digits(&at, 2, '\0', &second) &&
        take_fraction(&at, &fraction) && strcmp(at, "Z") == 0 && month >= 1 && month <= 12 && day >= 1 && hour < 24 &&
        minute < 60 && second < 60) {
        struct date date = {.year = year, .month = month, .day = day};
        int64_t days = days_from_civil(date);

        if (civil_from_days(days).day == day) { /* otherwise 30 February became a day of March */
            *ms = days * DAY_MS + (int64_t)hour * 3600000 + minute * 60000 + second * 1000 + fraction;
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_OUT_OF_RANGE, "\"%.40s\" is no time like 2026-03-01T09:30:00.000Z", text);
}
