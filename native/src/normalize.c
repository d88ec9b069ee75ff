/* Chooses a way through memory for each view. */
#include "call.h"

enum {
  /* Along shorter runs, columns that are a few runs wide are faster. */
  SHORT_RUN = 16,
  /* From so many values on, results are written past the caches. */
  STREAM_FROM = 1 << 22,
};

/* A way through memory. */
typedef struct {
  int (*forward)(Call *), (*backward)(Call *);
} Walk;

static const Walk ROWS = {rows_forward, rows_backward};
static const Walk COLUMNS = {columns_forward, columns_backward};
static const Walk RUNS = {runs_forward, runs_backward};

/* Fills in the sizes that all ways need, and chooses one. */
static const Walk *plan(Call *call) {
  const View *v = &call->p->view;
  call->values = values_per_statistic(v) * (double)v->batch * (double)v->group;
  call->stream = call->values >= STREAM_FROM;
  if (v->inner == 1 && v->outer == 1 && v->channel > 1) return &ROWS;
  return v->inner < SHORT_RUN ? &COLUMNS : &RUNS;
}

int normalize(const Problem *p, const float *x, const float *gamma, const float *beta,
              float *y, float *mean, float *variance) {
  Call call = {
      .p = p,
      .x = x,
      .gamma = gamma,
      .beta = beta,
      .y = y,
      .mean = mean,
      .variance = variance,
  };
  return plan(&call)->forward(&call);
}

int apply_statistics(const Problem *p, const float *x, const float *mean,
                     const float *variance, const float *gamma, const float *beta,
                     float *y) {
  Call call = {
      .p = p,
      .x = x,
      .known_mean = mean,
      .known_variance = variance,
      .gamma = gamma,
      .beta = beta,
      .y = y,
  };
  return plan(&call)->forward(&call);
}

int normalize_grad(const Problem *p, const float *dy, const float *dmean,
                   const float *dvariance, const float *x, const float *mean,
                   const float *variance, const float *gamma, float *dx, float *dgamma,
                   float *dbeta) {
  Call call = {
      .p = p,
      .dy = dy,
      .dmean = dmean,
      .dvariance = dvariance,
      .x = x,
      .known_mean = mean,
      .known_variance = variance,
      .gamma = gamma,
      .dx = dx,
      .dgamma = dgamma,
      .dbeta = dbeta,
  };
  return plan(&call)->backward(&call);
}
