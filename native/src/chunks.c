/* Columns by chunks of rows: one visit for the sums, another for the result. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"

enum {
  /* Each chunk has sums of its own: of fewer rows they would outweigh the data. */
  LEAST_ROWS = 16,
  /* Rows of numbers that a batch item has beside its sums: m, a, k and c. */
  VECTORS = 4,
};

typedef struct {
  Index b, from, to; /* folded rows from … to of batch item b */
  Index begin;       /* the place of the item's first value */
  int is_last;       /* if so, the rest belongs to it */
} Chunk;

static Chunk chunk_of(const Call *call, Index task) {
  const Index b = task / call->tasks, i = task % call->tasks;
  return (Chunk){
      .b = b,
      .from = call->folded_rows * i / call->tasks,
      .to = call->folded_rows * (i + 1) / call->tasks,
      .begin = b * call->p->view.outer * call->width,
      .is_last = i == call->tasks - 1,
  };
}

/* The sums of a chunk, `rows` rows of them; those of the rest come after all chunks'. */
static double *part_of(const Call *call, Index b, Index chunk, Index rows) {
  return call->parts + (b * (call->tasks + 1) + chunk) * rows * folded_width(call);
}

static double rows_of(const Call *call, Index chunk) {
  return (double)(call->folded_rows * (chunk + 1) / call->tasks -
                  call->folded_rows * chunk / call->tasks);
}

static float *vectors_of(const Call *call, Index b) {
  return call->vectors + b * VECTORS * folded_width(call);
}

static void plan(Call *call) {
  const Index most_chunks = most(1, call->folded_rows / LEAST_ROWS);
  const double values = (double)call->p->view.outer * (double)call->width;
  call->tasks = tasks_for(values, most_chunks);
}

static void stats_task(void *argument, Index task) {
  const Call *call = argument;
  const Chunk c = chunk_of(call, task);
  const Index wide = folded_width(call);
  const int centered = call->p->centered;
  const float *x = call->x + c.begin;
  double *part = part_of(call, c.b, task % call->tasks, 2);
  loops()->column_stats(x + c.from * wide, c.to - c.from, wide, wide, centered, part,
                        part + wide);
  if (c.is_last && call->rest) {
    part = part_of(call, c.b, call->tasks, 2);
    loops()->column_stats(x + c.to * wide, call->rest, call->width, call->width, centered,
                          part, part + wide);
  }
}

/* Joins the chunks of a batch item into the first one. `sum` is a row to work with. */
static void join_chunks(const Call *call, Index b, double *sum) {
  const Index wide = folded_width(call);
  double *mean = part_of(call, b, 0, 2), *m2 = mean + wide;
  for (Index j = 0; j < wide; j++) sum[j] = 0;
  for (Index i = 0; i < call->tasks; i++) {
    const double *part = part_of(call, b, i, 2);
    const double share = rows_of(call, i) / (double)call->folded_rows;
    for (Index j = 0; j < wide; j++) sum[j] += part[j] * share;
  }
  for (Index i = 0; i < call->tasks; i++) {
    const double *part = part_of(call, b, i, 2), *squares = part + wide;
    const double n = rows_of(call, i);
    for (Index j = 0; j < wide; j++) {
      const double d = part[j] - sum[j], q = squares[j] + d * d * n;
      m2[j] = i == 0 ? q : m2[j] + q;
    }
  }
  memcpy(mean, sum, (size_t)wide * sizeof *sum);
}

static void apply_task(void *argument, Index task) {
  const Call *call = argument;
  const Chunk c = chunk_of(call, task);
  const Index wide = folded_width(call);
  const float *x = call->x + c.begin;
  float *y = call->y + c.begin;
  const float *m = vectors_of(call, c.b), *a = m + wide, *o = a + wide;
  loops()->column_apply(x + c.from * wide, y + c.from * wide, c.to - c.from, wide, wide,
                        m, a, o, call->stream);
  if (c.is_last && call->rest)
    loops()->column_apply(x + c.to * wide, y + c.to * wide, call->rest, call->width,
                          call->width, m, a, o, 0);
}

