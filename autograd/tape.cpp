#include "autograd/tape.hpp"

#include <atomic>

#include "autograd/pass.hpp"

namespace rw {
namespace {

std::uint64_t next_run() {
  static std::atomic<std::uint64_t> run{Place::parameters};
  return ++run;
}

}  // namespace

template <class T>
Tape<T>::Tape() : run_(next_run()), outer_(innermost) {
  innermost = this;
  if (Observer::wanted(Observer::of_tapes)) Observer::tell(&Observer::started, run_);
}

template <class T>
Tape<T>::Tape(Tape& around) : Tape() {
  around_ = &around;
}

template <class T>
Tape<T>::~Tape() {
  forget();
  Tape** link = &innermost;  // as a rule this one
  while (*link != nullptr && *link != this) link = &(*link)->outer_;
  if (*link == this) *link = outer_;
}

template <class T>
void Tape<T>::clear() {
  check_thread("clear");
  forget();
}

template <class T>
void Tape<T>::check_thread(const char* op) const {
  if (thread_ != &innermost) {
    fail(op, "the thread on which the tape was made", "another: give each thread a tape of its own, as learn() does");
  }
}

template <class T>
void Tape<T>::forget() {
  if (Observer::wanted(Observer::of_tapes)) Observer::tell(&Observer::cleared, run_);
  for (const Edge& edge : edges_) {
    if (edge.derivative != nullptr) edge.derivative->~Derivative<T>();
  }
  nodes_.clear();
  edges_.clear();
  input_slots_.clear();
  slots_.clear();
  shapes_.clear();
  leaves_.clear();
  wholes_.clear();
  regions_.clear();
  outside_slots_.clear();
  last_outside_ = {{}, none};
  reads_.clear();
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
  if (chunk_ == chunks_.size()) chunks_.emplace_back(chunk_bytes);
  void* place = chunks_[chunk_].data() + used_;
  used_ += bytes;
  return place;
}

template <class T>
std::uint32_t Tape<T>::add_slot(const Shape& shape) {
  if (slots_.size() >= none) fail("record", "fewer than 2^32 - 1 variables on a tape", slots_.size());
  if (shapes_.empty() || shapes_.back() != shape) shapes_.push_back(shape);
  slots_.emplace_back(static_cast<std::uint32_t>(shapes_.size() - 1));
  return static_cast<std::uint32_t>(slots_.size() - 1);
}

template <class T>
Variable<T> Tape<T>::watch(Tensor<T> value) {
  check_thread("watch");
  const Place place{run_, slots_.size()};
  leaves_.push_back({add_slot(value.shape()), place});
  return Variable<T>(std::move(value), place);
}

template <class T>
const std::uint32_t* Tape<T>::outside_slot(const Place& place) const {
  if (last_outside_.second == none || last_outside_.first != place) {
    const auto it = outside_slots_.find(place);
    if (it == outside_slots_.end()) return nullptr;
    last_outside_ = *it;
  }
  return &last_outside_.second;
}

template <class T>
std::uint32_t Tape<T>::slot_of(const Variable<T>& x) {
  if (x.place().tape == run_) return static_cast<std::uint32_t>(x.place().slot);
  if (const std::uint32_t* slot = outside_slot(x.place())) return *slot;
  leaves_.push_back({add_slot(x.shape()), x.place()});
  if (around_ != nullptr) reads_.push_back(x);
  return outside_slots_[x.place()] = leaves_.back().slot;
}

template <class T>
std::size_t Tape<T>::bytes() const {
  std::size_t all = nodes_.size() * sizeof(Node) + edges_.size() * sizeof(Edge) + chunk_ * chunk_bytes + used_;
  for (const Slot& slot : slots_) all += sizeof(Slot) + size_of(shapes_[slot.shape]) * sizeof(T);
  return all;
}

template <class T>
std::size_t Tape<T>::uses(const Variable<T>& x) const {
  if (x.place().tape == run_) return slots_[x.place().slot].uses;
  const std::uint32_t* slot = outside_slot(x.place());
  return slot != nullptr ? slots_[*slot].uses : 0;
}

template <class T>
void Tape<T>::open(OpName op, std::span<Variable<T>> ys) {
  nodes_.emplace_back(op, slots_.size(), ys.size(), edges_.size());
  for (Variable<T>& y : ys) {
    const std::uint32_t slot = add_slot(y.shape());
    y.stand_at({run_, slot});
  }
  if (Observer::current() != nullptr) tell_recorded(ys);
}

template <class T>
Place Tape<T>::open(OpName op, std::size_t outputs, const Shape& shape) {
  const Place first{run_, slots_.size()};
  nodes_.emplace_back(op, slots_.size(), outputs, edges_.size());
  for (std::size_t i = 0; i < outputs; ++i) add_slot(shape);
  if (Observer::current() != nullptr) tell_recorded({});
  return first;
}

template <class T>
void Tape<T>::add_edge(Derivative<T>* derivative, std::span<const Variable<T>* const> inputs) {
  edges_.emplace_back(derivative, input_slots_.size(), inputs.size());
  for (const Variable<T>* x : inputs) {
    input_slots_.push_back(holds(*x) ? slot_of(*x) : none);
    if (input_slots_.back() != none) ++slots_[input_slots_.back()].uses;
  }
  ++nodes_.back().edges;
}

template <class T>
void Tape<T>::attach_same(const Variable<T>& x) {
  const std::array<const Variable<T>*, 1> input{&x};
  add_edge(nullptr, input);
  // A gradient that goes on as it is belongs where it goes.
  Slot& y = slots_[nodes_.back().first_output];
  if (y.region == none) y.region = slots_[input_slots_.back()].region;
}

template <class T>
void Tape<T>::attach_part(std::size_t i, const Variable<T>& x, std::size_t offset) {
  slots_[nodes_.back().first_output + i].region = static_cast<std::uint32_t>(regions_.size());
  const auto node = static_cast<std::uint32_t>(nodes_.size() - 1);
  if (wholes_.empty() || wholes_.back().node != node) wholes_.push_back({x.shape(), node, 0, 0, none});
  regions_.push_back({static_cast<std::uint32_t>(wholes_.size() - 1), offset});
}

template <class T>
void Tape<T>::attach_factor(const Variable<T>& w) {
  const std::uint32_t slot = slot_of(w);
  Slot& weight = slots_[slot];
  Slot& y = slots_[nodes_.back().first_output];
  const Shape& shape = shapes_[y.shape];
  if (y.region != none) return;
  if (weight.factors == none) {
    weight.factors = static_cast<std::uint32_t>(wholes_.size());
    wholes_.push_back({{0}, none, 0, 0, slot});
  }
  Whole& whole = wholes_[weight.factors];
  y.region = static_cast<std::uint32_t>(regions_.size());
  regions_.push_back({weight.factors, whole.shape.front()});
  whole.shape.front() += size_of(shape);
  whole.rows += rows_of(shape);
  ++whole.parts;
}

template <class T>
void Tape<T>::propagate(const Node& node, std::size_t n, Pass& pass) {
  const auto gradient = [&](std::uint32_t slot) {
    GradientSum<T> sum = std::move(pass.sums[slot]);
    sum.settle();
    return std::move(sum).dense(shape_of(slot));
  };
  Variable<T> one;
  List<Variable<T>> several;
  std::span<const Variable<T>> dys(&one, 1);
  if (node.outputs == 1) {
    one = gradient(node.first_output);
  } else {
    several.reserve(node.outputs);
    for (std::uint32_t i = 0; i < node.outputs; ++i) several.push_back(gradient(node.first_output + i));
    dys = several;
  }
  Flow<T> flow(*this, pass, node.op, n);
  for (std::uint32_t e = node.first_edge; e < node.first_edge + node.edges; ++e) {
    const Edge edge = edges_[e];
    flow.slots_ = &input_slots_[edge.first_input];
    if (edge.derivative == nullptr) {
      flow.add(0, dys[0]);
      continue;
    }
    if (innermost == nullptr) {
      if (node.outputs == 1 && e + 1 == node.first_edge + node.edges) flow.last_read_ = &one;
      (*edge.derivative)(dys, flow);
      if (flow.reused_) one.leave_twin();
    } else {  // recording the backward pass may move the list of slots
      const List<std::uint32_t> slots(flow.slots_, flow.slots_ + edge.inputs);
      flow.slots_ = slots.data();
      (*edge.derivative)(dys, flow);
    }
  }
}

namespace {

template <class T>
std::string standing(const Variable<T>& x) {
  if (!x.defined()) return "an undefined variable";
  switch (x.place().tape) {
    case Place::nowhere:
      return "a constant: compute it while the tape records, of parameters or what it watches";
    case Place::parameters:
      return "a parameter: compute something of it";
    default:
      return "a variable of another tape, or of this one before it was cleared: compute it again here";
  }
}

}  // namespace

template <class T>
Gradients<T> Tape<T>::backward(const Variable<T>& y, const BackwardOptions<T>& options) {
  check_thread("backward");
  if (!y.defined() || y.place().tape != run_) fail("backward", "a result recorded on this tape", standing(y));
  if (options.record && current() != this) {
    fail("backward", "this tape to be recording when record is asked for",
         current() != nullptr ? "a tape inside it: end that first" : "none: end the Pause first");
  }
  if (!options.seed.defined() && y.size() != 1) fail("backward", "one element, or a seed", "y ", y.shape());
  if (options.seed.defined() && options.seed.shape() != y.shape()) {
    fail("backward", "a seed of the result's shape", "y ", y.shape(), ", seed ", options.seed.shape());
  }
  for (const Variable<T>& x : options.keep) {
    if (!x.defined() || !holds(x)) fail("backward", "kept variables to be on this tape", standing(x));
  }
  Pause<T> pause(!options.record);
  for (const Variable<T>& x : options.keep) slot_of(x);  // a parameter that was not used gets its slot before the count
  const std::size_t slot_count = slots_.size();
  Pass pass(*this, options.record);
  if (options.seed.defined() && Observer::current() != nullptr) tell_derived(nodes_.size(), options.seed, true);
  pass.sums[y.place().slot].add(options.seed.defined() ? options.seed : Variable<T>(full<T>(y.shape(), 1)));

  List<char> kept(options.keep.empty() ? 0 : slot_count, 0);
  for (const Variable<T>& x : options.keep) kept[slot_of(x)] = 1;
  return run(pass, slot_count, kept);
}

template <class T>
Gradients<T> Tape<T>::backward(std::span<const Variable<T>> ys, std::span<const Variable<T>> seeds) {
  check_thread("backward");
  const auto counts = [&](std::size_t i) { return seeds[i].defined() && holds(ys[i]); };
  if (seeds.size() != ys.size())
    fail("backward", "a seed for each of " + std::to_string(ys.size()) + " results", seeds.size());
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (counts(i)) check_same_shape("backward", ys[i].shape(), seeds[i].shape());
  }
  const Pause<T> pause;
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (counts(i)) slot_of(ys[i]);
  }
  Pass pass(*this, false);
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (counts(i)) pass.sums[slot_of(ys[i])].add(seeds[i]);
  }
  return run(pass, slots_.size(), {});
}

