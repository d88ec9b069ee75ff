#include "call.h"

#include <math.h>

#include "pool.h"

enum {
  /* To wake a thread takes as long as to compute so many values. */
  PARALLEL_FROM = 1 << 18,
  VALUES_PER_TASK = 1 << 15,
  MOST_TASKS = 64,
};

double values_per_statistic(const View *v) {
  return (double)v->outer * (double)v->channel * (double)v->inner;
}

Index tasks_for(double values, Index limit) {
  if (values < PARALLEL_FROM) return 1;
  const double wanted = values / VALUES_PER_TASK;
  const Index tasks = wanted < MOST_TASKS ? (Index)wanted : MOST_TASKS;
  return most(1, least(tasks, limit));
}

void run_tasks(Call *call, Index count, void (*task)(void *, Index)) {
  if (call->values >= PARALLEL_FROM) {
    pool_run(count, task, call);
  } else {
    for (Index i = 0; i < count; i++) task(call, i);
  }
}

static double inverse_of(const Problem *p, double variance) {
  return 1 / sqrt(variance + p->epsilon);
}

Moments settle(const Call *call, Index stat, double mean, double m2, double n) {
  const Problem *p = call->p;
  const double variance = m2 / n;
  call->mean[stat] = (float)mean;
  call->variance[stat] = (float)variance;
  return (Moments){mean, inverse_of(p, variance), (float)mean};
}

Moments recall(const Call *call, Index stat) {
  const float m = call->p->centered ? call->known_mean[stat] : 0;
  return (Moments){m, inverse_of(call->p, call->known_variance[stat]), m};
}

Slopes slopes_of(const Call *call, Index stat, Sums sums) {
  const Problem *p = call->p;
  const double n = values_per_statistic(&p->view);
  const double inverse = inverse_of(p, call->known_variance[stat]);
  /* What rounding took from the mean: the deviations from it do not add up to zero. */
  const double delta = p->centered && !p->given ? sums.r / n : 0;
  double k = 0, c = 0;
  if (!p->given) {
    k = -inverse * inverse * inverse * (sums.p - delta * sums.s) / n;
    if (call->dvariance) k += 2 * call->dvariance[stat] / n;
    if (p->centered) {
      c = -inverse * sums.s / n;
      if (call->dmean) c += call->dmean[stat] / n;
    }
  }
  return (Slopes){
      .m = p->centered ? call->known_mean[stat] : 0,
      .a = (float)inverse,
      .k = (float)k,
      .c = (float)(c - k * delta),
      .d = (float)(-delta * inverse),
      .inverse = inverse,
      .delta = delta,
  };
}

void add_parameter_parts(const Call *call, Index count) {
  const Index size = call->p->view.group * call->p->view.channel;
  for (int which = 0; which < 2; which++) {
    float *out = which ? call->dbeta : call->dgamma;
    if (!out) continue;
    double *total = call->parameter_parts + which * size;
    for (Index i = 1; i < count; i++) {
      const double *part = call->parameter_parts + (i * 2 + which) * size;
      for (Index j = 0; j < size; j++) total[j] += part[j];
    }
    for (Index j = 0; j < size; j++) out[j] = (float)total[j];
  }
}
