/* Loops along rows: runs with a gamma and a beta for each value. */
#ifndef TFJS_NORMALIZATION_ROW_LOOPS_H
#define TFJS_NORMALIZATION_ROW_LOOPS_H

#include "runs.h"

/* (x - m) * a + b, times gamma and plus beta where they are there. */
INLINE vf affine(vf x, vf vm, vf va, vf vb, const float *gamma, const float *beta,
                 Index i) {
  vf t = (x - vm) * va + vb;
  if (gamma && beta) return t * load(gamma + i) + load(beta + i);
  if (gamma) return t * load(gamma + i);
  if (beta) return t + load(beta + i);
  return t;
}

INLINE void row_apply_of(const float *x, float *y, Index n, float m, float a, float b,
                         const float *gamma, const float *beta) {
  const vf vm = splat(m), va = splat(a), vb = splat(b);
  Index i = 0;
  for (; i + V <= n; i += V)
    store(y + i, affine(load(x + i), vm, va, vb, gamma, beta, i));
  if (i < n) {
    i = n - V;
    store(y + i, affine(load(x + i), vm, va, vb, gamma, beta, i));
  }
}

static void row_apply(const float *x, float *y, Index n, float m, float a, float b,
                      const float *gamma, const float *beta) {
  if (n < V) {
    for (Index i = 0; i < n; i++) {
      float t = (x[i] - m) * a + b;
      if (gamma) t *= gamma[i];
      y[i] = beta ? t + beta[i] : t;
    }
  } else if (gamma && beta) {
    row_apply_of(x, y, n, m, a, b, gamma, beta);
  } else if (gamma) {
    row_apply_of(x, y, n, m, a, b, gamma, 0);
  } else if (beta) {
    row_apply_of(x, y, n, m, a, b, 0, beta);
  } else {
    row_apply_of(x, y, n, m, a, b, 0, 0);
  }
}

static Sums row_sums(const float *dy, const float *x, const float *gamma, Index n,
                     float m) {
  return sums_in_blocks(dy, x, gamma, n, m);
}

static void four_stats(const float *x, Index n, int centered, double *mean, double *m2) {
  vf first[4], sum[4], r[4], q[4];
  float shift[4];
  const Index full = n - n % V;
  const vi mask = tail_mask(n - full);
  for (int u = 0; u < 4; u++) first[u] = splat(x[u * n]), sum[u] = splat(0);
  for (Index i = 0; i < full; i += V)
    for (int u = 0; u < 4; u++) sum[u] += load(x + u * n + i) - first[u];
  if (full < n)
    for (int u = 0; u < 4; u++)
      sum[u] += masked(load(x + u * n + n - V) - first[u], mask);
  for (int u = 0; u < 4; u++) {
    shift[u] = centered ? x[u * n] + hsum(sum[u]) / n : 0;
    first[u] = splat(shift[u]);
    r[u] = q[u] = splat(0);
  }
  for (Index i = 0; i < full; i += V)
    for (int u = 0; u < 4; u++) {
      const vf d = load(x + u * n + i) - first[u];
      r[u] += d;
      q[u] += d * d;
    }
  if (full < n)
    for (int u = 0; u < 4; u++) {
      const vf d = masked(load(x + u * n + n - V) - first[u], mask);
      r[u] += d;
      q[u] += d * d;
    }
  const double inverse = 1.0 / n;
  for (int u = 0; u < 4; u++) {
    const double s = hsum(r[u]), t = s * inverse;
    mean[u] = centered ? shift[u] + t : 0;
    m2[u] = centered ? at_least_zero(hsum(q[u]) - s * t) : hsum(q[u]);
  }
}

INLINE void four_sums_of(const float *dy, const float *x, const float *gamma, Index n,
                         const float *m, Sums *sums) {
  vf vm[4], s[4], p[4], r[4];
  const Index full = n - n % V;
  for (int u = 0; u < 4; u++) vm[u] = splat(m[u]), s[u] = p[u] = r[u] = splat(0);
  for (Index i = 0; i < full; i += V) {
    const vf scale = gamma ? load(gamma + i) : splat(1);
    for (int u = 0; u < 4; u++) {
      const vf g = load(dy + u * n + i) * scale, d = load(x + u * n + i) - vm[u];
      s[u] += g;
      p[u] += g * d;
      r[u] += d;
    }
  }
  if (full < n) {
    const vi mask = tail_mask(n - full);
    const vf scale = gamma ? load(gamma + n - V) : splat(1);
    for (int u = 0; u < 4; u++) {
      const vf g = masked(load(dy + u * n + n - V) * scale, mask),
               d = masked(load(x + u * n + n - V) - vm[u], mask);
      s[u] += g;
      p[u] += g * d;
      r[u] += d;
    }
  }
  for (int u = 0; u < 4; u++) sums[u] = (Sums){hsum(s[u]), hsum(p[u]), hsum(r[u])};
}

static void four_sums(const float *dy, const float *x, const float *gamma, Index n,
                      const float *m, Sums *sums) {
  if (gamma) {
    four_sums_of(dy, x, gamma, n, m, sums);
  } else {
    four_sums_of(dy, x, 0, n, m, sums);
  }
}

/* One vector of row_grad; the mask says which of its values count in the sums. */
INLINE void grad_vector(const float *dy, const float *x, float *dx, Index rows, Index n,
                        const float *gamma, const float *m, const float *a,
                        const float *k, const float *c, const float *d, float *dgamma,
                        float *dbeta, Index i, vi mask) {
  vf sg = splat(0), sb = sg;
  const vf gm = gamma ? load(gamma + i) : splat(1);
  for (Index u = 0; u < rows; u++) {
    const Index at = u * n + i;
    const vf g = load(dy + at), e = load(x + at) - splat(m[u]);
    store(dx + at, g * (gm * splat(a[u])) + (e * splat(k[u]) + splat(c[u])));
    sg += g * (e * splat(a[u]) + splat(d[u]));
    sb += g;
  }
  if (dgamma) store(dgamma + i, load(dgamma + i) + masked(sg, mask));
  if (dbeta) store(dbeta + i, load(dbeta + i) + masked(sb, mask));
}

static void row_grad(const float *dy, const float *x, float *dx, Index rows, Index n,
                     const float *gamma, const float *m, const float *a, const float *k,
                     const float *c, const float *d, float *dgamma, float *dbeta) {
  if (n < V) {
    for (Index u = 0; u < rows; u++)
      for (Index i = 0; i < n; i++) {
        const Index at = u * n + i;
        const float g = dy[at], e = x[at] - m[u];
        dx[at] = g * ((gamma ? gamma[i] : 1) * a[u]) + (e * k[u] + c[u]);
        if (dgamma) dgamma[i] += g * (e * a[u] + d[u]);
        if (dbeta) dbeta[i] += g;
      }
    return;
  }
  const vi all = tail_mask(V);
  Index i = 0;
  if (rows == 4) {
    for (; i + V <= n; i += V)
      grad_vector(dy, x, dx, 4, n, gamma, m, a, k, c, d, dgamma, dbeta, i, all);
  } else {
    for (; i + V <= n; i += V)
      grad_vector(dy, x, dx, rows, n, gamma, m, a, k, c, d, dgamma, dbeta, i, all);
  }
  if (i < n)
    grad_vector(dy, x, dx, rows, n, gamma, m, a, k, c, d, dgamma, dbeta, n - V,
                tail_mask(n - i));
}

#endif
