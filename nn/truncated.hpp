#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "nn/unroll.hpp"

namespace rw::nn {

struct TruncatedOptions {
  std::size_t every;  // k1: the steps of a window
  std::size_t back;   // k2: how many steps a loss goes back, a multiple of k1
};

/// Truncated backpropagation through time, BPTT(k2; k1) of Williams & Peng (1990, Neural Computation 2), of any cell
/// or stack of cells: every k1 steps the loss of these steps goes back through the last k2 of the sequence, and no
/// further. The state is carried on without an end; memory is that of k2 steps.
///     Truncated through_time(cell, {.every = 10, .back = 50});
///     for (const auto& [xs, targets] : windows) {  // xs [10, B, I]
///       const auto learned = through_time.step(xs, [&](const auto& ys) { return mse(ys, targets); });
///       adam.step(cell.parameters(), learned.gradients);
///     }
/// The last k2/k1 windows keep their records, as in the paper: parameters may change from window to window, and what
/// was computed with the old ones is differentiated at the old ones. While they stay and k2 reaches over the whole
/// sequence, the gradients of the windows add up to those of all losses together.
/// The cell must stay where it is. Tapes in scope record nothing of it.
template <class C>
class Truncated {
 public:
  using T = ElementOf<C>;
  using State = typename C::State;

  struct Learned {
    Variable<T> outputs;     // of the window [k1, B, O]
    T loss;                  // of the window
    Gradients<T> gradients;  // of all parameters that the cell, in these k2 steps, and the loss read
  };

  /// Throws std::invalid_argument where k1 is 0 or k2 no multiple of it.
  Truncated(C& cell, const TruncatedOptions& options) : cell_(cell), options_(options) {
    if (options.every == 0) fail("truncated", "windows of at least one step", options.every);
    if (options.back == 0 || options.back % options.every != 0) {
      fail("truncated", "steps back in whole windows of " + std::to_string(options.every), options.back);
    }
  }

  /// Begins a new sequence, in the cell's own initial state where none is given.
  void reset(std::optional<State> initial = {}) {
    windows_.clear();
    state_ = std::move(initial);
    if (state_) state_ = detached(*state_);
  }

  /// Reads a window xs [k1, B, I], or a shorter one at the end of a sequence, and goes back. loss(outputs) returns a
  /// scalar, and may read further parameters; `options` are those of the window, as the lengths of its rows.
  /// Throws std::invalid_argument where there are more than k1 steps, the loss is no scalar or depends on nothing,
  /// `options` have an initial state or go in reverse, and as unroll(); then nothing is changed.
  template <class Loss>
  Learned step(const Variable<T>& xs, const Loss& loss, const UnrollOptions<State>& options = {}) {
    const Pause<T> pause;  // of tapes in scope; within, the window's own records
    auto window = std::make_unique<Window>();
    const auto run = read(*window, xs, options);
    const Variable<T> value = loss(run.outputs);
    Gradients<T> all = window->tape.backward(value);
    auto older = windows_.rbegin();
    for (Window* at = window.get(); at != nullptr;) {
      List<Variable<T>> seeds;
      for (const Variable<T>& v : at->before) seeds.push_back(all.take(v));
      at = older != windows_.rend() ? (older++)->get() : nullptr;
      if (at != nullptr) all += at->tape.backward(at->after, seeds);
    }
    keep(std::move(window), run.state);
    return {run.outputs.detached(), value.item(), std::move(all)};
  }

  /// Reads a window without a loss, which later losses go back through; returns its outputs.
  Variable<T> read(const Variable<T>& xs, const UnrollOptions<State>& options = {}) {
    const Pause<T> pause;
    auto window = std::make_unique<Window>();
    const auto run = read(*window, xs, options);
    keep(std::move(window), run.state);
    return run.outputs.detached();
  }

  /// Where the sequence has come to, as constants; nothing at its beginning.
  const std::optional<State>& state() const { return state_; }

  /// About how many bytes the kept windows hold.
  std::size_t bytes() const {
    std::size_t all = 0;
    for (const auto& window : windows_) all += window->tape.bytes();
    return all;
  }

 private:
  struct Window {
    Tape<T> tape;
    List<Variable<T>> before, after;  // the Variables of the state, on this tape
  };

  Unrolled<T, State> read(Window& window, const Variable<T>& xs, UnrollOptions<State> options) {
    check_rank("truncated", xs.shape(), 3);
    if (xs.shape()[0] > options_.every) {
      fail("truncated", "a window of at most " + std::to_string(options_.every) + " steps", "xs ", xs.shape());
    }
    if (options.initial) fail("truncated", "the state carried on, or one given to reset()", "an initial state");
    if (options.reverse) fail("truncated", "windows read forwards", "reverse");
    if (state_) {
      const auto watch = [&](const Variable<T>& v) { return window.before.emplace_back(window.tape.watch(v)); };
      options.initial = map_state(watch, *state_);
    }
    auto run = unroll(cell_, xs, options);
    map_state([&](const Variable<T>& v) { return window.after.emplace_back(v); }, run.state);
    return run;
  }

  void keep(std::unique_ptr<Window> window, const State& state) {
    state_ = detached(state);
    windows_.push_back(std::move(window));
    if (windows_.size() == options_.back / options_.every) windows_.pop_front();
  }

  C& cell_;
  TruncatedOptions options_;
  std::optional<State> state_;
  std::deque<std::unique_ptr<Window>> windows_;  // that the next loss reaches, the newest last
};

}  // namespace rw::nn
