#include "core/optim/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/base/mathx.h"
#include "core/base/vector_clones.h"

#define REAL            float
#define BITS            uint32_t
#define EXPONENT        UINT32_C(0x7f800000)
#define SQRT            sqrtf
#define NAMED(function) function##_f32
#include "core/optim/update_rules.inc"
