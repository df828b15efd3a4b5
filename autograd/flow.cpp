#include "autograd/pass.hpp"

namespace rw {

template <class T>
void Flow<T>::check(std::size_t i, const Shape& got) const {
  if (got != shape(i)) fail(op_, "a derivative of the input's shape " + to_string(shape(i)), got);
}

template <class T>
void Flow<T>::add(std::size_t i, Variable<T> term) {
  if (!wanted(i)) return;
  if (!term.defined()) fail(op_, "a derivative", "an undefined variable");
  check(i, term.shape());
  if (Observer::current() != nullptr) tape_.tell_derived(node_, term);
  pass_.sums[slots_[i]].add(std::move(term));
}

template <class T>
void Flow<T>::add(std::size_t i, Product<T> term) {
  if (!wanted(i)) return;
  check(i, {term.a.shape().back(), term.b.shape().back()});
  pass_.sums[slots_[i]].add(std::move(term));
}

template <class T>
void Flow<T>::add(std::size_t i, RowSparse<T> term) {
  if (!wanted(i)) return;
  const Shape& values = term.values.shape();
  Shape shape{term.rows};
  shape.insert(shape.end(), values.begin() + static_cast<std::ptrdiff_t>(term.ids.dimension()), values.end());
  check(i, shape);
  if (Observer::current() != nullptr) tape_.tell_derived(node_, term.values);
  pass_.sums[slots_[i]].add(std::move(term));
}

template <class T>
void Flow<T>::add(std::size_t i, Term<T> term) {
  std::visit([&](auto& t) { add(i, std::move(t)); }, term);
}

template <class T>
Variable<T> Flow<T>::region(std::uint32_t slot, const Shape& shape) {
  const std::uint32_t at = tape_.slots_[slot].region;
  if (at == Tape<T>::none || pass_.taken[at] || tape_.shape_of(slot) != shape) return {};
  const auto& region = tape_.regions_[at];
  const auto& whole = tape_.wholes_[region.whole];
  const std::size_t all = size_of(whole.shape), stretch = whole.stretch();
  if (!whole.pays() || all == 0) return {};
  const std::size_t begin = std::min(region.offset, all - 1) / stretch * stretch;
  if (region.offset + size_of(shape) > begin + stretch) return {};
  pass_.taken[at] = 1;
  auto& [gradients, begun] = pass_.wholes[region.whole];
  if (!gradients.defined() || begun != begin) {
    if (gradients.defined()) pass_.sums[whole.weight].multiply_out();
    gradients = {};  // the stretch is done with, and its memory free before the next one wants some
    gradients = Variable<T>::uninitialised(stretch == all ? whole.shape : Shape{std::min(stretch, all - begin)});
    begun = begin;
  }
  return gradients.room(region.offset - begin, shape);
}

template <class T>
Variable<T> Flow<T>::room(std::size_t i, const Shape& shape) {
  if (wanted(i)) {
    if (Variable<T> region = this->region(slots_[i], shape); region.defined()) return region;
  }
  if (last_read_ != nullptr && last_read_->shape() == shape && last_read_->sole_owner() != nullptr) {
    reused_ = true;
    return std::exchange(last_read_, nullptr)->twin();
  }
  return Variable<T>::uninitialised(shape);
}

template class Flow<float>;
template class Flow<double>;

}  // namespace rw
