#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>

#include "nn/cells/lstm.hpp"
#include "nn/checkpointing.hpp"

// A program of its own: what other tests left to the allocator would hide what this one takes.

BOOST_AUTO_TEST_SUITE(long_sequence)

using namespace rw;
using Cell = nn::Lstm<float>;

namespace {

/// The peak of this program alone, in bytes, which getrusage() mixes with that of the one that began it.
std::size_t peak() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (std::size_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes) return 1024 * kilobytes;
  }
  BOOST_FAIL("no VmHWM in /proc/self/status");
  return 0;
}

Gradients<float> train(const Cell& cell, const Variable<float>& xs, const nn::Checkpointing& how) {
  Tape<float> tape;
  return tape.backward(sum(square(nn::unroll_checkpointed(cell, xs, {.outputs = false}, how).state.h)));
}

}  // namespace

// As bench/through_time.cpp; plain records would take over two gigabytes.
BOOST_AUTO_TEST_CASE(a_hundred_thousand_steps_within_200_mb, *boost::unit_test::enable_if<recycles>()) {
  constexpr std::size_t steps = 100'000, batch = 8, inputs = 32, hidden = 64, budget = 200'000'000;
  Random random(1);
  Cell cell({.input = inputs, .hidden = hidden}, random);
  Tensor<float> xs = empty<float>({steps, batch, inputs});
  for (float& x : xs) x = static_cast<float>(random.uniform(-1, 1));
  const Variable<float> sequence = std::move(xs);

  const std::size_t before = peak();
  const Gradients<float> within = train(cell, sequence, {.bytes = budget});
  const std::size_t grown = peak() - before;
  BOOST_TEST(grown > 1'000'000u);  // it is seen
  BOOST_TEST(grown < budget);
  const Gradients<float> of_root = train(cell, sequence, {});
  for (const auto& [name, parameter] : cell.parameters()) {
    const Variable<float> g = of_root[*parameter];
    const double size = norm(g).item();
    BOOST_TEST(size > 1e-3, name);
    BOOST_TEST(norm(within[*parameter] - g).item() < 1e-5 * size, name);
  }
  BOOST_TEST_MESSAGE(grown / 1'000'000 << " MB");
}

BOOST_AUTO_TEST_SUITE_END()
