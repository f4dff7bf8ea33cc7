#include "core/base/precision.h"

#include <assert.h>

const char *precision_name(enum precision precision)
{
    static const char *const names[PRECISION_COUNT] = {[PRECISION_F32] = "f32", [PRECISION_BF16] = "bf16"};

    assert((unsigned)precision < PRECISION_COUNT);
    return names[precision];
}
