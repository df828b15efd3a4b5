#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

// The code of docs/training.md.

using namespace rw;

namespace {

double distance(const Variable<double>& a, const Variable<double>& b) { return max(abs(a - b)).item(); }

double distance(const Gradients<double>& a, const Gradients<double>& b, const nn::Parameters<double>& model) {
  double largest = 0;
  for (const auto& [name, parameter] : model) largest = std::max(largest, distance(a[*parameter], b[*parameter]));
  return largest;
}

std::vector<Tensor<double>> values(const nn::Parameters<double>& model) {
  std::vector<Tensor<double>> all;
  for (const auto& [name, parameter] : model) all.push_back(parameter->value());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(training_page)

// Which of two symbols was the first of the sequence?
BOOST_AUTO_TEST_CASE(a_loop) {
  constexpr std::size_t steps = 6, batch = 32;
  Random random(1);
  nn::Gru<float> cell({.input = 2, .hidden = 16}, random);
  nn::Linear<float> readout({.input = 16, .output = 2}, random);
  nn::Parameters<float> model;
  model.add("cell", cell.parameters());
  model.add("readout", readout.parameters());
  Tensor<float> symbols = zeros<float>({steps, batch, 2});
  Indices targets = zeros<std::int64_t>({steps, batch});
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < batch; ++b) {
      const std::size_t symbol = random.below(2);
      symbols(t, b, symbol) = 1;
      targets(t, b) = t == 0 ? static_cast<std::int64_t>(symbol) : targets(0, b);
    }
  }
  const Variable<float> xs = symbols;
  std::vector<float> losses;
  // [loop]
  optim::Adam<float> adam;
  optim::FiniteSteps finite({.patience = 10});
  for (int step = 0; step < 150; ++step) {
    Gradients<float> gradients;
    {
      Tape<float> tape;  // ends before the step, which then changes the weights in place
      const auto loss = nn::cross_entropy(readout(nn::unroll(cell, xs).outputs), targets);
      gradients = tape.backward(loss);
      losses.push_back(loss.item());
    }
    adam.set_learning_rate(optim::cosine(adam.steps(), {.rate = 0.02, .steps = 150}));
    if (finite(optim::clip_global_norm(gradients, 1))) adam.step(model, gradients);
  }
  // [end]
  BOOST_TEST(losses.front() > 0.5);
  BOOST_TEST(losses.back() < 0.05);
  BOOST_TEST(finite.skipped() == 0u);
  BOOST_TEST(adam.learning_rate() < 1e-5);
}

BOOST_AUTO_TEST_CASE(parts_groups_and_averages) {
  Random random(2);
  nn::Lstm<double> cell({.input = 2, .hidden = 3}, random);
  const nn::Parameters<double> model = cell.parameters();
  const Variable<double> xs = nn::normal<double>({5, 12, 2}, 1, random);
  const auto loss_of = [&](const Variable<double>& part) { return mean(square(nn::unroll(cell, part).outputs)); };
  const auto parts = split(xs, 4, 1);
  // [accumulate]
  Gradients<double> gradients;
  for (const auto& part : parts) {  // of equal sizes
    Tape<double> tape;
    gradients += tape.backward(loss_of(part));
  }
  gradients.scale(1.0 / parts.size());  // a mean over all rows is the mean of the parts' means
  // [end]
  {
    Tape<double> tape;
    const Gradients<double> whole = tape.backward(loss_of(xs));
    BOOST_TEST(distance(gradients, whole, model) < 1e-14);
    BOOST_TEST(whole.norm() > 1e-3);
  }

  const auto before = values(model);
  // [groups]
  std::vector<Parameter<double>*> weights, biases;
  for (const auto& [name, parameter] : model) {
    (name.ends_with("bias") ? biases : weights).push_back(parameter);
  }
  optim::Adam<double> decayed({.weight_decay = 0.01});
  optim::Sgd<double> plain({.learning_rate = 0.1});
  decayed.step(weights, gradients);
  plain.step(biases, gradients);
  // [end]
  BOOST_TEST(weights.size() == 2u);
  BOOST_TEST(distance(cell.bias->value(), Variable<double>(before[2]) - 0.1 * gradients[*cell.bias]) < 1e-15);
  BOOST_TEST(distance(cell.weight_hh, before[1]) > 1e-4);

  const auto validate = [&] { return loss_of(xs).item(); };
  const double trained = validate();
  // [average]
  optim::WeightAverage<double> average({.decay = 0.99});
  for (int step = 0; step < 20; ++step) {
    Tape<double> tape;
    decayed.step(model, tape.backward(loss_of(xs)));
    average.update(model);
  }
  const double averaged = average.during(model, validate);  // the weights are as before afterwards
  // [end]
  BOOST_TEST(averaged > validate());
  BOOST_TEST(averaged < trained);
}

