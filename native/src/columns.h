/*
 * Statistics down columns. A batch item is a matrix of `outer` rows and call->width columns.
 * Where it is narrow, `fold` rows count as one, so that its vectors are full; `rest` rows
 * remain. Where the columns of whole groups fit a cache, strips of them are visited once;
 * otherwise chunks of rows are, twice.
 */
#ifndef TFJS_NORMALIZATION_COLUMNS_H
#define TFJS_NORMALIZATION_COLUMNS_H

#include "call.h"

/* The columns of a group. */
static inline Index group_width(const View *v) { return v->channel * v->inner; }

/* The columns of a batch item, with `fold` rows in one. */
static inline Index folded_width(const Call *call) { return call->width * call->fold; }

/* Mean and m2 of a group's n values. */
typedef struct {
  double n, mean, m2;
} Group;

/* Statistics of columns: those of the folded rows, `wide` apart, and of the rest. */
typedef struct {
  const double *mean, *m2, *rest_mean, *rest_m2;
  Index width;
} ColumnStats;

/* Joins the columns of a group, of which the first is `first`. */
Group group_of(const Call *, const ColumnStats *, Index first);

/*
 * Writes m, a and o of y = (x - m) * a + o for the columns of groups first … end of batch
 * item b, `width` in all. `groups` is null where the statistics are inputs.
 */
void forward_vectors(const Call *, Index b, Index first, Index end, const Group *groups,
                     float *m, float *a, float *o, Index width);

/* Writes the means of the columns of groups first … end. */
void mean_vectors(const Call *, Index b, Index first, Index end, float *m, Index width);

/*
 * Writes a, k and c of dx = dy * a + (x - m) * k + c, and the parameters' sums of batch item
 * b, from s, p and r of the columns, whose folds are added to the first one.
 */
void backward_vectors(const Call *, Index b, Index first, Index end, double *s, double *p,
                      double *r, float *a, float *k, float *c, Index width);

/* The tasks of strips: one for each of call->strips, of each batch item. */
void strip_forward(void *call, Index task);
void strip_backward(void *call, Index task);

/* Forward and backward by chunks. Each returns 0 if it lacks memory. */
int chunks_forward(Call *);
int chunks_backward(Call *);

#endif
