/*
 * AMX's eight tiles, named by constants: 16 rows of 64 bytes each. Included by *_amx.c alone, which the Makefile compiles
 * for those instructions.
 */
#ifndef DESCENT_CORE_BASE_SIMD_AMX_H
#define DESCENT_CORE_BASE_SIMD_AMX_H

#include <immintrin.h>

/* 64 bytes; Intel's manual, volume 1, 18.3. */
#define tiles_configure(config) _tile_loadconfig(config)
#define tile_zero(tile)         _tile_zero(tile)
/* `stride` bytes from row to row */
#define tile_load(tile, from, stride) _tile_loadd(tile, from, stride)
#define tile_store(tile, to, stride)  _tile_stored(tile, to, stride)
/* c += a b: c [16][16] floats, a [row][pair], b [pair][column] of bfloat16 */
#define tile_multiply(c, a, b) _tile_dpbf16ps(c, a, b)

#endif
