/*
 * TensorFlow's C API, looked up in the TensorFlow that tfjs-node has loaded: nothing is linked.
 * It has been stable for plugins since 2.5; a function that is missing refuses the addon.
 */
#ifndef TFJS_NORMALIZATION_TENSORFLOW_H
#define TFJS_NORMALIZATION_TENSORFLOW_H

#include <stddef.h>
#include <stdint.h>

typedef struct TF_Buffer {
  const void *data;
  size_t length;
  void (*data_deallocator)(void *, size_t);
} TF_Buffer;
typedef struct TF_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpKernelContext TF_OpKernelContext;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;

enum { TF_FLOAT = 1 };
enum { TF_OK = 0, TF_INVALID_ARGUMENT = 3, TF_RESOURCE_EXHAUSTED = 8 };

#define TF_FUNCTIONS(X)                                                              \
  X(TF_Status *, TF_NewStatus, (void))                                               \
  X(void, TF_DeleteStatus, (TF_Status *))                                            \
  X(int, TF_GetCode, (const TF_Status *))                                            \
  X(const char *, TF_Message, (const TF_Status *))                                   \
  X(void, TF_SetStatus, (TF_Status *, int, const char *))                            \
  X(TF_Buffer *, TF_GetAllOpList, (void))                                            \
  X(void, TF_DeleteBuffer, (TF_Buffer *))                                            \
  X(TF_OpDefinitionBuilder *, TF_NewOpDefinitionBuilder, (const char *))             \
  X(void, TF_OpDefinitionBuilderAddAttr, (TF_OpDefinitionBuilder *, const char *))   \
  X(void, TF_OpDefinitionBuilderAddInput, (TF_OpDefinitionBuilder *, const char *))  \
  X(void, TF_OpDefinitionBuilderAddOutput, (TF_OpDefinitionBuilder *, const char *)) \
  X(void, TF_OpDefinitionBuilderSetShapeInferenceFunction,                           \
    (TF_OpDefinitionBuilder *, void (*)(TF_ShapeInferenceContext *, TF_Status *)))   \
  X(void, TF_ShapeInferenceContextSetUnknownShape,                                   \
    (TF_ShapeInferenceContext *, TF_Status *))                                       \
  X(void, TF_RegisterOpDefinition, (TF_OpDefinitionBuilder *, TF_Status *))          \
  X(TF_KernelBuilder *, TF_NewKernelBuilder,                                         \
    (const char *, const char *, void *(*)(TF_OpKernelConstruction *),               \
     void (*)(void *, TF_OpKernelContext *), void (*)(void *)))                      \
  X(void, TF_RegisterKernelBuilder, (const char *, TF_KernelBuilder *, TF_Status *)) \
  X(void, TF_OpKernelConstruction_GetAttrInt64List,                                  \
    (TF_OpKernelConstruction *, const char *, int64_t *, int, TF_Status *))          \
  X(void, TF_OpKernelConstruction_GetAttrFloat,                                      \
    (TF_OpKernelConstruction *, const char *, float *, TF_Status *))                 \
  X(void, TF_OpKernelConstruction_Failure, (TF_OpKernelConstruction *, TF_Status *)) \
  X(int, TF_NumInputs, (TF_OpKernelContext *))                                       \
  X(void, TF_GetInput, (TF_OpKernelContext *, int, TF_Tensor **, TF_Status *))       \
  X(TF_Tensor *, TF_AllocateOutput,                                                  \
    (TF_OpKernelContext *, int, int, const int64_t *, int, size_t, TF_Status *))     \
  X(void, TF_OpKernelContext_Failure, (TF_OpKernelContext *, TF_Status *))           \
  X(int, TF_NumDims, (const TF_Tensor *))                                            \
  X(int64_t, TF_Dim, (const TF_Tensor *, int))                                       \
  X(void *, TF_TensorData, (const TF_Tensor *))                                      \
  X(size_t, TF_TensorByteSize, (const TF_Tensor *))                                  \
  X(void, TF_DeleteTensor, (TF_Tensor *))

#define DECLARE(result, name, parameters) result(*name) parameters;

typedef struct {
  TF_FUNCTIONS(DECLARE)
} TensorFlow;

/* The functions, once find_tensorflow has found them. */
extern TensorFlow tf;

/*
 * Looks all functions up, through tfjs-node's binding at this path or else in TensorFlow's own
 * library. Returns null, or the name of what is missing.
 */
const char *find_tensorflow(const char *binding);

/*
 * Keeps this library in the process until its end: TensorFlow keeps pointers into it, and Node
 * would unload it with the worker that loaded it. Returns 0 if that cannot be had.
 */
int stay_loaded(void);

/* A function that is in the process already, by its name; null if there is none. */
void *find_in_process(const char *name);

#endif
