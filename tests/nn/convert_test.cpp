#include "nn/convert.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/stack.hpp"
#include "tests/nn/common.hpp"

// What converted layers put out is compared by the golden test; here are names, places, precisions and errors.

namespace {

using common::distance;
using common::numbers;
using common::says;
using rw::Shape;
using rw::Tensor;
using rw::nn::Bidirectional;
using rw::nn::from_keras;
using rw::nn::from_onnx;
using rw::nn::from_torch;
using rw::nn::Gru;
using rw::nn::Lstm;
using rw::nn::Rnn;
using rw::nn::Safetensors;
using rw::nn::Stack;
using rw::nn::to_keras;
using rw::nn::to_onnx;
using rw::nn::to_torch;

/// A layer of PyTorch: 2 inputs, 3 hidden.
Safetensors layer(std::size_t gates, const std::string& suffix = "_l0", const std::string& prefix = "") {
  Safetensors file;
  file.tensors[prefix + "weight_ih" + suffix] = numbers({gates * 3, 2}, 1);
  file.tensors[prefix + "weight_hh" + suffix] = numbers({gates * 3, 3}, 2);
  file.tensors[prefix + "bias_ih" + suffix] = numbers({gates * 3}, 3);
  file.tensors[prefix + "bias_hh" + suffix] = numbers({gates * 3}, 4);
  return file;
}

/// The same in both directions, of a module called rnn.
Safetensors layer_pair() {
  Safetensors file = layer(4, "_l0", "rnn.");
  file.tensors.merge(layer(4, "_l0_reverse", "rnn.").tensors);
  return file;
}

std::vector<std::string> names(const Safetensors& file) {
  std::vector<std::string> list;
  for (const auto& [name, tensor] : file.tensors) list.push_back(name);
  return list;
}

using Names = std::vector<std::string>;
const auto each = boost::test_tools::per_element();

/// A layer's parameters with numbers, as a file.
template <class L>
Safetensors filled(L layer) {
  common::scatter(layer.parameters(), 20);
  return pack(layer.parameters());
}

bool equal(const Safetensors& a, const Safetensors& b) { return a.tensors == b.tensors; }

}  // namespace

BOOST_AUTO_TEST_SUITE(convert)

BOOST_AUTO_TEST_CASE(biases_fold_but_the_one_inside_the_reset) {
  const Tensor<double> ih = numbers({9}, 3), hh = numbers({9}, 4);
  const Safetensors gru = from_torch(layer(3));
  BOOST_TEST(names(gru) == (Names{"bias", "bias_hn", "weight_hh", "weight_ih"}), each);
  const Tensor<double>&bias = gru.get<double>("bias"), &bias_hn = gru.get<double>("bias_hn");
  BOOST_TEST(bias_hn.size() == 3u);
  for (std::size_t i = 0; i < 9; ++i) {
    BOOST_TEST(bias.data()[i] == ih.data()[i] + (i < 6 ? hh.data()[i] : 0));
    if (i >= 6) BOOST_TEST(bias_hn.data()[i - 6] == hh.data()[i]);
  }
  const Tensor<double> theirs = numbers({9, 2}, 1), &ours = gru.get<double>("weight_ih");
  BOOST_TEST(bool(ours.shape() == Shape{2, 9}));
  for (std::size_t i = 0; i < 9; ++i) {
    for (std::size_t j = 0; j < 2; ++j) BOOST_TEST(ours.data()[j * 9 + i] == theirs.data()[i * 2 + j]);
  }
  BOOST_TEST(names(from_torch(layer(4))) == (Names{"bias", "weight_hh", "weight_ih"}), each);
}

