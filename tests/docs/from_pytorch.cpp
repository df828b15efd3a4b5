// The programs of docs/from_pytorch.md. What they show is what PyTorch printed, see from_pytorch.py.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

using namespace rw;

namespace {

std::vector<std::string> shown;

Random start(1);  // of weights that are replaced by fill()

Tensor<double> wave(const Shape& shape) {  // sin(1), sin(2), ...
  Tensor<double> x(shape);
  double i = 0;
  for (double& element : x) element = std::sin(++i);
  return x;
}

/// Gives an Rnn, Gru or Lstm, a stack of them or one in both directions, the weights that fill() gives PyTorch's.
template <class Layer>
Layer fill(Layer layer) {
  nn::Safetensors file = nn::to_torch(nn::pack(layer.parameters()));
  for (auto& [name, tensor] : file.tensors) {
    auto& values = std::get<Tensor<double>>(tensor);
    values = 0.5 * wave(values.shape());
  }
  nn::unpack(nn::from_torch(file), layer.parameters(), "wave");
  return layer;
}

nn::Linear<double> fill(nn::Linear<double> layer) {
  const std::size_t inputs = layer.weight.shape()[0], outputs = layer.weight.shape()[1];
  layer.weight.assign(transpose(Variable<double>(0.5 * wave({outputs, inputs}))).value());
  layer.bias->assign(0.5 * wave({outputs}));
  return layer;
}

nn::Embedding<double> fill(nn::Embedding<double> layer) {
  layer.weight.assign(0.5 * wave(layer.weight.shape()));
  return layer;
}

void show(const std::vector<double>& numbers) {
  for (const double number : numbers) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6f", number);
    shown.push_back(text);
  }
}

// What stands in comments beside show() in a program of from_pytorch.py.
std::vector<std::string> printed(const std::string& program) {
  std::ifstream file(std::string(REWIND_SOURCE_DIR) + "/tests/docs/from_pytorch.py");
  std::vector<std::string> numbers;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("# [", 0) == 0) inside = line == "# [" + program + "]";
    const std::size_t comment = line.find(")  # ");
    if (!inside || line.rfind("show(", 0) != 0 || comment == std::string::npos) continue;
    std::istringstream words(line.substr(comment + 5));
    for (std::string word; words >> word;) numbers.push_back(word);
  }
  return numbers;
}

