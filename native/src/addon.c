/*
 * The addon that Node loads. Node-API is looked up in the process, so that there are no
 * headers, no import library and no build for each version of Node.
 */
#include <stdint.h>
#include <string.h>

#include "loops.h"
#include "ops.h"
#include "pool.h"
#include "tensorflow.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

#define NODE_FUNCTIONS(X)                                                              \
  X(int, napi_create_function,                                                         \
    (napi_env, const char *, size_t, napi_callback, void *, napi_value *))             \
  X(int, napi_set_named_property, (napi_env, napi_value, const char *, napi_value))    \
  X(int, napi_get_cb_info,                                                             \
    (napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **))     \
  X(int, napi_get_value_string_utf8, (napi_env, napi_value, char *, size_t, size_t *)) \
  X(int, napi_get_value_int32, (napi_env, napi_value, int32_t *))                      \
  X(int, napi_create_int32, (napi_env, int32_t, napi_value *))                         \
  X(int, napi_create_string_utf8, (napi_env, const char *, size_t, napi_value *))      \
  X(int, napi_throw_error, (napi_env, const char *, const char *))

/* Every thread that loads the addon finds the same. */
static struct {
  NODE_FUNCTIONS(DECLARE)
} node;

/* The first argument, or null. */
static napi_value argument_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = NULL;
  if (node.napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != 0) return NULL;
  return count > 0 ? argument : NULL;
}

/* Reads a text; an empty one where there is none. */
static void read_text(napi_env env, napi_value value, char *text, size_t length) {
  text[0] = '\0';
  if (value != NULL) node.napi_get_value_string_utf8(env, value, text, length, NULL);
}

static napi_value text_of(napi_env env, const char *text) {
  napi_value result = NULL;
  node.napi_create_string_utf8(env, text, strlen(text), &result);
  return result;
}

static napi_value number_of(napi_env env, int number) {
  napi_value result = NULL;
  node.napi_create_int32(env, number, &result);
  return result;
}

/* install(path of tfjs-node's binding): the ops' version. Throws if it cannot. */
static napi_value js_install(napi_env env, napi_callback_info info) {
  char path[4096], why[512] = "";
  read_text(env, argument_of(env, info), path, sizeof path);
  if (ops_install(path, why, sizeof why)) return number_of(env, OPS_VERSION);
  node.napi_throw_error(env, NULL, why);
  return NULL;
}

/* threads(most?): the most threads from now on, as they were or as the argument says. */
static napi_value js_threads(napi_env env, napi_callback_info info) {
  const napi_value argument = argument_of(env, info);
  int32_t most;
  if (argument != NULL && node.napi_get_value_int32(env, argument, &most) == 0)
    pool_set_threads(most);
  return number_of(env, pool_threads());
}

/* instructions(name?): those from now on, as they were or the nearest to what is asked for. */
static napi_value js_instructions(napi_env env, napi_callback_info info) {
  char name[16];
  read_text(env, argument_of(env, info), name, sizeof name);
  return text_of(env, name[0] == '\0' ? loops()->name : loops_use(name));
}

EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
#define FIND(result, name, parameters) \
  if (!(*(void **)&node.name = find_in_process(#name))) return exports;
  NODE_FUNCTIONS(FIND)
#undef FIND
  static const struct {
    const char *name;
    napi_callback callback;
  } METHODS[] = {
      {"install", js_install},
      {"threads", js_threads},
      {"instructions", js_instructions},
  };
  for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
    napi_value method;
    if (node.napi_create_function(env, METHODS[i].name, strlen(METHODS[i].name),
                                  METHODS[i].callback, NULL, &method) == 0)
      node.napi_set_named_property(env, exports, METHODS[i].name, method);
  }
  return exports;
}

EXPORT int32_t node_api_module_get_api_version_v1(void) { return 8; }
