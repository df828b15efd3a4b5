#include "autograd/tape.hpp"

#include <atomic>

namespace rw {
namespace {

template <class T>
thread_local Tape<T>* innermost = nullptr;

std::uint64_t next_run() {
  static std::atomic<std::uint64_t> run{Place::parameters};
  return ++run;
}

}  // namespace

template <class T>
Tape<T>::Tape() : run_(next_run()), outer_(innermost<T>) {
  innermost<T> = this;
}

template <class T>
Tape<T>::~Tape() {
  clear();
  if (innermost<T> == this) innermost<T> = outer_;
}

template <class T>
Tape<T>* Tape<T>::current() {
  return innermost<T>;
}

template <class T>
void Tape<T>::clear() {
  for (const Edge& edge : edges_) edge.derivative->~Derivative<T>();
  nodes_.clear();
  edges_.clear();
  input_slots_.clear();
  slots_.clear();
  parameter_slots_.clear();
  chunk_ = used_ = 0;
  run_ = next_run();
}

template <class T>
void* Tape<T>::allocate(std::size_t bytes) {
  bytes = (bytes + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);
  if (bytes > chunk_bytes) fail("record", "captures of at most " + std::to_string(chunk_bytes) + " bytes", bytes);
  if (!chunks_.empty() && used_ + bytes > chunk_bytes) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) chunks_.push_back(std::make_unique<std::byte[]>(chunk_bytes));
  void* place = chunks_[chunk_].get() + used_;
  used_ += bytes;
  return place;
}

template <class T>
std::size_t Tape<T>::add_slot(const Shape& shape, const Place& leaf) {
  slots_.push_back({shape, leaf});
  return slots_.size() - 1;
}

template <class T>
Variable<T> Tape<T>::watch(Tensor<T> value) {
  const Place place{run_, slots_.size()};
  add_slot(value.shape(), place);
  return Variable<T>(std::move(value), place);
}

template <class T>
std::size_t Tape<T>::slot_of(const Variable<T>& x) {
  if (x.place().tape == run_) return x.place().slot;
  const auto [it, is_new] = parameter_slots_.try_emplace(x.place().slot, slots_.size());
  if (is_new) add_slot(x.shape(), x.place());
  return it->second;
}

template <class T>
Variable<T> Tape<T>::open(const char* op, Tensor<T> value) {
  const Place place{run_, slots_.size()};
  nodes_.push_back({op, slots_.size(), 1, edges_.size(), 0});
  add_slot(value.shape(), {});
  return Variable<T>(std::move(value), place);
}

template <class T>
std::vector<Variable<T>> Tape<T>::open(const char* op, std::vector<Tensor<T>> values) {
  nodes_.push_back({op, slots_.size(), values.size(), edges_.size(), 0});
  std::vector<Variable<T>> ys;
  ys.reserve(values.size());
  for (Tensor<T>& value : values) {
    const Place place{run_, add_slot(value.shape(), {})};
    ys.emplace_back(std::move(value), place);
  }
  return ys;
}

template <class T>
void Tape<T>::check_term(const Node& node, const Term<T>& term, const Shape& shape) const {
  Shape got;
  if (const auto* dense = std::get_if<Variable<T>>(&term)) {
    if (dense->defined() && dense->shape() == shape) return;
    if (dense->defined()) got = dense->shape();
  } else if (const auto* product = std::get_if<Product<T>>(&term)) {
    got = {product->a.shape().back(), product->b.shape().back()};
    if (got == shape) return;
  } else {
    const auto& sparse = std::get<RowSparse<T>>(term);
    const Shape& values = sparse.values.shape();
    got = {sparse.rows};
    got.insert(got.end(), values.begin() + static_cast<std::ptrdiff_t>(sparse.ids.dimension()), values.end());
    if (got == shape) return;
  }
  fail(node.op, "a derivative of the input's shape " + to_string(shape), got);
}

