#include "kernels.h"

#include <stdlib.h>

#include "view.h"

typedef enum { NORMALIZE, APPLY_STATISTICS, NORMALIZE_GRAD, MOVING_STATISTICS } Kind;

/* The last number of the attribute `view`: what is there, and what is to be computed. */
enum {
  SCALE = 1,
  CENTER = 2,
  CENTERED = 4,
  GIVEN = 8,
  STATISTICS = 16,
  ALL_FLAGS = 31,
};

enum { VIEW = 6, MOST_INPUTS = 8, MOST_AXES = 32 };

static const int64_t MOST_VALUES = INT64_C(1) << 40;

/* The attributes: five lengths, of which batch or outer may be -1 for any, and flags. */
typedef struct {
  int64_t view[VIEW];
  float epsilon;
} Kernel;

static int is_valid(const Kernel *k) {
  int64_t known = 1;
  for (int i = 0; i < VIEW - 1; i++) {
    const int64_t length = k->view[i];
    const int is_open = length == -1 && (i == 0 || (i == 1 && k->view[0] != -1));
    if (is_open) continue;
    if (length < 1 || length > MOST_VALUES / known) return 0;
    known *= length;
  }
  /* The comparison is false for NaN. */
  return (k->view[VIEW - 1] & ~(int64_t)ALL_FLAGS) == 0 && k->epsilon >= 0 &&
         k->epsilon - k->epsilon == 0;
}

void *kernel_create(TF_OpKernelConstruction *construction) {
  TF_Status *status = tf.TF_NewStatus();
  Kernel *k = calloc(1, sizeof *k);
  if (k == NULL) {
    tf.TF_SetStatus(status, TF_RESOURCE_EXHAUSTED, "no memory for the kernel");
  } else {
    tf.TF_OpKernelConstruction_GetAttrInt64List(construction, "view", k->view, VIEW,
                                                status);
    if (tf.TF_GetCode(status) == TF_OK)
      tf.TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &k->epsilon,
                                              status);
    if (tf.TF_GetCode(status) == TF_OK && !is_valid(k))
      tf.TF_SetStatus(status, TF_INVALID_ARGUMENT, "view or epsilon is not valid");
  }
  if (tf.TF_GetCode(status) != TF_OK) {
    tf.TF_OpKernelConstruction_Failure(construction, status);
    free(k);
    k = NULL;
  }
  tf.TF_DeleteStatus(status);
  return k;
}

void kernel_delete(void *k) { free(k); }

/* ---------------------------------------------------------------- execution */

/* One execution: the tensors that it holds, and the first thing that went wrong. */
typedef struct {
  TF_OpKernelContext *context;
  TF_Status *status;
  int inputs, taken, outputs;
  TF_Tensor *in[MOST_INPUTS], *out[MOST_OUTPUTS];
} Execution;

static int has_failed(const Execution *e) { return tf.TF_GetCode(e->status) != TF_OK; }

static void fail(Execution *e, int code, const char *message) {
  if (!has_failed(e)) tf.TF_SetStatus(e->status, code, message);
}

static int64_t size_of(const TF_Tensor *tensor) {
  return (int64_t)(tf.TF_TensorByteSize(tensor) / sizeof(float));
}

/* The values of the next input, which must have so many. Null after a failure. */
static const float *take(Execution *e, int64_t count) {
  if (has_failed(e)) return NULL;
  if (e->taken >= e->inputs) {
    fail(e, TF_INVALID_ARGUMENT, "an input is missing");
    return NULL;
  }
  const TF_Tensor *tensor = e->in[e->taken++];
  const float *values = tf.TF_TensorData(tensor);
  if (size_of(tensor) != count || values == NULL) {
    fail(e, TF_INVALID_ARGUMENT, "an input has another size than the view gives it");
    return NULL;
  }
  return values;
}

static const float *take_if(Execution *e, int is_there, int64_t count) {
  return is_there ? take(e, count) : NULL;
}

/* Fails if inputs are left over. */
static void take_no_more(Execution *e) {
  if (!has_failed(e) && e->taken != e->inputs)
    fail(e, TF_INVALID_ARGUMENT, "there are too many inputs");
}

