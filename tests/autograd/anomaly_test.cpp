#include "autograd/anomaly.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <thread>

#include "autograd/checkpoint.hpp"
#include "autograd/ops/exponential.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/shards.hpp"
#include "nn/attention.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/ctc.hpp"
#include "nn/unroll.hpp"
#include "tests/errors.hpp"

// This file is compiled with -g1, for errors name its lines.

BOOST_AUTO_TEST_SUITE(anomaly)

using namespace rw;
using V = Variable<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();

namespace {

template <class Call>
std::string error_of(Call call) {
  return message<std::runtime_error>(call);
}

// Whether an error is `text`, recorded at a line of this file in a function, or in whichever where none is named.
void check_place(const std::string& error, const std::string& text, int line, const std::string& function) {
  const std::string begin = text + ", recorded at ";
  const std::string end = "/autograd/anomaly_test.cpp:" + std::to_string(line);
  const std::size_t at = error.find(" in ", begin.size());
  const std::string place = error.substr(0, at);
  const bool begins = error.rfind(begin, 0) == 0;
  const bool ends = place.size() > end.size() && place.compare(place.size() - end.size(), end.size(), end) == 0;
  // Clang tells names without what they are in.
  const std::string named = at == std::string::npos ? "?" : error.substr(at + 4), whole = "anomaly::" + function;
  const std::size_t rest = whole.size() - std::min(whole.size(), named.size());
  const bool fits = function.empty() || whole.substr(rest) == named;
  BOOST_TEST((begins && ends && fits), "\"" << error << "\" where \"" << begin << "..." << end << "\" was expected");
}

constexpr int line_of_hidden_log = __LINE__ + 2;
V hidden(const V& x) {
  const V y = log(x);
  return y * y;
}

}  // namespace

// A cell of a user: h' = log(x)·h.
struct UpdateGate {
  struct State {
    V h;
  };
  static constexpr int line = __LINE__ + 3;

  nn::Step<double, State> step(const V& x, const State& s) const {
    const V logarithm = log(x);
    const V h = logarithm * s.h;
    return {h, {h}};
  }
  State initial_state(std::size_t batch) const { return {full<double>({batch, 2}, 1)}; }
};

constexpr int line_of_root = __LINE__ + 3;
template <class T>
Variable<T> sum_of_roots(const Variable<T>& x) {
  const Variable<T> root = sqrt(x);
  return sum(root);
}

BOOST_AUTO_TEST_CASE(names_op_shape_and_line_of_the_first_value) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 0}));
  log(x);  // nobody looks on
  const DetectAnomalies detect;
  const UpdateGate gate;
  const auto step = [&] { gate.step(x, {x}); };
  check_place(error_of(step), "log: made -inf (forward, [2])", UpdateGate::line, "UpdateGate::step");
  const V minus = tape.watch(tensor<double>({2, 1}, {-1, 1}));
  const auto root = [&] { sum_of_roots(minus); };
  check_place(error_of(root), "sqrt: made nan (forward, [2, 1])", line_of_root, "sum_of_roots<double>");
  const auto local = [&] { hidden(x); };
  check_place(error_of(local), "log: made -inf (forward, [2])", line_of_hidden_log, "");
  BOOST_TEST(error_of([&] { exp(x * 1000); }).rfind("exp: made inf (forward, [2]), recorded at ", 0) == 0u);
  BOOST_TEST(std::isnan(log(V(scalar(-1.0))).item()));  // a constant
}

BOOST_AUTO_TEST_CASE(names_the_line_that_recorded_what_goes_wrong_backward) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 0}));
  V before, y;
  before = sum_of_roots(x);
  const DetectAnomalies detect;
  y = sum_of_roots(x);
  check_place(error_of([&] { tape.backward(y); }), "sqrt: made inf (backward, [2])", line_of_root,
              "sum_of_roots<double>");
  BOOST_TEST(error_of([&] { tape.backward(before); }) ==
             "sqrt: made inf (backward, [2]), recorded where nobody looked on");
  BOOST_TEST(error_of([&] { tape.backward(y, {.seed = scalar(std::nan(""))}); }) ==
             "seed: made nan (backward, []), recorded where nobody looked on");
}

