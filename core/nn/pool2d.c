/* A row of outputs at a time: each place in the window is one pass along the row, which becomes vector code. */
#include "core/nn/pool2d.h"

#include <string.h>

#include "core/base/vector_clones.h"

#define REAL    float
#define R(name) name##_f32
#include "core/nn/pool2d.inc"
#undef REAL
#undef R

#define REAL    double
#define R(name) name##_f64
#include "core/nn/pool2d.inc"
