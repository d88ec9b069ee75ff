/* The ops' kernels, as TensorFlow makes, calls and deletes them. */
#ifndef TFJS_NORMALIZATION_KERNELS_H
#define TFJS_NORMALIZATION_KERNELS_H

#include "tensorflow.h"

enum { MOST_OUTPUTS = 3 };

/* Reads the attributes `view` and `epsilon`. Returns null after a failure. */
void *kernel_create(TF_OpKernelConstruction *);
void kernel_delete(void *kernel);

/* The four ops: each computes with a kernel's attributes, or gives TensorFlow an error. */
void execute_normalize(void *kernel, TF_OpKernelContext *);
void execute_apply(void *kernel, TF_OpKernelContext *);
void execute_grad(void *kernel, TF_OpKernelContext *);
void execute_moving(void *kernel, TF_OpKernelContext *);

#endif
