#pragma once

#include "nn/safetensors.hpp"

namespace rw::nn {

/// One layer of a torch.nn.LSTM or torch.nn.GRU under the names and in the layout of Lstm or Gru, ready for unpack():
///     unpack(from_torch(file, "encoder.rnn."), lstm.parameters(), path);
/// `prefix` is what the file puts before weight_ih_l0. Theirs are [G·H, I] with the same order of gates, ours [I, G·H];
/// of their two biases ours is the sum, but that of a GRU's n gate, whose second one is inside the reset: bias_hn.
/// Where the layer has two directions, the names are Bidirectional's: forward.weight_ih. In double. Throws
/// std::runtime_error where a tensor is missing, not floating or of another shape, or the LSTM has a projection.
Safetensors from_torch(const Safetensors& file, const std::string& prefix = "", std::size_t layer = 0);

}  // namespace rw::nn
