#pragma once

#include "optim/numbers.hpp"
#include "optim/optimizer.hpp"

// Clipping, between backward() and step(). Every function returns ‖g‖, the norm of all gradients as one vector as it
// was before. Where that is not finite nothing is changed, and FiniteSteps says what to do. All throw
// std::invalid_argument where a limit is not above 0, a parameter nullptr or a gradient of another shape than its
// parameter, and then too change nothing.

namespace rw::optim {

/// Clips all gradients as one vector: g ← g·limit / (‖g‖ + 10⁻⁶) where that makes it shorter (Pascanu, Mikolov &
/// Bengio 2013).
template <class T>
double clip_global_norm(Gradients<T>& gradients, double limit);

/// The same for the gradient of each parameter by its own norm.
template <class T>
double clip_each_norm(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients, double limit);

/// The same for the gradients of each group as one vector, as {lstm.parameters(), readout.parameters()} for layers.
/// Throws where a parameter is there twice, too.
template <class T>
double clip_group_norms(const std::vector<std::vector<Parameter<T>*>>& groups, Gradients<T>& gradients, double limit);

/// g ← min(max(g, −limit), limit), element by element.
template <class T>
double clip_values(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients, double limit);

struct AdaptiveClipOptions {
  double limit = 0.01;  // λ
  double epsilon = 1e-3;
};

/// Adaptive clipping (Brock et al. 2021): the gradient of a unit becomes no longer than λ times the unit's weights,
///     g ← g·λ·max(‖w‖, ε) / ‖g‖  where ‖g‖ > λ·max(‖w‖, ε)
/// A unit is a column of a weight [in, out], a row of a table with a row-sparse gradient, and a bias as a whole. The
/// paper leaves the last layer out.
template <class T>
double clip_adaptive(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients,
                     const AdaptiveClipOptions& options = {});

/// Skips the steps whose gradients are not finite, counts them, and gives up after too many in a row:
///     if (finite(clip_global_norm(gradients, 1))) adam.step(parameters, gradients);
class FiniteSteps {
 public:
  struct Options {
    std::uint64_t patience = 10;  // the steps in a row that may be skipped
  };

  FiniteSteps() = default;
  explicit FiniteSteps(const Options& options) : options_(options) {}

  /// Whether the step is to be taken. Throws std::runtime_error where more than `patience` in a row were not.
  bool operator()(double norm);

  /// The steps skipped so far.
  std::uint64_t skipped() const { return skipped_; }

  /// For snapshots. restore() throws std::invalid_argument where a number is missing or can be none of these.
  Numbers numbers() const;
  void restore(const Numbers& numbers);

 private:
  Options options_;
  std::uint64_t skipped_ = 0, in_a_row_ = 0;
};

}  // namespace rw::optim
