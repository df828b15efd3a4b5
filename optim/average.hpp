#pragma once

#include <utility>

#include "optim/optimizer.hpp"

namespace rw::optim {

/// The running means of weights, a ← β·a + (1 − β)·x after every step (Polyak & Juditsky 1992; the exponential form),
/// which often do better than the weights that are trained:
///     average.update(parameters);                                         // after each step
///     const double loss = average.during(parameters, [&] { return validate(); });
/// Where a parameter is met for the first time, a ← x.
template <class T>
class WeightAverage {
 public:
  struct Options {
    double decay = 0.999;  // β
  };

  WeightAverage() : WeightAverage(Options()) {}

  /// Throws std::invalid_argument where β is not in [0, 1).
  explicit WeightAverage(const Options& options);

  /// Throws std::invalid_argument where an average was replaced by one of another shape, and changes nothing.
  void update(const std::vector<Parameter<T>*>& parameters);

  /// f() while the parameters hold their averages; nothing else may change them meanwhile. Throws
  /// std::invalid_argument where one was never averaged.
  template <class F>
  auto during(const std::vector<Parameter<T>*>& parameters, const F& f) {
    check(parameters);
    struct Exchanged {
      Exchanged(WeightAverage& a, const std::vector<Parameter<T>*>& p) : average(a), parameters(p) { exchange(); }
      ~Exchanged() { exchange(); }
      void exchange() {
        for (Parameter<T>* p : parameters) {
          p->update([&](Tensor<T>& x) { std::swap(x, average.average(*p)); });
        }
      }
      WeightAverage& average;
      const std::vector<Parameter<T>*>& parameters;
    };
    const Exchanged exchanged(*this, parameters);
    return f();
  }

  /// Whether there is an average of this parameter.
  bool has(const Parameter<T>& parameter) const { return averages_.contains(parameter.place().slot); }

  /// As if it had never been met.
  void forget(const Parameter<T>& parameter) { averages_.erase(parameter.place().slot); }

  /// The average of one parameter to read or replace; where there was none, there is one now, the parameter's value.
  /// Belongs to the parameter itself, wherever it is moved.
  Tensor<T>& average(const Parameter<T>& parameter) {
    return averages_.try_emplace(parameter.place().slot, parameter.value()).first->second;
  }

 private:
  void check(const std::vector<Parameter<T>*>& parameters) const;

  double decay_;
  std::map<std::uint64_t, Tensor<T>> averages_;
};

extern template class WeightAverage<float>;
extern template class WeightAverage<double>;

}  // namespace rw::optim
