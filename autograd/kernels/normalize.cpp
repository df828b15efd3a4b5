#include "autograd/kernels/normalize.hpp"

#include <cmath>

#include "autograd/lane.hpp"

// Elements are counted from the first of their row: a large mean then costs no digits, and a row of equal elements has
// variance 0 exactly.

namespace rw::kernels {
namespace {

// Σ f(from[0][i], from[1][i], ...)[m] over i < n: f takes N batches and returns M.
template <std::size_t M, class T, std::size_t N, class F>
std::array<T, M> sum_row(const std::array<const T*, N>& from, std::size_t n, const F& f) {
  using Batch = Simd<T>;
  constexpr std::size_t width = lane_size<T>, side = 4;  // additions one after another would wait for each other
  using Terms = std::array<Batch, M>;
  const auto terms = [&](const std::array<const T*, N>& at, std::size_t i) -> Terms {
    std::array<Batch, N> x;
    for (std::size_t k = 0; k < N; ++k) x[k] = load_simd(at[k] + i);
    return f(x);
  };
  Terms sums[side];
  for (Terms& sum : sums) sum.fill(Batch(T(0)));
  const auto add = [](Terms& sum, const Terms& more) {
    for (std::size_t m = 0; m < M; ++m) sum[m] += more[m];
  };
  std::size_t i = 0;
  for (; i + side * width <= n; i += side * width) {
    for (std::size_t s = 0; s < side; ++s) add(sums[s], terms(from, i + s * width));
  }
  for (; i + width <= n; i += width) add(sums[0], terms(from, i));
  if (const std::size_t left = n - i; left > 0) {  // loops of fixed length become masked instructions
    alignas(64) T rest[N][width];
    alignas(64) T part[width];
    std::array<const T*, N> at;
    for (std::size_t k = 0; k < N; ++k) {
      for (std::size_t j = 0; j < width; ++j) rest[k][j] = j < left ? from[k][i + j] : T(0);
      at[k] = rest[k];
    }
    Terms last = terms(at, 0);
    for (Batch& term : last) {
      term.store_aligned(part);
      for (std::size_t j = 0; j < width; ++j) part[j] = j < left ? part[j] : T(0);
      term = Batch::load_aligned(part);
    }
    add(sums[1], last);
  }
  std::array<T, M> totals;
  for (std::size_t m = 0; m < M; ++m) totals[m] = xsimd::hadd((sums[0][m] + sums[1][m]) + (sums[2][m] + sums[3][m]));
  return totals;
}

// The mean of a row, counted from its first element, and 1/σ.
template <class T>
std::array<T, 2> moments_of(const T* row, std::size_t n, double epsilon) {
  using Batch = Simd<T>;
  const Batch first(row[0]);
  const auto [sum, squares] = sum_row<2, T, 1>({row}, n, [=](const auto& x) {
    const Batch d = x[0] - first;
    return std::array{d, d * d};
  });
  const T mean = sum / static_cast<T>(n);
  const double offset = static_cast<double>(mean) * static_cast<double>(mean);
  double variance = static_cast<double>(squares) / static_cast<double>(n) - offset;
  if (variance < offset / 16) {  // the first element lies far from the others: the difference lost digits
    const auto [exact] = sum_row<1, T, 1>({row}, n, [=](const auto& x) {
      const Batch d = x[0] - first - Batch(mean);
      return std::array{d * d};
    });
    variance = static_cast<double>(exact) / static_cast<double>(n);
  }
  return {mean, static_cast<T>(1 / std::sqrt(variance + epsilon))};
}

}  // namespace

template <class T>
Normalized<T> layer_norm(View<T> x, View<T> gain, View<T> shift, double epsilon) {
  using Batch = Simd<T>;
  const std::size_t n = gain.size(), rows = x.size() / n, next_shift = shift.size() == n ? 0 : n;
  Normalized<T> out{empty<T>(x.shape()), empty<T>({rows, 2})};
  T* const moments = out.moments.data();
  // Moments of all rows first: the roots and divisions of one overlap with the sums of the next.
  for (std::size_t r = 0; r < rows; ++r) {
    const auto [mean, scale] = moments_of(x.data() + r * n, n, epsilon);
    moments[2 * r] = mean;
    moments[2 * r + 1] = scale;
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const T* const row = x.data() + r * n;
    const Batch first(row[0]), mean(moments[2 * r]), scale(moments[2 * r + 1]);
    rw::detail::map_row<T, 3, 1>(
        {row, gain.data(), shift.data() + r * next_shift}, {1, 1, 1}, {out.y.data() + r * n}, n, [=](const auto& in) {
          return std::array{Lane<T>{xsimd::fma((in[0].v - first - mean) * scale, in[1].v, in[2].v)}};
        });
  }
  return out;
}

template <class T>
void layer_norm_backward(View<T> dy, View<T> x, View<T> gain, View<T> moments, T* dx, Tensor<T>& dgain) {
  using Batch = Simd<T>;
  const std::size_t n = gain.size(), rows = x.size() / n;
  const T *row = x.data(), *d = dy.data(), *moment = moments.data();
  for (std::size_t r = 0; r < rows; ++r, row += n, d += n, dx += n, moment += 2) {
    const Batch first(row[0]), mean(moment[0]), scale(moment[1]);
    const auto normalized = [=](const Batch& x) { return (x - first - mean) * scale; };
    const auto [g, gx] = sum_row<2, T, 3>({d, gain.data(), row}, n, [&](const auto& in) {
      const Batch g = in[0] * in[1];
      return std::array{g, g * normalized(in[2])};
    });
    const Batch mean_g(g / static_cast<T>(n)), mean_gx(gx / static_cast<T>(n));
    // g is rounded before its mean is taken off, so that a row of one element leaves 0 exactly.
    rw::detail::map_row<T, 4, 2>({d, gain.data(), row, dgain.data()}, {1, 1, 1, 1}, {dx, dgain.data()}, n,
                                 [=](const auto& in) {
                                   const Batch d = in[0].v, h = normalized(in[2].v);
                                   const Batch rest = xsimd::fnma(h, mean_gx, d * in[1].v) - mean_g;
                                   return std::array{Lane<T>{rest * scale}, Lane<T>{in[3].v + d * h}};
                                 });
  }
}

#define INSTANTIATE(T)                                                  \
  template Normalized<T> layer_norm(View<T>, View<T>, View<T>, double); \
  template void layer_norm_backward(View<T>, View<T>, View<T>, View<T>, T*, Tensor<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace rw::kernels
