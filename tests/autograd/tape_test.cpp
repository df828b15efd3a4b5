#include "autograd/tape.hpp"

#include <pthread.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "tests/memory.hpp"

BOOST_AUTO_TEST_SUITE(tape)

using namespace rw;
using V = Variable<double>;

namespace {

V number(double x) { return V(scalar(x)); }

// Whether calling f throws std::invalid_argument with just this text.
template <class F>
void check_error(const F& f, const std::string& text) {
  BOOST_CHECK_EXCEPTION(f(), std::invalid_argument, [&](const std::invalid_argument& e) {
    BOOST_TEST(e.what() == text);
    return true;
  });
}

// x³ with a count of the calls of its derivative.
V cube(const V& x, int& calls) {
  return record("cube", (x * x * x).detached().value(), wrt(x, [x, &calls](const V& dy) {
                  ++calls;
                  return 3 * dy * x * x;
                }));
}

}  // namespace

BOOST_AUTO_TEST_CASE(records_only_in_scope) {
  BOOST_TEST(Tape<double>::current() == nullptr);
  const V before = number(2) * number(3);
  V x, y;
  {
    Tape<double> tape;
    BOOST_TEST(Tape<double>::current() == &tape);
    BOOST_TEST(Tape<float>::current() == nullptr);
    x = tape.watch(scalar(2.0));
    y = x * before;
    BOOST_TEST(tape.holds(y));
    BOOST_TEST(!tape.holds(before));
    BOOST_TEST(tape.size() == 1u);
    const V constant = before * before;  // nothing on the tape goes in
    BOOST_TEST(!tape.holds(constant));
    BOOST_TEST(tape.size() == 1u);
  }
  BOOST_TEST(Tape<double>::current() == nullptr);
  BOOST_TEST(y.item() == 12);  // a variable outlives its tape
  Tape<double> other;
  BOOST_TEST(!other.holds(y));  // as a constant
  const V z = other.watch(scalar(1.0)) * y * x;
  const auto g = other.backward(z);
  check_error([&] { g[y]; },
              "gradients: expected a parameter, or a variable watched or kept on the tape; got a constant or a "
              "variable of another tape");
}

BOOST_AUTO_TEST_CASE(innermost_tape_records) {
  Tape<double> outer;
  const V x = outer.watch(scalar(3.0));
  V inner_result;
  {
    Tape<double> inner;
    BOOST_TEST((x * x).place().tape == Place::nowhere);  // to the inner tape x is a constant
    const V y = inner.watch(scalar(5.0));
    inner_result = x * y;
    BOOST_TEST(inner.holds(inner_result));
    BOOST_TEST(outer.size() == 0u);
    BOOST_TEST(inner.backward(inner_result)[y].item() == 3);
  }
  BOOST_TEST(Tape<double>::current() == &outer);
  const V z = x * x + inner_result;
  BOOST_TEST(outer.backward(z)[x].item() == 6);
}

BOOST_AUTO_TEST_CASE(each_thread_has_its_own) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0));
  double derivative = 0;
  bool alone = false, constant = false;
  std::thread([&] {
    alone = Tape<double>::current() == nullptr;
    constant = !tape.holds(x * x);
    Tape<double> own;
    const V y = own.watch(x);
    derivative = own.backward(y * y * x)[y].item();
  }).join();
  BOOST_TEST(alone);
  BOOST_TEST(constant);
  BOOST_TEST(derivative == 18);
  BOOST_TEST(tape.size() == 0u);
}

BOOST_AUTO_TEST_CASE(pause_records_nothing) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0));
  {
    Pause<double> pause;
    BOOST_TEST(!tape.holds(x * x));
    Pause<double> not_really(false);
  }
  BOOST_TEST(tape.holds(x * x));
}

BOOST_AUTO_TEST_CASE(clear_makes_constants) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0)), y = x * x;
  tape.clear();
  BOOST_TEST(tape.size() == 0u);
  BOOST_TEST(!tape.holds(x));
  BOOST_TEST(y.item() == 9);
  check_error(
      [&] { tape.backward(y); },
      "backward: expected a result recorded on this tape; got a variable of another tape, or of this one before it "
      "was cleared: compute it again here");
  const V again = tape.watch(scalar(4.0));
  BOOST_TEST(tape.backward(again * again * y)[again].item() == 72);
}

BOOST_AUTO_TEST_CASE(backward_again_gives_the_same) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 2})), y = x * x, sum = sum_to(y * x, {});
  const auto first = tape.backward(sum), second = tape.backward(sum);
  const V a = first[x], b = second[x];
  BOOST_TEST(a.value()(1) == 12);
  BOOST_TEST(std::equal(a.value().begin(), a.value().end(), b.value().begin()));
  BOOST_TEST(tape.backward(sum_to(y, {}))[x].value()(1) == 4);  // another result of the same tape
}

