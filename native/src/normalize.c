/* Chooses a way through memory for each view. */
#include "call.h"

enum {
  /* Along shorter runs, columns that are a few runs wide are faster. */
  SHORT_RUN = 16,
  /* From so many values on, results are written past the caches. */
  STREAM_FROM = 1 << 22,
};

typedef enum { ROWS, COLUMNS, RUNS } Walk;

static Walk walk_of(const View *v) {
  if (v->inner == 1 && v->outer == 1 && v->channel > 1) return ROWS;
  return v->inner < SHORT_RUN ? COLUMNS : RUNS;
}

static void measure(Call *call) {
  const View *v = &call->p->view;
  call->values = values_per_statistic(v) * (double)v->batch * (double)v->group;
  call->stream = call->values >= STREAM_FROM;
}

static int forward(Call *call) {
  measure(call);
  switch (walk_of(&call->p->view)) {
    case ROWS:
      return rows_forward(call);
    case COLUMNS:
      return columns_forward(call);
    default:
      return runs_forward(call);
  }
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
  return forward(&call);
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
  return forward(&call);
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
  measure(&call);
  switch (walk_of(&p->view)) {
    case ROWS:
      return rows_backward(&call);
    case COLUMNS:
      return columns_backward(&call);
    default:
      return runs_backward(&call);
  }
}