// The second time a stack is looked for where it was found before.
[[gnu::noinline]] const CallStack* deep(int calls) {
  const CallStack* const stack = calls > 0 ? deep(calls - 1) : CallStack::here();
  BOOST_REQUIRE(stack != nullptr);  // something to do after the call: it has a frame of its own
  return stack;
}

BOOST_AUTO_TEST_CASE(calls_that_were_seen_before_are_told_from_others) {
  std::vector<const CallStack*> first;
  for (int round = 0; round < 3; ++round) {
    std::vector<const CallStack*> stacks;
    for (const int calls : {0, 3, 1, 2}) stacks.push_back(deep(calls));
    stacks.push_back(deep(0));  // of the same height as the first, but of another line
    if (round == 0) first = stacks;
    BOOST_TEST((stacks == first));
    std::sort(stacks.begin(), stacks.end());
    BOOST_TEST((std::unique(stacks.begin(), stacks.end()) == stacks.end()));
  }
  std::thread([&] { BOOST_TEST(deep(0) != first.front()); }).join();
  BOOST_TEST(deep(100) == deep(100));  // as far as a stack reaches, these are the same

  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 0})), minus = tape.watch(tensor<double>({2, 1}, {-1, 1}));
  const DetectAnomalies detect;
  for (int round = 0; round < 3; ++round) {
    check_place(error_of([&] { hidden(x); }), "log: made -inf (forward, [2])", line_of_hidden_log, "");
    check_place(error_of([&] { sum_of_roots(minus); }), "sqrt: made nan (forward, [2, 1])", line_of_root,
                "sum_of_roots<double>");
  }
}

namespace {

[[gnu::noinline]] const CallStack* below(std::size_t bytes) {
  auto* const room = static_cast<volatile char*>(__builtin_alloca(bytes));
  room[0] = 0;
  const CallStack* const stack = CallStack::here();
  room[0] = 1;  // no tail call
  return stack;
}

}  // namespace

BOOST_AUTO_TEST_CASE(more_heights_of_a_stack_than_are_kept) {
  std::size_t others = 0;
  const CallStack* first = nullptr;
  for (std::size_t i = 1; i <= 40000; ++i) {
    const CallStack* const stack = below(16 * (i % 20000 + 1));
    if (i == 1) first = stack;
    others += stack != first ? 1 : 0;
  }
  BOOST_TEST(others == 0u);
}

BOOST_AUTO_TEST_CASE(calls_of_the_library_are_passed_over) {
  Tape<double> tape;
  const V xs = tape.watch(tensor<double>({3, 1, 2}, {1, 2, 3, 0, 5, 6}));
  const DetectAnomalies detect;
  const auto cell_of_the_user = [&] { nn::unroll(UpdateGate(), xs); };
  check_place(error_of(cell_of_the_user), "log: made -inf (forward, [1, 2])", UpdateGate::line, "UpdateGate::step");

  Random random(1);
  nn::Gru<double> gru({.input = 2, .hidden = 3}, random);
  gru.weight_ih.assign(full<double>({2, 9}, 1));
  const V huge = tape.watch(full<double>({3, 1, 2}, 1e308));
  int line = 0;
  const std::string error = error_of([&] {
    line = __LINE__ + 1;
    const auto ys = nn::unroll(gru, huge);
    return ys.outputs;
  });
  check_place(error, error.substr(0, error.find(", recorded")), line, "");
  BOOST_TEST(error.find("forward, [3, 1, 9]") != std::string::npos, error);
}

BOOST_AUTO_TEST_CASE(sees_what_products_add_up_to) {
  Parameter<double> w("w", full<double>({1, 1}, 1));
  Tape<double> tape;
  const DetectAnomalies detect;
  const V y = matmul(V(full<double>({1, 1}, 1e200)), w);
  tape.backward(y);
  const std::string error = error_of([&] { tape.backward(y, {.seed = full<double>({1, 1}, 1e200)}); });
  BOOST_TEST(error.rfind("matmul: made inf (backward, [1, 1]), recorded at ", 0) == 0u, error);
}

