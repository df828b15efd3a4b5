// The code of docs/conventions.md.

#include <boost/test/unit_test.hpp>
#include <string>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/folder.hpp"

using namespace rw;

BOOST_AUTO_TEST_SUITE(conventions)

BOOST_AUTO_TEST_CASE(errors_are_one_line_worded_alike) {
  const Variable<float> a = zeros<float>({32, 256}), b = zeros<float>({128, 64});
  std::string text;
  // [error]
  try {
    matmul(a, b);
  } catch (const std::invalid_argument& error) {
    text = error.what();  // "matmul: expected equal inner extents; got a [32, 256], b [128, 64]"
  }
  // [end]
  BOOST_TEST(text == "matmul: expected equal inner extents; got a [32, 256], b [128, 64]");
}

BOOST_AUTO_TEST_CASE(a_name_is_a_path) {
  const Folder folder;
  const std::string path = folder.file("model.safetensors");
  // [names]
  Random random(1);
  nn::Bidirectional<nn::Gru<float>> encoder{{{.input = 4, .hidden = 8}, random}, {{.input = 4, .hidden = 8}, random}};
  nn::Linear<float> readout({.input = 16, .output = 3}, random);
  nn::Parameters<float> model;
  model.add("encoder", encoder.parameters());  // encoder.forward.weight_ih, ..., encoder.backward.bias_hn
  model.add("readout", readout.parameters());  // readout.weight, readout.bias
  nn::save(path, model);
  // [end]
  BOOST_TEST(model.size() == 10u);
  BOOST_TEST((model["encoder.forward.weight_ih"].shape() == Shape{4, 24}));
  BOOST_TEST((model["encoder.forward.weight_hh"].shape() == Shape{8, 24}));
  BOOST_TEST((model["encoder.backward.bias"].shape() == Shape{24}));
  BOOST_TEST((model["encoder.backward.bias_hn"].shape() == Shape{8}));
  BOOST_TEST((model["readout.weight"].shape() == Shape{16, 3}));
  BOOST_TEST(nn::read_safetensors(path).tensors.count("encoder.backward.bias_hn") == 1u);
}

BOOST_AUTO_TEST_CASE(the_forget_gate_is_the_second) {
  Random random(1);
  const nn::Lstm<double> lstm({.input = 2, .hidden = 2}, random);
  BOOST_TEST((lstm.bias->value() == tensor<double>({8}, {0, 0, 1, 1, 0, 0, 0, 0})));
}

BOOST_AUTO_TEST_CASE(a_seed_means_the_same_numbers) {
  // [seed]
  Random random(7);
  const nn::Linear<double> first({.input = 4, .output = 3}, random);  // the same weights in every run
  Random noise = random.split();                                      // for dropout: moves nothing in `random`
  const auto dropped = nn::dropout(Variable<double>(full<double>({8}, 1)), 0.5, &noise);
  // [end]
  Random again(7);
  const nn::Linear<double> same({.input = 4, .output = 3}, again);
  BOOST_TEST((first.weight.value() == same.weight.value()));
  again.split();
  BOOST_TEST((random == again));
  for (const double x : dropped.value()) BOOST_TEST((x == 0 || x == 2));
  BOOST_TEST((Random(7).bits() == Random(7).bits()));
}

BOOST_AUTO_TEST_CASE(shards_add_up) {
  constexpr std::size_t rows = 6;
  Random random(1);
  nn::Linear<double> layer({.input = 3, .output = 2}, random);
  const Variable<double> xs = nn::normal<double>({rows, 3}, 1, random);
  const auto loss_of = [&](const Variable<double>& x) { return sum(square(layer(x))); };
  // [threads]
  Workers workers(2);
  set_gemm_threads(1);
  std::vector<Gradients<double>> gradients(workers.count());
  workers.run([&](std::size_t shard) {
    Tape<double> tape;  // each thread records on a tape of its own
    const auto x = slice(xs, 0, shard * rows / 2, (shard + 1) * rows / 2);
    gradients[shard] = tape.backward(loss_of(x));
  });
  gradients[0] += std::move(gradients[1]);
  // [end]
  Tape<double> tape;
  const auto whole = tape.backward(loss_of(xs));
  for (const Parameter<double>* p : std::vector<Parameter<double>*>(layer.parameters())) {
    const auto got = gradients[0][*p], want = whole[*p];
    for (std::size_t i = 0; i < p->size(); ++i) {
      BOOST_TEST(std::abs(got.value().data()[i] - want.value().data()[i]) < 1e-12);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
