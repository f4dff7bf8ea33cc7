#include "server/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

static struct config config;
static struct error error;
static enum config_action action;

/* Parses a command line written as one text, words divided by single blanks. */
static enum status parse(const char *line)
{
    static char text[512];
    static char program[] = "descentd";
    char *argv[WORDS_MAX] = {program}, *rest = text;
    int argc = 1;
    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strsep(&rest, " "); word != NULL && *word != '\0'; word = strsep(&rest, " "))
        argv[argc++] = word;
    error = (struct error){.status = STATUS_OK};
    return config_parse(&config, argc, argv, &action, &error);
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(parse(""), STATUS_OK);
    assert_int_equal(action, CONFIG_RUN);
    assert_string_equal(config.listen, "127.0.0.1:8080");
    assert_string_equal(config.data, "data");
    assert_null(config.token_file);
    assert_null(config.data_root);
    assert_int_equal(config.threads, 0);
    assert_int_equal(config.log_format, LOG_FORMAT_TEXT);
    assert_int_equal(config.insecure_http, 0);
    assert_int_equal(config.allow_hosts.count, 0);
    assert_int_equal(config.max_dataset_bytes, UINT64_C(2) << 30);
    assert_int_equal(config_check(&config, &error), STATUS_OK);
}

static void values_stand_behind_a_blank_or_an_equals_sign(void **state)
{
    (void)state;
    assert_int_equal(parse("--listen [::1]:0 --threads=3 --memory 4G --log-format json --insecure-http --allow-host a,b "
                           "--allow-host c"),
                     STATUS_OK);
    assert_string_equal(config.listen, "[::1]:0");
    assert_int_equal(config.threads, 3);
    assert_int_equal(config.memory, UINT64_C(4) << 30);
    assert_int_equal(config.log_format, LOG_FORMAT_JSON);
    assert_int_equal(config.insecure_http, 1);
    assert_int_equal(config.allow_hosts.count, 2);
    assert_string_equal(config.allow_hosts.items[1], "c");
}

static void sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t bytes;
    } rows[] = {
        {"--memory 100", 100}, {"--memory 64k", 64 << 10}, {"--memory 1M", 1 << 20}, {"--memory 2T", UINT64_C(2) << 40}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(rows[i].line), STATUS_OK);
        assert_true(config.memory == rows[i].bytes);
    }
}

static void a_wrong_word_is_explained(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"--listne x", "did you mean --listen?"},
        {"--thread 2", "did you mean --threads?"},
        {"--qqq", "--qqq is not known"},
        {"hello", "hello"},
        {"-x", "-x"},
        {"--", "--"},
        {"--threads", "--threads needs a value"},
        {"--threads many", "--threads is \"many\""},
        {"--threads -1", "--threads"},
        {"--threads 1025", "0 to 1024"},
        {"--threads 99999999999999999999999", "allowed"},
        {"--threads 4K", "\"K\" is not understood"},
        {"--memory 4X", "\"X\" is not understood"},
        {"--memory 4GB", "\"B\" is not understood"},
        {"--memory 99999999999T", "allowed"},
        {"--memory=", "number of bytes"},
        {"--data=", "--data is empty"},
        {"--log-format xml", "one of text, json"},
        {"--insecure-http=maybe", "0 or 1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(rows[i].line), STATUS_USAGE);
        if (strstr(error.message, rows[i].says) == NULL)
            fail_msg("%s: \"%s\" is not in \"%s\"", rows[i].line, rows[i].says, error.message);
    }
}

