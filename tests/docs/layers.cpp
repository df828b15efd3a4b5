#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"

// The code of docs/layers.md.

using namespace rw;

namespace {

double distance(const Variable<double>& a, const Variable<double>& b) { return max(abs(a - b)).item(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(layers_page)

BOOST_AUTO_TEST_CASE(deep_and_bidirectional) {
  Random random(1);
  const Variable<double> xs = nn::normal<double>({5, 3, 2}, 1, random);
  // [deep]
  using Gru = nn::Gru<double>;
  nn::Stack<nn::Bidirectional<Gru>> encoder;
  encoder.layers.push_back({Gru({.input = 2, .hidden = 4}, random), Gru({.input = 2, .hidden = 4}, random)});
  encoder.layers.push_back({Gru({.input = 8, .hidden = 4}, random), Gru({.input = 8, .hidden = 4}, random)});
  encoder.options = {.residual = true, .dropout = 0.3, .variational = true};

  const auto read = nn::unroll(encoder, xs, {.lengths = {5, 0, 3}, .random = &random});  // training
  const auto same = nn::unroll(encoder, xs, {.lengths = {5, 0, 3}});                     // evaluation: no dropout
  // read.outputs [5, 3, 8];  read.state.layers[1].backward.h [3, 4]
  // [end]
  BOOST_TEST((read.outputs.shape() == Shape{5, 3, 8}));
  BOOST_TEST((read.state.layers[1].backward.h.shape() == Shape{3, 4}));
  BOOST_TEST(distance(read.outputs, same.outputs) > 0.01);
  BOOST_TEST(encoder.parameters().find("1.backward.weight_hh") != nullptr);
}

BOOST_AUTO_TEST_CASE(what_of_a_sequence_is_wanted) {
  Random random(2);
  const nn::Lstm<double> cell({.input = 2, .hidden = 4}, random);
  const Variable<double> xs = nn::normal<double>({5, 3, 2}, 1, random);
  const std::vector<std::size_t> lengths{5, 1, 3};
  // [wanted]
  const auto run = nn::unroll(cell, xs, {.lengths = lengths});
  const auto every = run.outputs;                                     // [T, B, O]
  const auto last = nn::last_valid(run.outputs, lengths);             // [B, O], of each row's own last step
  const auto memory = run.state.c;                                    // [B, H]
  const auto state = nn::unroll(cell, xs, {.outputs = false}).state;  // the state alone
  // [end]
  BOOST_TEST(distance(last, run.state.h) == 0);
  BOOST_TEST((every.shape() == Shape{5, 3, 4}));
  BOOST_TEST((memory.shape() == Shape{3, 4}));
  BOOST_TEST((state.h.shape() == Shape{3, 4}));

  // [mask]
  Indices mask = full<std::int64_t>({5, 3}, 1);
  mask(0, 1) = mask(2, 1) = 0;  // row 1 begins a step later, and has a gap
  const auto masked = nn::unroll(cell, xs, {.mask = mask});
  // [end]
  BOOST_TEST(masked.outputs.value()(2, 1, 0) == 0);
  BOOST_TEST(masked.outputs.value()(3, 1, 0) != 0);
}

BOOST_AUTO_TEST_CASE(around_a_cell) {
  Random random(3);
  const Variable<double> xs = nn::normal<double>({5, 3, 2}, 1, random);
  using Lstm = nn::Lstm<double>;
  // [around]
  Lstm cell({.input = 2, .hidden = 4}, random);
  nn::LearnedStart<Lstm> begins(std::move(cell));                            // an initial state that is trained
  nn::Zoneout<nn::LearnedStart<Lstm>> zoned(std::move(begins), {0.1, 0.5});  // of h and of c
  nn::RecurrentDropout<decltype(zoned)> dropped(std::move(zoned), 0.25);     // h as the step sees it
  const auto run = nn::unroll(dropped, xs, {.random = &random});
  // [end]
  BOOST_TEST((run.outputs.shape() == Shape{5, 3, 4}));
  BOOST_TEST(dropped.parameters().size() == 5u);
}

BOOST_AUTO_TEST_CASE(weights_that_are_computed) {
  Random random(4);
  nn::Gru<double> cell({.input = 2, .hidden = 4}, random);
  const Variable<double> xs = nn::normal<double>({5, 3, 2}, 1, random);
  const Variable<double> before = nn::unroll(cell, xs).outputs;
  // [substitute]
  Tape<double> tape;
  const auto dropped = nn::dropout<double>(cell.weight_hh, 0.5, &random);
  const auto run = nn::substitute<double>({{&cell.weight_hh, dropped}}, [&] { return nn::unroll(cell, xs); });
  const auto gradients = tape.backward(mean(square(run.outputs)));  // of weight_hh itself, through the dropout
  // [end]
  BOOST_TEST(norm(gradients[cell.weight_hh]).item() > 0);
  BOOST_TEST(distance(nn::unroll(cell, xs).outputs, before) == 0);
}

BOOST_AUTO_TEST_CASE(an_encoder_of_encoders) {
  Random random(5);
  using Gru = nn::Gru<double>;
  const Variable<double> xs = nn::normal<double>({4, 5, 3, 2}, 1, random);
  // [segments]
  nn::Segments<Gru, Gru> reader{Gru({.input = 2, .hidden = 4}, random), Gru({.input = 4, .hidden = 6}, random)};
  const auto documents = nn::unroll(reader, xs, {.segments = {4, 2, 1}});  // xs [S, T, B, I]: sentences, words
  // documents.outputs [4, 3, 6];  documents.state.h [3, 6]
  // [end]
  BOOST_TEST((documents.outputs.shape() == Shape{4, 3, 6}));
}

BOOST_AUTO_TEST_SUITE_END()
