/* Statistics along rows: outer and inner are 1, and a row has a gamma and a beta of its own. */
#include <stdlib.h>

#include "call.h"

enum {
  /* Rows side by side hide the time that it takes to add up one. */
  ROWS_AT_ONCE = 4,
  /* Rows whose parameters' gradients are added in float32 before doubles take over. */
  ROWS_BETWEEN_FLUSHES = 64,
  /* Each task has sums of its own for the parameters. */
  MOST_BACKWARD_TASKS = 32,
  ITEMS_PER_BACKWARD_TASK = 8,
};

static int suits_four(Index n) { return n >= 16 && n <= 512; }

static void forward_task(void *argument, Index task) {
  Call *call = argument;
  const Loops *l = loops();
  const View *v = &call->p->view;
  const Index n = v->channel, rows = v->batch * v->group;
  const Index end = rows * (task + 1) / call->tasks;
  for (Index r = rows * task / call->tasks, count; r < end; r += count) {
    const float *x = call->x + r * n;
    double mean[ROWS_AT_ONCE], m2[ROWS_AT_ONCE];
    Moments s[ROWS_AT_ONCE];
    count = 1;
    if (call->known_mean) {
      s[0] = recall(call, r);
    } else {
      if (suits_four(n) && end - r >= ROWS_AT_ONCE) {
        count = ROWS_AT_ONCE;
        l->four_stats(x, n, call->p->centered, mean, m2);
      } else {
        l->run_stats(x, n, call->p->centered, mean, m2);
      }
      for (Index u = 0; u < count; u++)
        s[u] = settle(call, r + u, mean[u], m2[u], (double)n);
    }
    for (Index u = 0; u < count; u++) {
      const Index g = ((r + u) % v->group) * n;
      l->row_apply(x + u * n, call->y + (r + u) * n, n, s[u].m, (float)s[u].inverse,
                   (float)((s[u].m - s[u].mean) * s[u].inverse),
                   call->gamma ? call->gamma + g : NULL,
                   call->beta ? call->beta + g : NULL);
    }
  }
}

int rows_forward(Call *call) {
  const View *v = &call->p->view;
  call->tasks = tasks_for(call->values, v->batch * v->group);
  run_tasks(call, call->tasks, forward_task);
  return 1;
}

/* Moves sums in float32 to those in double. */
static void flush(float *from, double *to, Index size) {
  if (!from) return;
  for (Index j = 0; j < size; j++) to[j] += from[j], from[j] = 0;
}

static void backward_task(void *argument, Index task) {
  Call *call = argument;
  const Loops *l = loops();
  const View *v = &call->p->view;
  const Index n = v->channel, rows = v->batch * v->group, size = v->group * n;
  const Index end = rows * (task + 1) / call->tasks;
  float *dgamma = call->dgamma ? call->row_sums + task * 2 * size : NULL;
  float *dbeta = call->dbeta ? call->row_sums + (task * 2 + 1) * size : NULL;
  double *parts = call->parameter_parts + task * 2 * size;
  Index since = 0;
  for (Index r = rows * task / call->tasks, count; r < end; r += count) {
    count = v->group == 1 ? least(ROWS_AT_ONCE, end - r) : 1;
    const Index g = (r % v->group) * n;
    const float *gamma = call->gamma ? call->gamma + g : NULL;
    const float *x = call->x + r * n, *dy = call->dy + r * n;
    float m[ROWS_AT_ONCE], a[ROWS_AT_ONCE], k[ROWS_AT_ONCE], c[ROWS_AT_ONCE],
        d[ROWS_AT_ONCE];
    Sums sums[ROWS_AT_ONCE];
    for (Index u = 0; u < count; u++)
      m[u] = call->p->centered ? call->known_mean[r + u] : 0;
    if (count == ROWS_AT_ONCE && suits_four(n)) {
      l->four_sums(dy, x, gamma, n, m, sums);
    } else {
      for (Index u = 0; u < count; u++)
        sums[u] = l->row_sums(dy + u * n, x + u * n, gamma, n, m[u]);
    }
    for (Index u = 0; u < count; u++) {
      const Slopes s = slopes_of(call, r + u, sums[u]);
      a[u] = s.a, k[u] = s.k, c[u] = s.c, d[u] = s.d;
    }
    l->row_grad(dy, x, call->dx + r * n, count, n, gamma, m, a, k, c, d,
                dgamma ? dgamma + g : NULL, dbeta ? dbeta + g : NULL);
    since += count;
    if (since >= ROWS_BETWEEN_FLUSHES * v->group || r + count >= end) {
      since = 0;
      flush(dgamma, parts, size);
      flush(dbeta, parts + size, size);
    }
  }
}

int rows_backward(Call *call) {
  const View *v = &call->p->view;
  const Index size = v->group * v->channel;
  const Index items = most(1, v->batch / ITEMS_PER_BACKWARD_TASK);
  call->tasks = tasks_for(call->values, least(MOST_BACKWARD_TASKS, items));
  const Index all = call->tasks * 2 * size;
  call->parameter_parts = calloc((size_t)all, sizeof(double) + sizeof(float));
  if (!call->parameter_parts) return 0;
  call->row_sums = (float *)(call->parameter_parts + all);
  run_tasks(call, call->tasks, backward_task);
  add_parameter_parts(call, call->tasks);
  free(call->parameter_parts);
  return 1;
}
