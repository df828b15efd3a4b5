#pragma once

#include "autograd/observer.hpp"

namespace rw {

struct AnomalyOptions {
  bool infinities = true;  // whether they are anomalies as well as NaN
};

/// While in scope, the first recorded result, or gradient that leaves a derivative, that is not finite throws
/// std::runtime_error, which names the op, its shape and the line that recorded it:
///     log: made -inf (forward, [32, 10]), recorded at user.cpp:31 in UpdateGate::step
/// Line and function need what CallStack::place() needs: -g1 and addr2line. It looks on at this thread and the Workers
/// set to work there, at what is recorded; so constants may hold what they like, as masks −∞ and padding NaN. An op
/// that only moves or chooses elements, as `slice` and `where` do, is not blamed for what was there before it. A CTC
/// loss of ∞ is an anomaly: see CtcOptions::too_short, or look for NaN alone. Costs the reading of all results and
/// gradients, and the search for the calls that led to an op, which is short for calls of before: with T = 50, 1 to
/// 5 % of a training step of an LSTM from B = 1, H = 16 to B = 32, H = 256, and 1 to 9 % of one written op by op
/// (`bench/anomaly.cpp`); up to 15 % of a bare chain of elementwise ops.
class DetectAnomalies : public Observer {
 public:
  explicit DetectAnomalies(const AnomalyOptions& options = {}) : Observer(of_anomalies), options_(options) {}

  void not_finite(const Operation& op, const Values& values, const char* pass) override;

 private:
  AnomalyOptions options_;
};

}  // namespace rw
