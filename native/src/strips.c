/* Columns by strips: the statistics and the result of whole groups in one visit. */
#include <stdlib.h>

#include "columns.h"

typedef struct {
  Index b, first, end; /* groups first … end of batch item b */
  Index width, wide;   /* their columns, and those with `fold` rows in one */
  Index begin;         /* the place of the first value */
  Index stride, tail;  /* between folded rows, and to the first of the rest */
} Strip;

static Strip strip_of(const Call *call, Index task) {
  const View *v = &call->p->view;
  const Index unit = group_width(v);
  Strip s = {.b = task / call->strips};
  s.first = task % call->strips * call->strip_groups;
  s.end = least(v->group, s.first + call->strip_groups);
  s.width = (s.end - s.first) * unit;
  s.wide = s.width * call->fold;
  s.begin = s.b * v->outer * call->width + s.first * unit;
  s.stride = folded_width(call);
  s.tail = call->folded_rows * s.stride;
  return s;
}

void strip_forward(void *argument, Index task) {
  Call *call = argument;
  const Loops *l = loops();
  const Strip s = strip_of(call, task);
  const Index count = s.end - s.first;
  const int centered = call->p->centered;
  const float *x = call->x + s.begin;
  float *y = call->y + s.begin;
  double *scratch =
      malloc(sizeof(double) * 2 * (size_t)(s.wide + s.width) +
             sizeof(Group) * (size_t)count + sizeof(float) * 3 * (size_t)s.wide);
  if (!scratch) {
    atomic_store(&call->failed, 1);
    return;
  }
  double *mean = scratch, *m2 = mean + s.wide;
  double *rest_mean = m2 + s.wide, *rest_m2 = rest_mean + s.width;
  Group *groups = (Group *)(rest_m2 + s.width);
  float *m = (float *)(groups + count), *a = m + s.wide, *o = a + s.wide;
  if (!call->known_mean) {
    const ColumnStats stats = {mean, m2, rest_mean, rest_m2, s.width};
    l->column_stats(x, call->folded_rows, s.stride, s.wide, centered, mean, m2);
    if (call->rest)
      l->column_stats(x + s.tail, call->rest, call->width, s.width, centered, rest_mean,
                      rest_m2);
    for (Index g = 0; g < count; g++)
      groups[g] = group_of(call, &stats, g * group_width(&call->p->view));
  }
  forward_vectors(call, s.b, s.first, s.end, call->known_mean ? NULL : groups, m, a, o,
                  s.width);
  l->column_apply(x, y, call->folded_rows, s.stride, s.wide, m, a, o, call->stream);
  if (call->rest)
    l->column_apply(x + s.tail, y + s.tail, call->rest, call->width, s.width, m, a, o, 0);
  free(scratch);
}

void strip_backward(void *argument, Index task) {
  Call *call = argument;
  const Loops *l = loops();
  const Strip t = strip_of(call, task);
  const float *x = call->x + t.begin, *dy = call->dy + t.begin;
  float *dx = call->dx + t.begin;
  double *scratch = malloc(sizeof(double) * 3 * (size_t)(t.wide + t.width) +
                           sizeof(float) * 4 * (size_t)t.wide);
  if (!scratch) {
    atomic_store(&call->failed, 1);
    return;
  }
  double *s = scratch, *p = s + t.wide, *r = p + t.wide, *rest = r + t.wide;
  float *m = (float *)(rest + 3 * t.width);
  float *a = m + t.wide, *k = a + t.wide, *c = k + t.wide;
  mean_vectors(call, t.b, t.first, t.end, m, t.width);
  l->column_sums(dy, x, call->folded_rows, t.stride, t.wide, m, s, p, r);
  if (call->rest) {
    l->column_sums(dy + t.tail, x + t.tail, call->rest, call->width, t.width, m, rest,
                   rest + t.width, rest + 2 * t.width);
    for (Index j = 0; j < t.width; j++)
      s[j] += rest[j], p[j] += rest[t.width + j], r[j] += rest[2 * t.width + j];
  }
  backward_vectors(call, t.b, t.first, t.end, s, p, r, a, k, c, t.width);
  l->column_grad(dy, x, dx, call->folded_rows, t.stride, t.wide, m, a, k, c,
                 call->stream);
  if (call->rest)
    l->column_grad(dy + t.tail, x + t.tail, dx + t.tail, call->rest, call->width, t.width,
                   m, a, k, c, 0);
  free(scratch);
}