template <class T>
Gradients<T> Tape<T>::run(Pass& pass, std::size_t slot_count, const List<char>& kept) {
  Gradients<T> gradients(run_);
  const bool told = Observer::current() != nullptr, turns = Observer::wanted(Observer::of_turns);
  for (std::size_t n = nodes_.size(); n-- > 0;) {
    const Node node = nodes_[n];  // a copy: recording the backward pass may move the nodes
    bool reached = false;
    for (std::uint32_t slot = node.first_output; slot < node.first_output + node.outputs; ++slot) {
      reached = reached || !pass.sums[slot].empty();
      if (!kept.empty() && kept[slot]) {
        pass.sums[slot].settle();
        gradients.insert(Place{run_, slot}, pass.sums[slot]);
      }
    }
    if (!reached) continue;
    if (turns) Observer::tell(&Observer::goes_back, operation(n));
    propagate(node, n, pass);
    if (turns) Observer::tell(&Observer::went_back, operation(n));
  }
  for (const Leaf& leaf : leaves_) {
    if (leaf.slot >= slot_count) continue;  // of the recorded backward pass itself
    GradientSum<T>& sum = pass.sums[leaf.slot];
    if (told && !sum.empty()) {
      settle_observed(leaf.slot, sum);
    } else {
      sum.settle();
    }
    gradients.insert(leaf.place, std::move(sum));
  }
  return gradients;
}

template <class T>
Pause<T>::Pause(bool really) : paused_(Tape<T>::innermost) {
  if (really) Tape<T>::innermost = nullptr;
}

template <class T>
Pause<T>::~Pause() {
  Tape<T>::innermost = paused_;
}

template class Tape<float>;
template class Tape<double>;
template class Pause<float>;
template class Pause<double>;

}  // namespace rw
