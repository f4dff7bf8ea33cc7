/* Linked with a test program: of its tests only the one that ONLY names is run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void choose_test(void)
{
    cmocka_set_test_filter(getenv("ONLY"));
}
