/*
 * Vectors of 16 floats, which the compiler maps to whatever the instruction set has, and what
 * the loops share. GCC's and Clang's vector extensions; Clang splits them well.
 */
#ifndef TFJS_NORMALIZATION_VECTORS_H
#define TFJS_NORMALIZATION_VECTORS_H

#include <stdint.h>

#include "../loops.h"

#define INLINE static inline __attribute__((always_inline))

enum {
  /* Values of a vector. */
  V = 16,
  /* Rows, or values of a run, that are summed in float32 before doubles take over. */
  BLOCK = 128,
  RUN_BLOCK = 8192,
  /* Columns that are walked down together. */
  STRIP = 512,
  /* Rows whose mean is a first guess at a column's. */
  PREPASS = 16,
};

typedef float vf __attribute__((vector_size(64)));
typedef float vu __attribute__((vector_size(64), aligned(4), may_alias));
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
typedef int vi __attribute__((vector_size(64)));
typedef int viu __attribute__((vector_size(64), aligned(4), may_alias));

INLINE vf load(const float *p) { return *(const vu *)p; }
INLINE void store(float *p, vf v) { *(vu *)p = v; }
INLINE vf splat(float a) { return (vf){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }

#if defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define STORE_PAST_CACHES(p, v) __builtin_nontemporal_store(v, (vf *)(p))
#endif
#endif
#ifndef STORE_PAST_CACHES
#define STORE_PAST_CACHES(p, v) store(p, v)
#endif

/* Writes a vector: past the caches if `past`, a constant, is true. */
INLINE void put(float *p, vf v, int past) {
  if (past) {
    STORE_PAST_CACHES(p, v);
  } else {
    store(p, v);
  }
}

/* Orders what went past the caches before all that is written from now on. */
INLINE void end_streaming(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

/* True if every row at p, p + stride and so on may be written past the caches. */
INLINE int is_aligned(const float *p, Index stride) {
  return ((uintptr_t)p & 63) == 0 && stride % V == 0;
}

/* The sum of a vector's values. */
INLINE float hsum(vf v) {
  v8 a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  v4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) +
         __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (b[0] + b[2]) + (b[1] + b[3]);
}

/* The last n values of a vector; zeros in the place of the others. */
static const int TAIL[2 * V] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                0,  0,  0,  0,  0,  -1, -1, -1, -1, -1, -1,
                                -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
INLINE vi tail_mask(Index n) { return *(const viu *)(TAIL + n); }
INLINE vf masked(vf v, vi mask) { return (vf)((vi)v & mask); }

/* Takes a sum of squares that rounding has made negative for zero; a NaN stays one. */
INLINE double at_least_zero(double m2) { return m2 > 0 ? m2 : m2 - m2; }

#endif