static float *give_shaped(Execution *e, const int64_t *shape, int rank, int64_t count) {
  if (has_failed(e)) return NULL;
  TF_Tensor *tensor = tf.TF_AllocateOutput(e->context, e->outputs, TF_FLOAT, shape, rank,
                                           (size_t)count * sizeof(float), e->status);
  if (tensor == NULL) {
    fail(e, TF_RESOURCE_EXHAUSTED, "no memory for an output");
    return NULL;
  }
  e->out[e->outputs++] = tensor;
  float *values = tf.TF_TensorData(tensor);
  if (values == NULL && count > 0)
    fail(e, TF_RESOURCE_EXHAUSTED, "no memory for an output");
  return values;
}

/* The values of the next output: a vector. Null after a failure. */
static float *give(Execution *e, int64_t count) {
  return give_shaped(e, &count, 1, count);
}

/* The same, in the shape of an input. */
static float *give_like(Execution *e, const TF_Tensor *like) {
  int64_t shape[MOST_AXES];
  const int rank = tf.TF_NumDims(like);
  if (rank > MOST_AXES) {
    fail(e, TF_INVALID_ARGUMENT, "an input has too many axes");
    return NULL;
  }
  for (int i = 0; i < rank; i++) shape[i] = tf.TF_Dim(like, i);
  return give_shaped(e, shape, rank, size_of(like));
}

/* The kernel's view of so many values. Returns 0 if it does not fit them. */
static int problem_of(const Kernel *k, int64_t size, Problem *p) {
  int64_t lengths[VIEW - 1], known = 1;
  int open = -1;
  for (int i = 0; i < VIEW - 1; i++) {
    lengths[i] = k->view[i];
    if (lengths[i] == -1) {
      open = i;
    } else {
      known *= lengths[i];
    }
  }
  if (size < 1 || size > MOST_VALUES || size % known != 0) return 0;
  if (open >= 0) {
    lengths[open] = size / known;
  } else if (known != size) {
    return 0;
  }
  const int64_t flags = k->view[VIEW - 1];
  *p = (Problem){
      .view = {(Index)lengths[0], (Index)lengths[1], (Index)lengths[2], (Index)lengths[3],
               (Index)lengths[4]},
      .epsilon = k->epsilon,
      .centered = (flags & CENTERED) != 0,
      .given = (flags & GIVEN) != 0,
  };
  return 1;
}

/* `[x, gamma?, beta?] → [y, mean, variance]` */
static int run_normalize(Execution *e, const Problem *p, int64_t flags, int64_t stats,
                         int64_t parameters) {
  const float *x = take(e, size_of(e->in[0]));
  const float *gamma = take_if(e, (flags & SCALE) != 0, parameters);
  const float *beta = take_if(e, (flags & CENTER) != 0, parameters);
  take_no_more(e);
  float *y = has_failed(e) ? NULL : give_like(e, e->in[0]);
  float *mean = give(e, stats), *variance = give(e, stats);
  return has_failed(e) || normalize(p, x, gamma, beta, y, mean, variance);
}

/* `[x, mean, variance, gamma?, beta?] → [y]` */
static int run_apply(Execution *e, const Problem *p, int64_t flags, int64_t stats,
                     int64_t parameters) {
  const float *x = take(e, size_of(e->in[0]));
  const float *mean = take(e, stats), *variance = take(e, stats);
  const float *gamma = take_if(e, (flags & SCALE) != 0, parameters);
  const float *beta = take_if(e, (flags & CENTER) != 0, parameters);
  take_no_more(e);
  float *y = has_failed(e) ? NULL : give_like(e, e->in[0]);
  return has_failed(e) || apply_statistics(p, x, mean, variance, gamma, beta, y);
}

/*
 * `[dy, dmean?, dvariance?, x, mean, variance, gamma?] → [dx, dgamma, dbeta]`, the last two
 * empty where the flags say that there is none.
 */
