#include "nn/onnx.hpp"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <system_error>

#ifndef ONNX_ML
#define ONNX_ML 1  // as Debian builds it
#endif
#include <onnx/onnx_pb.h>

#include "autograd/ops/activation.hpp"
#include "autograd/replacement.hpp"
#include "autograd/tape.hpp"
#include "nn/convert.hpp"
#include "nn/files.hpp"

namespace rw::nn {
namespace {

using onnx::NodeProto;
using onnx::TensorProto;
using Names = std::vector<std::string>;

static_assert(std::endian::native == std::endian::little, "raw data in ONNX files is little-endian");

constexpr int opset = 17, ir_version = 8;  // those of ONNX 1.12; 17 is the first with LayerNormalization

/// A piece of a shape: a free axis by its name, or an extent.
struct Axis {
  Axis(const char* n) : name(n) {}
  Axis(std::size_t e) : extent(e) {}
  const char* name = nullptr;
  std::size_t extent = 0;
};

void describe(onnx::ValueInfoProto& value, const std::string& name, TensorProto::DataType type,
              const std::vector<Axis>& axes) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  for (const Axis& axis : axes) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (axis.name != nullptr) {
      dim.set_dim_param(axis.name);
    } else {
      dim.set_dim_value(static_cast<std::int64_t>(axis.extent));
    }
  }
}

onnx::AttributeProto& attribute(NodeProto& node, const std::string& name, onnx::AttributeProto::AttributeType type) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

void set(NodeProto& node, const std::string& name, std::int64_t value) {
  attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}
void set(NodeProto& node, const std::string& name, const std::string& value) {
  attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}
void set(NodeProto& node, const std::string& name, const Names& values) {
  auto& list = attribute(node, name, onnx::AttributeProto::STRINGS);
  for (const std::string& value : values) list.add_strings(value);
}
void set(NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
  auto& list = attribute(node, name, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) list.add_ints(value);
}

/// As F32.
Tensor<float> rounded(const AnyTensor& x) {
  return std::visit(
      [](const auto& from) {
        Tensor<float> to = rw::empty<float>(from.shape());
        std::transform(from.begin(), from.end(), to.begin(), [](auto v) { return static_cast<float>(v); });
        return to;
      },
      x);
}

/// Turns the sign of a GRU's gate z: σ(−a) = 1 − σ(a), so that it keeps what it replaced. z comes first of the three
/// gates of W [D, 3·H, I] and R, and of each bias in B [D, 2·3·H].
void turn_gate(Tensor<float>& x, std::size_t directions, std::size_t direction, std::size_t biases) {
  const std::size_t part = x.size() / directions, gates = part / biases, gate = gates / 3;
  for (std::size_t i = 0; i < biases; ++i) {
    float* z = x.data() + direction * part + i * gates;
    std::transform(z, z + gate, z, std::negate());
  }
}

}  // namespace

namespace detail {

template <class T>
OnnxCell onnx_cell(const Rnn<T>& rnn) {
  const Pause<T> pause;  // a function tells what it is by its values, from -64 to 64
  const std::size_t points = 33, width = rnn.hidden();
  Tensor<T> a = rw::empty<T>({points, width});
  for (std::size_t p = 0; p < points; ++p) {
    std::fill_n(a.data() + p * width, width, static_cast<T>(std::pow(-4 + 0.25 * static_cast<double>(p), 3)));
  }
  const Variable<T> x(a), y = rnn.activation(x);
  const auto is = [&](const Variable<T>& f) {
    return y.shape() == f.shape() && std::equal(y.value().begin(), y.value().end(), f.value().begin(),
                                                [](T p, T q) { return std::abs(p - q) < T(1e-6); });
  };
  if (is(tanh(x))) return {"RNN", "Tanh"};
  if (is(relu(x))) return {"RNN", "Relu"};
  if (is(sigmoid(x))) return {"RNN", "Sigmoid"};
  fail("onnx", "an Rnn with tanh, relu or sigmoid", "another activation");
}

template <class T>
OnnxCell onnx_cell(const Gru<T>& gru) {
  return {"GRU", "", !gru.weight_hn, gru.keep == Keep::fresh};
}

template <class T>
OnnxCell onnx_cell(const Lstm<T>& lstm) {
  const char* const can = "an Lstm with a forget gate, without projection or layer_norm";
  if (lstm.forget != Forget::gate)
    fail("onnx", can, lstm.forget == Forget::coupled ? "Forget::coupled" : "Forget::none");
  if (lstm.weight_hr) fail("onnx", can, "a projection");
  if (lstm.gain_ih) fail("onnx", can, "layer_norm");
  return {"LSTM"};
}

template OnnxCell onnx_cell(const Rnn<float>&);
template OnnxCell onnx_cell(const Rnn<double>&);
template OnnxCell onnx_cell(const Gru<float>&);
template OnnxCell onnx_cell(const Gru<double>&);
template OnnxCell onnx_cell(const Lstm<float>&);
template OnnxCell onnx_cell(const Lstm<double>&);

}  // namespace detail

