/*
 * The loops over values. They are compiled once for each instruction set, and know nothing of
 * views, threads or TensorFlow.
 */
#ifndef TFJS_NORMALIZATION_LOOPS_H
#define TFJS_NORMALIZATION_LOOPS_H

#include "index.h"

/* Sums over values that have a mean m: of dy, of dy * (x - m), and of x - m. */
typedef struct {
  double s, p, r;
} Sums;

/*
 * The loops of one instruction set. m2 is a sum of squared deviations from the mean; not
 * `centered`, the mean is taken for zero, and m2 is a sum of squares. With `stream`, results
 * that are aligned to a cache line are written past the caches.
 */
typedef struct {
  const char *name;

  /* Columns: `width` of them, `rows` long, each with its own numbers. */

  void (*column_stats)(const float *x, Index rows, Index stride, Index width,
                       int centered, double *mean, double *m2);
  /* y = (x - m) * a + b */
  void (*column_apply)(const float *x, float *y, Index rows, Index stride, Index width,
                       const float *m, const float *a, const float *b, int stream);
  void (*column_sums)(const float *dy, const float *x, Index rows, Index stride,
                      Index width, const float *m, double *s, double *p, double *r);
  /* dx = dy * a + (x - m) * k + c */
  void (*column_grad)(const float *dy, const float *x, float *dx, Index rows,
                      Index stride, Index width, const float *m, const float *a,
                      const float *k, const float *c, int stream);

  /* Runs: n values in a row, with one of each number for all of them. */

  void (*run_stats)(const float *x, Index n, int centered, double *mean, double *m2);
  void (*run_apply)(const float *x, float *y, Index n, float m, float a, float b,
                    int stream);
  Sums (*run_sums)(const float *dy, const float *x, Index n, float m);
  void (*run_grad)(const float *dy, const float *x, float *dx, Index n, float m, float a,
                   float k, float c, int stream);

  /* Rows: runs with a gamma and a beta for each value, which may be null. */

  void (*row_apply)(const float *x, float *y, Index n, float m, float a, float b,
                    const float *gamma, const float *beta);
  /* The sums of a run, with dy * gamma in the place of dy. */
  Sums (*row_sums)(const float *dy, const float *x, const float *gamma, Index n, float m);
  /* run_stats and row_sums of four rows side by side, of 16 to 8192 values. */
  void (*four_stats)(const float *x, Index n, int centered, double *mean, double *m2);
  void (*four_sums)(const float *dy, const float *x, const float *gamma, Index n,
                    const float *m, Sums *sums);
  /*
   * dx = dy * gamma * a + (x - m) * k + c for `rows` rows, each with its own numbers. Adds
   * dy * ((x - m) * a + d) to dgamma and dy to dbeta, either of which may be null.
   */
  void (*row_grad)(const float *dy, const float *x, float *dx, Index rows, Index n,
                   const float *gamma, const float *m, const float *a, const float *k,
                   const float *c, const float *d, float *dgamma, float *dbeta);
} Loops;

/* The loops to use: the best that this processor has, unless others were asked for. */
const Loops *loops(void);

/*
 * Asks for the loops of an instruction set: "base", "avx2" or "avx512"; null for the best.
 * Returns the name of those that will be used, which are lesser ones if the processor lacks
 * what was asked for.
 */
const char *loops_use(const char *name);

#endif