BOOST_AUTO_TEST_CASE(fits_the_cells) {
  rw::Random random(1);
  rw::nn::Gru<float> gru({.input = 2, .hidden = 3}, random);
  unpack(from_torch(layer(3)), gru.parameters(), "model");
  rw::nn::Lstm<double> lstm({.input = 2, .hidden = 3}, random);
  unpack(from_torch(layer(4, "_l1", "encoder.rnn."), "encoder.rnn.", 1), lstm.parameters(), "model");
  BOOST_CHECK_THROW(unpack(from_torch(layer(3)), lstm.parameters(), "model"), std::runtime_error);

  Safetensors both = layer(4);
  both.tensors.merge(layer(4, "_l0_reverse").tensors);
  rw::nn::Bidirectional<rw::nn::Lstm<double>> layers{{{.input = 2, .hidden = 3}, random},
                                                     {{.input = 2, .hidden = 3}, random}};
  unpack(from_torch(both), layers.parameters(), "model");
  BOOST_TEST(distance(layers.forward.weight_hh, layers.backward.weight_hh) == 0);
  BOOST_CHECK_THROW(unpack(from_torch(both), lstm.parameters(), "model"), std::runtime_error);

  Safetensors bare = layer(4);
  bare.tensors.erase("bias_ih_l0");
  bare.tensors.erase("bias_hh_l0");
  BOOST_TEST(names(from_torch(bare)) == (Names{"weight_hh", "weight_ih"}), each);
}

BOOST_AUTO_TEST_CASE(several_layers_are_a_stacks) {
  Safetensors file;
  for (const std::string suffix : {"_l0", "_l0_reverse", "_l1", "_l1_reverse"}) {
    file.tensors.merge(layer(4, suffix, "rnn.").tensors);
  }
  const Safetensors all = from_torch(file, "rnn.");
  BOOST_TEST(all.tensors.size() == 12u);
  BOOST_TEST(bool(all.tensors.at("1.backward.bias") == from_torch(file, "rnn.", 1).tensors.at("backward.bias")));
  BOOST_TEST(bool(all.tensors.contains("0.forward.weight_hh")));
  BOOST_TEST(equal(from_torch(file, "rnn.", 0), from_torch(layer_pair(), "rnn.")));
}

BOOST_AUTO_TEST_CASE(float_stays_float) {
  const auto rounded = [](const Safetensors& file) {
    Safetensors result;
    for (const auto& [name, tensor] : file.tensors) {
      const Tensor<double>& x = std::get<Tensor<double>>(tensor);
      Tensor<float> y = rw::empty<float>(x.shape());
      std::copy(x.begin(), x.end(), y.begin());
      result.tensors[name] = y;
    }
    return result;
  };
  Safetensors file = rounded(layer(4));
  BOOST_TEST(from_torch(file).get<float>("weight_hh").data()[1] == float(numbers({12, 3}, 2).data()[3]));
  const Safetensors ours = from_torch(file);
  BOOST_TEST(equal(from_torch(to_torch(ours)), ours));
  file.tensors["bias_hh_l0"] = numbers({12}, 4);  // one in double: all are
  BOOST_TEST(from_torch(file).get<double>("weight_hh").data()[1] == double(float(numbers({12, 3}, 2).data()[3])));
}

