#define _GNU_SOURCE
#include "tensorflow.h"

TensorFlow tf;

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef HMODULE Library;

static void *find(Library library, const char *name) {
  return (void *)GetProcAddress(library, name);
}

static Library loaded(const char *path) { return GetModuleHandleA(path); }

void *find_in_process(const char *name) { return find(GetModuleHandleA(NULL), name); }

int stay_loaded(void) {
  HMODULE self;
  const DWORD how =
      GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  return GetModuleHandleExA(how, (const char *)&tf, &self) != 0;
}
#else
#include <dlfcn.h>

typedef void *Library;

static void *find(Library library, const char *name) { return dlsym(library, name); }

/* A library that is loaded already, never a new one. Looking in it looks in what it needs. */
static Library loaded(const char *path) {
  return dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
}

void *find_in_process(const char *name) { return dlsym(RTLD_DEFAULT, name); }

int stay_loaded(void) {
  Dl_info info;
  return dladdr((void *)&tf, &info) != 0 && info.dli_fname != NULL &&
         dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) != NULL;
}
#endif

static const char *find_all(Library library) {
  TensorFlow found;
#define FIND(result, name, parameters) \
  if (!(*(void **)&found.name = find(library, #name))) return #name;
  TF_FUNCTIONS(FIND)
#undef FIND
  tf = found;
  return NULL;
}

const char *find_tensorflow(const char *binding) {
  const char *const names[] = {
      binding,
#if defined(_WIN32)
      "tensorflow.dll",
#elif defined(__APPLE__)
      "libtensorflow.2.dylib",
#else
      "libtensorflow.so.2",
#endif
  };
  const char *missing = "TensorFlow's library";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (names[i][0] == '\0') continue;
    const Library library = loaded(names[i]);
    if (library == NULL) continue;
    missing = find_all(library);
    if (missing == NULL) return NULL;
  }
  return missing;
}