BOOST_AUTO_TEST_CASE(second_and_third_derivatives) {
  Tape<double> tape;
  const V x = tape.watch(scalar(2.0)), y = square(square(x));  // x⁴
  const V first = tape.backward(y, {.record = true})[x];
  const V second = tape.backward(first, {.record = true})[x];
  const V third = tape.backward(second, {.record = true})[x];
  BOOST_TEST(first.item() == 32);
  BOOST_TEST(second.item() == 48);
  BOOST_TEST(third.item() == 48);
  BOOST_TEST(tape.backward(third)[x].item() == 24);
}

BOOST_AUTO_TEST_CASE(gradient_penalty) {
  // d/dw (∂(w·x²)/∂x)² = d/dw (2wx)² = 8wx².
  Parameter<double> w("w", scalar(0.5));
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0)), y = w * x * x;
  const V slope = tape.backward(y, {.record = true})[x];
  const V loss = slope * slope;
  BOOST_TEST(tape.backward(loss)[w].item() == 36);
}

BOOST_AUTO_TEST_CASE(a_backward_pass_records_nothing_by_default) {
  Tape<double> tape;
  const V x = tape.watch(scalar(2.0)), y = tanh(x) * x;
  const std::size_t size = tape.size();
  const V dx = tape.backward(y)[x];
  BOOST_TEST(tape.size() == size);
  BOOST_TEST(!tape.holds(dx));
}

BOOST_AUTO_TEST_CASE(keeps_gradients_of_intermediates) {
  Tape<double> tape;
  Parameter<double> unused("unused", tensor<double>({2}, {1, 2}));
  const V x = tape.watch(scalar(2.0)), y = x * x, z = y * y + y, other = x * 5;
  check_error([&] { tape.backward(z)[y]; },
              "gradients: expected a parameter, or a variable watched or kept on the tape; got an intermediate");
  const auto g = tape.backward(z, {.keep = {y, other, z, x, unused}});
  BOOST_TEST(g[y].item() == 9);  // 2y + 1
  BOOST_TEST(g[other].item() == 0);
  BOOST_TEST(g[z].item() == 1);
  BOOST_TEST(g[x].item() == 36);
  BOOST_TEST(g[unused].value()(1) == 0);
  check_error(
      [&] { tape.backward(z, {.keep = {V(scalar(1.0))}}); },
      "backward: expected kept variables to be on this tape; got a constant: compute it while the tape records, of "
      "parameters or what it watches");
}

BOOST_AUTO_TEST_CASE(seeds) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 2})), y = x * x;
  const V dx = tape.backward(y, {.seed = tensor<double>({2}, {10, 100})})[x];
  BOOST_TEST(dx.value()(0) == 20);
  BOOST_TEST(dx.value()(1) == 400);
  BOOST_TEST(tape.backward(x, {.seed = tensor<double>({2}, {7, 8})})[x].value()(1) == 8);  // of a leaf itself
  check_error([&] { tape.backward(y); }, "backward: expected one element, or a seed; got y [2]");
  check_error([&] { tape.backward(y, {.seed = scalar(1.0)}); },
              "backward: expected a seed of the result's shape; got y [2], seed []");
}

BOOST_AUTO_TEST_CASE(backward_of_what_is_not_on_the_tape) {
  Tape<double> tape;
  check_error(
      [&] { tape.backward(number(1)); },
      "backward: expected a result recorded on this tape; got a constant: compute it while the tape records, of "
      "parameters or what it watches");
  check_error([&] { tape.backward(V()); },
              "backward: expected a result recorded on this tape; got an undefined variable");
  const V x = tape.watch(scalar(1.0)), y = x * x;
  Tape<double> inner;
  check_error(
      [&] { inner.backward(y); },
      "backward: expected a result recorded on this tape; got a variable of another tape, or of this one before it "
      "was cleared: compute it again here");
  BOOST_TEST(tape.backward(y)[x].item() == 2);  // without recording an outer tape may go backward
  check_error(
      [&] { tape.backward(y, {.record = true}); },
      "backward: expected this tape to be recording when record is asked for; got a tape inside it: end that first");
}

BOOST_AUTO_TEST_CASE(unneeded_derivatives_are_never_computed) {
  Tape<double> tape;
  int calls = 0, other_calls = 0;
  const V x = tape.watch(scalar(2.0)), constant = number(3);
  const V y = record("pair", scalar(6.0), wrt(constant, [&](const V& dy) { return ++other_calls, dy; }),
                     wrt(x, [&](const V& dy) { return ++calls, dy; }));
  const V dead_end = cube(x, other_calls);
  tape.backward(y);
  BOOST_TEST(calls == 1);
  BOOST_TEST(other_calls == 0);
  BOOST_TEST(dead_end.item() == 8);
}

BOOST_AUTO_TEST_CASE(a_derivative_may_be_made_only_where_it_is_needed) {
  int made = 0;
  const auto twice = [&](const V& x) {
    return record("twice", Tensor<double>(2 * x.value()), wrt(x, [&] {
                    ++made;
                    return [two = V(scalar(2.0))](const V& dy) { return two * dy; };
                  }));
  };
  BOOST_TEST(twice(number(3)).item() == 6);
  Tape<double> tape;
  twice(number(3));
  BOOST_TEST(made == 0);
  const V x = tape.watch(scalar(3.0)), y = twice(x);
  BOOST_TEST(made == 1);
  BOOST_TEST(tape.backward(y)[x].item() == 2);
  BOOST_TEST(made == 1);
}

