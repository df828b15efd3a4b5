#include <boost/test/unit_test.hpp>
#include <optional>
#include <thread>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/reduce.hpp"
#include "tests/distance.hpp"
#include "tests/errors.hpp"

// What a tape does where it is used as it is not meant to be: an error that says what to do, or what is documented.

BOOST_AUTO_TEST_SUITE(misuse)

using namespace rw;
using V = Variable<double>;

namespace {

constexpr const char* elsewhere =
    "backward: expected a result recorded on this tape; got a variable of another tape, or of this one before it was "
    "cleared: compute it again here";
constexpr const char* constant =
    "backward: expected a result recorded on this tape; got a constant: compute it while the tape records, of "
    "parameters or what it watches";

template <class Call>
std::string error_of(Call call) {
  return message<std::invalid_argument>(call);
}

}  // namespace

// A variable that outlives its tape is a constant: that is truncated backpropagation through time.
BOOST_AUTO_TEST_CASE(values_of_a_dead_tape_are_constants) {
  const Parameter<double> w("w", scalar(2.0));
  V state = scalar(1.0);
  for (int window = 0; window < 3; ++window) {
    Tape<double> tape;
    const V before = state;
    state = w * state;
    BOOST_TEST(tape.backward(state)[w].item() == before.item());
  }
  BOOST_TEST(state.item() == 8);
  Tape<double> tape;
  BOOST_TEST(!tape.holds(state));
  BOOST_TEST(error_of([&] { tape.backward(state); }) == elsewhere);
  BOOST_TEST(error_of([&] { tape.backward(state * 2.0); }) == constant);
}

BOOST_AUTO_TEST_CASE(results_that_cannot_be_gone_back_from) {
  const Parameter<double> w("w", scalar(2.0));
  Tape<double> tape;
  BOOST_TEST(error_of([&] { tape.backward(V()); }) ==
             "backward: expected a result recorded on this tape; got an undefined variable");
  BOOST_TEST(error_of([&] { tape.backward(w); }) ==
             "backward: expected a result recorded on this tape; got a parameter: compute something of it");
  BOOST_TEST(error_of([&] { tape.backward((w * w).detached()); }) == constant);
  V paused;
  {
    const Pause<double> pause;
    paused = w * w;
  }
  BOOST_TEST(error_of([&] { tape.backward(paused); }) == constant);
  BOOST_TEST(error_of([&] { tape.backward(w * w, {.keep = {V()}}); }) ==
             "backward: expected kept variables to be on this tape; got an undefined variable");
}

BOOST_AUTO_TEST_CASE(differentiating_again_through_what_was_freed) {
  Tape<double> tape;
  V x = tape.watch(scalar(3.0));
  const V slope = tape.backward(x * x * x, {.record = true})[x];
  tape.clear();
  BOOST_TEST(slope.item() == 27);
  BOOST_TEST(error_of([&] { tape.backward(slope); }) == elsewhere);
  // A gradient of a pass that was not recorded is a constant.
  x = tape.watch(scalar(3.0));
  const V y = x * x * x, unrecorded = tape.backward(y)[x];
  BOOST_TEST(error_of([&] { tape.backward(unrecorded); }) == constant);
  // The tape itself stays whole: backward may be called as often as one likes.
  BOOST_TEST(tape.backward(y)[x].item() == 27);
  BOOST_TEST(tape.backward(tape.backward(y, {.record = true})[x])[x].item() == 18);
}

BOOST_AUTO_TEST_CASE(a_recorded_backward_pass_while_nothing_records) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0)), y = x * x;
  {
    const Pause<double> pause;
    BOOST_TEST(error_of([&] { tape.backward(y, {.record = true}); }) ==
               "backward: expected this tape to be recording when record is asked for; got none: end the Pause first");
  }
  const Tape<double> inner;
  BOOST_TEST(
      error_of([&] { tape.backward(y, {.record = true}); }) ==
      "backward: expected this tape to be recording when record is asked for; got a tape inside it: end that first");
}

// Values are shared and never change: an optimiser gets a copy while a tape holds the old one.
BOOST_AUTO_TEST_CASE(parameters_that_change_between_forward_and_backward) {
  Parameter<double> u("u", tensor<double>({2, 2}, {0.1, 0.2, 0.3, 0.4})), v("v", tensor<double>({2}, {1, 2}));
  const V x = tensor<double>({1, 2}, {0.5, -0.5});
  const auto loss = [&] { return sum(square(tanh(matmul(tanh(matmul(x, u) * v), u)))); };
  Tape<double> tape;
  const V y = loss();
  const auto before = tape.backward(y);
  u.update([](Tensor<double>& value) { value *= 10; });
  v.assign(tensor<double>({2}, {-3, 7}));
  const auto after = tape.backward(y), anew = tape.backward(loss());
  for (const Parameter<double>* p : {&u, &v}) {
    BOOST_TEST(test::distance(before[*p], after[*p]) == 0);
    BOOST_TEST(test::distance(before[*p], anew[*p]) > 0.001);
  }
}

BOOST_AUTO_TEST_CASE(tapes_that_are_mixed) {
  Tape<double> outer;
  const V x = outer.watch(scalar(3.0)), y = x * x;
  {
    Tape<double> inner;
    const V z = inner.watch(scalar(5.0)), product = y * z;  // y is a constant here
    const auto g = inner.backward(product);
    BOOST_TEST(g[z].item() == 9);
    BOOST_TEST(
        error_of([&] { g[y]; }) ==
        "gradients: expected a parameter, or a variable watched or kept on the tape; got a constant or a variable "
        "of another tape");
    BOOST_TEST(error_of([&] { inner.backward(y); }) == elsewhere);
    BOOST_TEST(error_of([&] { outer.backward(product); }) == elsewhere);
    BOOST_TEST(error_of([&] { inner.backward(product, {.keep = {y}}); }) ==
               std::string(elsewhere).replace(0, 49, "backward: expected kept variables to be on this tape"));
  }
  BOOST_TEST(outer.backward(y * x)[x].item() == 27);
}

// What is out of order is put in order.
BOOST_AUTO_TEST_CASE(tapes_that_do_not_end_in_the_reverse_order) {
  std::optional<Tape<double>> first, second;
  first.emplace();
  second.emplace();
  first.reset();
  BOOST_TEST(Tape<double>::current() == &*second);
  const V x = second->watch(scalar(3.0));
  BOOST_TEST(second->backward(x * x)[x].item() == 6);
  second.reset();
  BOOST_TEST(Tape<double>::current() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_tape_on_another_thread) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0)), y = x * x;
  std::vector<std::string> errors;
  bool held = true;
  std::thread([&] {
    held = tape.holds(x * x);  // a thread without a tape of its own records nothing
    errors.push_back(error_of([&] { tape.backward(y); }));
    errors.push_back(error_of([&] { tape.backward(std::vector{y}, std::vector{x}); }));
    errors.push_back(error_of([&] { tape.watch(scalar(1.0)); }));
    errors.push_back(error_of([&] { tape.clear(); }));
  }).join();
  BOOST_TEST(!held);
  const std::string rest =
      ": expected the thread on which the tape was made; got another: give each thread a tape of its own, as learn() "
      "does";
  BOOST_TEST(
      (errors == std::vector<std::string>{"backward" + rest, "backward" + rest, "watch" + rest, "clear" + rest}));
  BOOST_TEST(tape.backward(y)[x].item() == 6);
}

BOOST_AUTO_TEST_SUITE_END()