struct OnnxModel::Graph {
  onnx::ModelProto model;
  onnx::GraphProto& graph = *model.mutable_graph();
  OnnxOptions options;
  std::vector<onnx::ValueInfoProto> states;  // further outputs
  Value last_state;                          // h [D, B, H] of the last recurrent layer, of width D·H
  std::size_t recurrent = 0;                 // layers so far

  /// A node of one output, and that output's name.
  NodeProto& node(const std::string& op, const Names& inputs) {
    NodeProto& node = *graph.add_node();
    node.set_op_type(op);
    node.set_name(op + "." + std::to_string(graph.node_size() - 1));
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(node.name() + ".y");
    return node;
  }

  /// A constant, numbered as the node that will read it.
  std::string constant(const std::string& name, const AnyTensor& x) {
    TensorProto& tensor = *graph.add_initializer();
    const bool integers = std::holds_alternative<Indices>(x);
    const AnyTensor value = integers ? x : AnyTensor(rounded(x));
    tensor.set_name(std::to_string(graph.node_size()) + "." + name);
    tensor.set_data_type(integers ? TensorProto::INT64 : TensorProto::FLOAT);
    for (const std::size_t extent : files::shape_of(value)) tensor.add_dims(static_cast<std::int64_t>(extent));
    const auto bytes = files::bytes_of(value);
    tensor.set_raw_data(bytes.data(), bytes.size());
    return tensor.name();
  }

  void input(const std::string& name, TensorProto::DataType type, const std::vector<Axis>& axes) {
    describe(*graph.add_input(), name, type, axes);
  }

  /// x with its axes in another order, [..., D, H], as [..., D·H].
  Value side_by_side(const std::string& x, const std::vector<std::int64_t>& axes, std::size_t width) {
    NodeProto& turned = node("Transpose", {x});
    set(turned, "perm", axes);
    Indices shape = zeros<std::int64_t>({axes.size() - 1});  // 0: as it is
    shape.data()[shape.size() - 1] = static_cast<std::int64_t>(width);
    const std::string from = turned.output(0), to = constant("shape", shape);
    return {node("Reshape", {from, to}).output(0), axes.size() - 1, width};
  }
};

OnnxModel::OnnxModel(const OnnxOptions& options) : graph_(std::make_unique<Graph>()) {
  graph_->options = options;
  graph_->graph.set_name("model");
  graph_->model.set_ir_version(ir_version);
  graph_->model.set_producer_name("rewind");
  graph_->model.add_opset_import()->set_version(opset);
}
OnnxModel::~OnnxModel() = default;
OnnxModel::OnnxModel(OnnxModel&&) noexcept = default;
OnnxModel& OnnxModel::operator=(OnnxModel&&) noexcept = default;

/// Before a layer that reads `width` features.
void OnnxModel::begin(std::size_t width) {
  if (now_.name.empty()) {
    graph_->input("x", TensorProto::FLOAT, {"time", "batch", width});
    now_ = {"x", 3, width};
  }
  if (now_.width != width) {
    fail("onnx", "a layer that reads " + std::to_string(now_.width) + " features", "one that reads ", width);
  }
}

OnnxModel& OnnxModel::gather(const AnyTensor& table) {
  if (!now_.name.empty()) fail("onnx", "an Embedding at the beginning", "it after ", now_.name);
  graph_->input("ids", TensorProto::INT64, {"time", "batch"});
  const std::string weight = graph_->constant("embedding", table);
  now_ = {graph_->node("Gather", {weight, "ids"}).output(0), 3, files::shape_of(table)[1]};
  return *this;
}

OnnxModel& OnnxModel::matmul(const AnyTensor& weight) {
  const Shape shape = files::shape_of(weight);
  begin(shape[0]);
  const std::string w = graph_->constant("weight", weight);
  now_ = {graph_->node("MatMul", {now_.name, w}).output(0), now_.rank, shape[1]};
  return *this;
}

OnnxModel& OnnxModel::plus(const AnyTensor& bias) {
  const std::string b = graph_->constant("bias", bias);
  now_.name = graph_->node("Add", {now_.name, b}).output(0);
  return *this;
}

OnnxModel& OnnxModel::plus(const Value& other) {
  if (other.width != now_.width) fail("onnx", "residual layers of one width", other.width, " and ", now_.width);
  now_.name = graph_->node("Add", {now_.name, other.name}).output(0);
  return *this;
}

OnnxModel& OnnxModel::normalize(const AnyTensor& gain, const AnyTensor& shift, double epsilon) {
  const Shape shape = files::shape_of(gain);
  check_rank("onnx", shape, 1);
  check_same_shape("onnx", shape, files::shape_of(shift));
  begin(shape[0]);
  const std::string g = graph_->constant("gain", gain), s = graph_->constant("shift", shift);
  NodeProto& node = graph_->node("LayerNormalization", {now_.name, g, s});
  set(node, "axis", std::int64_t{-1});
  attribute(node, "epsilon", onnx::AttributeProto::FLOAT).set_f(static_cast<float>(epsilon));
  now_.name = node.output(0);
  return *this;
}

