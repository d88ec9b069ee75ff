#include "columns.h"

#include <stdlib.h>
#include <string.h>

enum {
  /* The values of a strip: half of a cache of 1 MB. */
  STRIP_VALUES = 1 << 17,
  /* Narrower matrices are folded; strips are between these widths. */
  LEAST_WIDTH = 64,
  MOST_WIDTH = 512,
  MOST_STRIPS = 16,
};

static Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

Group group_of(const Call *call, const ColumnStats *s, Index first) {
  const Index unit = group_width(&call->p->view);
  const double n = (double)call->folded_rows, rest = (double)call->rest;
  double sum = 0;
  for (Index f = 0; f < call->fold; f++)
    for (Index j = 0; j < unit; j++) sum += s->mean[f * s->width + first + j];
  sum *= n;
  double total = n * (double)call->fold * (double)unit;
  if (rest > 0) {
    double more = 0;
    for (Index j = 0; j < unit; j++) more += s->rest_mean[first + j];
    sum += more * rest;
    total += rest * (double)unit;
  }
  const double average = sum / total;
  double square = 0, spread = 0;
  for (Index f = 0; f < call->fold; f++)
    for (Index j = 0; j < unit; j++) {
      const double d = s->mean[f * s->width + first + j] - average;
      square += s->m2[f * s->width + first + j];
      spread += d * d;
    }
  square += spread * n;
  if (rest > 0)
    for (Index j = 0; j < unit; j++) {
      const double d = s->rest_mean[first + j] - average;
      square += s->rest_m2[first + j] + d * d * rest;
    }
  return (Group){total, average, square};
}

/* Copies a vector for one row to those that are folded behind it. */
static void repeat(const Call *call, float *vector, Index width) {
  for (Index f = 1; f < call->fold; f++)
    memcpy(vector + f * width, vector, (size_t)width * sizeof *vector);
}

void forward_vectors(const Call *call, Index b, Index first, Index end,
                     const Group *groups, float *m, float *a, float *o, Index width) {
  const View *v = &call->p->view;
  const Index unit = group_width(v);
  for (Index g = first; g < end; g++) {
    const Index stat = b * v->group + g;
    const Group *own = groups ? groups + (g - first) : NULL;
    const Moments s =
        own ? settle(call, stat, own->mean, own->m2, own->n) : recall(call, stat);
    const double lost = (s.m - s.mean) * s.inverse;
    for (Index c = 0; c < v->channel; c++) {
      const Index parameter = g * v->channel + c;
      const double scale = call->gamma ? call->gamma[parameter] : 1;
      const double shift = call->beta ? call->beta[parameter] : 0;
      const float as = (float)(scale * s.inverse), os = (float)(lost * scale + shift);
      for (Index i = 0; i < v->inner; i++) {
        const Index j = (g - first) * unit + c * v->inner + i;
        m[j] = s.m, a[j] = as, o[j] = os;
      }
    }
  }
  repeat(call, m, width);
  repeat(call, a, width);
  repeat(call, o, width);
}

void mean_vectors(const Call *call, Index b, Index first, Index end, float *m,
                  Index width) {
  const View *v = &call->p->view;
  const Index unit = group_width(v);
  for (Index g = first; g < end; g++) {
    const float mean = call->p->centered ? call->known_mean[b * v->group + g] : 0;
    for (Index j = 0; j < unit; j++) m[(g - first) * unit + j] = mean;
  }
  repeat(call, m, width);
}

void backward_vectors(const Call *call, Index b, Index first, Index end, double *s,
                      double *p, double *r, float *a, float *k, float *c, Index width) {
  const View *v = &call->p->view;
  const Index unit = group_width(v), size = v->group * v->channel;
  double *dgamma = call->parameter_parts + b * 2 * size, *dbeta = dgamma + size;
  for (Index f = 1; f < call->fold; f++)
    for (Index j = 0; j < width; j++) {
      s[j] += s[f * width + j];
      p[j] += p[f * width + j];
      r[j] += r[f * width + j];
    }
  for (Index g = first; g < end; g++) {
    const Index at = (g - first) * unit;
    Sums sums = {0, 0, 0};
    for (Index ch = 0; ch < v->channel; ch++) {
      const Index parameter = g * v->channel + ch;
      Sums own = {0, 0, 0};
      for (Index i = 0; i < v->inner; i++) {
        const Index j = at + ch * v->inner + i;
        own.s += s[j], own.p += p[j], own.r += r[j];
      }
      const double scale = call->gamma ? call->gamma[parameter] : 1;
      sums.s += own.s * scale, sums.p += own.p * scale, sums.r += own.r;
      dbeta[parameter] = own.s;
      dgamma[parameter] = own.p;
    }
    const Slopes t = slopes_of(call, b * v->group + g, sums);
    for (Index ch = 0; ch < v->channel; ch++) {
      const Index parameter = g * v->channel + ch;
      const double scale = call->gamma ? call->gamma[parameter] : 1;
      const float as = (float)(t.inverse * scale);
      dgamma[parameter] = (dgamma[parameter] - t.delta * dbeta[parameter]) * t.inverse;
      for (Index i = 0; i < v->inner; i++) {
        const Index j = at + ch * v->inner + i;
        a[j] = as, k[j] = t.k, c[j] = t.c;
      }
    }
  }
  repeat(call, a, width);
  repeat(call, k, width);
  repeat(call, c, width);
}

/* Plans the walk. Returns 1 for strips, 0 for chunks. */
static int plan(Call *call) {
  const View *v = &call->p->view;
  const Index unit = group_width(v);
  call->width = v->group * unit;
  const Index rows_to_fill = divide_up(LEAST_WIDTH, call->width);
  call->fold = call->width < LEAST_WIDTH ? least(v->outer, rows_to_fill) : 1;
  call->folded_rows = v->outer / call->fold;
  call->rest = v->outer - call->folded_rows * call->fold;
  if (call->fold > 1) {
    call->strip_groups = v->group;
  } else {
    const Index wanted = divide_up(tasks_for(call->values, MOST_STRIPS), v->batch);
    const Index even = least(divide_up(call->width, wanted), MOST_WIDTH);
    const Index w = most(LEAST_WIDTH, least(even, STRIP_VALUES / v->outer));
    call->strip_groups = least(v->group, most(1, w / unit));
  }
  call->strips = divide_up(v->group, call->strip_groups);
  const Index w = most(call->strip_groups * unit, least(LEAST_WIDTH, call->width));
  return (double)v->outer * (double)w <= STRIP_VALUES;
}

int columns_forward(Call *call) {
  if (!plan(call)) return chunks_forward(call);
  run_tasks(call, call->p->view.batch * call->strips, strip_forward);
  return !atomic_load(&call->failed);
}

int columns_backward(Call *call) {
  if (!plan(call)) return chunks_backward(call);
  const View *v = &call->p->view;
  const Index size = v->group * v->channel;
  call->parameter_parts = malloc(sizeof(double) * 2 * (size_t)v->batch * (size_t)size);
  if (!call->parameter_parts) return 0;
  run_tasks(call, v->batch * call->strips, strip_backward);
  const int done = !atomic_load(&call->failed);
  if (done) add_parameter_parts(call, v->batch);
  free(call->parameter_parts);
  return done;
}