// There and back: every kind of cell, in both directions and several layers, by every library.
BOOST_AUTO_TEST_CASE(there_and_back_is_exact) {
  rw::Random random(1);
  const Names one{"a/"}, both{"b/forward_x/"}, two{"x/forward_/", "y/forward_/"};
  const auto keras = [](const Safetensors& ours, const Names& at, bool after = true) {
    BOOST_TEST(equal(from_keras(to_keras(ours, at), at, {.reset_after = after}), ours));
  };
  const auto onnx = [](const Safetensors& ours, const Names& at, bool after = true) {
    BOOST_TEST(equal(from_onnx(to_onnx(ours, at), at, {.reset_after = after}), ours));
  };
  const auto all = [&](const Safetensors& ours, const Names& at) {
    BOOST_TEST(equal(from_torch(to_torch(ours, "m."), "m."), ours));
    keras(ours, at);
    onnx(ours, at);
  };
  for (const bool bias : {true, false}) {
    const auto rnn = [&](std::size_t input) {
      return Rnn<double>({.input = input, .hidden = 3, .bias = bias}, random);
    };
    const auto gru = [&](std::size_t input) {
      return Gru<double>({.input = input, .hidden = 3, .bias = bias}, random);
    };
    const auto lstm = [&](std::size_t input) {
      return Lstm<double>({.input = input, .hidden = 3, .bias = bias}, random);
    };
    all(filled(rnn(2)), one);
    all(filled(gru(2)), one);
    all(filled(lstm(2)), one);
    all(filled(Bidirectional<Rnn<double>>{rnn(2), rnn(2)}), both);
    all(filled(Bidirectional<Gru<double>>{gru(2), gru(2)}), both);
    Stack<Bidirectional<Lstm<double>>> stack;
    stack.layers.push_back({lstm(2), lstm(2)});
    stack.layers.push_back({lstm(6), lstm(6)});
    all(filled(std::move(stack)), two);

    const Safetensors before =
        filled(Gru<double>({.input = 2, .hidden = 3, .bias = bias, .reset = rw::nn::Reset::before}, random));
    keras(before, one, false);
    onnx(before, one, false);
    onnx(filled(Lstm<double>({.input = 2, .hidden = 3, .bias = bias, .peepholes = true}, random)), one);
    const Safetensors projection =
        filled(Lstm<double>({.input = 2, .hidden = 5, .bias = bias, .projection = 3}, random));
    BOOST_TEST(equal(from_torch(to_torch(projection)), projection));
  }
}

BOOST_AUTO_TEST_CASE(to_has_the_names_and_shapes_of_the_library) {
  rw::Random random(1);
  const auto shapes = [](const Safetensors& file) {
    std::string list;
    for (const auto& [name, tensor] : file.tensors) {
      list += name + " " + std::visit([](const auto& x) { return rw::to_string(x.shape()); }, tensor) + "; ";
    }
    return list;
  };
  const Safetensors lstm = filled(Bidirectional<Lstm<double>>{{{.input = 2, .hidden = 3, .peepholes = true}, random},
                                                              {{.input = 2, .hidden = 3, .peepholes = true}, random}});
  BOOST_TEST(shapes(to_onnx(lstm, {"n."})) == "n.B [2, 24]; n.P [2, 9]; n.R [2, 12, 3]; n.W [2, 12, 2]; ");
  const Safetensors gru =
      filled(Bidirectional<Gru<double>>{{{.input = 2, .hidden = 3}, random}, {{.input = 2, .hidden = 3}, random}});
  BOOST_TEST(shapes(to_keras(gru, {"a/forward_gru/gru_cell/"})) ==
             "a/backward_gru/gru_cell/bias [2, 9]; a/backward_gru/gru_cell/kernel [2, 9]; "
             "a/backward_gru/gru_cell/recurrent_kernel [3, 9]; a/forward_gru/gru_cell/bias [2, 9]; "
             "a/forward_gru/gru_cell/kernel [2, 9]; a/forward_gru/gru_cell/recurrent_kernel [3, 9]; ");
  const Safetensors before = filled(Gru<double>({.input = 2, .hidden = 3, .reset = rw::nn::Reset::before}, random));
  BOOST_TEST(shapes(to_keras(before, {""})) == "bias [9]; kernel [2, 9]; recurrent_kernel [3, 9]; ");
  const Safetensors projected = filled(Lstm<double>({.input = 2, .hidden = 5, .projection = 3}, random));
  BOOST_TEST(shapes(to_torch(projected, "m.")) ==
             "m.bias_hh_l0 [20]; m.bias_ih_l0 [20]; m.weight_hh_l0 [20, 3]; m.weight_hr_l0 [3, 5]; "
             "m.weight_ih_l0 [20, 2]; ");

  // Our bias is the first; the second is zero, but inside a GRU's reset.
  const Safetensors torch = to_torch(gru);
  const Tensor<double>&bias = gru.get<double>("backward.bias"), &bias_hn = gru.get<double>("backward.bias_hn");
  BOOST_TEST(bool(torch.get<double>("bias_ih_l0_reverse") == bias));
  const Tensor<double>& second = torch.get<double>("bias_hh_l0_reverse");
  for (std::size_t i = 0; i < 9; ++i) BOOST_TEST(second.data()[i] == (i < 6 ? 0 : bias_hn.data()[i - 6]));

  // The gates' places: ours i f g o, and i f o of the peephole, ONNX' i o f g and i o f.
  const Safetensors onnx = to_onnx(lstm, {""});
  const Tensor<double>&b = onnx.get<double>("B"), &p = onnx.get<double>("P");
  const Tensor<double>&ours = lstm.get<double>("backward.bias"), &peephole = lstm.get<double>("backward.peephole");
  const std::size_t gate[] = {0, 3, 1, 2}, hole[] = {0, 2, 1};
  for (std::size_t i = 0; i < 24; ++i) {
    BOOST_TEST(b.data()[24 + i] == (i < 12 ? ours.data()[gate[i / 3] * 3 + i % 3] : 0));
  }
  for (std::size_t i = 0; i < 9; ++i) BOOST_TEST(p.data()[9 + i] == peephole.data()[hole[i / 3] * 3 + i % 3]);
}