template <class T>
void Tape<T>::propagate(const Node& node, std::vector<GradientSum<T>>& sums) {
  // Taken and given back, because a derivative may itself go backward on another tape.
  thread_local std::vector<Variable<T>> spare_dys;
  thread_local std::vector<Term<T>> spare_terms;
  std::vector<Variable<T>> dys = std::move(spare_dys);
  std::vector<Term<T>> terms = std::move(spare_terms);
  dys.clear();
  terms.clear();
  for (std::size_t i = 0; i < node.outputs; ++i) {
    GradientSum<T>& sum = sums[node.first_output + i];
    sum.settle();
    dys.push_back(sum.dense(slots_[node.first_output + i].shape));
    sum = {};
  }
  for (std::size_t e = node.first_edge; e < node.first_edge + node.edges; ++e) {
    const Edge edge = edges_[e];
    terms.resize(edge.inputs);
    (*edge.derivative)(dys, terms);
    for (std::size_t i = 0; i < edge.inputs; ++i) {
      const std::size_t slot = input_slots_[edge.first_input + i];
      if (slot == no_slot) continue;
      check_term(node, terms[i], slots_[slot].shape);
      sums[slot].add(std::move(terms[i]));
    }
    terms.clear();
  }
  dys.clear();
  spare_dys = std::move(dys);
  spare_terms = std::move(terms);
}

template <class T>
Gradients<T> Tape<T>::backward(const Variable<T>& y, const BackwardOptions<T>& options) {
  if (!y.defined() || y.place().tape != run_) {
    fail("backward", "a result recorded on this tape and not cleared since",
         y.defined() ? "a constant or a variable of another tape" : "an undefined variable");
  }
  if (options.record && current() != this)
    fail("backward", "this tape to be recording when record is asked for", "another or none");
  if (!options.seed.defined() && y.size() != 1) fail("backward", "one element, or a seed", "y ", y.shape());
  if (options.seed.defined() && options.seed.shape() != y.shape()) {
    fail("backward", "a seed of the result's shape", "y ", y.shape(), ", seed ", options.seed.shape());
  }
  for (const Variable<T>& x : options.keep) {
    if (!holds(x)) fail("backward", "kept variables to be on this tape", "a constant or a variable of another tape");
  }
  Pause<T> pause(!options.record);
  for (const Variable<T>& x : options.keep) slot_of(x);  // a parameter that was not used gets its slot before the count
  const std::size_t slot_count = slots_.size();
  std::vector<GradientSum<T>> sums(slot_count);
  sums[y.place().slot].add(options.seed.defined() ? options.seed : Variable<T>(full<T>(y.shape(), 1)));

  Gradients<T> gradients(run_);
  std::vector<char> kept(slot_count, 0);
  for (const Variable<T>& x : options.keep) kept[slot_of(x)] = 1;
  for (std::size_t n = nodes_.size(); n-- > 0;) {
    const Node node = nodes_[n];  // a copy: recording the backward pass may move the nodes
    bool reached = false;
    for (std::size_t i = 0; i < node.outputs; ++i) {
      const std::size_t slot = node.first_output + i;
      reached = reached || !sums[slot].empty();
      if (kept[slot]) {
        sums[slot].settle();
        gradients.insert(Place{run_, slot}, sums[slot]);
      }
    }
    if (reached) propagate(node, sums);
  }
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    if (slots_[slot].leaf == Place{}) continue;
    sums[slot].settle();
    gradients.insert(slots_[slot].leaf, std::move(sums[slot]));
  }
  return gradients;
}

template <class T>
Pause<T>::Pause(bool really) : paused_(innermost<T>) {
  if (really) innermost<T> = nullptr;
}

template <class T>
Pause<T>::~Pause() {
  innermost<T> = paused_;
}

template class Tape<float>;
template class Tape<double>;
template class Pause<float>;
template class Pause<double>;

}  // namespace rw
