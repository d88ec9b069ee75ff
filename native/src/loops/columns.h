/* Loops down columns. */
#ifndef TFJS_NORMALIZATION_COLUMN_LOOPS_H
#define TFJS_NORMALIZATION_COLUMN_LOOPS_H

#include "vectors.h"

/*
 * The first column of vector v of a strip that is `width` wide. The last vector overlaps the
 * one before it, and both compute the same for the columns that they share.
 */
INLINE Index slot(Index v, Index w) { return v * V + V <= w ? v * V : w - V; }

/* Fewer columns than a vector has values, in doubles. */
static void narrow_stats(const float *x, Index rows, Index stride, Index width,
                         int centered, double *mean, double *m2) {
  for (Index j = 0; j < width; j++) {
    double shift = 0, q = 0;
    if (centered) {
      double r = 0;
      for (Index i = 0; i < rows; i++) r += (double)x[i * stride + j] - x[j];
      shift = x[j] + r / (double)rows;
    }
    for (Index i = 0; i < rows; i++) {
      double d = x[i * stride + j] - shift;
      q += d * d;
    }
    mean[j] = shift;
    m2[j] = q;
  }
}

/*
 * Sums are taken about a first guess at the mean, and about the mean so far from the second
 * block on, so that they are of small numbers.
 */
static void strip_stats(const float *x, Index rows, Index stride, Index w, int centered,
                        double *mean, double *m2) {
  float shift[STRIP + V], r[STRIP + V], q[STRIP + V];
  double M[STRIP + V], S[STRIP + V];
  const Index nv = (w + V - 1) / V;
  for (Index i0 = 0; i0 < rows; i0 += BLOCK) {
    const float *xb = x + i0 * stride;
    const Index m = rows - i0 < BLOCK ? rows - i0 : BLOCK;
    if (!centered) {
      for (Index j = 0; j < nv * V; j++) shift[j] = 0;
    } else if (i0 == 0) {
      const Index p = m < PREPASS ? m : PREPASS;
      for (Index v = 0; v < nv; v++) {
        const float *xs = xb + slot(v, w);
        vf first = load(xs), sum = first - first;
        for (Index i = 1; i < p; i++) sum += load(xs + i * stride) - first;
        store(shift + v * V, first + sum * splat(1.0f / p));
      }
    } else {
      for (Index j = 0; j < nv * V; j++) shift[j] = (float)M[j];
    }
    for (Index j = 0; j < nv * V; j++) r[j] = q[j] = 0;
    Index i = 0;
    for (; i + 8 <= m; i += 8) {
      const float *xi = xb + i * stride;
      for (Index v = 0; v < nv; v++) {
        const float *xs = xi + slot(v, w);
        const vf sh = load(shift + v * V);
        vf d0 = load(xs) - sh, d1 = load(xs + stride) - sh,
           d2 = load(xs + 2 * stride) - sh, d3 = load(xs + 3 * stride) - sh;
        vf ra = (d0 + d1) + (d2 + d3);
        vf qa = d0 * d0, qb = d1 * d1;
        qa += d2 * d2;
        qb += d3 * d3;
        d0 = load(xs + 4 * stride) - sh, d1 = load(xs + 5 * stride) - sh;
        d2 = load(xs + 6 * stride) - sh, d3 = load(xs + 7 * stride) - sh;
        ra += (d0 + d1) + (d2 + d3);
        qa += d0 * d0;
        qb += d1 * d1;
        qa += d2 * d2;
        qb += d3 * d3;
        store(r + v * V, load(r + v * V) + ra);
        store(q + v * V, load(q + v * V) + (qa + qb));
      }
    }
    for (; i < m; i++) {
      for (Index v = 0; v < nv; v++) {
        const vf d = load(xb + i * stride + slot(v, w)) - load(shift + v * V);
        store(r + v * V, load(r + v * V) + d);
        store(q + v * V, load(q + v * V) + d * d);
      }
    }
    if (!centered) {
      for (Index j = 0; j < nv * V; j++) {
        M[j] = 0;
        S[j] = i0 == 0 ? q[j] : S[j] + q[j];
      }
      continue;
    }
    const double inv = 1.0 / m, n = i0, share = m / (n + m), both = n * share;
    if (i0 == 0) {
      for (Index j = 0; j < nv * V; j++) {
        double a = r[j], t = a * inv;
        M[j] = shift[j] + t;
        S[j] = q[j] - a * t;
      }
    } else {
      for (Index j = 0; j < nv * V; j++) {
        double a = r[j], t = a * inv;
        double d = (shift[j] + t) - M[j];
        M[j] += d * share;
        S[j] += (q[j] - a * t) + d * d * both;
      }
    }
  }
  for (Index v = 0; v < nv; v++) {
    for (Index l = 0; l < V; l++) {
      mean[slot(v, w) + l] = M[v * V + l];
      m2[slot(v, w) + l] = at_least_zero(S[v * V + l]);
    }
  }
}

