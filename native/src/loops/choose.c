/* Chooses the loops for the processor. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "../loops.h"

extern const Loops loops_base;

#if defined(__x86_64__)
#include <cpuid.h>

extern const Loops loops_avx2, loops_avx512;

/* The registers that the operating system saves; asking needs OSXSAVE. */
static uint64_t saved_registers(void) {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static int all_set(uint64_t bits, uint64_t wanted) { return (bits & wanted) == wanted; }

/*
 * 0: SSE2. 1: x86-64-v3, which is AVX2 with FMA, BMI, F16C, LZCNT and MOVBE. 2: x86-64-v4, with
 * AVX-512 F, DQ, CD, BW and VL besides. The compiler may use any instruction of a level.
 */
static int x86_level(void) {
  unsigned a, b, c, d, extended;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  /* FMA, SSE4.1, SSE4.2, MOVBE, POPCNT, OSXSAVE, AVX, F16C; SSE3 and SSSE3. */
  const unsigned first = 1u << 12 | 1u << 19 | 1u << 20 | 1u << 22 | 1u << 23 | 1u << 27 |
                         1u << 28 | 1u << 29 | 1u << 0 | 1u << 9;
  if (!all_set(c, first)) return 0;
  const uint64_t registers = saved_registers();
  if (!all_set(registers, 0x6)) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const unsigned features = b;
  if (!__get_cpuid(0x80000001, &a, &b, &extended, &d) || !(extended >> 5 & 1)) return 0;
  /* BMI1, AVX2, BMI2 */
  if (!all_set(features, 1u << 3 | 1u << 5 | 1u << 8)) return 0;
  const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
  return all_set(features, avx512) && all_set(registers, 0xe6) ? 2 : 1;
}
#endif

static const Loops *best_of(const char *name) {
#if defined(__x86_64__)
  static const Loops *const LEVELS[] = {&loops_base, &loops_avx2, &loops_avx512};
  int level = x86_level();
  if (name != NULL)
    while (level > 0 && strcmp(LEVELS[level]->name, name) != 0) level--;
  return LEVELS[level];
#else
  (void)name;
  return &loops_base;
#endif
}

static _Atomic(const Loops *) chosen;

const char *loops_use(const char *name) {
  const Loops *best = best_of(name);
  atomic_store(&chosen, best);
  return best->name;
}

const Loops *loops(void) {
  const Loops *known = atomic_load_explicit(&chosen, memory_order_acquire);
  if (known != NULL) return known;
  loops_use(NULL);
  return atomic_load(&chosen);
}
