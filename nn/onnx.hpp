#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/safetensors.hpp"
#include "nn/stack.hpp"

// Trained models as ONNX files (onnx.ai), which ONNX Runtime and others run. A library of its own, rewind_onnx, so that
// no other program links protobuf; it is built where that and ONNX' schema are (libprotobuf-dev, libonnx-dev).

namespace rw::nn {
namespace detail {

/// What a node RNN, GRU or LSTM is told of a cell beside its weights.
struct OnnxCell {
  std::string op, activation = {};  // the activation of an RNN
  bool reset_after = true;          // a GRU's
  bool keeps_fresh = false;         // a GRU's with Keep::fresh
};

// Throw std::invalid_argument where ONNX has no such cell.
template <class T>
OnnxCell onnx_cell(const Rnn<T>& rnn);
template <class T>
OnnxCell onnx_cell(const Gru<T>& gru);
template <class T>
OnnxCell onnx_cell(const Lstm<T>& lstm);

}  // namespace detail

struct OnnxOptions {
  bool lengths = true;  // an input `lengths` [B] int32: valid steps of each row
  bool states = false;  // inputs h0.k and c0.k, outputs h.k and c.k [D, B, H] of layer k, for streaming; D directions
};

/// A model as a chain, from its inputs to its output y; T and B are free at every run, all numbers float32:
///     nn::OnnxModel onnx;
///     onnx.add(model.embedding).add(model.encoder).add(model.head).softmax();
///     onnx.write("tagger.onnx");
/// Inputs: `ids` [T, B] int64 where an Embedding comes first, else `x` [T, B, I]; `lengths` and states by the options.
/// Output: `y` [T, B, O]; [B, O] after last_state(). Opset 17. What the model drops in training, it does not here.
/// All add functions throw std::invalid_argument where the widths do not fit.
class OnnxModel {
 public:
  explicit OnnxModel(const OnnxOptions& options = {});
  ~OnnxModel();
  OnnxModel(OnnxModel&&) noexcept;
  OnnxModel& operator=(OnnxModel&&) noexcept;

  /// Gather. Throws where it is not first.
  template <class T>
  OnnxModel& add(Embedding<T>& embedding) {
    return gather(embedding.weight.value());
  }

  /// MatMul and, with a bias, Add.
  template <class T>
  OnnxModel& add(Linear<T>& linear) {
    matmul(linear.weight.value());
    return linear.bias ? plus(linear.bias->value()) : *this;
  }

  /// RNN. Throws where the activation is not tanh, relu or sigmoid.
  template <class T>
  OnnxModel& add(Rnn<T>& rnn) {
    return recurrent(rnn, "forward");
  }

  /// GRU, with every option.
  template <class T>
  OnnxModel& add(Gru<T>& gru) {
    return recurrent(gru, "forward");
  }

  /// LSTM. Throws where there is no forget gate of its own, or a projection or layer_norm.
  template <class T>
  OnnxModel& add(Lstm<T>& lstm) {
    return recurrent(lstm, "forward");
  }

  /// The same from each row's last valid step to its first, as unroll() with `reverse`.
  template <class C>
  OnnxModel& add_reversed(C& cell) {
    return recurrent(cell, "reverse");
  }

  /// One node for both directions. Throws where one resets before the product and the other after.
  template <class C>
  OnnxModel& add(Bidirectional<C>& layer) {
    return recurrent(pack(layer.parameters()), {detail::onnx_cell(layer.forward), detail::onnx_cell(layer.backward)},
                     "bidirectional");
  }

  /// A node a layer; residual connections are Add.
  template <class L>
  OnnxModel& add(Stack<L>& stack) {
    stack.check_layers(stack.layers.size());
    for (std::size_t k = 0; k < stack.layers.size(); ++k) {
      const Value below = now_;
      add(stack.layers[k]);
      if (stack.options.residual && k > 0) plus(below);
    }
    return *this;
  }

  /// LayerNormalization, as layer_norm(): gain and shift [O].
  template <class T>
  OnnxModel& layer_norm(const Parameter<T>& gain, const Parameter<T>& shift, double epsilon = 1e-5) {
    return normalize(gain.value(), shift.value(), epsilon);
  }

  /// Softmax over the features.
  OnnxModel& softmax();

  /// Goes on with the state h [B, D·H] of the last recurrent layer, of each row after its own last step, both
  /// directions of it side by side. Throws where no recurrent layer is before.
  OnnxModel& last_state();

  /// Writes as write_safetensors(). Throws std::invalid_argument where there is no layer, std::runtime_error where the
  /// file cannot be written or would have 2 GiB, which ONNX cannot.
  void write(const std::string& path) const;

 private:
  struct Graph;
  struct Value {
    std::string name;
    std::size_t rank = 0, width = 0;  // of features
  };

  template <class C>
  OnnxModel& recurrent(C& cell, const std::string& direction) {
    return recurrent(pack(cell.parameters()), {detail::onnx_cell(cell)}, direction);
  }

  OnnxModel& gather(const AnyTensor& table);
  OnnxModel& matmul(const AnyTensor& weight);
  OnnxModel& plus(const AnyTensor& bias);
  OnnxModel& plus(const Value& other);
  OnnxModel& normalize(const AnyTensor& gain, const AnyTensor& shift, double epsilon);
  OnnxModel& recurrent(const Safetensors& weights, const std::vector<detail::OnnxCell>& cells,
                       const std::string& direction);
  void begin(std::size_t width);

  std::unique_ptr<Graph> graph_;
  Value now_;  // the end of the chain so far
};

}  // namespace rw::nn
