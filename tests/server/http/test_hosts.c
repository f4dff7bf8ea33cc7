#include "server/http/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_known_names_are_answered(void **state)
{
    (void)state;
    static const struct setting_list allowed = {.items = {"train.example,gpu-box", "10.0.0.5"}, .count = 2};
    static const struct {
        const char *host;
        int allow;
    } rows[] = {
        {"localhost", 1},
        {"localhost:8080", 1},
        {"LocalHost:1", 1},
        {"127.0.0.1", 1},
        {"127.0.0.1:80", 1},
        {"[::1]", 1},
        {"[::1]:8080", 1},
        {"192.168.1.7", 1},
        {"192.168.1.7:8080", 1},
        {"train.example", 1},
        {"TRAIN.example:443", 1},
        {"gpu-box", 1},
        {"10.0.0.5:1", 1},
        {"", 0},
        {":80", 0},
        {"[]", 0},
        {"[::1", 0},
        {"[::1]x", 0},
        {"[::2]", 0},
        {"localhost.", 0},
        {"localhost.evil.test", 0},
        {"evil.test", 0},
        {"evil.localhost", 0},
        {"localhost:80x", 0},
        {"localhost:80:80", 0},
        {"localhost@evil.test", 0},
        {"train.example,gpu-box", 0},
        {"train", 0},
        {"127.0.0.2", 0},
        {"192.168.1.70", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hosts_allow(&allowed, "192.168.1.7", rows[i].host) != rows[i].allow)
            fail_msg("\"%s\" is %s", rows[i].host, rows[i].allow ? "refused" : "answered");
    }
}

static void an_unknown_own_address_allows_nothing(void **state)
{
    (void)state;
    static const struct setting_list none = {.count = 0};
    assert_false(hosts_allow(&none, "", ""));
    assert_false(hosts_allow(&none, "", "10.0.0.5"));
    assert_true(hosts_allow(&none, "", "localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_names_are_answered),
        cmocka_unit_test(an_unknown_own_address_allows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
