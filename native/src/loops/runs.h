/* Loops along runs: n values in a row. */
#ifndef TFJS_NORMALIZATION_RUN_LOOPS_H
#define TFJS_NORMALIZATION_RUN_LOOPS_H

#include "vectors.h"

/* Joins the mean and m2 of n values with those of m others. */
INLINE void join(double *mean, double *m2, double n, double other, double sq, double m) {
  double d = other - *mean, w = m / (n + m);
  *mean += d * w;
  *m2 += sq + d * d * n * w;
}

/* Sums of x - shift and of its squares. */
INLINE void block_moments(const float *x, Index n, float shift, double *r, double *q) {
  if (n < V) {
    double a = 0, b = 0;
    for (Index i = 0; i < n; i++) {
      double d = (double)x[i] - shift;
      a += d;
      b += d * d;
    }
    *r = a;
    *q = b;
    return;
  }
  const vf s = splat(shift);
  vf r0 = splat(0), r1 = r0, r2 = r0, r3 = r0, q0 = r0, q1 = r0, q2 = r0, q3 = r0;
  Index i = 0;
  for (; i + 4 * V <= n; i += 4 * V) {
    vf a = load(x + i) - s, b = load(x + i + V) - s, c = load(x + i + 2 * V) - s,
       d = load(x + i + 3 * V) - s;
    r0 += a;
    r1 += b;
    r2 += c;
    r3 += d;
    q0 += a * a;
    q1 += b * b;
    q2 += c * c;
    q3 += d * d;
  }
  for (; i + V <= n; i += V) {
    vf a = load(x + i) - s;
    r0 += a;
    q0 += a * a;
  }
  if (i < n) {
    vf a = masked(load(x + n - V) - s, tail_mask(n - i));
    r1 += a;
    q1 += a * a;
  }
  *r = hsum((r0 + r1) + (r2 + r3));
  *q = hsum((q0 + q1) + (q2 + q3));
}

/* A number near the mean, to take deviations from; its rounding does not matter. */
INLINE float rough_mean(const float *x, Index n) {
  const float first = x[0];
  if (n < V) {
    float s = 0;
    for (Index i = 1; i < n; i++) s += x[i] - first;
    return first + s / n;
  }
  const vf f = splat(first);
  vf s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
  Index i = 0;
  for (; i + 4 * V <= n; i += 4 * V) {
    s0 += load(x + i) - f;
    s1 += load(x + i + V) - f;
    s2 += load(x + i + 2 * V) - f;
    s3 += load(x + i + 3 * V) - f;
  }
  for (; i + V <= n; i += V) s0 += load(x + i) - f;
  if (i < n) s1 += masked(load(x + n - V) - f, tail_mask(n - i));
  return first + hsum((s0 + s1) + (s2 + s3)) / n;
}

static void run_stats(const float *x, Index n, int centered, double *mean, double *m2) {
  double M = 0, S = 0;
  for (Index i = 0; i < n; i += RUN_BLOCK) {
    const Index m = n - i < RUN_BLOCK ? n - i : RUN_BLOCK;
    const float shift = !centered ? 0 : i == 0 ? rough_mean(x, m) : (float)M;
    double r, q;
    block_moments(x + i, m, shift, &r, &q);
    if (!centered) {
      S += q;
      continue;
    }
    const double t = r / m, sq = q - r * t;
    if (i == 0) {
      M = shift + t;
      S = sq;
    } else {
      join(&M, &S, i, shift + t, sq, m);
    }
  }
  *mean = M;
  *m2 = at_least_zero(S);
}

static void run_apply(const float *x, float *y, Index n, float m, float a, float b,
                      int stream) {
  if (n < V) {
    for (Index i = 0; i < n; i++) y[i] = (x[i] - m) * a + b;
    return;
  }
  const vf vm = splat(m), va = splat(a), vb = splat(b);
  Index i = 0;
  if (stream && is_aligned(y, 0)) {
    for (; i + V <= n; i += V) put(y + i, (load(x + i) - vm) * va + vb, 1);
    end_streaming();
  }
  for (; i + V <= n; i += V) store(y + i, (load(x + i) - vm) * va + vb);
  if (i < n) store(y + n - V, (load(x + n - V) - vm) * va + vb);
}

/* The sums of one block, with dy * gamma in the place of dy; gamma may be null. */
INLINE Sums sums_of(const float *dy, const float *x, const float *gamma, Index n,
                    float m) {
  if (n < V) {
    Sums t = {0, 0, 0};
    for (Index i = 0; i < n; i++) {
      double g = gamma ? (double)dy[i] * gamma[i] : dy[i], d = (double)x[i] - m;
      t.s += g;
      t.p += g * d;
      t.r += d;
    }
    return t;
  }
  const vf vm = splat(m);
  vf s0 = splat(0), s1 = s0, p0 = s0, p1 = s0, r0 = s0, r1 = s0;
  Index i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    vf g = load(dy + i), h = load(dy + i + V);
    if (gamma) {
      g *= load(gamma + i);
      h *= load(gamma + i + V);
    }
    vf d = load(x + i) - vm, e = load(x + i + V) - vm;
    s0 += g;
    s1 += h;
    p0 += g * d;
    p1 += h * e;
    r0 += d;
    r1 += e;
  }
  for (; i + V <= n; i += V) {
    vf g = load(dy + i);
    if (gamma) g *= load(gamma + i);
    vf d = load(x + i) - vm;
    s0 += g;
    p0 += g * d;
    r0 += d;
  }
  if (i < n) {
    const vi mask = tail_mask(n - i);
    vf g = load(dy + n - V);
    if (gamma) g *= load(gamma + n - V);
    g = masked(g, mask);
    vf d = masked(load(x + n - V) - vm, mask);
    s1 += g;
    p1 += g * d;
    r1 += d;
  }
  return (Sums){hsum(s0 + s1), hsum(p0 + p1), hsum(r0 + r1)};
}

static Sums sums_in_blocks(const float *dy, const float *x, const float *gamma, Index n,
                           float m) {
  Sums t = {0, 0, 0};
  for (Index i = 0; i < n; i += RUN_BLOCK) {
    const Index k = n - i < RUN_BLOCK ? n - i : RUN_BLOCK;
    Sums b =
        gamma ? sums_of(dy + i, x + i, gamma + i, k, m) : sums_of(dy + i, x + i, 0, k, m);
    t.s += b.s;
    t.p += b.p;
    t.r += b.r;
  }
  return t;
}

static Sums run_sums(const float *dy, const float *x, Index n, float m) {
  return sums_in_blocks(dy, x, 0, n, m);
}

static void run_grad(const float *dy, const float *x, float *dx, Index n, float m,
                     float a, float k, float c, int stream) {
  if (n < V) {
    for (Index i = 0; i < n; i++) dx[i] = dy[i] * a + ((x[i] - m) * k + c);
    return;
  }
  const vf vm = splat(m), va = splat(a), vk = splat(k), vc = splat(c);
  Index i = 0;
  if (stream && is_aligned(dx, 0)) {
    for (; i + V <= n; i += V)
      put(dx + i, load(dy + i) * va + ((load(x + i) - vm) * vk + vc), 1);
    end_streaming();
  }
  for (; i + V <= n; i += V)
    store(dx + i, load(dy + i) * va + ((load(x + i) - vm) * vk + vc));
  if (i < n) {
    i = n - V;
    store(dx + i, load(dy + i) * va + ((load(x + i) - vm) * vk + vc));
  }
}

#endif