static int run_grad(Execution *e, const Problem *p, int64_t flags, int64_t stats,
                    int64_t parameters) {
  const int64_t size = size_of(e->in[0]);
  const int flows = (flags & STATISTICS) != 0;
  const int scale = (flags & SCALE) != 0, center = (flags & CENTER) != 0;
  const float *dy = take(e, size);
  const float *dmean = take_if(e, flows, stats);
  const float *dvariance = take_if(e, flows, stats);
  const int place_of_x = e->taken;
  const float *x = take(e, size), *mean = take(e, stats), *variance = take(e, stats);
  const float *gamma = take_if(e, scale, parameters);
  take_no_more(e);
  float *dx = has_failed(e) ? NULL : give_like(e, e->in[place_of_x]);
  float *dgamma = give(e, scale ? parameters : 0);
  float *dbeta = give(e, center ? parameters : 0);
  return has_failed(e) ||
         normalize_grad(p, dy, dmean, dvariance, x, mean, variance, gamma, dx,
                        scale ? dgamma : NULL, center ? dbeta : NULL);
}

static int is_finite(float value) { return value - value == 0; }

/*
 * `[movingMean, movingVariance, mean, variance, rate] → [movingMean, movingVariance]`, each
 * `old * (1 - rate) + new * rate`; both stay where one of the new ones is not finite.
 */
static void run_moving(Execution *e) {
  const int64_t size = size_of(e->in[0]);
  const float *old_mean = take(e, size), *old_variance = take(e, size);
  const float *mean = take(e, size), *variance = take(e, size), *rate = take(e, 1);
  take_no_more(e);
  float *moved_mean = has_failed(e) ? NULL : give_like(e, e->in[0]);
  float *moved_variance = has_failed(e) ? NULL : give_like(e, e->in[1]);
  if (has_failed(e)) return;
  const float share = *rate, rest = 1 - share;
  for (int64_t i = 0; i < size; i++) {
    const int usable = is_finite(mean[i]) && is_finite(variance[i]);
    moved_mean[i] = usable ? old_mean[i] * rest + mean[i] * share : old_mean[i];
    moved_variance[i] =
        usable ? old_variance[i] * rest + variance[i] * share : old_variance[i];
  }
}

static void compute(const Kernel *k, Execution *e, Kind kind) {
  if (kind == MOVING_STATISTICS) {
    run_moving(e);
    return;
  }
  Problem p;
  if (!problem_of(k, size_of(e->in[0]), &p)) {
    fail(e, TF_INVALID_ARGUMENT, "the first input does not fit the view");
    return;
  }
  const int64_t flags = k->view[VIEW - 1];
  const int64_t stats = (int64_t)p.view.batch * p.view.group;
  const int64_t parameters = (int64_t)p.view.group * p.view.channel;
  const int done = kind == NORMALIZE ? run_normalize(e, &p, flags, stats, parameters)
                   : kind == APPLY_STATISTICS ? run_apply(e, &p, flags, stats, parameters)
                                              : run_grad(e, &p, flags, stats, parameters);
  if (!done) fail(e, TF_RESOURCE_EXHAUSTED, "no memory to compute in");
}

static void execute(const Kernel *k, TF_OpKernelContext *context, Kind kind) {
  Execution e = {.context = context, .status = tf.TF_NewStatus()};
  const int count = tf.TF_NumInputs(context);
  if (k == NULL || count < 1 || count > MOST_INPUTS) {
    fail(&e, TF_INVALID_ARGUMENT, "there are too few or too many inputs");
  } else {
    while (e.inputs < count && !has_failed(&e)) {
      tf.TF_GetInput(context, e.inputs, &e.in[e.inputs], e.status);
      if (!has_failed(&e)) e.inputs++;
    }
    if (!has_failed(&e)) compute(k, &e, kind);
  }
  if (has_failed(&e)) tf.TF_OpKernelContext_Failure(context, e.status);
  for (int i = 0; i < e.inputs; i++) tf.TF_DeleteTensor(e.in[i]);
  for (int i = 0; i < e.outputs; i++) tf.TF_DeleteTensor(e.out[i]);
  tf.TF_DeleteStatus(e.status);
}

void execute_normalize(void *k, TF_OpKernelContext *c) {
  execute(k, c, NORMALIZE);
}
void execute_apply(void *k, TF_OpKernelContext *c) {
  execute(k, c, APPLY_STATISTICS);
}
void execute_grad(void *k, TF_OpKernelContext *c) {
  execute(k, c, NORMALIZE_GRAD);
}
void execute_moving(void *k, TF_OpKernelContext *c) {
  execute(k, c, MOVING_STATISTICS);
}