/* The width of the next strip: never less than V, so that a vector fits. */
INLINE Index strip_at(Index c, Index width) {
  Index left = width - c;
  if (left <= STRIP) return left;
  return left - STRIP < V ? STRIP / 2 : STRIP;
}

static void column_stats(const float *x, Index rows, Index stride, Index width,
                         int centered, double *mean, double *m2) {
  if (width < V) {
    narrow_stats(x, rows, stride, width, centered, mean, m2);
    return;
  }
  for (Index c = 0, w; c < width; c += w) {
    w = strip_at(c, width);
    strip_stats(x + c, rows, stride, w, centered, mean + c, m2 + c);
  }
}

INLINE void apply_columns(const float *x, float *y, Index rows, Index stride, Index width,
                          const float *m, const float *a, const float *b, int past) {
  const Index nv = (width + V - 1) / V;
  Index i = 0;
  for (; i + 4 <= rows; i += 4) {
    for (Index v = 0; v < nv; v++) {
      const Index j = slot(v, width);
      const vf mj = load(m + j), aj = load(a + j), bj = load(b + j);
      const float *xs = x + i * stride + j;
      float *ys = y + i * stride + j;
      put(ys, (load(xs) - mj) * aj + bj, past);
      put(ys + stride, (load(xs + stride) - mj) * aj + bj, past);
      put(ys + 2 * stride, (load(xs + 2 * stride) - mj) * aj + bj, past);
      put(ys + 3 * stride, (load(xs + 3 * stride) - mj) * aj + bj, past);
    }
  }
  for (; i < rows; i++)
    for (Index v = 0; v < nv; v++) {
      const Index j = slot(v, width), at = i * stride + j;
      store(y + at, (load(x + at) - load(m + j)) * load(a + j) + load(b + j));
    }
}

static void column_apply(const float *x, float *y, Index rows, Index stride, Index width,
                         const float *m, const float *a, const float *b, int stream) {
  if (width < V) {
    for (Index i = 0; i < rows; i++)
      for (Index j = 0; j < width; j++)
        y[i * stride + j] = (x[i * stride + j] - m[j]) * a[j] + b[j];
  } else if (stream && width % V == 0 && is_aligned(y, stride)) {
    apply_columns(x, y, rows, stride, width, m, a, b, 1);
    end_streaming();
  } else {
    apply_columns(x, y, rows, stride, width, m, a, b, 0);
  }
}

static void narrow_sums(const float *dy, const float *x, Index rows, Index stride,
                        Index width, const float *m, double *s, double *p, double *r) {
  for (Index j = 0; j < width; j++) {
    double a = 0, b = 0, c = 0;
    for (Index i = 0; i < rows; i++) {
      double g = dy[i * stride + j], d = (double)x[i * stride + j] - m[j];
      a += g;
      b += g * d;
      c += d;
    }
    s[j] = a;
    p[j] = b;
    r[j] = c;
  }
}