int chunks_forward(Call *call) {
  const View *v = &call->p->view;
  plan(call);
  const Index wide = folded_width(call);
  const Index parts = v->batch * (call->tasks + 1) * 2;
  const size_t doubles = (size_t)(parts + 1) * (size_t)wide;
  const size_t floats = (size_t)v->batch * VECTORS * (size_t)wide;
  call->parts = malloc(sizeof(double) * doubles + sizeof(Group) * (size_t)v->group +
                       sizeof(float) * floats);
  if (!call->parts) return 0;
  double *row = call->parts + parts * wide;
  Group *groups = (Group *)(call->parts + doubles);
  call->vectors = (float *)(groups + v->group);
  if (!call->known_mean) run_tasks(call, v->batch * call->tasks, stats_task);
  for (Index b = 0; b < v->batch; b++) {
    if (!call->known_mean) {
      join_chunks(call, b, row);
      const double *mean = part_of(call, b, 0, 2);
      const double *rest = part_of(call, b, call->tasks, 2);
      const ColumnStats stats = {mean, mean + wide, rest, rest + wide, call->width};
      for (Index g = 0; g < v->group; g++)
        groups[g] = group_of(call, &stats, g * group_width(v));
    }
    float *m = vectors_of(call, b);
    forward_vectors(call, b, 0, v->group, call->known_mean ? NULL : groups, m, m + wide,
                    m + 2 * wide, call->width);
  }
  run_tasks(call, v->batch * call->tasks, apply_task);
  free(call->parts);
  return 1;
}

static void sums_task(void *argument, Index task) {
  const Call *call = argument;
  const Chunk c = chunk_of(call, task);
  const Index wide = folded_width(call);
  const float *x = call->x + c.begin, *dy = call->dy + c.begin;
  const float *m = vectors_of(call, c.b);
  double *part = part_of(call, c.b, task % call->tasks, 3);
  loops()->column_sums(dy + c.from * wide, x + c.from * wide, c.to - c.from, wide, wide,
                       m, part, part + wide, part + 2 * wide);
  if (c.is_last && call->rest) {
    part = part_of(call, c.b, call->tasks, 3);
    loops()->column_sums(dy + c.to * wide, x + c.to * wide, call->rest, call->width,
                         call->width, m, part, part + wide, part + 2 * wide);
  }
}

/* Adds the sums of a batch item's chunks, and of the rest, to those of the first one. */
static void add_chunks(const Call *call, Index b) {
  const Index wide = folded_width(call);
  double *sums = part_of(call, b, 0, 3);
  for (Index i = 1; i < call->tasks; i++) {
    const double *part = part_of(call, b, i, 3);
    for (Index j = 0; j < 3 * wide; j++) sums[j] += part[j];
  }
  if (!call->rest) return;
  const double *rest = part_of(call, b, call->tasks, 3);
  for (Index row = 0; row < 3; row++)
    for (Index j = 0; j < call->width; j++) sums[row * wide + j] += rest[row * wide + j];
}

static void grad_task(void *argument, Index task) {
  const Call *call = argument;
  const Chunk t = chunk_of(call, task);
  const Index wide = folded_width(call);
  const float *x = call->x + t.begin, *dy = call->dy + t.begin;
  float *dx = call->dx + t.begin;
  const float *m = vectors_of(call, t.b);
  const float *a = m + wide, *k = a + wide, *c = k + wide;
  const Index from = t.from * wide, to = t.to * wide;
  loops()->column_grad(dy + from, x + from, dx + from, t.to - t.from, wide, wide, m, a, k,
                       c, call->stream);
  if (t.is_last && call->rest)
    loops()->column_grad(dy + to, x + to, dx + to, call->rest, call->width, call->width,
                         m, a, k, c, 0);
}

int chunks_backward(Call *call) {
  const View *v = &call->p->view;
  plan(call);
  const Index wide = folded_width(call), size = v->group * v->channel;
  const Index parts = v->batch * (call->tasks + 1) * 3;
  const size_t doubles =
      (size_t)parts * (size_t)wide + 2 * (size_t)v->batch * (size_t)size;
  const size_t floats = (size_t)v->batch * VECTORS * (size_t)wide;
  call->parts = malloc(sizeof(double) * doubles + sizeof(float) * floats);
  if (!call->parts) return 0;
  call->parameter_parts = call->parts + parts * wide;
  call->vectors = (float *)(call->parts + doubles);
  for (Index b = 0; b < v->batch; b++)
    mean_vectors(call, b, 0, v->group, vectors_of(call, b), call->width);
  run_tasks(call, v->batch * call->tasks, sums_task);
  for (Index b = 0; b < v->batch; b++) {
    add_chunks(call, b);
    double *s = part_of(call, b, 0, 3);
    float *m = vectors_of(call, b);
    backward_vectors(call, b, 0, v->group, s, s + wide, s + 2 * wide, m + wide,
                     m + 2 * wide, m + 3 * wide, call->width);
  }
  run_tasks(call, v->batch * call->tasks, grad_task);
  add_parameter_parts(call, v->batch);
  free(call->parts);
  return 1;
}
