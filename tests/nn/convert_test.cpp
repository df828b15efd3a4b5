#include "nn/convert.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "tests/nn/common.hpp"

// Values are compared by the golden test; here are names, precisions and errors.

namespace {

using common::distance;
using common::numbers;
using common::says;
using rw::Shape;
using rw::Tensor;
using rw::nn::from_torch;
using rw::nn::Safetensors;

/// A layer of PyTorch: 2 inputs, 3 hidden.
Safetensors layer(std::size_t gates, const std::string& suffix = "_l0", const std::string& prefix = "") {
  Safetensors file;
  file.tensors[prefix + "weight_ih" + suffix] = numbers({gates * 3, 2}, 1);
  file.tensors[prefix + "weight_hh" + suffix] = numbers({gates * 3, 3}, 2);
  file.tensors[prefix + "bias_ih" + suffix] = numbers({gates * 3}, 3);
  file.tensors[prefix + "bias_hh" + suffix] = numbers({gates * 3}, 4);
  return file;
}

std::vector<std::string> names(const Safetensors& file) {
  std::vector<std::string> list;
  for (const auto& [name, tensor] : file.tensors) list.push_back(name);
  return list;
}

using Names = std::vector<std::string>;
const auto each = boost::test_tools::per_element();

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

BOOST_AUTO_TEST_CASE(float_files_are_read) {
  Safetensors file = layer(4);
  const Tensor<double> exact = numbers({12, 3}, 2);
  Tensor<float> rounded = rw::empty<float>({12, 3});
  std::copy(exact.begin(), exact.end(), rounded.begin());
  file.tensors["weight_hh_l0"] = rounded;
  BOOST_TEST(from_torch(file).get<double>("weight_hh").data()[1] == double(rounded.data()[3]));
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
  refused(layer(1), "weight_hh_l0: expected 3 or 4 gates: [3·H, H] or [4·H, H]; got [3, 3]");
  refused(with("weight_hh_l0", numbers({13, 3})),
          "weight_hh_l0: expected 3 or 4 gates: [3·H, H] or [4·H, H]; got [13, 3]");
  refused(with("weight_hh_l0", numbers({0, 0})),
          "weight_hh_l0: expected 3 or 4 gates: [3·H, H] or [4·H, H]; got [0, 0]");
  refused(with("weight_hh_l0", numbers({36})), "weight_hh_l0: expected 2 axes; got [36]");
  refused(with("weight_ih_l0", numbers({9, 2})), "weight_ih_l0: expected [12, I]; got [9, 2]");
  refused(with("weight_ih_l0", rw::zeros<std::int64_t>({12, 2})),
          "weight_ih_l0: expected dtype F32 or F64; got another");
  refused(with("bias_hh_l0", numbers({9})), "bias_hh_l0: expected [12]; got [9]");
  refused(with("weight_hr_l0", numbers({2, 3})), "weight_hr_l0: expected no projection; got one");
  Safetensors half = layer(4);
  half.tensors.erase("bias_hh_l0");
  refused(half, "bias_hh_l0: expected a tensor of that name; got none");
}

BOOST_AUTO_TEST_SUITE_END()