static void strip_sums(const float *dy, const float *x, Index rows, Index stride, Index w,
                       const float *m, double *s, double *p, double *r) {
  float bs[STRIP + V], bp[STRIP + V], br[STRIP + V];
  double S[STRIP + V], P[STRIP + V], R[STRIP + V];
  const Index nv = (w + V - 1) / V;
  for (Index j = 0; j < nv * V; j++) S[j] = P[j] = R[j] = 0;
  for (Index i0 = 0; i0 < rows; i0 += BLOCK) {
    const Index n = rows - i0 < BLOCK ? rows - i0 : BLOCK;
    for (Index j = 0; j < nv * V; j++) bs[j] = bp[j] = br[j] = 0;
    Index i = 0;
    for (; i + 4 <= n; i += 4) {
      const float *xi = x + (i0 + i) * stride, *gi = dy + (i0 + i) * stride;
      for (Index v = 0; v < nv; v++) {
        const Index j = slot(v, w);
        const vf mj = load(m + j);
        const float *xs = xi + j, *gs = gi + j;
        vf g0 = load(gs), g1 = load(gs + stride), g2 = load(gs + 2 * stride),
           g3 = load(gs + 3 * stride);
        vf d0 = load(xs) - mj, d1 = load(xs + stride) - mj,
           d2 = load(xs + 2 * stride) - mj, d3 = load(xs + 3 * stride) - mj;
        vf pa = g0 * d0, pb = g1 * d1;
        pa += g2 * d2;
        pb += g3 * d3;
        store(bs + v * V, load(bs + v * V) + ((g0 + g1) + (g2 + g3)));
        store(br + v * V, load(br + v * V) + ((d0 + d1) + (d2 + d3)));
        store(bp + v * V, load(bp + v * V) + (pa + pb));
      }
    }
    for (; i < n; i++) {
      const float *xi = x + (i0 + i) * stride, *gi = dy + (i0 + i) * stride;
      for (Index v = 0; v < nv; v++) {
        const Index j = slot(v, w);
        vf g = load(gi + j), d = load(xi + j) - load(m + j);
        store(bs + v * V, load(bs + v * V) + g);
        store(bp + v * V, load(bp + v * V) + g * d);
        store(br + v * V, load(br + v * V) + d);
      }
    }
    for (Index j = 0; j < nv * V; j++) S[j] += bs[j];
    for (Index j = 0; j < nv * V; j++) P[j] += bp[j];
    for (Index j = 0; j < nv * V; j++) R[j] += br[j];
  }
  for (Index v = 0; v < nv; v++)
    for (Index l = 0; l < V; l++) {
      const Index j = slot(v, w) + l;
      s[j] = S[v * V + l];
      p[j] = P[v * V + l];
      r[j] = R[v * V + l];
    }
}

static void column_sums(const float *dy, const float *x, Index rows, Index stride,
                        Index width, const float *m, double *s, double *p, double *r) {
  if (width < V) {
    narrow_sums(dy, x, rows, stride, width, m, s, p, r);
    return;
  }
  for (Index c = 0, w; c < width; c += w) {
    w = strip_at(c, width);
    strip_sums(dy + c, x + c, rows, stride, w, m + c, s + c, p + c, r + c);
  }
}

INLINE void grad_columns(const float *dy, const float *x, float *dx, Index rows,
                         Index stride, Index width, const float *m, const float *a,
                         const float *k, const float *c, int past) {
  const Index nv = (width + V - 1) / V;
  Index i = 0;
  for (; i + 4 <= rows; i += 4) {
    for (Index v = 0; v < nv; v++) {
      const Index j = slot(v, width);
      const vf mj = load(m + j), aj = load(a + j), kj = load(k + j), cj = load(c + j);
      for (Index u = 0; u < 4; u++) {
        const Index at = (i + u) * stride + j;
        put(dx + at, load(dy + at) * aj + ((load(x + at) - mj) * kj + cj), past);
      }
    }
  }
  for (; i < rows; i++)
    for (Index v = 0; v < nv; v++) {
      const Index j = slot(v, width), at = i * stride + j;
      store(dx + at, load(dy + at) * load(a + j) +
                         ((load(x + at) - load(m + j)) * load(k + j) + load(c + j)));
    }
}

static void column_grad(const float *dy, const float *x, float *dx, Index rows,
                        Index stride, Index width, const float *m, const float *a,
                        const float *k, const float *c, int stream) {
  if (width < V) {
    for (Index i = 0; i < rows; i++)
      for (Index j = 0; j < width; j++) {
        const Index at = i * stride + j;
        dx[at] = dy[at] * a[j] + ((x[at] - m[j]) * k[j] + c[j]);
      }
  } else if (stream && width % V == 0 && is_aligned(dx, stride)) {
    grad_columns(dy, x, dx, rows, stride, width, m, a, k, c, 1);
    end_streaming();
  } else {
    grad_columns(dy, x, dx, rows, stride, width, m, a, k, c, 0);
  }
}

#endif
