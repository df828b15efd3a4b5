#include "autograd/kernels/finite.hpp"

#include "autograd/lane.hpp"

namespace rw::kernels {

// By the sum of their products with 0, which is 0 for finite ones and NaN else.
template <class T>
bool all_finite(const T* x, std::size_t n) {
  using Batch = Simd<T>;
  constexpr std::size_t width = lane_size<T>, side = 4;  // additions one after another would wait for each other
  const Batch zero(T(0));
  Batch sums[side] = {zero, zero, zero, zero};
  std::size_t i = 0;
  const auto with = [&](const Batch& sum, std::size_t at) { return xsimd::fma(load_simd(x + at), zero, sum); };
  for (; i + side * width <= n; i += side * width) {
    for (std::size_t s = 0; s < side; ++s) sums[s] = with(sums[s], i + s * width);
  }
  if (i > 0) sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (; i + width <= n; i += width) sums[0] = with(sums[0], i);
  T rest(0);
  for (; i < n; ++i) rest += x[i] * T(0);
  return rest == T(0) && xsimd::all(sums[0] == zero);
}

template bool all_finite(const float*, std::size_t);
template bool all_finite(const double*, std::size_t);

}  // namespace rw::kernels