OnnxModel& OnnxModel::softmax() {
  if (now_.name.empty()) fail("onnx", "a layer before the softmax", "none");
  NodeProto& node = graph_->node("Softmax", {now_.name});
  set(node, "axis", std::int64_t{-1});
  now_.name = node.output(0);
  return *this;
}

OnnxModel& OnnxModel::last_state() {
  if (graph_->last_state.name.empty()) fail("onnx", "a recurrent layer before last_state", "none");
  now_ = graph_->side_by_side(graph_->last_state.name, {1, 0, 2}, graph_->last_state.width);
  return *this;
}

OnnxModel& OnnxModel::recurrent(const Safetensors& ours, const std::vector<detail::OnnxCell>& cells,
                                const std::string& direction) {
  for (const detail::OnnxCell& cell : cells) {
    if (cell.reset_after != cells[0].reset_after) fail("onnx", "both directions with one Reset", "two");
  }
  if (now_.rank == 2) fail("onnx", "a recurrent layer before last_state", "one after it");
  Safetensors theirs = to_onnx(ours, {""});
  const Shape w = files::shape_of(theirs.tensors.at("W")), r = files::shape_of(theirs.tensors.at("R"));
  const std::size_t directions = w[0], hidden = r[2];
  begin(w[2]);

  Graph& g = *graph_;
  std::map<std::string, std::string> constants;
  for (const auto& [name, tensor] : theirs.tensors) {
    Tensor<float> x = rounded(tensor);
    for (std::size_t d = 0; d < directions; ++d) {
      if (cells[d].keeps_fresh) turn_gate(x, directions, d, name == "B" ? 2 : 1);
    }
    constants[name] = g.constant(name, x);
  }
  if (g.options.lengths && g.recurrent == 0) g.input("lengths", TensorProto::INT32, {"batch"});
  const std::string number = std::to_string(g.recurrent++);
  const auto state = [&](const std::string& name) {
    if (g.options.states) g.input(name + number, TensorProto::FLOAT, {directions, "batch", hidden});
    return g.options.states ? name + number : "";
  };

  const bool lstm = cells[0].op == "LSTM";
  const std::string h0 = state("h0."), c0 = lstm ? state("c0.") : "";
  NodeProto& node = g.node(cells[0].op, {now_.name, constants["W"], constants["R"], constants["B"],
                                         g.options.lengths ? "lengths" : "", h0, c0, constants["P"]});
  while (node.input(node.input_size() - 1).empty()) node.mutable_input()->RemoveLast();
  set(node, "hidden_size", static_cast<std::int64_t>(hidden));
  set(node, "direction", direction);
  if (cells[0].op == "GRU") set(node, "linear_before_reset", std::int64_t{cells[0].reset_after});
  if (cells[0].op == "RNN") {
    Names activations;
    for (const detail::OnnxCell& cell : cells) activations.push_back(cell.activation);
    set(node, "activations", activations);
  }
  const Names outputs = lstm ? Names{"h.", "c."} : Names{"h."};
  for (const std::string& name : outputs) {
    node.add_output(name + number);
    if (g.options.states) {
      describe(g.states.emplace_back(), name + number, TensorProto::FLOAT, {directions, "batch", hidden});
    }
  }

  const std::string y = node.output(0), h = node.output(1);
  now_ = g.side_by_side(y, {0, 2, 1, 3}, directions * hidden);
  g.last_state = {h, 2, directions * hidden};
  return *this;
}

void OnnxModel::write(const std::string& path) const {
  if (graph_->graph.node_size() == 0) fail("onnx", "at least one layer", "none");
  onnx::ModelProto model = graph_->model;
  onnx::GraphProto& graph = *model.mutable_graph();
  NodeProto& end = *graph.add_node();
  end.set_op_type("Identity");
  end.add_input(now_.name);
  end.add_output("y");
  std::vector<Axis> axes{"batch", now_.width};
  if (now_.rank == 3) axes.insert(axes.begin(), "time");
  describe(*graph.add_output(), "y", TensorProto::FLOAT, axes);
  for (const onnx::ValueInfoProto& state : graph_->states) *graph.add_output() = state;

  const std::size_t size = model.ByteSizeLong();
  if (size > std::numeric_limits<std::int32_t>::max()) {
    files::refuse("onnx", "a model of less than 2 GiB", path, std::to_string(size) + " bytes");
  }
  const std::string bytes = model.SerializeAsString();
  try {
    Replacement out(path);
    out.write(std::as_bytes(std::span(bytes)));
    out.commit();
  } catch (const std::system_error& e) {
    files::refuse("onnx", "a file to write", path, e.code().message());
  }
}

}  // namespace rw::nn
