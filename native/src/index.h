#ifndef TFJS_NORMALIZATION_INDEX_H
#define TFJS_NORMALIZATION_INDEX_H

#include <stddef.h>

/* A number of values, or the place of one. Not long, which has 32 bits on Windows. */
typedef ptrdiff_t Index;

static inline Index least(Index a, Index b) { return a < b ? a : b; }
static inline Index most(Index a, Index b) { return a > b ? a : b; }

#endif
