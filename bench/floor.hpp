#pragma once

#include "bench/contender.hpp"

namespace bench {

/// Nothing but the multiplications that the step of an lstm, gru, rnn or lstm2bi must do, by cblas_sgemm: input
/// projections and weight gradients for all time steps at once, one thin product a step forward and one backward.
std::unique_ptr<Contender> make_floor(const Task& task);

}  // namespace bench
