#include "core/optim/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/base/mathx.h"
#include "core/base/vector_clones.h"

#define REAL            double
#define BITS            uint64_t
#define EXPONENT        UINT64_C(0x7ff0000000000000)
#define SQRT            sqrt
#define NAMED(function) function##_f64
#include "core/optim/update_rules.inc"
