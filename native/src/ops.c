#include "ops.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "kernels.h"

#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define OP_NAME(name) "TfjsNormalizationV" TEXT(OPS_VERSION) name

static const struct {
  const char *name;
  void (*execute)(void *, TF_OpKernelContext *);
  const char *outputs[MOST_OUTPUTS + 1];
} OPS[] = {
    {OP_NAME("Normalize"),
     execute_normalize,
     {"y: float", "mean: float", "variance: float"}},
    {OP_NAME("ApplyStatistics"), execute_apply, {"y: float"}},
    {OP_NAME("NormalizeGrad"),
     execute_grad,
     {"dx: float", "dgamma: float", "dbeta: float"}},
    {OP_NAME("MovingStatistics"), execute_moving, {"mean: float", "variance: float"}},
};

enum { OPS_COUNT = sizeof OPS / sizeof *OPS };

static void any_shape(TF_ShapeInferenceContext *context, TF_Status *status) {
  tf.TF_ShapeInferenceContextSetUnknownShape(context, status);
}

static void register_op(int i, TF_Status *status) {
  TF_OpDefinitionBuilder *op = tf.TF_NewOpDefinitionBuilder(OPS[i].name);
  tf.TF_OpDefinitionBuilderAddInput(op, "values: N * float");
  for (int o = 0; OPS[i].outputs[o] != NULL; o++)
    tf.TF_OpDefinitionBuilderAddOutput(op, OPS[i].outputs[o]);
  tf.TF_OpDefinitionBuilderAddAttr(op, "N: int >= 1");
  tf.TF_OpDefinitionBuilderAddAttr(op, "view: list(int) >= 6");
  tf.TF_OpDefinitionBuilderAddAttr(op, "epsilon: float");
  tf.TF_OpDefinitionBuilderSetShapeInferenceFunction(op, any_shape);
  tf.TF_RegisterOpDefinition(op, status);
  if (tf.TF_GetCode(status) != TF_OK) return;
  TF_KernelBuilder *kernel = tf.TF_NewKernelBuilder(OPS[i].name, "CPU", kernel_create,
                                                    OPS[i].execute, kernel_delete);
  tf.TF_RegisterKernelBuilder(OPS[i].name, kernel, status);
}

static int register_all(char *why, size_t length) {
  TF_Status *status = tf.TF_NewStatus();
  for (int i = 0; i < OPS_COUNT && tf.TF_GetCode(status) == TF_OK; i++)
    register_op(i, status);
  const int done = tf.TF_GetCode(status) == TF_OK;
  if (!done)
    snprintf(why, length, "TensorFlow refuses the ops: %s", tf.TF_Message(status));
  tf.TF_DeleteStatus(status);
  return done;
}

/*
 * Tells if another copy of this library has registered the ops. To register a name twice ends
 * the process. TensorFlow lists its ops in a binary format, with names as they are.
 */
static int are_registered(void) {
  const char *name = OPS[OPS_COUNT - 1].name;
  const size_t length = strlen(name);
  TF_Buffer *list = tf.TF_GetAllOpList();
  if (list == NULL) return 0;
  const char *at = list->data;
  size_t left = at == NULL ? 0 : list->length;
  int found = 0;
  while (!found && left >= length) {
    const char *next = memchr(at, name[0], left - length + 1);
    if (next == NULL) break;
    found = memcmp(next, name, length) == 0;
    left -= (size_t)(next + 1 - at);
    at = next + 1;
  }
  tf.TF_DeleteBuffer(list);
  return found;
}

typedef enum { UNTRIED, INSTALLED, REFUSED } State;

static State install(const char *binding, char *why, size_t length) {
  const char *missing = find_tensorflow(binding);
  if (missing != NULL) {
    snprintf(why, length, "%s is not in the process", missing);
    return UNTRIED;
  }
  if (are_registered()) return INSTALLED;
  if (!stay_loaded()) {
    snprintf(why, length, "the system may unload this library at any time");
    return UNTRIED;
  }
  return register_all(why, length) ? INSTALLED : REFUSED;
}

int ops_install(const char *binding, char *why, size_t length) {
  /* Workers may load at the same time. What TensorFlow has refused is not tried again. */
  static atomic_flag busy = ATOMIC_FLAG_INIT;
  static State state = UNTRIED;
  static char reason[512];
  while (atomic_flag_test_and_set(&busy)) {
  }
  if (state == UNTRIED) state = install(binding, reason, sizeof reason);
  const int done = state == INSTALLED;
  if (!done) snprintf(why, length, "%s", reason);
  atomic_flag_clear(&busy);
  return done;
}
