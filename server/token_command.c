#include "server/token_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "server/settings.h"
#include "server/tokens.h"

#define DAY_SECONDS 86400

struct choice {
    const char *token_file, *scopes, *name;
    uint64_t expires; /* days from now, 0: never */
};

#define FIELD(member) offsetof(struct choice, member)

static const struct setting table[] = {
    {"token-file", "FILE", SETTING_TEXT, FIELD(token_file), NULL, 0, 0, NULL,
     "The file to add the token's hash to; made if missing."},
    {"scopes", "LIST", SETTING_TEXT, FIELD(scopes), NULL, 0, 0, NULL,
     "What it allows, comma-separated: read, write (and read), admin (everything)."},
    {"name", "NAME", SETTING_TEXT, FIELD(name), NULL, 0, 0, NULL,
     "Its id in the file and in logs; a random one if not given."},
    {"expires", "DAYS", SETTING_COUNT, FIELD(expires), "0", 0, 36500, NULL, "When it stops working, in days; 0: never."},
};

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static enum status make(int argc, char *const argv[], char text[TOKEN_TEXT], struct error *error)
{
    struct choice choice;
    if (argc < 2 || strcmp(argv[1], "new") != 0)
        return error_set(error, STATUS_USAGE, "the command is \"token new\"");
    enum status status = settings_parse(table, TABLE_SIZE, NULL, &choice, argc - 1, argv + 1, error);
    if (status != STATUS_OK)
        return status;
    if (choice.token_file == NULL || choice.scopes == NULL)
        return error_set(error, STATUS_USAGE, "--%s is missing", choice.token_file == NULL ? "token-file" : "scopes");
    unsigned scopes = tokens_scopes(choice.scopes, strlen(choice.scopes));
    if (scopes == 0)
        return error_set(error, STATUS_USAGE, "--scopes is \"%.40s\", a list of read, write, admin is wanted",
                         choice.scopes);
    int64_t expires = choice.expires == 0 ? 0 : (int64_t)time(NULL) + (int64_t)choice.expires * DAY_SECONDS;
    return tokens_add(choice.token_file, choice.name, scopes, expires, text, error);
}

int token_command(int argc, char *const argv[])
{
    struct error error = {.status = STATUS_OK};
    char text[TOKEN_TEXT];
    if (settings_want_help(argc, argv)) {
        puts("usage: descentd token new --token-file FILE --scopes LIST [options]\n\n"
             "Prints a new token, the only time that it can be seen, and keeps its hash.\n");
        settings_help(table, TABLE_SIZE, NULL, stdout);
        return EXIT_SUCCESS;
    }
    enum status status = make(argc, argv, text, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "descentd: %s\n%s", error.message,
                status == STATUS_USAGE ? "descentd token --help lists the options.\n" : "");
        return status == STATUS_USAGE ? EX_USAGE : EX_CANTCREAT;
    }
    /* The only time that it can be seen: a token that was not printed is worth nothing. */
    if (puts(text) < 0 || fflush(stdout) != 0)
        return EX_IOERR;
    return EXIT_SUCCESS;
}
