#pragma once

#include <array>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "autograd/gradients.hpp"

namespace rw {

/// A derivative function with the values it captured.
template <class T>
struct Derivative {
  virtual ~Derivative() = default;
  /// dys: gradients of the op's outputs. terms: one for each input of this derivative, in order.
  virtual void operator()(std::span<const Variable<T>> dys, std::span<Term<T>> terms) const = 0;
};

template <class T>
struct BackwardOptions {
  Variable<T> seed = {};               // gradient of the result; 1 where it is not given and the result has one element
  bool record = false;                 // record the backward pass on this tape, to differentiate it again
  std::vector<Variable<T>> keep = {};  // intermediates whose gradients are wanted as well
};

/// Records operations while in scope, on its own thread, as the innermost tape of that thread; rewinds them by
/// backward(). Values on a tape never change.
template <class T>
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// The tape that records on this thread, or nullptr.
  static Tape* current();

  /// A leaf: a variable whose gradient is wanted.
  Variable<T> watch(Tensor<T> value);
  Variable<T> watch(const Variable<T>& value) { return watch(Tensor<T>(value.value())); }

  /// The gradients of y, or of <seed, y>, with respect to every leaf it depends on.
  /// Throws std::invalid_argument where y is not on this tape, or has several elements and no seed of its shape.
  Gradients<T> backward(const Variable<T>& y, const BackwardOptions<T>& options = {});

  /// Forgets all records and keeps their memory. Variables recorded so far become constants.
  void clear();

  /// The number of recorded operations.
  std::size_t size() const { return nodes_.size(); }

  // The rest is for record(): a node is opened with its outputs, then given derivatives.

  /// Whether x is a parameter or stands on this tape.
  bool holds(const Variable<T>& x) const { return x.place().tape == run_ || x.place().tape == Place::parameters; }

  /// Opens a node; returns its outputs as recorded variables.
  Variable<T> open(const char* op, Tensor<T> value);
  std::vector<Variable<T>> open(const char* op, std::vector<Tensor<T>> values);

  /// Gives the open node a derivative with respect to `inputs`; those not held are skipped when it is called.
  template <class D>
  void attach(std::span<const Variable<T>* const> inputs, D derivative) {
    edges_.push_back({::new (allocate(sizeof(D))) D(std::move(derivative)), input_slots_.size(), inputs.size()});
    for (const Variable<T>* x : inputs) input_slots_.push_back(holds(*x) ? slot_of(*x) : no_slot);
    ++nodes_.back().edges;
  }

 private:
  static constexpr std::size_t no_slot = static_cast<std::size_t>(-1);
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

  struct Node {
    const char* op;
    std::size_t first_output, outputs, first_edge, edges;
  };
  struct Edge {
    Derivative<T>* derivative;
    std::size_t first_input, inputs;
  };
  struct Slot {
    Shape shape;
    Place leaf;  // nowhere for results of operations
  };

  std::size_t slot_of(const Variable<T>& x);
  std::size_t add_slot(const Shape& shape, const Place& leaf);
  void* allocate(std::size_t bytes);
  void check_term(const Node& node, const Term<T>& term, const Shape& shape) const;
  void propagate(const Node& node, std::vector<GradientSum<T>>& sums);

  std::uint64_t run_;  // changes with clear(), so that variables of an earlier run are constants
  Tape* outer_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::vector<std::size_t> input_slots_;
  std::vector<Slot> slots_;
  std::unordered_map<std::uint64_t, std::size_t> parameter_slots_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t chunk_ = 0, used_ = 0;
};

/// While in scope nothing is recorded on this thread.
template <class T>
class Pause {
 public:
  explicit Pause(bool really = true);
  ~Pause();
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Tape<T>* paused_;
};

extern template class Tape<float>;
extern template class Tape<double>;
extern template class Pause<float>;
extern template class Pause<double>;

}  // namespace rw
