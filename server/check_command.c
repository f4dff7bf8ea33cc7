#include "server/check_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/exit_code.h"
#include "server/settings.h"
#include "server/store/check.h"

struct choice {
    const char *data;
};

static const struct setting table[] = {
    {"data", "DIR", SETTING_TEXT, offsetof(struct choice, data), NULL, 0, 0, NULL,
     "The data folder; no server may have it open."},
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static void tell(void *context, enum check_level level, const char *text)
{
    (void)context;
    printf("%s: %s\n", level == CHECK_NOTE ? "note" : "problem", text);
}

static enum status run(int argc, char *const argv[], struct check_summary *summary, struct error *error)
{
    struct choice choice;
    enum status status = settings_parse(table, TABLE_SIZE, NULL, &choice, argc, argv, error);
    if (status == STATUS_OK && choice.data == NULL)
        status = error_set(error, STATUS_USAGE, "--data is missing");
    return status == STATUS_OK ? store_check(choice.data, tell, NULL, summary, error) : status;
}

int check_command(int argc, char *const argv[])
{
    struct error error = {.status = STATUS_OK};
    struct check_summary summary = {.problems = 0};
    if (settings_want_help(argc, argv)) {
        puts("usage: descentd check --data DIR\n\n"
             "Verifies a data folder that no server has open, and names what is wrong with\n"
             "it: a line a finding. Changes nothing. A note is what the next start puts right.\n");
        settings_help(table, TABLE_SIZE, NULL, stdout);
        return EXIT_SUCCESS;
    }
    enum status status = run(argc, argv, &summary, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "descentd: %s\n%s", error.message,
                status == STATUS_USAGE ? "descentd check --help lists the options.\n" : "");
        return exit_code(status);
    }
    if (summary.problems > 0)
        printf("%llu problems\n", (unsigned long long)summary.problems);
    else
        printf("%llu objects, %llu data sets, %llu jobs, %llu events, %llu models, %llu checkpoints verified\n",
               (unsigned long long)summary.objects, (unsigned long long)summary.datasets, (unsigned long long)summary.jobs,
               (unsigned long long)summary.events, (unsigned long long)summary.models,
               (unsigned long long)summary.checkpoints);
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return summary.problems > 0 ? EX_DATAERR : EXIT_SUCCESS;
}
