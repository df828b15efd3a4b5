#pragma once

#include <array>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "autograd/gradients.hpp"
#include "autograd/observer.hpp"

namespace rw {

template <class T>
class Flow;

/// A derivative function with the values it captured.
template <class T>
struct Derivative {
  virtual ~Derivative() = default;
  /// dys: gradients of the op's outputs. Hands a term for each input of this derivative to `flow`.
  virtual void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const = 0;
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
  /// A tape for a part that `around` is to hold as one operation: what stands on `around` is read here as parameters
  /// are, and its gradients can be had.
  explicit Tape(Tape& around);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// The tape that records on this thread, or nullptr.
  static Tape* current() { return innermost; }

  /// A leaf: a variable whose gradient is wanted.
  Variable<T> watch(Tensor<T> value);
  Variable<T> watch(const Variable<T>& value) { return watch(Tensor<T>(value.value())); }

  /// The gradients of y, or of <seed, y>, with respect to every leaf it depends on.
  /// May be asked for again, also of another result. The values are those that were read when they were recorded,
  /// whatever became of the parameters since.
  /// Throws std::invalid_argument where y is not on this tape, or has several elements and no seed of its shape, or
  /// where this is not the tape's thread.
  Gradients<T> backward(const Variable<T>& y, const BackwardOptions<T>& options = {});

  /// The gradients of Σ <seeds[i], ys[i]>; results that are not on this tape, and seeds that are undefined, count as 0.
  /// Throws std::invalid_argument where a seed has not the shape of its result.
  Gradients<T> backward(std::span<const Variable<T>> ys, std::span<const Variable<T>> seeds);

  /// Forgets all records and keeps their memory. Variables recorded so far become constants.
  /// Throws std::invalid_argument where this is not the tape's thread, as watch() does.
  void clear();

  /// The number of recorded operations.
  std::size_t size() const { return nodes_.size(); }

  /// About how many bytes the records hold, with all recorded results; parts of others count as well.
  std::size_t bytes() const;

  /// The parameters and variables of the tape around this one that were read, in order; empty where there is none.
  const List<Variable<T>>& reads() const { return reads_; }

  // The rest is for record(): a node is opened with its outputs, then given derivatives.

  /// Whether x is a parameter or stands on this tape.
  bool holds(const Variable<T>& x) const {
    return x.place().tape == run_ || x.place().tape == Place::parameters || (around_ != nullptr && stands_around(x));
  }

  /// How many derivatives with respect to x are recorded.
  std::size_t uses(const Variable<T>& x) const;

  /// Opens a node whose outputs are ys; from here on they stand on this tape.
  void open(OpName op, std::span<Variable<T>> ys);

  /// The same for outputs of one shape that do not exist yet: the place of the first; the others follow it.
  Place open(OpName op, std::size_t outputs, const Shape& shape);

  /// Gives the open node a derivative D(args...) with respect to `inputs`; those not held are skipped when it is
  /// called.
  template <class D, class... Args>
  void attach(std::span<const Variable<T>* const> inputs, Args&&... args) {
    add_edge(::new (allocate(sizeof(D))) D(std::forward<Args>(args)...), inputs);
  }

  /// Gives the open node with the one output y the derivative dx = dy.
  void attach_same(const Variable<T>& x);

  /// Says that output i of the open node is the part of x from `offset` on, and its gradient the same part of x's
  /// gradient: it is written there from the start.
  void attach_part(std::size_t i, const Variable<T>& x, std::size_t offset);

  /// Says that the gradient of the open node's one output is a factor of an open product of w's gradient: where there
  /// are several, they are written one after another from the start.
  void attach_factor(const Variable<T>& w);

 private:
  friend class Flow<T>;
  template <class>
  friend class Pause;
  template <class>
  friend class Drawing;

  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

  struct Node {
    Node(OpName op, std::size_t first_output, std::size_t outputs, std::size_t first_edge)
        : op(op.name),
          first_output(static_cast<std::uint32_t>(first_output)),
          outputs(static_cast<std::uint32_t>(outputs)),
          first_edge(static_cast<std::uint32_t>(first_edge)),
          moves(op.moves ? 1 : 0) {}

    const char* op;
    std::uint32_t first_output, outputs, first_edge, edges : 31 = 0, moves : 1;
    const CallStack* calls = nullptr;  // that led to it, where observers want them
  };
  struct Edge {
    Edge(Derivative<T>* derivative, std::size_t first_input, std::size_t inputs)
        : derivative(derivative),
          first_input(static_cast<std::uint32_t>(first_input)),
          inputs(static_cast<std::uint32_t>(inputs)) {}

    Derivative<T>* derivative;  // nullptr: the gradient goes on as it is
    std::uint32_t first_input, inputs;
  };
  struct Slot {
    explicit Slot(std::uint32_t shape) : shape(shape) {}

    std::uint32_t shape;          // in shapes_
    std::uint32_t region = none;  // where its gradient belongs
    std::uint32_t uses = 0;
    std::uint32_t factors = none;  // the whole of the factors of its gradient's products
  };
  struct Leaf {
    std::uint32_t slot;
    Place place;
  };
  struct Whole {  // a tensor for gradients that are written side by side
    Shape shape;
    std::uint32_t node;  // that took a variable of this shape apart, or none
    std::uint32_t parts;
    std::size_t rows;      // of all factors
    std::uint32_t weight;  // whose gradient they are factors of