BOOST_AUTO_TEST_CASE(an_op_of_the_user) {
  Tape<double> tape;
  int calls = 0;
  const V x = tape.watch(scalar(2.0)), y = cube(x, calls);
  const V dx = tape.backward(y, {.record = true})[x];
  BOOST_TEST(dx.item() == 12);
  BOOST_TEST(tape.backward(dx)[x].item() == 12);  // 6x
  BOOST_TEST(calls == 1);

  const auto sum_and_product = record_many("sum_and_product", std::vector<Tensor<double>>{scalar(5.0), scalar(6.0)},
                                           wrt(x, [x](std::span<const V> dys) { return dys[0] + 3 * dys[1]; }));
  BOOST_TEST(tape.backward(sum_and_product[1])[x].item() == 3);  // the other result has a gradient of 0
  BOOST_TEST(tape.backward(sum_and_product[0] * sum_and_product[1])[x].item() == 21);
}

BOOST_AUTO_TEST_CASE(wrong_shape_of_a_derivative_names_the_op) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {1, 2}));
  const auto planted = [&](const auto& derivative) {
    return record("planted", Tensor<double>(x.value()), wrt(x, derivative));
  };
  const BackwardOptions<double> ones{.seed = full<double>({2}, 1)};
  const std::string text = "planted: expected a derivative of the input's shape [2]; got ";
  check_error([&] { tape.backward(planted([](const V&) { return number(1); }), ones); }, text + "[]");
  check_error(
      [&] {
        tape.backward(planted([](const V& dy) {
                        return Product<double>{reshape(dy, {1, 2}), reshape(dy, {1, 2})};
                      }),
                      ones);
      },
      text + "[2, 2]");
  check_error(
      [&] {
        tape.backward(planted([](const V& dy) {
                        return RowSparse<double>{tensor<std::int64_t>({2}, {0, 1}), dy, 5};
                      }),
                      ones);
      },
      text + "[5]");
  BOOST_TEST(Tape<double>::current() == &tape);  // the pause of the failed pass has ended
  BOOST_TEST(tape.backward(x * x, ones)[x].value()(1) == 4);
}

BOOST_AUTO_TEST_CASE(a_derivative_may_go_backward_on_a_tape_of_its_own) {
  // y = x³ computed again in the backward pass, as checkpoints do.
  const auto checkpointed = [](const V& x) {
    Tensor<double> value = [&] {
      Pause<double> pause;
      return Tensor<double>((x * x * x).value());
    }();
    return record("checkpoint", std::move(value), wrt(x, [x](const V& dy) {
                    Tape<double> inner;
                    const V again = inner.watch(x);
                    const V y = again * again * again;
                    const V dx = inner.backward(sum_to(y, {}))[again];
                    return dx * dy;  // dy must have survived the inner pass
                  }));
  };
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({3}, {1, 2, 3}));
  const V y = checkpointed(checkpointed(x)), dx = tape.backward(sum_to(y, {}))[x];  // x⁹
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(dx.value()(i) == 9 * std::pow(x.value()(i), 8));
}

namespace {

void* long_chain(void* ok) {
  Tape<double> tape;
  const V x = tape.watch(scalar(1.0));
  V y = x;
  for (int i = 0; i < 100000; ++i) y = y * x + 0.0 * x;
  *static_cast<bool*>(ok) = tape.size() >= 200000 && tape.backward(y)[x].item() == 100001;
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_CASE(long_chains_need_no_stack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  BOOST_REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  bool ok = false;
  pthread_t thread;
  BOOST_REQUIRE(pthread_create(&thread, &attributes, long_chain, &ok) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  BOOST_TEST(ok);
}

BOOST_AUTO_TEST_CASE(training_steps_need_no_more_memory) {
  Parameter<double> w("w", full<double>({8, 8}, 0.1)), b("b", full<double>({8}, 0.0));
  Tape<double> tape;
  const auto step = [&] {
    tape.clear();
    V h = full<double>({4, 8}, 0.5);
    for (int t = 0; t < 3; ++t) h = tanh(matmul(h, w) + b);
    const auto g = tape.backward(sum_to(square(h - 0.3), {}));
    for (Parameter<double>* p : {&w, &b}) {
      const V dp = g[*p];
      p->update([&](Tensor<double>& value) {
        for (std::size_t i = 0; i < value.size(); ++i) value.data()[i] -= 0.01 * dp.value().data()[i];
      });
    }
  };
  for (int i = 0; i < 100; ++i) step();
  const auto before = common::bytes_in_use();
  for (int i = 0; i < 10000; ++i) step();
  BOOST_TEST(common::bytes_in_use() <= before + 1024);
}

BOOST_AUTO_TEST_SUITE_END()