// Compares what the test case showed with what PyTorch printed.
struct Program {
  explicit Program(std::string name) : name(std::move(name)) { shown.clear(); }
  ~Program() {
    const std::vector<std::string> expected = printed(name);
    BOOST_TEST(!expected.empty());
    BOOST_TEST(shown == expected, boost::test_tools::per_element());
  }
  std::string name;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(from_pytorch)

BOOST_AUTO_TEST_CASE(a_gradient) {
  const Program program("gradient");
  // [gradient]
  Tape<double> tape;
  const auto w = tape.watch(tensor<double>({3}, {0.5, -1, 2}));
  const Variable<double> x = tensor<double>({3}, {1, 2, 3});
  const auto loss = sum(tanh(w * x));
  const Tensor<double> dw = tape.backward(loss)[w].value();
  show({loss.item(), dw(0), dw(1), dw(2)});
  // [end]
}

BOOST_AUTO_TEST_CASE(linear_regression) {
  const Program program("regression");
  // [regression]
  const Variable<double> x = wave({8, 2});
  const auto target = matmul(x, Variable<double>(tensor<double>({2, 1}, {2, -1}))) + 0.5;
  auto model = fill(nn::Linear<double>({.input = 2, .output = 1}, start));
  optim::Sgd<double> sgd({.learning_rate = 0.1, .momentum = 0.9});
  double last = 0;
  for (int step = 0; step < 20; ++step) {
    Tape<double> tape;
    const auto loss = nn::squared_error(model(x), target);
    sgd.step(model.parameters(), tape.backward(loss));
    last = loss.item();
  }
  show({last, model.weight.value()(0, 0), model.weight.value()(1, 0), model.bias->item()});
  // [end]
}

BOOST_AUTO_TEST_CASE(an_lstm_over_a_batch) {
  const Program program("lstm");
  // [lstm]
  const Variable<double> xs = wave({5, 3, 2});  // T, B, I
  const auto lstm = fill(nn::Lstm<double>({.input = 2, .hidden = 4}, start));
  Tape<double> tape;
  const auto run = nn::unroll(lstm, xs);
  const auto loss = mean(square(run.outputs));
  const auto g = tape.backward(loss);
  show({loss.item(), run.state.h.value()(2, 3), run.state.c.value()(2, 3), norm(g[lstm.weight_hh]).item()});
  // [end]
}

BOOST_AUTO_TEST_CASE(ragged_sequences) {
  const Program program("ragged");
  // [ragged]
  const Variable<double> xs = wave({5, 3, 2});
  const auto gru = fill(nn::Gru<double>({.input = 2, .hidden = 4}, start));
  const auto run = nn::unroll(gru, xs, {.lengths = {2, 5, 3}});
  const Tensor<double>& ys = run.outputs.value();
  show({sum(run.outputs).item(), ys(1, 0, 0), ys(2, 0, 0), run.state.h.value()(0, 0)});
  // [end]
}

BOOST_AUTO_TEST_CASE(a_cell_of_ones_own) {
  const Program program("cell");
  // [cell]
  struct UpdateGate {
    struct State {
      Variable<double> h;
    };
    UpdateGate(std::size_t inputs, std::size_t hidden)
        : w("w", wave({inputs, 2 * hidden})), u("u", wave({hidden, 2 * hidden})), b("b", wave({2 * hidden})) {}

    State initial_state(std::size_t batch) const { return {zeros<double>({batch, u.shape()[0]})}; }

    nn::Step<double, State> step(const Variable<double>& x, const State& s) const {
      const auto [c, z] = split<2>(matmul(x, w) + matmul(s.h, u) + b);
      const auto g = sigmoid(z);
      const auto h = g * s.h + (1 - g) * tanh(c);
      return {h, {h}};
    }

    Parameter<double> w, u, b;
  };

  UpdateGate cell(2, 3);
  Tape<double> tape;
  const auto ys = nn::unroll(cell, Variable<double>(wave({5, 4, 2}))).outputs;
  const auto g = tape.backward(mean(square(ys)));
  show({sum(ys).item(), norm(g[cell.u]).item()});
  // [end]
}

BOOST_AUTO_TEST_CASE(an_op_of_ones_own) {
  const Program program("op");
  // [op]
  const auto softsign = [](const Variable<double>& x) {
    const auto value = x.detached() / (1 + abs(x.detached()));
    return record("softsign", value, wrt(x, [x](const Variable<double>& dy) { return dy / square(1 + abs(x)); }));
  };

  Tape<double> tape;
  const auto x = tape.watch(wave({3}));
  const Tensor<double> dx = tape.backward(sum(square(softsign(x))))[x].value();
  show({dx(0), dx(1), dx(2)});

  const auto report = check_gradients("softsign", [&](auto& x) { return softsign(x[0]); }, {wave({3})});
  // report.ok: first and second gradients are right
  // [end]
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(a_training_loop) {
  const Program program("training");
  // [training]
  const auto inputs = tensor<std::int64_t>({5, 2}, {0, 1, 1, 2, 2, 0, 0, 0, 1, 1});  // T, B
  const auto targets = tensor<std::int64_t>({5, 2}, {1, 2, 2, 0, 0, 0, 1, 1, 2, 2});
  auto table = fill(nn::Embedding<double>({.vocabulary = 3, .dimension = 4}, start));
  auto gru = fill(nn::Gru<double>({.input = 4, .hidden = 8, .bias = false}, start));
  auto readout = fill(nn::Linear<double>({.input = 8, .output = 3}, start));
  nn::Parameters<double> parameters;
  parameters.add("table", table.parameters());
  parameters.add("gru", gru.parameters());
  parameters.add("readout", readout.parameters());
  optim::Adam<double> adam;
  double last = 0, norm = 0;
  for (int step = 0; step < 30; ++step) {
    Tape<double> tape;
    const auto logits = readout(nn::unroll(gru, table(inputs)).outputs);
    const auto loss = nn::cross_entropy(logits, targets);
    auto gradients = tape.backward(loss);
    norm = optim::clip_global_norm(gradients, 1);
    adam.set_learning_rate(optim::cosine(adam.steps(), {.rate = 0.05, .steps = 30}));
    adam.step(parameters, gradients);
    last = loss.item();
  }
  show({last, norm});
  // [end]
}

BOOST_AUTO_TEST_CASE(truncated_backpropagation) {
  const Program program("truncated");
  // [truncated]
  const Variable<double> xs = wave({12, 2, 3});
  auto lstm = fill(nn::Lstm<double>({.input = 3, .hidden = 4, .bias = false}, start));
  optim::Sgd<double> sgd({.learning_rate = 0.5});
  auto state = lstm.initial_state(2);
  double last = 0;
  for (const auto& window : split(xs, 3, 0)) {
    Tape<double> tape;
    const auto run = nn::unroll(lstm, window, {.initial = state});
    const auto loss = mean(square(run.outputs));
    sgd.step(lstm.parameters(), tape.backward(loss));
    state = run.state;  // a constant for the next tape
    last = loss.item();
  }
  show({last, sum(state.h).item(), norm(lstm.weight_hh).item()});
  // [end]
}

BOOST_AUTO_TEST_CASE(a_bidirectional_stack) {
  const Program program("stack");
  // [stack]
  using Lstm = nn::Lstm<double>;
  const Variable<double> xs = wave({5, 3, 2});
  nn::Stack<nn::Bidirectional<Lstm>> layers{.layers = {}, .options = {.dropout = 0.3}};
  for (const std::size_t width : {2, 8}) {
    layers.layers.push_back({Lstm({.input = width, .hidden = 4}, start), Lstm({.input = width, .hidden = 4}, start)});
  }
  const auto encoder = fill(std::move(layers));
  const auto dropped = nn::unroll(encoder, xs, {.random = &start});  // with dropout
  const auto run = nn::unroll(encoder, xs);                          // without
  show({sum(run.outputs).item(), run.state.layers[1].backward.h.value()(0, 0)});
  // [end]
  BOOST_TEST(max(abs(dropped.outputs - run.outputs)).item() > 0.01);
}

BOOST_AUTO_TEST_CASE(attention_over_what_was_read) {
  const Program program("attention");
  // [attention]
  const Variable<double> xs = wave({5, 2, 3}), inputs = wave({4, 2, 3});
  const std::vector<std::size_t> lengths{5, 3};
  const auto targets = tensor<std::int64_t>({4, 2}, {0, 1, 4, 2, 3, -1, 2, -1});
  const auto encoder = fill(nn::Gru<double>({.input = 3, .hidden = 4}, start)),
             decoder = fill(nn::Gru<double>({.input = 3, .hidden = 4}, start));
  const auto readout = fill(nn::Linear<double>({.input = 8, .output = 5}, start));
  const nn::DotAttention<double> attention;
  Tape<double> tape;
  const auto read = nn::unroll(encoder, xs, {.lengths = lengths});
  const auto memory = attention.prepare(read.outputs, nn::mask_of<double>(lengths, 5));
  auto state = read.state;
  std::vector<Variable<double>> logits;
  for (const auto& x : unstack(inputs)) {
    state = nn::step(decoder, x, state).state;
    const auto context = attention(state.h, memory).context;
    logits.push_back(readout(concatenate({state.h, context}, -1)));
  }
  const auto loss = nn::cross_entropy(stack(logits), targets, {.ignore = -1});
  const auto g = tape.backward(loss);
  show({loss.item(), norm(g[encoder.weight_hh]).item(), norm(g[decoder.weight_ih]).item()});
  // [end]
}

BOOST_AUTO_TEST_CASE(second_derivatives) {
  const Program program("second");
  // [second]
  Tape<double> tape;
  const auto x = tape.watch(wave({4, 3})), w = tape.watch(wave({3, 1}));
  const auto y = sum(tanh(matmul(x, w)));
  const auto dx = tape.backward(y, {.record = true})[x];
  const auto penalty = mean(square(norm(dx, {.axes = {1}}) - 1));
  const Tensor<double> dw = tape.backward(penalty)[w].value();
  show({penalty.item(), dw(0, 0), dw(1, 0), dw(2, 0)});

  const auto f = [](const auto& x) { return square(sum(tanh(x))); };
  const Tensor<double> h = hessian(f, wave({2}));
  show({h(0, 0), h(0, 1), h(1, 0), h(1, 1)});
  // [end]
}

BOOST_AUTO_TEST_CASE(saving_and_loading) {
  const Program program("saving");
  const std::string path = (std::filesystem::temp_directory_path() / "rewind_from_pytorch.safetensors").string();
  // [saving]
  auto lstm = fill(nn::Lstm<double>({.input = 2, .hidden = 4}, start));
  nn::save(path, lstm.parameters());
  nn::Lstm<double> again({.input = 2, .hidden = 4}, start);
  nn::load(path, again.parameters());

  nn::write_safetensors(path, nn::to_torch(nn::pack(lstm.parameters())));            // for PyTorch
  nn::unpack(nn::from_torch(nn::read_safetensors(path)), again.parameters(), path);  // and from it
  show({sum(nn::unroll(again, Variable<double>(wave({5, 3, 2}))).outputs).item()});
  // [end]
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_SUITE_END()
