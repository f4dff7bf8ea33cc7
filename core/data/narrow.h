/* float64 to float32 where the result must be finite. */
#ifndef DESCENT_CORE_DATA_NARROW_H
#define DESCENT_CORE_DATA_NARROW_H

#define NARROW_OVERFLOW 0x1.ffffffp127 /* the least double that rounds to infinity in float32 */

/* Rounds value to *out; 0 (and nothing written) if it is NaN, infinite or too large. */
static inline int narrow_f32(double value, float *out)
{
    if (!(value < NARROW_OVERFLOW && value > -NARROW_OVERFLOW))
        return 0;
    *out = (float)value;
    return 1;
}

#endif
