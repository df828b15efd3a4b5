#include "autograd/checkpoint.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/reduce.hpp"
#include "tests/distance.hpp"
#include "tests/errors.hpp"

// Checkpoints, and what they are made of: a tape for a part, a way back from several results, gradients taken out.

BOOST_AUTO_TEST_SUITE(checkpoints)

using namespace rw;
using rw::test::distance;
using V = Variable<double>;

Tensor<double> numbers(std::size_t n) {
  Tensor<double> x = empty<double>({n});
  for (std::size_t i = 0; i < n; ++i) x.data()[i] = 0.3 * static_cast<double>(i) - 0.7;
  return x;
}

BOOST_AUTO_TEST_CASE(a_part_reads_what_stands_on_the_tape_around) {
  const Parameter<double> p("p", numbers(3));
  Tape<double> tape;
  const V x = tape.watch(numbers(3)), y = 2 * x, unread = 3 * x;
  Tape<double> part(tape);
  BOOST_TEST(Tape<double>::current() == &part);
  const V z = sum(y * y * p * V(numbers(3)));
  BOOST_TEST(tape.size() == 2u);
  BOOST_REQUIRE(part.reads().size() == 2u);  // each once; no constant
  BOOST_TEST((part.reads()[0].place() == y.place() && part.reads()[1].place() == p.place()));
  const auto gradients = part.backward(z);
  BOOST_TEST(distance(gradients[y], 2 * y * p * V(numbers(3))) < 1e-15);
  BOOST_TEST(distance(gradients[p], y * y * V(numbers(3))) < 1e-15);
  BOOST_TEST(!gradients.has(x));
  part.clear();
  BOOST_TEST(part.reads().empty());
}

BOOST_AUTO_TEST_CASE(the_slots_of_tapes_around_one_another_are_told_apart) {
  Tape<double> a;
  const V x = a.watch(numbers(2));
  Tape<double> b(a);
  const V y = b.watch(numbers(2));
  BOOST_TEST(x.place().slot == y.place().slot);
  Tape<double> c(b);
  const auto gradients = c.backward(sum(x * y * y));
  BOOST_TEST(distance(gradients[x], y * y) < 1e-15);
  BOOST_TEST(distance(gradients[y], 2 * x * y) < 1e-15);
}

BOOST_AUTO_TEST_CASE(back_from_several_results) {
  const Parameter<double> p("p", numbers(3));
  Tape<double> tape;
  const V x = tape.watch(numbers(3)), y = x * p, z = tanh(y), seed = numbers(3);
  const std::vector<V> ys{z, y, p, y, numbers(3), x}, seeds{seed, 2 * seed, 3 * seed, V(), seed, 4 * seed};
  const auto got = tape.backward(ys, seeds);
  const auto wanted = tape.backward(sum(seed * (z + 2 * y + 3 * p + 4 * x)));
  BOOST_TEST(distance(got[x], wanted[x]) < 1e-15);
  BOOST_TEST(distance(got[p], wanted[p]) < 1e-15);
  BOOST_CHECK_EXCEPTION(tape.backward(std::vector<V>{y, z}, std::vector<V>{seed}), std::invalid_argument,
                        says("backward: expected a seed for each of 2 results; got 1"));
  BOOST_CHECK_EXCEPTION(tape.backward(std::vector<V>{y}, std::vector<V>{V(numbers(2))}), std::invalid_argument,
                        says("backward: expected equal shapes; got a [3], b [2]"));
}

BOOST_AUTO_TEST_CASE(a_gradient_taken_out_counts_no_more) {
  Tape<double> tape;
  const V x = tape.watch(numbers(3)), y = tape.watch(numbers(3)), unread = tape.watch(numbers(3));
  auto gradients = tape.backward(sum(3 * x + 4 * y));
  BOOST_TEST(distance(gradients.take(x), full<double>({3}, 3)) == 0);
  BOOST_TEST(!gradients.has(x));
  BOOST_TEST(!gradients.take(x).defined());
  BOOST_TEST(!gradients.take(unread).defined());
  BOOST_TEST(std::abs(gradients.norm() - std::sqrt(48)) < 1e-14);
}

BOOST_AUTO_TEST_CASE(bytes_are_about_what_is_recorded) {
  Tape<double> tape;
  V x = tape.watch(zeros<double>({1000}));
  BOOST_TEST(tape.bytes() >= 8000u);
  for (int i = 0; i < 100; ++i) x = tanh(x);
  BOOST_TEST(tape.bytes() > 101 * 8000u);
  BOOST_TEST(tape.bytes() < 101 * 8400u);
  tape.clear();
  BOOST_TEST(tape.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_one_operation) {
  int runs = 0;
  Tape<double> tape;
  const V x = tape.watch(numbers(4)), y = exp(x);
  const std::size_t before = tape.size();
  const auto zs = checkpoint<double>([&runs, x, y] {
    ++runs;
    const V a = tanh(x * y);
    return std::vector<V>{a * a, x, sum(a), V(numbers(2))};
  });
  BOOST_TEST(tape.size() == before + 1);
  const V loss = sum(zs[0] * zs[1]) + zs[2] + sum(zs[3]);
  BOOST_TEST(runs == 1);
  const V got = tape.backward(loss)[x];
  BOOST_TEST(runs == 2);
  const V a = tanh(x * y);
  const V wanted = tape.backward(sum(a * a * x) + sum(a))[x];
  BOOST_TEST(distance(got, wanted) < 1e-15);
  BOOST_TEST(distance(tape.backward(loss)[x], wanted) < 1e-15);  // as often as one likes
}

BOOST_AUTO_TEST_SUITE_END()