BOOST_AUTO_TEST_CASE(what_is_no_such_layer_is_refused) {
  const auto refused = [](const Safetensors& file, const std::string& text, const std::string& prefix = "",
                          std::size_t number = 0) {
    BOOST_CHECK_EXCEPTION(from_torch(file, prefix, number), std::runtime_error, says("from_torch: " + text));
  };
  const auto with = [](const std::string& name, rw::nn::AnyTensor tensor) {
    Safetensors file = layer(4);
    file.tensors[name] = std::move(tensor);
    return file;
  };
  refused(Safetensors(), "weight_hh_l0: expected a tensor of that name; got none");
  refused(layer(4), "rnn.weight_hh_l2: expected a tensor of that name; got none", "rnn.", 2);
  refused(layer(2), "weight_hh_l0: expected 1, 3 or 4 gates, [G·H, H]; got [6, 3]");
  refused(with("weight_hh_l0", numbers({13, 3})), "weight_hh_l0: expected 1, 3 or 4 gates, [G·H, H]; got [13, 3]");
  refused(with("weight_hh_l0", numbers({0, 0})), "weight_hh_l0: expected 1, 3 or 4 gates, [G·H, H]; got [0, 0]");
  refused(with("weight_hh_l0", numbers({36})), "weight_hh_l0: expected [G·H, H]; got [36]");
  refused(with("weight_ih_l0", numbers({9, 2})), "weight_ih_l0: expected [12, I]; got [9, 2]");
  refused(with("weight_ih_l0", rw::zeros<std::int64_t>({12, 2})),
          "weight_ih_l0: expected dtype F32 or F64; got another");
  refused(with("bias_hh_l0", numbers({9})), "bias_hh_l0: expected [12]; got [9]");
  refused(with("weight_hr_l0", numbers({2, 3})), "weight_hr_l0: expected [3, H]; got [2, 3]");
  refused(with("weight_hr_l0", numbers({3, 4})), "weight_hh_l0: expected 4 gates with a projection; got 3");
  Safetensors half = layer(4);
  half.tensors.erase("bias_hh_l0");
  refused(half, "bias_hh_l0: expected a tensor of that name; got none");
}

