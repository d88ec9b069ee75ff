/*
 * Normalization over a view with five axes, as the package's kernels know it: statistics are
 * kept for each (batch, group) and taken over (outer, channel, inner); gamma and beta have a
 * value for each (group, channel).
 */
#ifndef TFJS_NORMALIZATION_VIEW_H
#define TFJS_NORMALIZATION_VIEW_H

#include "index.h"

/* All lengths are at least 1. */
typedef struct {
  Index batch, outer, group, channel, inner;
} View;

typedef struct {
  View view;
  double epsilon;
  int centered; /* if true, the mean is subtracted */
  int given;    /* if true, mean and variance are constants, not functions of x */
} Problem;

/*
 * The three computations. Each returns 0 if it lacks memory. gamma, beta, dmean, dvariance,
 * dgamma and dbeta may be null.
 */
int normalize(const Problem *, const float *x, const float *gamma, const float *beta,
              float *y, float *mean, float *variance);
int apply_statistics(const Problem *, const float *x, const float *mean,
                     const float *variance, const float *gamma, const float *beta,
                     float *y);
int normalize_grad(const Problem *, const float *dy, const float *dmean,
                   const float *dvariance, const float *x, const float *mean,
                   const float *variance, const float *gamma, float *dx, float *dgamma,
                   float *dbeta);

#endif