BOOST_AUTO_TEST_CASE(what_follows_a_validation_loss) {
  Random random(3);
  nn::Linear<double> layer({.input = 2, .output = 1}, random);
  optim::Sgd<double> sgd;
  const std::vector<double> seen{3, 2, 2.5, 2.4, 2.2, 2.1, 1};
  std::size_t epoch = 0, saved = 0;
  const auto train = [] {};
  const auto validate = [&] { return seen.at(epoch++); };
  const auto save = [&] { saved = epoch; };
  // [stopping]
  optim::Plateau plateau({.rate = 0.1, .factor = 0.5, .patience = 2});
  optim::EarlyStopping stopping({.patience = 4});
  while (!stopping.stop()) {
    train();
    const double loss = validate();
    sgd.set_learning_rate(plateau(loss));
    if (stopping.see(loss)) save();  // the best so far
  }
  // [end]
  BOOST_TEST(epoch == 6u);
  BOOST_TEST(saved == 2u);
  BOOST_TEST(sgd.learning_rate() == 0.025);
}

BOOST_AUTO_TEST_CASE(windows_of_a_long_sequence) {
  Random random(4);
  nn::Lstm<double> cell({.input = 2, .hidden = 3}, random);
  nn::Linear<double> readout({.input = 3, .output = 1}, random);
  nn::Parameters<double> model;
  model.add("cell", cell.parameters());
  model.add("readout", readout.parameters());
  const Variable<double> all = nn::normal<double>({40, 2, 2}, 1, random);
  struct Window {
    Variable<double> xs, targets;
  };
  std::vector<Window> windows;
  for (const auto& xs : split(all, 4, 0)) windows.push_back({xs, zeros<double>({10, 2, 1})});
  optim::Sgd<double> sgd({.learning_rate = 0});
  Gradients<double> sum_of_windows;
  // [truncated]
  nn::Truncated through_time(cell, {.every = 10, .back = 40});  // k1 and k2
  for (const auto& window : windows) {                          // xs [10, B, I]
    const auto learned =
        through_time.step(window.xs, [&](const auto& hs) { return nn::squared_error(readout(hs), window.targets); });
    sgd.step(model, learned.gradients);
    sum_of_windows += learned.gradients;
  }
  // [end]
  Tape<double> tape;
  const auto whole = nn::squared_error(readout(nn::unroll(cell, all).outputs), zeros<double>({40, 2, 1}));
  sum_of_windows.scale(0.25);
  BOOST_TEST(distance(sum_of_windows, tape.backward(whole), model) < 1e-12);
}