    bool pays() const { return node != none || parts > 1; }
    // How many elements are one tensor: of factors no more rows than are multiplied at once.
    std::size_t stretch() const {
      if (rows <= stacked_rows_limit) return size_of(shape);
      const std::size_t products = (rows + stacked_rows_limit - 1) / stacked_rows_limit;
      return (parts + products - 1) / products * (size_of(shape) / parts);
    }
  };
  struct Region {
    std::uint32_t whole;
    std::size_t offset;
  };
  struct HashPlace {
    std::size_t operator()(const Place& p) const { return p.slot * 31 + p.tape; }
  };
  struct Pass;  // one backward pass

  Gradients<T> run(Pass& pass, std::size_t slot_count, const List<char>& kept);
  void add_edge(Derivative<T>* derivative, std::span<const Variable<T>* const> inputs);
  const std::uint32_t* outside_slot(const Place& place) const;
  // Apart from holds(), so that compilers inline that one: it would call itself.
  bool stands_around(const Variable<T>& x) const { return around_->holds(x); }
  std::uint32_t slot_of(const Variable<T>& x);
  std::uint32_t add_slot(const Shape& shape);
  const Shape& shape_of(std::uint32_t slot) const { return shapes_[slots_[slot].shape]; }
  void* allocate(std::size_t bytes);
  void propagate(const Node& node, std::size_t n, Pass& pass);
  void check_thread(const char* op) const;
  Operation operation(std::size_t n) const;
  [[gnu::noinline]] void tell_recorded(std::span<const Variable<T>> ys);
  // whole: a seed or the gradient of a leaf, which adds up what it consists of, also where op n moves elements.
  [[gnu::noinline]] void tell_derived(std::size_t n, const Variable<T>& dx, bool whole = false) const;
  void settle_observed(std::uint32_t slot, GradientSum<T>& sum) const;
  void forget();

  static inline constinit thread_local Tape* innermost = nullptr;

  std::uint64_t run_;  // changes with clear(), so that variables of an earlier run are constants
  Tape* outer_;
  Tape* around_ = nullptr;
  const void* thread_ = &innermost;
  List<Variable<T>> reads_;
  List<Node> nodes_;
  List<Edge> edges_;
  List<std::uint32_t> input_slots_;
  List<Slot> slots_;
  List<Shape> shapes_;  // many slots in a row share one
  List<Leaf> leaves_;
  List<Whole> wholes_;
  List<Region> regions_;
  std::unordered_map<Place, std::uint32_t, HashPlace, std::equal_to<>,
                     RecyclingAllocator<std::pair<const Place, std::uint32_t>>>
      outside_slots_;                                               // of parameters and what stands on the tape around
  mutable std::pair<Place, std::uint32_t> last_outside_{{}, none};  // as a rule a weight is asked for several times
  List<Storage<std::byte>> chunks_;
  std::size_t chunk_ = 0, used_ = 0;
};

/// What a derivative hands on to the inputs of its op.
template <class T>
class Flow {
 public:
  /// Whether anything becomes of the gradient of input i.
  bool wanted(std::size_t i) const { return slots_[i] != Tape<T>::none; }

  /// The shape of input i.
  const Shape& shape(std::size_t i) const { return tape_.shape_of(slots_[i]); }

  /// Adds a term to the gradient of input i. Throws std::invalid_argument where it has not the input's shape.
  void add(std::size_t i, Variable<T> term);
  void add(std::size_t i, Product<T> term);
  void add(std::size_t i, RowSparse<T> term);
  void add(std::size_t i, Term<T> term);

  /// A tensor to write the gradient of input i into: its place in the gradient of which it is a part; or the memory of
  /// the incoming gradient where nobody reads it again, so an element may be written only after it was read; or new.
  Variable<T> room(std::size_t i, const Shape& shape);

 private:
  friend class Tape<T>;
  Flow(Tape<T>& tape, typename Tape<T>::Pass& pass, const char* op, std::size_t node)
      : tape_(tape), pass_(pass), op_(op), node_(node) {}
  void check(std::size_t i, const Shape& got) const;
  // The place of a slot's gradient among those that are written side by side; undefined where it has none.
  Variable<T> region(std::uint32_t slot, const Shape& shape);

  Tape<T>& tape_;
  typename Tape<T>::Pass& pass_;
  const char* op_;
  std::size_t node_;
  const std::uint32_t* slots_ = nullptr;
  Variable<T>* last_read_ = nullptr;  // the incoming gradient, in the last derivative that reads it
  bool reused_ = false;               // its memory was given away by room()
};

/// Where the result of a kernel goes: where the gradient of an input belongs, or anywhere.
template <class T>
class Into {
 public:
  Into() = default;
  Into(Flow<T>& flow, std::size_t input) : flow_(&flow), input_(input) {}
  /// The shape of the input whose gradient it is; for derivatives only.
  const Shape& input_shape() const { return flow_->shape(input_); }

  Variable<T> make(const Shape& shape) const {
    return flow_ != nullptr ? flow_->room(input_, shape) : Variable<T>::uninitialised(shape);
  }

 private:
  Flow<T>* flow_ = nullptr;
  std::size_t input_ = 0;
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
extern template class Flow<float>;
extern template class Flow<double>;
extern template class Pause<float>;
extern template class Pause<double>;

}  // namespace rw