BOOST_AUTO_TEST_CASE(sees_gradients_of_leaves_that_are_only_moved) {
  Parameter<double> w("w", full<double>({2, 3}, 1e-300)), table("table", full<double>({4, 2}, 1e-300));
  Tape<double> tape;
  const DetectAnomalies detect;
  const V y = sum(matmul(V(full<double>({1, 3}, 1e200)), transpose(w))) * 1e200;
  BOOST_TEST(error_of([&] { tape.backward(y); }).rfind("transpose: made inf (backward, [2, 3])", 0) == 0u);
  const V same_row = gather_rows(table, tensor<std::int64_t>({2}, {1, 1}));
  const V rows = sum(same_row * 1e308);
  BOOST_TEST(error_of([&] { tape.backward(rows); }).rfind("gather_rows: made inf (backward", 0) == 0u);
}

BOOST_AUTO_TEST_CASE(sees_rows_of_embeddings) {
  Parameter<double> table("table", full<double>({4, 2}, 0));
  Tape<double> tape;
  const DetectAnomalies detect;
  const V rows = gather_rows(table, tensor<std::int64_t>({3}, {1, 3, 1}));
  const V y = sum(sqrt(rows * 0.0 + 1.0) + rows);
  tape.backward(y);
  const V bad = sum(sqrt(rows));
  BOOST_TEST(error_of([&] { tape.backward(bad); }).rfind("sqrt: made inf (backward, [3, 2])", 0) == 0u);
}

BOOST_AUTO_TEST_CASE(ends_with_its_scope_and_nests) {
  Tape<double> tape;
  const V x = tape.watch(scalar(0.0));
  {
    const DetectAnomalies nan({.infinities = false});
    BOOST_TEST(log(x).item() == -infinity);
    BOOST_TEST(error_of([&] { log(x - 1); }).rfind("log: made nan (forward, [])", 0) == 0u);
    {
      const DetectAnomalies all;
      BOOST_TEST(error_of([&] { log(x); }) != "");
    }
    log(x);
  }
  log(x);
  log(x - 1);
}

BOOST_AUTO_TEST_CASE(in_checkpoints_and_recorded_backward_passes) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 0}));
  const DetectAnomalies detect;
  const V y = checkpoint<double>([x] { return std::vector{sum(sqrt(x))}; })[0];
  BOOST_TEST(error_of([&] { tape.backward(y); }).rfind("sqrt: made inf (backward, [2])", 0) == 0u);
  const V four = tape.watch(scalar(4.0)), cube = four * four * four;
  const V slope = tape.backward(cube, {.record = true})[four];
  BOOST_TEST(tape.backward(slope)[four].item() == 24);
}

BOOST_AUTO_TEST_CASE(in_workers) {
  Parameter<double> w("w", scalar(0.0));
  Workers workers(2);
  const auto loss = [&](const Shard& shard) { return shard.index == 1 ? log(w) : w * 1.0; };
  BOOST_TEST(learn<double>(workers, 16, loss).loss == -infinity);
  {
    const DetectAnomalies detect;
    BOOST_TEST(error_of([&] { learn<double>(workers, 16, loss); }).rfind("log: made -inf (forward, [])", 0) == 0u);
    const auto good = [&](const Shard&) { return exp(w); };
    for (int i = 0; i < 20; ++i) BOOST_TEST(learn<double>(workers, 16, good).loss == 2);
  }
  BOOST_TEST(learn<double>(workers, 16, loss).loss == -infinity);
}

// Infinities that are there on purpose.

BOOST_AUTO_TEST_CASE(masks_are_no_anomalies) {
  Tape<double> tape;
  const DetectAnomalies detect;
  const V scores = tape.watch(tensor<double>({2, 3}, {1, 2, 3, 4, 5, 6}));
  const Tensor<double> mask = tensor<double>({2, 3}, {1, 0, 1, 0, 0, 0});
  BOOST_TEST(tape.backward(sum(square(softmax(scores, mask)))).has(scores));
  tape.backward(sum(where(V(mask), log_softmax(scores, mask), 0.0)));
  // A user's own mask, moved on until it is used; its gradient too.
  const V own = where(V(mask), scores, -infinity);
  const V moved = concatenate({transpose(own), transpose(own)}, 0);
  const V p = softmax(slice(reshape(moved, {2, 3, 2}), 0, 0, 1), -2);
  BOOST_TEST(tape.backward(sum(square(p))).has(scores));
  const V chosen = where(V(mask), std::nan(""), scores);
  BOOST_TEST(error_of([&] { tanh(chosen); }).rfind("tanh: made nan (forward, [2, 3])", 0) == 0u);
  BOOST_TEST(error_of([&] { own * 0.0; }).rfind("multiply: made nan (forward, [2, 3])", 0) == 0u);
}

