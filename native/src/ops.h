/* The four ops, as TensorFlow knows them. */
#ifndef TFJS_NORMALIZATION_OPS_H
#define TFJS_NORMALIZATION_OPS_H

#include <stddef.h>

/*
 * Names, inputs, attributes and outputs of the ops. Another number stands for other ops, under
 * other names: then copies of different versions get along in one process.
 */
#define OPS_VERSION 1

/*
 * Finds the TensorFlow of tfjs-node's binding at this path, and registers the ops with it, once
 * in a process. Returns 0 if it cannot, with the reason in `why`.
 */
int ops_install(const char *binding, char *why, size_t length);

#endif
