#include <sstream>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/convert.hpp"
#include "nn/stack.hpp"
#include "tests/nn/golden_case.hpp"

namespace golden {
namespace {

using rw::Gradients;
using rw::slice;
using rw::Tape;
using rw::nn::Bidirectional;
using rw::nn::Gru;
using rw::nn::Lstm;
using rw::nn::map_state;
using rw::nn::Parameters;
using rw::nn::Rnn;
using rw::nn::Stack;

/// Layers with these weights, as a converter names them, and the options given: a Stack, even of one.
template <class L, class Make>
Stack<L> stack_of(const Safetensors& weights, const Make& make) {
  Stack<L> stack;
  const auto has = [&](const std::string& prefix) {
    const auto it = weights.tensors.lower_bound(prefix);
    return it != weights.tensors.end() && it->first.rfind(prefix, 0) == 0;
  };
  const bool single = !has("0.");
  for (std::size_t k = 0; single ? k == 0 : has(std::to_string(k) + "."); ++k) {
    stack.layers.push_back(make(single ? "" : std::to_string(k) + "."));
  }
  unpack(weights, single ? stack.layers[0].parameters() : stack.parameters(), "weights");
  return stack;
}

/// f(such a stack of cells, or of Bidirectional ones).
template <class Cell, class F>
void with_layers(const Safetensors& weights, std::size_t gates, typename Cell::Options options, const F& f) {
  rw::Random random(1);
  const auto cell = [&](const std::string& prefix) {
    const Tensor<double>& w = weights.get<double>(prefix + "weight_ih");
    options.input = w.shape(0);
    options.hidden = w.shape(1) / gates;
    options.bias = weights.tensors.contains(prefix + "bias");
    return Cell(options, random);
  };
  if (weights.tensors.contains("forward.weight_ih") || weights.tensors.contains("0.forward.weight_ih")) {
    f(stack_of<Bidirectional<Cell>>(weights, [&](const std::string& prefix) {
      return Bidirectional<Cell>{cell(prefix + "forward."), cell(prefix + "backward.")};
    }));
  } else {
    f(stack_of<Cell>(weights, cell));
  }
}

/// The same for a kind of cell.
template <class F>
void with_layers(Case& c, const Safetensors& weights, bool reset_after, std::size_t projection, const F& f) {
  const std::string kind = c.option("kind"), activation = c.option("nonlinearity", "tanh");
  if (activation != "tanh" && !(kind == "rnn" && activation == "relu")) {
    throw Unknown{c.kind() + ": nonlinearity " + activation};
  }
  if (kind == "rnn") {
    Rnn<double>::Options options{};
    if (activation == "relu") options.activation = rw::relu<V>;
    with_layers<Rnn<double>>(weights, 1, options, f);
  } else if (kind == "gru") {
    Gru<double>::Options options{};
    if (!reset_after) options.reset = rw::nn::Reset::before;
    with_layers<Gru<double>>(weights, 3, options, f);
  } else if (kind == "lstm") {
    Lstm<double>::Options options{};
    options.projection = projection;
    options.peepholes = weights.tensors.contains("peephole");
    with_layers<Lstm<double>>(weights, 4, options, f);
  } else {
    throw Unknown{c.kind()};
  }
}

/// Our gradients as PyTorch has them: both of its biases receive the gradient of ours, but in a GRU's n gate.
void compare_parameters(Case& c, const Gradients<double>& g, const Parameters<double>& p, const std::string& suffix) {
  for (const std::string name : {"weight_ih", "weight_hh", "weight_hr"}) {
    if (p.find(name) != nullptr) c.compare("grad." + name + suffix, transpose(g[p[name]]));
  }
  if (p.find("bias") == nullptr) return;
  V bias = g[p["bias"]];
  c.compare("grad.bias_ih" + suffix, bias);
  if (p.find("bias_hn") != nullptr) {
    const V hn = g[p["bias_hn"]];
    bias = rw::concatenate({slice(bias, 0, 0, -static_cast<std::ptrdiff_t>(hn.size())), hn}, 0);
  }
  c.compare("grad.bias_hh" + suffix, bias);
}
template <class C>
void compare_parameters(Case& c, const Gradients<double>& g, C& cell, const std::string& suffix) {
  compare_parameters(c, g, cell.parameters(), suffix);
}
template <class C>
void compare_parameters(Case& c, const Gradients<double>& g, Bidirectional<C>& layer, const std::string& suffix) {
  compare_parameters(c, g, layer.forward.parameters(), suffix);
  compare_parameters(c, g, layer.backward.parameters(), suffix + "_reverse");
}

// PyTorch has the states h (and c) of all layers and directions in one tensor each.
template <class L>
void check_stack(Case& c, Stack<L> layers) {
  std::vector<std::size_t> lengths;
  if (c.has("lengths")) lengths.assign(c.indices("lengths").begin(), c.indices("lengths").end());
  const std::vector<std::string> kinds =
      c.has("c0") ? std::vector<std::string>{"h", "c"} : std::vector<std::string>{"h"};

  Tape<double> tape;
  const V x = tape.watch(c["x"]);
  std::vector<V> begin;
  for (const std::string& kind : kinds) begin.push_back(tape.watch(c[kind + "0"]));
  std::size_t k = 0;
  const auto initial = map_state(
      [&](const V&) {
        const auto place = static_cast<std::ptrdiff_t>(k / kinds.size());
        return squeeze(slice(begin[k++ % kinds.size()], 0, place, place + 1), 0);
      },
      layers.initial_state(x.shape()[1]));
  const auto result = unroll(layers, x, {.initial = initial, .lengths = lengths});
  std::vector<std::vector<V>> end(kinds.size());
  k = 0;
  map_state([&](const V& v) { return end[k++ % kinds.size()].push_back(v), v; }, result.state);

  std::map<std::string, V> results{{"y", result.outputs}};
  for (std::size_t i = 0; i < kinds.size(); ++i) results[kinds[i] + "n"] = stack(end[i]);
  V loss = rw::scalar<double>(0);
  for (const auto& [name, value] : results) {
    c.compare(name, value);
    loss = loss + sum(V(c["cotangent." + name]) * value);
  }
  const auto g = tape.backward(loss);
  c.compare("loss", loss);
  c.compare("grad.x", g[x]);
  for (std::size_t i = 0; i < kinds.size(); ++i) c.compare("grad." + kinds[i] + "0", g[begin[i]]);
  for (std::size_t i = 0; i < layers.layers.size(); ++i) {
    compare_parameters(c, g, layers.layers[i], "_l" + std::to_string(i));
  }
  c.finish({"y", "hn", "cn", "loss"});
}

}  // namespace

void check_layer(Case& c) {
  c.require("layout", "time,batch,feature");
  c.require("bidirectional", c.has("weight_ih_l0_reverse") ? "1" : "0");
  c.require("bias", c.has("bias_ih_l0") ? "1" : "0");
  const std::string last = std::to_string(static_cast<int>(c.number("layers")) - 1);
  if (!c.has("weight_ih_l" + last)) throw Unknown{c.kind() + ": layers " + c.option("layers")};
  const auto projection = static_cast<std::size_t>(c.number("proj"));
  c.option("nonlinearity");
  c.refuse_other_options();
  with_layers(c, rw::nn::from_torch(c.file()), true, projection,
              [&]<class L>(Stack<L> layers) { check_stack(c, std::move(layers)); });
}

void check_foreign(Case& c) {
  const std::string library = c.option("library");
  std::istringstream text(c.option("layers"));
  const std::vector<std::string> layers{std::istream_iterator<std::string>(text), {}};
  const bool after = c.option("reset_after", "1") == "1";
  c.refuse_other_options();
  const auto convert = library == "keras" ? rw::nn::from_keras : library == "onnx" ? rw::nn::from_onnx : nullptr;
  if (convert == nullptr) throw Unknown{"library " + library};
  with_layers(c, convert(c.file(), layers, {.reset_after = after}), after, 0,
              [&](const auto& stack) { c.compare("y", unroll(stack, V(c["x"])).outputs); });
  c.finish({"y"});
}

}  // namespace golden
