#pragma once

#include <utility>

#include "autograd/lane.hpp"
#include "optim/optimizer.hpp"

namespace rw::optim {

/// Runs rule(x, g, state...) for every element of a stretch: x and the state, N references, may be changed; g is the
/// gradient. The rule is written once, for SIMD batches and for the single elements at the end. Weight decay comes
/// before it.
template <std::size_t N, class T, class Rule>
void for_each_lane(const Stretch<T>& stretch, const Rule& rule) {
  using Batch = Simd<T>;
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    T* const x = stretch.value;
    const T* const g = stretch.gradient;
    [[maybe_unused]] T* const* const s = stretch.state.data();
    std::size_t i = 0;
    for (; i + Batch::size <= stretch.size; i += Batch::size) {
      Batch value = stretch.keep * Batch::load_unaligned(x + i);
      [[maybe_unused]] std::array<Batch, N> kept{Batch::load_unaligned(s[K] + i)...};
      rule(value, Batch::load_unaligned(g + i), kept[K]...);
      value.store_unaligned(x + i);
      (kept[K].store_unaligned(s[K] + i), ...);
    }
    for (; i < stretch.size; ++i) {
      x[i] *= stretch.keep;
      rule(x[i], g[i], s[K][i]...);
    }
  }
  (std::make_index_sequence<N>());
}

/// m ← β·m + (1 − β)·x, for rules.
template <class T>
auto running_mean(double beta) {
  return [beta = static_cast<T>(beta), rest = static_cast<T>(1 - beta)](auto& mean, const auto& x) {
    mean = beta * mean + rest * x;
  };
}

}  // namespace rw::optim
