/*
 * The computing against float64, without TensorFlow and Node: to be built with sanitizers, and
 * for other machines. Every array is as long as it must be, so that a sanitizer sees a read or
 * a write beyond it.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/loops.h"
#include "../src/pool.h"
#include "../src/view.h"

/* 16 roundings of float32, of the largest value or of the terms that made it. */
static const double TOLERANCE = 16 / 16777216.0;
static const double EPSILON = 1e-3;

static _Thread_local unsigned seed = 1;

static double uniform(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed / 4294967296.0;
}

static double normal(void) {
  return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static void *allocate(Index count, size_t size) {
  void *memory;
  /* Of TensorFlow's alignment, which writing past the caches needs. */
  if (posix_memalign(&memory, 64, (size_t)count * size) != 0) {
    puts("no memory");
    exit(2);
  }
  return memset(memory, 0, (size_t)count * size);
}

/* One case: the inputs, the results, and what they should be. */
typedef struct {
  Problem problem;
  Index size, stats, parameters;
  float *x, *dy, *gamma, *beta, *dmean, *dvariance;
  float *y, *applied, *mean, *variance, *dx, *dgamma, *dbeta;
} Case;

enum { WITH_PARAMETERS = 1, WITH_FLOWS = 2 };

static float *random_floats(Index count, double offset) {
  float *values = allocate(count, sizeof(float));
  for (Index i = 0; i < count; i++) values[i] = (float)(offset + normal());
  return values;
}

static Case make_case(View v, int centered, int given, double offset) {
  Case c = {.problem = {v, EPSILON, centered, given}};
  c.stats = v.batch * v.group;
  c.parameters = v.group * v.channel;
  c.size = c.stats * v.outer * v.channel * v.inner;
  c.x = random_floats(c.size, offset), c.dy = random_floats(c.size, 0);
  c.gamma = random_floats(c.parameters, 1), c.beta = random_floats(c.parameters, 0);
  c.dmean = random_floats(c.stats, 0), c.dvariance = random_floats(c.stats, 0);
  c.y = random_floats(c.size, 0), c.applied = random_floats(c.size, 0);
  c.dx = random_floats(c.size, 0);
  c.mean = random_floats(c.stats, 0), c.variance = random_floats(c.stats, 0);
  c.dgamma = random_floats(c.parameters, 0), c.dbeta = random_floats(c.parameters, 0);
  return c;
}

static void free_case(Case *c) {
  float *all[] = {c->x,         c->dy,     c->gamma,   c->beta, c->dmean,
                  c->dvariance, c->y,      c->applied, c->mean, c->variance,
                  c->dx,        c->dgamma, c->dbeta};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static int compute(Case *c, int with) {
  const float *gamma = with & WITH_PARAMETERS ? c->gamma : NULL;
  const float *beta = with & WITH_PARAMETERS ? c->beta : NULL;
  const int flows = (with & WITH_FLOWS) != 0 && !c->problem.given;
  return normalize(&c->problem, c->x, gamma, beta, c->y, c->mean, c->variance) &&
         apply_statistics(&c->problem, c->x, c->mean, c->variance, gamma, beta,
                          c->applied) &&
         normalize_grad(&c->problem, c->dy, flows ? c->dmean : NULL,
                        flows ? c->dvariance : NULL, c->x, c->mean, c->variance, gamma,
                        c->dx, gamma ? c->dgamma : NULL, c->dbeta);
}

/* The largest difference, relative to the largest expected value or to `size` if it is more. */
static double worst(const float *got, const double *expected, Index count, double size) {
  double error = 0;
  for (Index i = 0; i < count; i++) size = fmax(size, fabs(expected[i]));
  for (Index i = 0; i < count; i++) {
    const double d = fabs(got[i] - expected[i]) / size;
    if (!(d <= error)) error = d;
  }
  return error;
}

#define EACH_VALUE                               \
  for (Index b = 0, at = 0; b < v.batch; b++)    \
    for (Index o = 0; o < v.outer; o++)          \
      for (Index g = 0; g < v.group; g++)        \
        for (Index ch = 0; ch < v.channel; ch++) \
          for (Index i = 0; i < v.inner; i++, at++)
#define STAT (b * v.group + g)
#define PARAMETER (g * v.channel + ch)

/* Computes a case in float64, one value after the other, and compares. */
static double error_of(const Case *c, int with) {
  const View v = c->problem.view;
  const int centered = c->problem.centered, given = c->problem.given;
  const double n = (double)v.outer * (double)v.channel * (double)v.inner;
  double *mean = allocate(c->stats, 8), *variance = allocate(c->stats, 8);
  double *total = allocate(c->stats, 8), *along = allocate(c->stats, 8);
  double *dgamma = allocate(c->parameters, 8), *dbeta = allocate(c->parameters, 8);
  double *y = allocate(c->size, 8), *dx = allocate(c->size, 8);
  double normalized = 1, flow = 1;
  if (centered) EACH_VALUE mean[STAT] += c->x[at] / n;
  EACH_VALUE {
    const double d = c->x[at] - mean[STAT];
    variance[STAT] += d * d / n;
  }
  EACH_VALUE {
    const double scale = with & WITH_PARAMETERS ? c->gamma[PARAMETER] : 1;
    const double shift = with & WITH_PARAMETERS ? c->beta[PARAMETER] : 0;
    /* Given statistics are those that were rounded. */
    const double m = given && centered ? c->mean[STAT] : mean[STAT];
    const double s = given ? c->variance[STAT] : variance[STAT];
    const double own = (c->x[at] - mean[STAT]) / sqrt(variance[STAT] + EPSILON);
    const double h = (c->x[at] - m) / sqrt(s + EPSILON);
    y[at] = own * scale + shift;
    normalized = fmax(normalized, fabs(h));
    flow = fmax(flow, fabs(c->dy[at] * scale) / sqrt(s + EPSILON));
    total[STAT] += c->dy[at] * scale;
    along[STAT] += c->dy[at] * scale * h;
    dgamma[PARAMETER] += c->dy[at] * h;
    dbeta[PARAMETER] += c->dy[at];
  }
  EACH_VALUE {
    const double scale = with & WITH_PARAMETERS ? c->gamma[PARAMETER] : 1;
    const double s = given ? c->variance[STAT] : variance[STAT];
    const double inverse = 1 / sqrt(s + EPSILON), d = c->x[at] - mean[STAT];
    double slope = c->dy[at] * scale * inverse;
    if (!given) {
      slope -= d * inverse * inverse * along[STAT] / n;
      if (centered) slope -= inverse * total[STAT] / n;
      if (with & WITH_FLOWS) {
        slope += 2 * c->dvariance[STAT] * d / n;
        if (centered) slope += c->dmean[STAT] / n;
      }
    }
    dx[at] = slope;
  }
  /* Of random terms about as much remains as the root of their number. */
  const double sums = sqrt((double)c->size / (double)c->parameters) * normalized;
  double e = worst(c->y, y, c->size, 1);
  e = fmax(e, worst(c->dx, dx, c->size, flow));
  e = fmax(e, worst(c->mean, mean, c->stats, 1));
  e = fmax(e, worst(c->variance, variance, c->stats, 1));
  e = fmax(e, worst(c->dbeta, dbeta, c->parameters, sums));
  if (with & WITH_PARAMETERS) e = fmax(e, worst(c->dgamma, dgamma, c->parameters, sums));
  free(mean), free(variance), free(total), free(along);
  free(dgamma), free(dbeta), free(y), free(dx);
  return e;
}

static const View VIEWS[] = {
    /* columns: wide, long, narrow, in chunks, with rows that remain */
    {1, 60, 100, 1, 1},
    {1, 128, 1024, 1, 1},
    {1, 5, 3, 1, 1},
    {1, 1000, 10, 1, 1},
    {1, 20001, 17, 1, 1},
    {1, 784, 600, 1, 1},
    {1, 60, 10, 1, 4},
    {1, 131, 1, 1, 1},
    {1, 90001, 4, 1, 1},
    {2, 3, 4, 5, 6},
    {3, 3000, 4, 8, 1},
    {4, 196, 8, 16, 1},
    {2, 300, 3, 7, 5},
    {5, 1, 7, 1, 1},
    {1, 1, 1, 1, 1},
    {2, 1, 1, 9000, 15},
    /* rows */
    {400, 1, 1, 768, 1},
    {3, 1, 1, 5, 1},
    {9, 1, 1, 17, 1},
    {5000, 1, 1, 31, 1},
    {40, 1, 4, 16, 1},
    {1, 1, 50, 30, 1},
    {2, 1, 1, 9001, 1},
    {1, 1, 1, 70001, 1},
    /* runs */
    {1, 32, 16, 1, 784},
    {1, 4, 20, 1, 49},
    {4, 1, 8, 16, 196},
    {3, 2, 2, 3, 40},
    {1, 50, 1, 1, 4000},
    {1, 7, 3, 2, 16},
    /* written past the caches */
    {1, 33000, 128, 1, 1},
    {64, 1, 64, 1, 1040},
};
enum { VIEWS_COUNT = sizeof VIEWS / sizeof *VIEWS };

/* Of large views some kinds are enough, of very large ones a single one. */
static int is_worth_it(View v, int kind) {
  const Index size = v.batch * v.outer * v.group * v.channel * v.inner;
  return size < 50000 || (size < 1000000 ? kind % 5 == 0 : kind == 5);
}

/* True if another number of threads gives the same bits. */
static int same_bits(Case *c, int with) {
  const size_t bytes = (size_t)c->size * sizeof(float);
  float *y = allocate(c->size, sizeof(float)), *dx = allocate(c->size, sizeof(float));
  float *dbeta = allocate(c->parameters, sizeof(float));
  int same = 1;
  for (int threads = 1; threads <= 8; threads += threads == 3 ? 5 : 1) {
    pool_set_threads(threads);
    same = same && compute(c, with);
    if (threads == 1) {
      memcpy(y, c->y, bytes), memcpy(dx, c->dx, bytes);
      memcpy(dbeta, c->dbeta, (size_t)c->parameters * sizeof(float));
    }
    same = same && memcmp(y, c->y, bytes) == 0 && memcmp(dx, c->dx, bytes) == 0 &&
           memcmp(dbeta, c->dbeta, (size_t)c->parameters * sizeof(float)) == 0;
  }
  free(y), free(dx), free(dbeta);
  return same;
}

/* A thread that computes a case of its own, beside others. */
static void *compute_often(void *wrong) {
  Case c = make_case((View){1, 4000, 70, 1, 1}, 1, 0, 3);
  for (int i = 0; i < 20; i++)
    if (!compute(&c, WITH_PARAMETERS)) *(int *)wrong = 1;
  if (!(error_of(&c, WITH_PARAMETERS) < TOLERANCE)) *(int *)wrong = 1;
  free_case(&c);
  return NULL;
}

static int several_callers(void) {
  enum { CALLERS = 4 };
  pthread_t threads[CALLERS];
  int wrong[CALLERS] = {0}, all = 0;
  pool_set_threads(3);
  for (int i = 0; i < CALLERS; i++) {
    pthread_create(&threads[i], NULL, compute_often, &wrong[i]);
  }
  for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL), all += wrong[i];
  return all == 0;
}

int main(int count, char **arguments) {
  const char *isa = count > 1 ? arguments[1] : NULL;
  const char *used = loops_use(isa);
  if (isa != NULL && strcmp(isa, used) != 0) {
    printf("skipped, for this processor has no %s\n", isa);
    return 0;
  }
  int bad = 0, cases = 0;
  double most_wrong = 0;
  for (int i = 0; i < VIEWS_COUNT; i++)
    for (int kind = 0; kind < 16; kind++) {
      if (!is_worth_it(VIEWS[i], kind)) continue;
      const int centered = kind & 1, given = kind >> 1 & 1, with = kind >> 2;
      const double offset = centered && i % 2 ? 1e4 : 0.3;
      Case c = make_case(VIEWS[i], centered, given, offset);
      pool_set_threads(3);
      const int done = compute(&c, with);
      const double error = error_of(&c, with);
      if (!done || !(error < TOLERANCE)) {
        bad++;
        printf("view %d, kind %d: off by %g\n", i, kind, error);
      }
      if (kind == 5 && !same_bits(&c, with)) {
        bad++;
        printf("view %d: other bits with other threads\n", i);
      }
      most_wrong = fmax(most_wrong, error);
      cases++;
      free_case(&c);
    }
  if (!several_callers()) {
    bad++;
    puts("wrong beside other callers");
  }
  printf("%s: %d cases, off by %.2g at most\n", used, cases, most_wrong);
  return bad == 0 ? 0 : 1;
}
