/* Statistics over runs: inner is long. */
#include <stdlib.h>

#include "call.h"

static const float *run_at(const View *v, const float *x, Index stat, Index o, Index c) {
  const Index b = stat / v->group, g = stat % v->group;
  return x + (((b * v->outer + o) * v->group + g) * v->channel + c) * v->inner;
}

/* Channels follow one another: for the statistics they are one run. */
static Moments moments_of(const Call *call, const Loops *l, Index stat) {
  const View *v = &call->p->view;
  const Index joint = v->channel * v->inner;
  double n = 0, mean = 0, m2 = 0;
  for (Index o = 0; o < v->outer; o++) {
    double part, squares;
    l->run_stats(run_at(v, call->x, stat, o, 0), joint, call->p->centered, &part,
                 &squares);
    const double d = part - mean, w = (double)joint / (n + (double)joint);
    mean += d * w;
    m2 += squares + d * d * n * w;
    n += (double)joint;
  }
  return settle(call, stat, mean, m2, n);
}

static void forward_task(void *argument, Index task) {
  Call *call = argument;
  const Loops *l = loops();
  const View *v = &call->p->view;
  const Index stats = v->batch * v->group, end = stats * (task + 1) / call->tasks;
  for (Index stat = stats * task / call->tasks; stat < end; stat++) {
    const Moments s = call->known_mean ? recall(call, stat) : moments_of(call, l, stat);
    const double lost = (s.m - s.mean) * s.inverse;
    const Index g = stat % v->group;
    /* From the end back: the runs that were read last are still in the cache. */
    for (Index o = v->outer - 1; o >= 0; o--)
      for (Index c = 0; c < v->channel; c++) {
        const float *x = run_at(v, call->x, stat, o, c);
        const Index parameter = g * v->channel + c;
        const double scale = call->gamma ? call->gamma[parameter] : 1;
        const double shift = call->beta ? call->beta[parameter] : 0;
        l->run_apply(x, call->y + (x - call->x), v->inner, s.m,
                     (float)(s.inverse * scale), (float)(lost * scale + shift),
                     call->stream);
      }
  }
}

int runs_forward(Call *call) {
  const View *v = &call->p->view;
  call->tasks = tasks_for(call->values, v->batch * v->group);
  run_tasks(call, call->tasks, forward_task);
  return 1;
}

static void backward_task(void *argument, Index task) {
  Call *call = argument;
  const Loops *l = loops();
  const View *v = &call->p->view;
  const Index stats = v->batch * v->group, end = stats * (task + 1) / call->tasks;
  const Index size = v->group * v->channel;
  for (Index stat = stats * task / call->tasks; stat < end; stat++) {
    const Index b = stat / v->group, g = stat % v->group;
    double *dgamma = call->parameter_parts + b * 2 * size + g * v->channel;
    double *dbeta = dgamma + size;
    const float m = call->p->centered ? call->known_mean[stat] : 0;
    Sums sums = {0, 0, 0};
    for (Index c = 0; c < v->channel; c++) dgamma[c] = dbeta[c] = 0;
    for (Index o = 0; o < v->outer; o++)
      for (Index c = 0; c < v->channel; c++) {
        const float *x = run_at(v, call->x, stat, o, c);
        const Sums own = l->run_sums(call->dy + (x - call->x), x, v->inner, m);
        const double scale = call->gamma ? call->gamma[g * v->channel + c] : 1;
        sums.s += own.s * scale, sums.p += own.p * scale, sums.r += own.r;
        dbeta[c] += own.s, dgamma[c] += own.p;
      }
    const Slopes t = slopes_of(call, stat, sums);
    for (Index c = 0; c < v->channel; c++)
      dgamma[c] = (dgamma[c] - t.delta * dbeta[c]) * t.inverse;
    for (Index o = v->outer - 1; o >= 0; o--)
      for (Index c = 0; c < v->channel; c++) {
        const float *x = run_at(v, call->x, stat, o, c);
        const double scale = call->gamma ? call->gamma[g * v->channel + c] : 1;
        l->run_grad(call->dy + (x - call->x), x, call->dx + (x - call->x), v->inner, m,
                    (float)(t.inverse * scale), t.k, t.c, call->stream);
      }
  }
}

int runs_backward(Call *call) {
  const View *v = &call->p->view;
  const Index size = v->group * v->channel;
  call->tasks = tasks_for(call->values, v->batch * v->group);
  call->parameter_parts = malloc(sizeof(double) * 2 * (size_t)v->batch * (size_t)size);
  if (!call->parameter_parts) return 0;
  run_tasks(call, call->tasks, backward_task);
  add_parameter_parts(call, v->batch);
  free(call->parameter_parts);
  return 1;
}
