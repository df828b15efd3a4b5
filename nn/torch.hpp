#pragma once

#include <vector>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/convert.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/stack.hpp"

// A model's weights from and to a PyTorch state_dict in a safetensors file. In Python:
//     safetensors.torch.save_file(model.state_dict(), path)
//     model.load_state_dict(safetensors.torch.load_file(path))
// nn/convert.hpp tells how the layouts differ.

namespace rw::nn {
namespace detail {

// The parameters of what is an RNN, LSTM or GRU of PyTorch. Throw std::invalid_argument where it is none.

template <class T>
Parameters<T> torch_parameters(Rnn<T>& rnn) {
  return rnn.parameters();
}
template <class T>
Parameters<T> torch_parameters(Lstm<T>& lstm) {
  if (lstm.forget != Forget::gate) fail("torch", "an Lstm with a forget gate", "one without");
  if (lstm.peephole) fail("torch", "an Lstm without peepholes", "one with them");
  if (lstm.gain_ih) fail("torch", "an Lstm without layer_norm", "one with it");
  return lstm.parameters();
}
template <class T>
Parameters<T> torch_parameters(Gru<T>& gru) {
  if (gru.weight_hn) fail("torch", "a Gru with Reset::after", "Reset::before");
  if (gru.keep != Keep::old) fail("torch", "a Gru with Keep::old", "Keep::fresh");
  return gru.parameters();
}
template <class C>
auto torch_parameters(Bidirectional<C>& layer) -> decltype(torch_parameters(layer.forward)) {
  auto all = decltype(torch_parameters(layer.forward))();
  all.add("forward", torch_parameters(layer.forward));
  all.add("backward", torch_parameters(layer.backward));
  return all;
}
template <class L>
auto torch_parameters(Stack<L>& stack) -> decltype(torch_parameters(stack.layers[0])) {
  stack.check_layers(stack.layers.size());
  if (stack.layers.size() == 1) return torch_parameters(stack.layers[0]);
  if (stack.options.residual) fail("torch", "a Stack without residual connections", "one with them");
  auto all = decltype(torch_parameters(stack.layers[0]))();
  for (std::size_t k = 0; k < stack.layers.size(); ++k) all.add(std::to_string(k), torch_parameters(stack.layers[k]));
  return all;
}

}  // namespace detail

/// Which part of a model is which module of PyTorch, by the module's name:
///     nn::TorchNames<float> names;
///     names.add("embedding", model.embedding).add("encoder.rnn", model.encoder).add("head", model.head);
/// Points to the parameters: valid while the model stays where it is.
template <class T>
class TorchNames {
 public:
  TorchNames& add(const std::string& name, Embedding<T>& embedding) { return add(name, embedding.parameters()); }
  TorchNames& add(const std::string& name, Linear<T>& linear) { return add(name, Kind::linear, linear.parameters()); }

  /// An Rnn, Lstm or Gru, a Bidirectional of them or a Stack of either: one torch.nn.RNN, LSTM or GRU of as many
  /// layers. Throws std::invalid_argument where it has what theirs has not: peepholes, layer_norm, a coupled or no
  /// forget gate; Reset::before, Keep::fresh; residual connections.
  template <class L>
  auto add(const std::string& name, L& layers) -> decltype(detail::torch_parameters(layers), *this) {
    return add(name, Kind::recurrent, detail::torch_parameters(layers));
  }

  /// Anything else, as it is, such as a LayerNorm: add("norm", {{"weight", gain}, {"bias", shift}}).
  TorchNames& add(const std::string& name, const Parameters<T>& parameters) {
    return add(name, Kind::same, parameters);
  }

  /// What load_state_dict() takes. Where ours has one bias and theirs two, the second is zero.
  /// Throws std::invalid_argument where two modules have the same name.
  Safetensors pack() const;

  /// Gives the parameters the values of a state_dict, float to double or back. `path` is for the errors. Throws
  /// std::runtime_error that names every tensor that is missing, there without need, or of another shape or dtype, and
  /// then changes nothing; tensors whose name does not begin with `beneath` are not looked at.
  void unpack(const Safetensors& file, const std::string& path, const std::string& beneath = "") const;

 private:
  enum class Kind { recurrent, linear, same };
  struct Module {
    std::string prefix;  // the name and a dot
    Kind kind;
    Parameters<T> parameters;
  };

  TorchNames& add(const std::string& name, Kind kind, Parameters<T> parameters) {
    modules_.push_back({name.empty() ? "" : name + ".", kind, std::move(parameters)});
    return *this;
  }

  std::vector<Module> modules_;
};

/// Reads a whole state_dict. Throws std::runtime_error as read_safetensors() and unpack().
template <class T>
void import_torch(const std::string& path, const TorchNames<T>& names);

/// Writes one. Throws std::runtime_error as write_safetensors().
template <class T>
void export_torch(const std::string& path, const TorchNames<T>& names);

/// The same for one module; of a file, what is beneath its name:
///     nn::import_torch(path, "encoder.rnn", encoder);
template <class M>
void import_torch(const std::string& path, const std::string& name, M& module) {
  TorchNames<ElementOf<M>>().add(name, module).unpack(read_safetensors(path), path, name.empty() ? "" : name + ".");
}
template <class M>
void export_torch(const std::string& path, const std::string& name, M& module) {
  export_torch(path, TorchNames<ElementOf<M>>().add(name, module));
}

extern template class TorchNames<float>;
extern template class TorchNames<double>;

}  // namespace rw::nn
