/* One computation under way: its arguments, its plan, and what its tasks share. */
#ifndef TFJS_NORMALIZATION_CALL_H
#define TFJS_NORMALIZATION_CALL_H

#include <stdatomic.h>

#include "loops.h"
#include "view.h"

typedef struct {
  const Problem *p;
  const float *dy, *dmean, *dvariance, *x, *gamma, *beta;
  /* The statistics, where they are inputs. */
  const float *known_mean, *known_variance;
  float *y, *mean, *variance, *dx, *dgamma, *dbeta;
  /* All values of x; in floating point, for sizes to be compared without overflow. */
  double values;
  /* If true, the results are too large to stay in a cache. */
  int stream;
  /* Parts of the work, of each batch item where columns are summed in chunks. */
  Index tasks;
  /* Columns: see columns.h. */
  Index width, fold, folded_rows, rest, strip_groups, strips;
  double *parts;
  float *vectors;
  /* Sums for dgamma and dbeta, two rows of them for each task or batch item. */
  double *parameter_parts;
  float *row_sums;
  /* Set by a task that lacks memory. */
  atomic_int failed;
} Call;

/* The number of values of a statistic. */
double values_per_statistic(const View *);

/* Tasks for so many values, at most `limit`. They depend on sizes alone, never on threads. */
Index tasks_for(double values, Index limit);

/* Runs tasks 0 … count - 1: on several threads if the call is large. */
void run_tasks(Call *, Index count, void (*task)(void *, Index));

/* A statistic: its mean, 1 / sqrt(variance + epsilon), and the mean as it was rounded. */
typedef struct {
  double mean, inverse;
  float m;
} Moments;

/* Writes the statistics of n values to the outputs. */
Moments settle(const Call *, Index stat, double mean, double m2, double n);
/* Reads statistics that are inputs. */
Moments recall(const Call *, Index stat);

/* The numbers that make gradients: dx = dy * gamma * a + (x - m) * k + c. */
typedef struct {
  float m, a, k, c, d;
  double inverse, delta;
} Slopes;

/* `sums` are over all values of the statistic, those of dy with gamma. */
Slopes slopes_of(const Call *, Index stat, Sums sums);

/* Adds `count` parts of the parameters' sums to dgamma and dbeta. */
void add_parameter_parts(const Call *, Index count);

/* The three ways through memory. Forward and backward return 0 if they lack memory. */
int rows_forward(Call *);
int rows_backward(Call *);
int columns_forward(Call *);
int columns_backward(Call *);
int runs_forward(Call *);
int runs_backward(Call *);

#endif
