#pragma once

#include <algorithm>
#include <string>

#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "nn/cell.hpp"

namespace rw::nn {

/// Real-time recurrent learning (Williams & Zipser 1989, Neural Computation 1) of any cell: beside the state s it
/// carries the sensitivities ∂s/∂θ of every number of the state to every parameter θ of the cell, so each step has the
/// exact gradient of its own loss at once, and nothing of the past is stored.
///     ∂s'/∂θ = J·∂s/∂θ + D           J = ∂step(x, s; θ)/∂s,  D = ∂step(x, s; θ)/∂θ
///     dL/dθ = ∂L/∂θ + ∂L/∂s·∂s/∂θ    L a loss of the step's output
/// With S numbers in the state of the whole batch and P in the parameters a step takes S + 1 passes back through one
/// step, a product of S²·P multiplications, and S·P numbers of memory, however many steps were before: for small
/// networks that learn while they run. Summed over the steps the gradients are those of backpropagation through time,
/// exactly while the parameters stay; where they change after every step, as in the paper, nearly.
///     Rtrl rtrl(cell);
///     auto [y, loss, gradients] = rtrl.step(x, [&](const auto& y) { return mean(square(y - target)); });
///     sgd.step(cell.parameters(), gradients);
/// The cell must stay where it is. What comes before it in a network is not trained; what comes after it, inside the
/// loss, is.
template <class C>
class Rtrl {
 public:
  using T = ElementOf<C>;
  using State = typename C::State;

  struct Learned {
    Variable<T> output;      // [B, O]
    T loss;                  // of this step
    Gradients<T> gradients;  // of this step's loss, for the cell's parameters and all that the loss read
  };

  /// Begins with the cell's initial state; if that is trained, so it is here.
  /// Throws std::invalid_argument where the state holds no numbers.
  explicit Rtrl(C& cell, std::size_t batch = 1) : cell_(cell), batch_(batch) { reset(); }

  /// Begins a new sequence.
  void reset() {
    Tape<T> tape;
    const State first = nn::initial_state(cell_, batch_);
    const Variable<T> numbers = flat(first);
    if (numbers.size() == 0) fail("rtrl", "a state with numbers in it", "none");
    state_ = detached(first);
    state_flat_ = numbers.detached();
    jacobians(tape, numbers, nullptr);
  }

  /// One step from x [B, I]. loss(output) returns a scalar, and may read further parameters. Throws
  /// std::invalid_argument where it is no scalar or depends on nothing, or the cell changes the size of its state.
  template <class Loss>
  Learned step(const Variable<T>& x, const Loss& loss) {
    Tape<T> tape;
    const Variable<T> before = tape.watch(state_flat_);
    Step<T, State> next = nn::step(cell_, x, unflat(before));
    const Variable<T> value = loss(next.output);
    Gradients<T> gradients = tape.backward(value);
    const Variable<T> through_state = matmul(reshape(gradients[before].detached(), {1, before.size()}), sensitivities_);
    advance(tape, next.state, before);
    gradients += by_parameter(through_state);
    return {next.output.detached(), value.item(), std::move(gradients)};
  }

  /// One step without a loss; returns its output.
  Variable<T> step(const Variable<T>& x) {
    Tape<T> tape;
    const Variable<T> before = tape.watch(state_flat_);
    Step<T, State> next = nn::step(cell_, x, unflat(before));
    advance(tape, next.state, before);
    return next.output.detached();
  }

  /// Where the sequence has come to; a constant.
  const State& state() const { return state_; }

  /// ∂s/∂θ [S, P]: a row for every number of the state, the elements of the parameters one after the other.
  const Variable<T>& sensitivities() const { return sensitivities_; }

 private:
  /// All numbers of a state, [S].
  static Variable<T> flat(const State& state) {
    List<Variable<T>> all{Variable<T>(zeros<T>({0}))};
    map_state([&](const Variable<T>& v) { return all.push_back(reshape(v, {v.size()})), v; }, state);
    return concatenate(all, 0);
  }

  /// The state of these numbers.
  State unflat(const Variable<T>& numbers) const {
    std::ptrdiff_t begin = 0;
    const auto take = [&](const Variable<T>& like) {
      const std::ptrdiff_t from = begin;
      begin += static_cast<std::ptrdiff_t>(like.size());
      return reshape(slice(numbers, 0, from, begin), like.shape());
    };
    return map_state(take, state_);
  }

  void advance(Tape<T>& tape, const State& next, const Variable<T>& before) {
    const Variable<T> after = flat(next);
    if (after.size() != before.size()) {
      fail("rtrl", "a state of " + std::to_string(before.size()) + " numbers after each step", after.size());
    }
    jacobians(tape, after, &before);
    state_ = detached(next);
    state_flat_ = after.detached();
  }

  /// Carries the sensitivities on to the numbers `after`, which stand on the tape, and depend on `before` if given.
  void jacobians(Tape<T>& tape, const Variable<T>& after, const Variable<T>* before) {
    const std::size_t rows = after.size(), columns = cell_.parameters().elements();
    Tensor<T> j = zeros<T>({rows, rows}), d = zeros<T>({rows, columns});
    const bool depends = after.place() != Place{};
    for (std::size_t i = 0; depends && i < rows; ++i) {
      Tensor<T> one_hot = zeros<T>({rows});
      one_hot.data()[i] = 1;
      const Gradients<T> row = tape.backward(after, {.seed = std::move(one_hot)});
      const auto put = [&](const Variable<T>& x, T* to) {
        if (!row.has(x)) return;
        const Variable<T> dx = row[x];
        std::copy_n(dx.value().data(), dx.size(), to);
      };
      if (before != nullptr) put(*before, j.data() + i * rows);
      T* to = d.data() + i * columns;
      for (const auto& entry : cell_.parameters()) {
        put(*entry.parameter, to);
        to += entry.parameter->size();
      }
    }
    const Variable<T> direct = std::move(d);
    sensitivities_ = before == nullptr ? direct : affine(Variable<T>(std::move(j)), sensitivities_, direct);
  }

  /// A row [1, P] as gradients of the parameters.
  Gradients<T> by_parameter(const Variable<T>& row) {
    Gradients<T> gradients;
    std::size_t begin = 0;
    for (const auto& entry : cell_.parameters()) {
      GradientSum<T> sum;
      sum.add(row.part(begin, entry.parameter->shape()));
      gradients.insert(entry.parameter->place(), std::move(sum));
      begin += entry.parameter->size();
    }
    return gradients;
  }

  C& cell_;
  std::size_t batch_;
  State state_;
  Variable<T> state_flat_, sensitivities_;  // [S], [S, P]
};

}  // namespace rw::nn