BOOST_AUTO_TEST_CASE(long_sequences_within_a_budget) {
  Random random(5);
  nn::Lstm<double> cell({.input = 2, .hidden = 3}, random);
  const Variable<double> xs = nn::normal<double>({100, 2, 2}, 1, random);
  const auto gradients_of = [&](const auto& run) {
    return Tape<double>::current()->backward(mean(square(run.state.h)));
  };
  Gradients<double> of_segments, within;
  // [checkpointing]
  {
    Tape<double> tape;
    const auto run = nn::unroll_checkpointed(cell, xs, {.outputs = false});  // segments of √T steps
    of_segments = tape.backward(mean(square(run.state.h)));
  }
  {
    Tape<double> tape;
    const auto run = nn::unroll_checkpointed(cell, xs, {.outputs = false}, {.bytes = 100'000});  // as they fit
    within = tape.backward(mean(square(run.state.h)));
  }
  // [end]
  Tape<double> tape;
  const auto plain = gradients_of(nn::unroll(cell, xs, {.outputs = false}));
  BOOST_TEST(distance(of_segments, plain, cell.parameters()) < 1e-12);
  BOOST_TEST(distance(within, plain, cell.parameters()) < 1e-12);
  BOOST_TEST(tape.bytes() > 50'000u);
}

BOOST_AUTO_TEST_CASE(penalties) {
  Random random(6);
  nn::Lstm<double> cell({.input = 2, .hidden = 3}, random);
  const Variable<double> inputs = nn::normal<double>({6, 4, 2}, 1, random), targets = zeros<double>({6, 4, 3});
  {
    // [omega]
    Tape<double> tape;
    nn::KeepStates kept(cell);
    const auto error = nn::squared_error(nn::unroll(kept, inputs).outputs, targets);
    const auto gradients = tape.backward(error + 0.1 * nn::omega(error, kept));
    // [end]
    BOOST_TEST(distance(gradients, tape.backward(error), cell.parameters()) > 1e-4);
  }
  // [input_gradient]
  Tape<double> tape;
  const auto xs = tape.watch(inputs);
  const auto hs = nn::unroll(cell, xs).outputs;
  const auto score = sum(hs, {.axes = {0, 2}});                                   // [B], a number a row
  const auto penalty = nn::gradient_penalty(score, xs, {.norm = 0, .batch = 1});  // xs [T, B, I]
  const auto gradients = tape.backward(nn::squared_error(hs, targets) + 0.01 * penalty);
  // [end]
  BOOST_TEST(penalty.item() > 0);
  BOOST_TEST(norm(gradients[cell.weight_hh]).item() > 0);
}

BOOST_AUTO_TEST_CASE(beginnings) {
  Random random(7);
  // [initialise]
  nn::Lstm<float> lstm({.input = 8, .hidden = 32}, random);
  lstm.bias->assign(nn::chrono<float>(32, 700, {-1, 1, 0, 0}, random));  // gates i, f, g, o

  nn::Rnn<float> rnn({.input = 8, .hidden = 32, .activation = relu<Variable<float>>}, random);
  rnn.weight_hh.assign(nn::identity<float>(rnn.weight_hh.shape()));

  nn::Gru<float> gru({.input = 8, .hidden = 32}, random);
  const auto he = [&](const Shape& gate) { return nn::he_normal<float>(gate, random); };
  gru.weight_ih.assign(nn::blocks<float>(gru.weight_ih.shape(), 3, he));  // gate by gate
  // [end]
  BOOST_TEST(lstm.bias->value().data()[0] == -lstm.bias->value().data()[32]);
  BOOST_TEST(rnn.weight_hh.value().data()[33] == 1);
  BOOST_TEST(gru.weight_ih.shape()[1] == 96u);

  nn::Parameters<float> model;
  model.add("encoder", gru.parameters());
  // [summary]
  const std::string table = nn::summary(model, {.statistics = true});
  // [end]
  BOOST_TEST(table.find("encoder.weight_ih  [8, 96]        768   3,072") != std::string::npos, table);
  BOOST_TEST(nn::summary(model) ==
             "name               shape     elements   bytes\n"
             "encoder.weight_ih  [8, 96]        768   3,072\n"
             "encoder.weight_hh  [32, 96]     3,072  12,288\n"
             "encoder.bias       [96]            96     384\n"
             "encoder.bias_hn    [32]            32     128\n"
             "4 parameters                    3,968  15,872\n");
}

BOOST_AUTO_TEST_CASE(losses_with_weights) {
  Random random(8);
  const Variable<double> logits = nn::normal<double>({3, 5}, 1, random);
  const Indices targets = tensor<std::int64_t>({3}, {1, 4, 0});
  const Variable<double> weights = tensor<double>({3}, {1, 0, 2});
  // [weighted]
  const auto rows = nn::cross_entropy_rows(logits, targets, {.smoothing = 0.1});  // [N]
  const auto loss = sum(weights * rows) / sum(weights);
  // [end]
  BOOST_TEST(std::abs(loss.item() - (rows.value()(0) + 2 * rows.value()(2)) / 3) < 1e-15);
}

BOOST_AUTO_TEST_SUITE_END()
