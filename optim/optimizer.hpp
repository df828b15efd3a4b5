#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "autograd/gradients.hpp"
#include "autograd/workers.hpp"

namespace rw::optim {

/// A stretch of one parameter with its gradient and the optimiser's state tensors, all contiguous.
template <class T>
struct Stretch {
  std::size_t size;
  T* value;
  const T* gradient;
  T keep = 1;      // what the values are multiplied by first: 1 − ηλ, the weight decay
  List<T*> state;  // in the order of state_names()
};

/// What every optimiser shares: walking over the parameters, the state of each, and the learning rate. An optimiser
/// itself is its options and update(), the paper's equations for one element; see optim/adam.cpp.
///
/// A row-sparse gradient (an embedding's) is applied sparsely: values and state of the rows that it names change, all
/// others stay as they are, so a step costs nothing of the vocabulary's size.
///
/// Weight decay λ is decoupled from the gradient (Loshchilov & Hutter 2019): x ← (1 − ηλ)·x comes first, in all but
/// Sgd. Groups of parameters with options of their own are optimisers of their own, each given its part of the list:
///     decayed.step(weights, gradients);  // Adam<float> decayed({.weight_decay = 0.01}), plain;
///     plain.step(biases, gradients);
template <class T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Changes every parameter something flowed to; the others stay. Release tapes that recorded them first where memory
  /// counts: a value that is still held is copied. Throws std::invalid_argument where a gradient has another shape
  /// than its parameter, and changes nothing.
  /// With `workers` the elements of large parameters are shared out among threads; the result is the same.
  void step(const std::vector<Parameter<T>*>& parameters, const Gradients<T>& gradients, Workers* workers = nullptr);

  double learning_rate() const { return learning_rate_; }

  /// For schedules. Throws std::invalid_argument where the rate is negative or not finite.
  void set_learning_rate(double rate);

  /// The steps taken.
  std::uint64_t steps() const { return steps_; }
  void set_steps(std::uint64_t steps) { steps_ = steps; }

  /// What is kept for each parameter, one name a tensor of its shape; for snapshots.
  const std::vector<std::string>& state_names() const { return state_names_; }

  /// The kept tensors of one parameter, to read or replace; zeros at first. Belongs to the parameter itself, wherever
  /// it is moved.
  std::vector<Tensor<T>>& state(const Parameter<T>& parameter);

 protected:
  Optimizer(double learning_rate, std::vector<std::string> state_names, double weight_decay = 0);

  /// Called once at the head of a step, with steps() already counting it.
  virtual void begin_step() {}

  /// Called for parts of one parameter, from several threads where step() was given workers.
  virtual void update(const Stretch<T>& stretch) = 0;

 private:
  double learning_rate_ = 0, weight_decay_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<std::string> state_names_;
  std::map<std::uint64_t, std::vector<Tensor<T>>> states_;
};

/// Throws std::invalid_argument where `value` of option `name` is not in [low, high).
void check_option(const char* op, const char* name, double value, double low,
                  double high = std::numeric_limits<double>::infinity());

/// Throws std::invalid_argument where one of the parameters is nullptr.
template <class T>
void check_parameters(const char* op, const std::vector<Parameter<T>*>& parameters) {
  for (const Parameter<T>* p : parameters) {
    if (p == nullptr) fail(op, "parameters", "nullptr");
  }
}

/// The same, and where a gradient has another shape than its parameter.
template <class T>
void check_gradients(const char* op, const std::vector<Parameter<T>*>& parameters, const Gradients<T>& gradients) {
  check_parameters(op, parameters);
  for (const Parameter<T>* p : parameters) {
    if (!gradients.has(*p)) continue;
    if (const RowSparse<T>* sparse = gradients.rows(*p)) {
      if (p->rank() == 0 || p->shape()[0] != sparse->rows) fail(op, "rows of " + p->name(), sparse->rows, " rows");
    } else {
      check_same_shape(op, p->shape(), gradients[*p].shape());
    }
  }
}

extern template class Optimizer<float>;
extern template class Optimizer<double>;

}  // namespace rw::optim
