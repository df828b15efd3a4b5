#pragma once

#include <optional>
#include <vector>

#include "nn/safetensors.hpp"

// Weights of PyTorch, Keras and ONNX as those of Rnn, Gru and Lstm, and back; one layer or several, in one direction or
// both. Ours are named as a cell's (weight_ih), a Bidirectional's (forward.weight_ih) or a Stack's (0.weight_ih,
// 0.forward.weight_ih), ready for unpack(), and as pack() gives them.
//
//              W             U             gates of LSTM, GRU   biases
//     ours     [I, G·H]      [H, G·H]      i f g o,  r z n      one, and bias_hn inside a GRU's reset
//     PyTorch  [G·H, I]      [G·H, H]      i f g o,  r z n      two
//     Keras    [I, G·H]      [H, G·H]      i f g o,  z r n      one; [2, 3·H] of a GRU that resets after the product
//     ONNX     [D, G·H, I]   [D, G·H, H]   i o f g,  z r n      two in one, [D, 2·G·H]; peepholes [D, 3·H]: i o f
//
// Two biases make one of ours, their sum, but for the n of a GRU that resets after the product. Back, ours is the first
// and the second is zero, so there and back again is exact. The result is F32 where all is that it comes from, else
// F64. Activations are no weights: they are for the caller to set.
//
// Throw std::runtime_error where a tensor is missing, not floating or of another shape, or `ours` has what the library
// has not; std::invalid_argument where the names do not fit the layers.

namespace rw::nn {

struct ConvertOptions {
  bool reset_after = true;  // where a GRU resets: Keras' reset_after, ONNX' linear_before_reset
};

/// The layers of a torch.nn.RNN, GRU or LSTM, its projection included; `prefix` is what the file puts before
/// weight_ih_l0. All of them, a Stack's where they are several, or the one asked for:
///     unpack(from_torch(file, "encoder.rnn."), lstm.parameters(), path);
Safetensors from_torch(const Safetensors& file, const std::string& prefix = "", std::optional<std::size_t> layer = {});

/// What load_state_dict() of such a module takes, without peepholes or a GRU that resets before the product:
///     write_safetensors(path, to_torch(pack(lstm.parameters()), "encoder.rnn."));
Safetensors to_torch(const Safetensors& ours, const std::string& prefix = "");

/// Keras' SimpleRNN, GRU and LSTM layers, each at the path of its kernel, "lstm/lstm_cell/"; several are a Stack's. A
/// path with forward_ in it stands for both directions where the file has the same path with backward_.
Safetensors from_keras(const Safetensors& file, const std::vector<std::string>& layers,
                       const ConvertOptions& options = {});

/// The weights of such layers, one path a layer, without peepholes or projection.
Safetensors to_keras(const Safetensors& ours, const std::vector<std::string>& layers);

/// ONNX' nodes RNN, GRU and LSTM, whose inputs W, R, B and P the file has under these prefixes; several are a Stack's.
Safetensors from_onnx(const Safetensors& file, const std::vector<std::string>& layers,
                      const ConvertOptions& options = {});

/// The inputs of such nodes, one prefix a layer, without projection.
Safetensors to_onnx(const Safetensors& ours, const std::vector<std::string>& layers);

}  // namespace rw::nn
