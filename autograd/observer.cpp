#include "autograd/observer.hpp"

#include <algorithm>

#include "autograd/tape.hpp"

// What a tape tells those who look on.

namespace rw {

template <class T>
Operation Tape<T>::operation(std::size_t n) const {
  if (n == nodes_.size()) return {"seed", run_, n, nullptr};
  return {nodes_[n].op, run_, n, &nodes_[n].calls};
}

template <class T>
void Tape<T>::tell_recorded(std::span<const Variable<T>> ys) const {
  Observer::tell(&Observer::recorded, operation(nodes_.size() - 1), ys);
}

template <class T>
void Tape<T>::tell_derived(std::size_t n, const Variable<T>& term) const {
  Observer::tell(&Observer::derived, operation(n), std::span<const Variable<T>>(&term, 1));
}

template <class T>
void Tape<T>::settle_observed(std::uint32_t slot, GradientSum<T>& sum) const {
  const auto reads = [&](const Edge& edge) {
    const auto from = input_slots_.begin() + edge.first_input, to = from + edge.inputs;
    return std::find(from, to, slot) != to;
  };
  const auto e = std::find_if(edges_.begin(), edges_.end(), reads) - edges_.begin();
  std::size_t n = 0;  // the first op that reads the leaf; where none does, the leaf is the result itself
  while (n < nodes_.size() && nodes_[n].first_edge + nodes_[n].edges <= static_cast<std::size_t>(e)) ++n;
  Observer::tell(&Observer::goes_back, operation(n));
  sum.settle();
  tell_derived(n, sum.rows() != nullptr ? sum.rows()->values : sum.dense(shape_of(slot)));
  Observer::tell(&Observer::went_back, operation(n));
}

template Operation Tape<float>::operation(std::size_t) const;
template Operation Tape<double>::operation(std::size_t) const;
template void Tape<float>::tell_recorded(std::span<const Variable<float>>) const;
template void Tape<double>::tell_recorded(std::span<const Variable<double>>) const;
template void Tape<float>::tell_derived(std::size_t, const Variable<float>&) const;
template void Tape<double>::tell_derived(std::size_t, const Variable<double>&) const;
template void Tape<float>::settle_observed(std::uint32_t, GradientSum<float>&) const;
template void Tape<double>::settle_observed(std::uint32_t, GradientSum<double>&) const;

}  // namespace rw