static void the_command_line_beats_the_environment(void **state)
{
    (void)state;
    setenv("DESCENTD_MAX_CONNECTIONS", "99", 1);
    setenv("DESCENTD_INSECURE_HTTP", "yes", 1);
    setenv("DESCENTD_ALLOW_HOST", "a,b", 1);
    assert_int_equal(parse(""), STATUS_OK);
    assert_int_equal(config.max_connections, 99);
    assert_int_equal(config.insecure_http, 1);
    assert_string_equal(config.allow_hosts.items[0], "a,b");
    assert_int_equal(parse("--max-connections 100 --insecure-http=no"), STATUS_OK);
    assert_int_equal(config.max_connections, 100);
    assert_int_equal(config.insecure_http, 0);
    setenv("DESCENTD_MAX_CONNECTIONS", "lots", 1);
    assert_int_equal(parse(""), STATUS_USAGE);
    assert_non_null(strstr(error.message, "DESCENTD_MAX_CONNECTIONS"));
    unsetenv("DESCENTD_MAX_CONNECTIONS");
    unsetenv("DESCENTD_INSECURE_HTTP");
    unsetenv("DESCENTD_ALLOW_HOST");
}

static void help_and_version_are_found_beside_anything(void **state)
{
    (void)state;
    assert_int_equal(parse("--nonsense --help"), STATUS_OK);
    assert_int_equal(action, CONFIG_HELP);
    assert_int_equal(parse("--version"), STATUS_OK);
    assert_int_equal(action, CONFIG_VERSION);
}

static void help_names_every_option_and_variable(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_help(out);
    fclose(out);
    static const char *const names[] = {
        "--listen ADDRESS:PORT", "--data DIR",        "--threads N",     "--data-root",     "--memory",
        "--kernel-tier",         "--log-format",      "--token-file",    "--tls-cert",      "--tls-key",
        "--allow-host",          "DESCENTD_TLS_CERT", "DESCENTD_LISTEN", "--insecure-http", "token new",
        "127.0.0.1:8080",        "--keep-days",       "--keep-bytes",    "descentd check",  "descentd backup"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strstr(text, names[i]) == NULL)
            fail_msg("%s is not in the help", names[i]);
    }
    free(text);
}

static void what_only_the_whole_says_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says; /* NULL: fine */
    } rows[] = {
        {"--listen 127.0.0.1:80", NULL},
        {"--listen 127.1.2.3:80", NULL},
        {"--listen [::1]:80", NULL},
        {"--listen localhost:80", NULL},
        {"--listen 0.0.0.0:80", "needs --token-file and TLS"},
        {"--listen [::]:80", "needs --token-file and TLS"},
        {"--listen 192.168.1.7:80", "needs --token-file and TLS"},
        {"--listen 0.0.0.0:80 --token-file t", "needs TLS"},
        {"--listen 0.0.0.0:80 --tls-cert c --tls-key k", "needs --token-file,"},
        {"--listen 0.0.0.0:80 --token-file t --tls-cert c --tls-key k", NULL},
        {"--listen 0.0.0.0:80 --insecure-http", NULL},
        {"--allow-host trainer.example,fe80::1 --allow-host 10.0.0.1,", NULL},
        {"--allow-host a,https://trainer.example", "\"https://trainer.example\": a name"},
        {"--allow-host trainer.example:8443,b", "\"trainer.example:8443\""},
        {"--allow-host [::1]", "without scheme and port"},
        {"--tls-cert c", "--tls-key go together"},
        {"--tls-key k", "go together"},
        {"--listen nowhere", "nowhere"},
        {"--listen example.org:80", "numeric"},
        {"--listen 127.0.0.1", "ADDRESS:PORT"},
        {"--listen 127.0.0.1:65536", "ADDRESS:PORT"},
        {"--listen 127.0.0.1:", "ADDRESS:PORT"},
        {"--listen ::1:80", "numeric"},
        {"--listen []:80", "numeric"},
        {"--listen :80", "numeric"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(rows[i].line), STATUS_OK);
        enum status status = config_check(&config, &error);
        if (rows[i].says == NULL ? status != STATUS_OK
                                 : status != STATUS_CONFIG_INVALID || strstr(error.message, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].line, error.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(values_stand_behind_a_blank_or_an_equals_sign),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(a_wrong_word_is_explained),
        cmocka_unit_test(the_command_line_beats_the_environment),
        cmocka_unit_test(help_and_version_are_found_beside_anything),
        cmocka_unit_test(help_names_every_option_and_variable),
        cmocka_unit_test(what_only_the_whole_says_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
