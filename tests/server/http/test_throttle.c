#include "server/http/throttle.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct throttle throttle;

static int hit(const char *text, int64_t now)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
    }
    return throttle_hit(&throttle, (struct sockaddr *)&address, now);
}

static void the_21st_wrong_token_of_a_minute_is_too_many(void **state)
{
    (void)state;
    throttle_init(&throttle);
    for (int i = 0; i < THROTTLE_LIMIT; i++)
        assert_false(hit("10.0.0.1", 1000 + i));
    assert_true(hit("10.0.0.1", 2000));
    assert_true(hit("10.0.0.1", 1000 + THROTTLE_WINDOW_MS - 1));
    assert_false(hit("10.0.0.1", 1000 + THROTTLE_WINDOW_MS));
}

static void addresses_are_counted_apart(void **state)
{
    (void)state;
    throttle_init(&throttle);
    for (int i = 0; i < THROTTLE_LIMIT; i++)
        assert_false(hit("10.0.0.1", 1000));
    assert_false(hit("10.0.0.2", 1000));
    assert_true(hit("10.0.0.1", 1000));
}

static void a_network_of_version_6_counts_as_one_address(void **state)
{
    (void)state;
    throttle_init(&throttle);
    for (int i = 0; i < THROTTLE_LIMIT; i++)
        assert_false(hit(i % 2 == 0 ? "2001:db8:1:2::1" : "2001:db8:1:2:ffff::9", 1000));
    assert_true(hit("2001:db8:1:2::3", 1000));
    assert_false(hit("2001:db8:1:3::3", 1000));
}

static void a_crowd_pushes_out_the_oldest_only(void **state)
{
    (void)state;
    throttle_init(&throttle);
    for (int i = 0; i <= THROTTLE_LIMIT; i++)
        hit("10.0.0.1", 5000);
    char text[32];
    for (int i = 0; i < THROTTLE_PLACES - 1; i++) {
        snprintf(text, sizeof(text), "10.1.%d.%d", i / 256, i % 256);
        assert_false(hit(text, 1000 + i));
    }
    assert_false(hit("10.2.0.1", 6000));
    assert_true(hit("10.0.0.1", 6000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_21st_wrong_token_of_a_minute_is_too_many),
        cmocka_unit_test(addresses_are_counted_apart),
        cmocka_unit_test(a_network_of_version_6_counts_as_one_address),
        cmocka_unit_test(a_crowd_pushes_out_the_oldest_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
