#include "server/backup_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/exit_code.h"
#include "server/settings.h"
#include "server/store/backup.h"

struct choice {
    const char *data, *to;
};

static const struct setting table[] = {
    {"data", "DIR", SETTING_TEXT, offsetof(struct choice, data), NULL, 0, 0, NULL,
     "The data folder; a server may have it open."},
    {"to", "DIR", SETTING_TEXT, offsetof(struct choice, to), NULL, 0, 0, NULL,
     "The folder that becomes its copy; made if missing, empty if not."},
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static enum status run(int argc, char *const argv[], struct choice *choice, struct backup_summary *summary,
                       struct error *error)
{
    enum status status = settings_parse(table, TABLE_SIZE, NULL, choice, argc, argv, error);
    if (status == STATUS_OK && (choice->data == NULL || choice->to == NULL))
        status = error_set(error, STATUS_USAGE, "--%s is missing", choice->data == NULL ? "data" : "to");
    return status == STATUS_OK ? store_backup(choice->data, choice->to, summary, error) : status;
}

int backup_command(int argc, char *const argv[])
{
    struct error error = {.status = STATUS_OK};
    struct backup_summary summary = {.linked = 0};
    struct choice choice;
    if (settings_want_help(argc, argv)) {
        puts("usage: descentd backup --data DIR --to DIR\n\n"
             "Copies a data folder as of one moment, while a server has it open or not. A\n"
             "server started on the copy takes up every job. Files of objects, which never\n"
             "change, are linked where both folders are on one file system.\n");
        settings_help(table, TABLE_SIZE, NULL, stdout);
        return EXIT_SUCCESS;
    }
    enum status status = run(argc, argv, &choice, &summary, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "descentd: %s\n%s", error.message,
                status == STATUS_USAGE ? "descentd backup --help lists the options.\n" : "");
        return exit_code(status);
    }
    printf("%s copied to %s: database %llu bytes, objects %llu bytes in %llu linked and %llu copied files%s\n", choice.data,
           choice.to, (unsigned long long)summary.database_bytes, (unsigned long long)summary.object_bytes,
           (unsigned long long)summary.linked, (unsigned long long)summary.copied,
           summary.was_running ? ", from a server that runs" : "");
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}
