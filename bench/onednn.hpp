#pragma once

#include "bench/contender.hpp"

namespace bench {

/// oneDNN's fused primitives for lstm, gru (reset after the product), rnn and lstm2bi. A training step begins and ends
/// with weights as an optimiser holds them, so it brings them into the primitive's layout and the gradients back;
/// inference has its weights packed beforehand.
std::unique_ptr<Contender> make_onednn(const Task& task);

}  // namespace bench
