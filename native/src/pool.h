/* Threads that take the tasks of one job at a time. */
#ifndef TFJS_NORMALIZATION_POOL_H
#define TFJS_NORMALIZATION_POOL_H

#include "index.h"

/*
 * Runs task(argument, i) for i = 0 … count - 1: each once, in any order, on any thread, with
 * the caller's floating-point settings. While a job runs, another caller computes alone.
 */
void pool_run(Index count, void (*task)(void *, Index), void *argument);

/* Sets the most threads that compute, the caller's included: 1 to 64. Starts with 1. */
void pool_set_threads(int threads);
int pool_threads(void);

#endif
