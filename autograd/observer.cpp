#include "autograd/observer.hpp"

#include <algorithm>

#include "autograd/kernels/finite.hpp"
#include "autograd/tape.hpp"

// What a tape tells those who look on.

namespace rw {
namespace {

template <class T>
inline bool all_finite(const Variable<T>& x) {
  return kernels::all_finite(x.view().data(), x.size());
}

}  // namespace

template <class T>
Operation Tape<T>::operation(std::size_t n) const {
  if (n == nodes_.size()) return {"seed", false, run_, n, nullptr};
  const Node& node = nodes_[n];
  return {node.op, node.moves != 0, run_, n, node.calls};
}

template <class T>
void Tape<T>::tell_recorded(std::span<const Variable<T>> ys) {
  const std::size_t n = nodes_.size() - 1;
  if (Observer::wanted(Observer::of_anomalies) && nodes_[n].moves == 0) {
    nodes_[n].calls = CallStack::here();
    const bool finite = std::all_of(ys.begin(), ys.end(), all_finite<T>);
    if (!finite) Observer::tell(&Observer::not_finite, operation(n), ys, "forward");
  }
  if (Observer::wanted(Observer::of_records)) Observer::tell(&Observer::recorded, operation(n), ys);
}

template <class T>
void Tape<T>::tell_derived(std::size_t n, const Variable<T>& dx, bool whole) const {
  if (Observer::wanted(Observer::of_anomalies) && (whole || nodes_[n].moves == 0) && !all_finite(dx)) {
    Observer::tell(&Observer::not_finite, operation(n), std::span(&dx, 1), "backward");
  }
  if (Observer::wanted(Observer::of_derivatives)) Observer::tell(&Observer::derived, operation(n), std::span(&dx, 1));
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
  const bool turns = Observer::wanted(Observer::of_turns);
  if (turns) Observer::tell(&Observer::goes_back, operation(n));
  sum.settle();
  tell_derived(n, sum.rows() != nullptr ? sum.rows()->values : sum.dense(shape_of(slot)), true);
  if (turns) Observer::tell(&Observer::went_back, operation(n));
}

template Operation Tape<float>::operation(std::size_t) const;
template Operation Tape<double>::operation(std::size_t) const;
template void Tape<float>::tell_recorded(std::span<const Variable<float>>);
template void Tape<double>::tell_recorded(std::span<const Variable<double>>);
template void Tape<float>::tell_derived(std::size_t, const Variable<float>&, bool) const;
template void Tape<double>::tell_derived(std::size_t, const Variable<double>&, bool) const;
template void Tape<float>::settle_observed(std::uint32_t, GradientSum<float>&) const;
template void Tape<double>::settle_observed(std::uint32_t, GradientSum<double>&) const;

}  // namespace rw