BOOST_AUTO_TEST_CASE(ops_that_move_are_not_blamed) {
  Tape<double> tape;
  const V scores = tape.watch(tensor<double>({2, 2}, {1, 2, 3, 4}));
  const V own = where(V(tensor<double>({2, 2}, {1, 0, 0, 1})), scores, -infinity);
  const Indices ids = tensor<std::int64_t>({2}, {1, 0}), columns = tensor<std::int64_t>({2, 2}, {1, 0, 0, 1});
  const DetectAnomalies detect;
  const std::vector<V> all = {broadcast_to(own, {2, 2, 2}),
                              checkpoint<double>([&] { return std::vector<V>{own}; })[0],
                              concatenate({own, own}, 1),
                              flip(own, {0}),
                              gather(own, 1, columns),
                              gather_rows(own, ids),
                              pad(own, {{1, 0}, {0, 1}}, infinity),
                              reshape(own, {4}),
                              slice(own, 0, 0, 1),
                              Slices<double>(own)[1],
                              split(own, 2, 1)[0],
                              stack({own, own}, 0),
                              transpose(own),
                              unstack(own)[1],
                              where(own, own, own)};
  for (const V& moved : all) {
    BOOST_TEST(tape.backward(moved, {.seed = full<double>(moved.shape(), 1)}).has(scores));
    BOOST_TEST(error_of([&] { moved * 0.0; }).rfind("multiply: made nan (forward", 0) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(masked_attention_and_ragged_batches_are_no_anomalies) {
  Random random(1);
  nn::Lstm<double> cell({.input = 2, .hidden = 4, .layer_norm = true}, random);
  nn::AdditiveAttention<double> attention({.query = 3, .memory = 4, .hidden = 5}, random);
  Tensor<double> xs = full<double>({3, 3, 2}, 0.5);
  for (std::size_t i = 0; i < 2; ++i) xs(2, 1, i) = std::nan("");  // beyond the length
  const std::vector<std::size_t> lengths = {3, 2, 0};
  for (const bool reverse : {false, true}) {
    Tape<double> tape;
    const DetectAnomalies detect;
    nn::UnrollOptions<nn::Lstm<double>::State> options;
    options.lengths = lengths;
    options.reverse = reverse;
    const auto states = nn::unroll(cell, V(xs), options);
    const auto memory = attention.prepare(states.outputs, nn::mask_of<double>(lengths, 3));
    const auto attended = attention(V(full<double>({3, 3}, 0.1)), memory);
    const auto g = tape.backward(sum(square(attended.context)) + sum(square(states.state.h)));
    BOOST_TEST(g.has(cell.weight_hh));
  }
}

BOOST_AUTO_TEST_CASE(sequences_without_alignment) {
  Random random(1);
  Parameter<double> w("w", full<double>({2, 5}, 0.1));
  const V xs = full<double>({4, 2, 2}, 0.3);
  const Indices targets = tensor<std::int64_t>({2, 4}, {1, 2, 0, 0, 1, 1, 1, 1});  // the second needs seven steps
  nn::CtcOptions options{.target_lengths = {2, 4}};
  const auto loss = [&] { return nn::ctc(matmul(xs, w), targets, options); };
  Tape<double> tape;
  {
    const DetectAnomalies detect;
    options.too_short = nn::CtcOptions::TooShort::zero;
    for (int i = 0; i < 5; ++i) {
      tape.clear();
      const V dw = tape.backward(loss())[w];
      w.update([&](Tensor<double>& value) { value -= 0.1 * dw.value(); });
    }
    options.too_short = nn::CtcOptions::TooShort::infinite;  // which no training wants
    BOOST_TEST(error_of(loss).rfind("ctc: made inf (forward, [2])", 0) == 0u);
  }
  const DetectAnomalies nan({.infinities = false});
  const V y = loss();
  BOOST_TEST(y.item() == infinity);
  tape.backward(y);
}

BOOST_AUTO_TEST_SUITE_END()
