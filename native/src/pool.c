#define _GNU_SOURCE
#include "pool.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
  MOST_THREADS = 64,
  /* A short wait costs less than to sleep and be woken; a long one would cost others. */
  PAUSES = 500,
};

/* ------------------------------------------------------------------ threads */

static void serve(void);

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef SRWLOCK Lock;
typedef CONDITION_VARIABLE Signal;
#define NEW_LOCK SRWLOCK_INIT
#define NEW_SIGNAL CONDITION_VARIABLE_INIT
static void lock(Lock *l) { AcquireSRWLockExclusive(l); }
static void unlock(Lock *l) { ReleaseSRWLockExclusive(l); }
static void wait_for(Signal *s, Lock *l) { SleepConditionVariableSRW(s, l, INFINITE, 0); }
static void wake_all(Signal *s) { WakeAllConditionVariable(s); }

static DWORD WINAPI thread_main(void *unused) {
  (void)unused;
  serve();
  return 0;
}

static int start_thread(void) {
  HANDLE thread = CreateThread(NULL, 0, thread_main, NULL, 0, NULL);
  if (thread == NULL) return 0;
  CloseHandle(thread);
  return 1;
}
#else
#include <pthread.h>
#include <signal.h>

typedef pthread_mutex_t Lock;
typedef pthread_cond_t Signal;
#define NEW_LOCK PTHREAD_MUTEX_INITIALIZER
#define NEW_SIGNAL PTHREAD_COND_INITIALIZER
static void lock(Lock *l) { pthread_mutex_lock(l); }
static void unlock(Lock *l) { pthread_mutex_unlock(l); }
static void wait_for(Signal *s, Lock *l) { pthread_cond_wait(s, l); }
static void wake_all(Signal *s) { pthread_cond_broadcast(s); }

static void *thread_main(void *unused) {
  (void)unused;
  serve();
  return NULL;
}

/* The thread gets no signals: those are for the program's own threads. */
static int start_thread(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  if (pthread_attr_init(&attributes) != 0) return 0;
  /* Ample for the loops, and for what libraries keep on a thread's stack. */
  pthread_attr_setstacksize(&attributes, (size_t)1 << 20);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int started = pthread_create(&thread, &attributes, thread_main, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return started;
}
#endif

/* ---------------------------------------------------------------- processor */

#if defined(__x86_64__)
static void pause_briefly(void) { __builtin_ia32_pause(); }
static uint64_t floating_point(void) { return __builtin_ia32_stmxcsr(); }
static void set_floating_point(uint64_t state) {
  __builtin_ia32_ldmxcsr((unsigned)state & ~0x3fu);
}
#elif defined(__aarch64__)
static void pause_briefly(void) { __asm__ volatile("yield"); }
static uint64_t floating_point(void) {
  uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
  return state;
}
static void set_floating_point(uint64_t state) {
  __asm__ volatile("msr fpcr, %0" : : "r"(state));
}
#else
static void pause_briefly(void) {}
static uint64_t floating_point(void) { return 0; }
static void set_floating_point(uint64_t state) { (void)state; }
#endif

/* ---------------------------------------------------------------------- job */

static Lock guard = NEW_LOCK;
static Signal posted = NEW_SIGNAL, finished = NEW_SIGNAL;

/* Held by the caller whose job it is. */
static atomic_flag busy = ATOMIC_FLAG_INIT;
static int started;

/* The job. What is not atomic is written under the guard, before anyone joins. */
static void (*job_task)(void *, Index);
static void *job_argument;
static Index job_count;
static uint64_t job_floating_point;
static int job_open, job_wanted;
static atomic_uint job_number;
static _Atomic Index job_next;
static atomic_int job_inside, sleepers;

static atomic_int most_threads = 1;

static void take_tasks(void) {
  Index i;
  while ((i = atomic_fetch_add(&job_next, 1)) < job_count) job_task(job_argument, i);
}

/* Waits for jobs, and helps with each that wants help. Never returns. */
static void serve(void) {
  unsigned seen = 0;
  for (;;) {
    for (int i = 0; i < PAUSES && atomic_load(&job_number) == seen; i++) pause_briefly();
    lock(&guard);
    while (atomic_load(&job_number) == seen) {
      atomic_fetch_add(&sleepers, 1);
      wait_for(&posted, &guard);
      atomic_fetch_sub(&sleepers, 1);
    }
    seen = atomic_load(&job_number);
    const int joins = job_open && atomic_load(&job_inside) < job_wanted;
    if (joins) {
      atomic_fetch_add(&job_inside, 1);
      set_floating_point(job_floating_point);
    }
    unlock(&guard);
    if (!joins) continue;
    take_tasks();
    lock(&guard);
    if (atomic_fetch_sub(&job_inside, 1) == 1) wake_all(&finished);
    unlock(&guard);
  }
}

void pool_set_threads(int threads) {
  atomic_store(&most_threads, threads < 1              ? 1
                              : threads > MOST_THREADS ? MOST_THREADS
                                                       : threads);
}

int pool_threads(void) { return atomic_load(&most_threads); }

void pool_run(Index count, void (*task)(void *, Index), void *argument) {
  const int threads = pool_threads();
  if (count <= 1 || threads <= 1 || atomic_flag_test_and_set(&busy)) {
    for (Index i = 0; i < count; i++) task(argument, i);
    return;
  }
  /* Where a thread cannot be had, fewer do. */
  while (started < threads - 1 && start_thread()) started++;
  lock(&guard);
  job_task = task;
  job_argument = argument;
  job_count = count;
  job_floating_point = floating_point();
  job_open = 1;
  job_wanted = (int)least(count, threads) - 1;
  atomic_store(&job_next, 0);
  atomic_fetch_add(&job_number, 1);
  if (atomic_load(&sleepers) > 0) wake_all(&posted);
  unlock(&guard);
  take_tasks();
  lock(&guard);
  job_open = 0;
  unlock(&guard);
  for (int i = 0; i < PAUSES && atomic_load(&job_inside) > 0; i++) pause_briefly();
  lock(&guard);
  while (atomic_load(&job_inside) > 0) wait_for(&finished, &guard);
  unlock(&guard);
  atomic_flag_clear(&busy);
}