BOOST_AUTO_TEST_CASE(what_a_library_has_not_is_refused) {
  using Error = std::runtime_error;
  rw::Random random(1);
  const auto lstm = [&](Lstm<double>::Options options) { return filled(Lstm<double>(options, random)); };
  const Safetensors peepholes = lstm({.input = 2, .hidden = 3, .peepholes = true});
  const Safetensors projection = lstm({.input = 2, .hidden = 3, .projection = 2});
  const Safetensors coupled = lstm({.input = 2, .hidden = 3, .forget = rw::nn::Forget::coupled});
  const Safetensors normalised = lstm({.input = 2, .hidden = 3, .layer_norm = true});
  const Safetensors before = filled(Gru<double>({.input = 2, .hidden = 3, .reset = rw::nn::Reset::before}, random));
  const auto says_no = [](const std::string& text) { return says(text + ": expected no such tensor; got one"); };
  BOOST_CHECK_EXCEPTION(to_torch(peepholes), Error, says_no("to_torch: peephole"));
  BOOST_CHECK_EXCEPTION(to_keras(peepholes, {""}), Error, says_no("to_keras: peephole"));
  BOOST_CHECK_EXCEPTION(to_keras(projection, {""}), Error, says_no("to_keras: weight_hr"));
  BOOST_CHECK_EXCEPTION(to_onnx(projection, {""}), Error, says_no("to_onnx: weight_hr"));
  BOOST_CHECK_EXCEPTION(to_torch(normalised), Error, says_no("to_torch: gain_c"));
  BOOST_CHECK_EXCEPTION(to_torch(before), Error, says_no("to_torch: weight_hn"));
  BOOST_CHECK_EXCEPTION(to_torch(coupled), Error, says("to_torch: bias_hn: expected a tensor of that name; got none"));
  BOOST_CHECK_EXCEPTION(to_torch({}), Error, says("to_torch: weight_hh: expected a tensor of that name; got none"));

  // What a file does not have.
  const Names at{""};
  const Safetensors gru = filled(Gru<double>({.input = 2, .hidden = 3}, random));
  const Safetensors keras = to_keras(gru, at), onnx = to_onnx(gru, at);
  BOOST_CHECK_EXCEPTION(from_keras(keras, at, {.reset_after = false}), Error,
                        says("from_keras: bias: expected [9]; got [2, 9]"));
  BOOST_CHECK_EXCEPTION(from_keras(to_keras(before, at), at), Error,
                        says("from_keras: bias: expected [2, 9]; got [9]"));
  BOOST_CHECK_EXCEPTION(from_keras(keras, {"lstm/"}), Error,
                        says("from_keras: lstm/recurrent_kernel: expected a tensor of that name; got none"));
  const auto with = [](Safetensors file, const std::string& name, const Shape& shape) {
    file.tensors[name] = numbers(shape);
    return file;
  };
  BOOST_CHECK_EXCEPTION(from_keras(with(keras, "kernel", {9, 2}), at), Error,
                        says("from_keras: kernel: expected [I, 9]; got [9, 2]"));
  BOOST_CHECK_EXCEPTION(from_onnx(with(onnx, "W", {9, 2}), at), Error,
                        says("from_onnx: W: expected 1 directions; got [9, 2]"));
  BOOST_CHECK_EXCEPTION(from_onnx(with(onnx, "B", {1, 9}), at), Error, says("from_onnx: B: expected [18]; got [9]"));
  BOOST_CHECK_EXCEPTION(to_keras(with(gru, "weight_hh", {4, 8}), at), Error,
                        says("to_keras: weight_hh: expected 1, 3 or 4 gates, [H, G·H]; got [4, 8]"));
  BOOST_CHECK_EXCEPTION(to_keras(with(before, "weight_hn", {3, 4}), at), Error,
                        says("to_keras: weight_hn: expected [3, 3]; got [3, 4]"));

  // Names that do not fit.
  using Misuse = std::invalid_argument;
  const Safetensors two = from_torch(layer_pair(), "rnn.");
  BOOST_CHECK_EXCEPTION(to_keras(two, {"lstm/"}), Misuse,
                        says("to_keras: expected a path with forward_ where there are two directions; got lstm/"));
  BOOST_CHECK_EXCEPTION(to_onnx(two, {"a", "b"}), Misuse, says("to_onnx: expected a name for each of 1 layers; got 2"));
  BOOST_CHECK_EXCEPTION(from_onnx(onnx, {}), Misuse, says("from_onnx: expected at least one layer; got none"));
}

BOOST_AUTO_TEST_SUITE_END()
