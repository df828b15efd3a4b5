#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/autograd.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/common.hpp"

// A recurrent network whose batch is shared out among threads.

using namespace rw;

BOOST_AUTO_TEST_SUITE(data_parallel)

BOOST_AUTO_TEST_CASE(a_ragged_batch_has_the_gradients_of_one_tape) {
  constexpr std::size_t steps = 9, batch = 27;
  Random random(1);
  nn::Lstm<double> cell({.input = 3, .hidden = 5}, random);
  common::scatter(cell.parameters(), 1);
  const Variable<double> x(common::numbers({steps, batch, 3}, 7)), seed(common::numbers({steps, batch, 5}, 8));
  std::vector<std::size_t> lengths(batch);
  for (std::size_t& n : lengths) n = random.below(steps + 1);  // none, some or all
  const auto loss = [&](const Shard& s) {
    const auto begin = static_cast<std::ptrdiff_t>(s.begin), end = static_cast<std::ptrdiff_t>(s.end);
    const std::vector<std::size_t> own(lengths.begin() + begin, lengths.begin() + end);
    const auto read = nn::unroll(cell, slice(x, 1, begin, end), {.lengths = own});
    return sum(read.outputs * slice(seed, 1, begin, end)) + sum(square(read.state.c));
  };
  Tape<double> tape;
  const Variable<double> whole = loss({0, 0, batch});
  const Gradients<double> expected = tape.backward(whole);
  for (const std::size_t count : {1, 2, 3}) {
    Workers workers(count);
    const Learned<double> got = learn<double>(workers, batch, loss);
    BOOST_TEST(std::abs(got.loss - whole.item()) <= 1e-12);
    for (const auto& entry : cell.parameters()) {
      const double worst = common::distance(got.gradients[*entry.parameter], expected[*entry.parameter]);
      BOOST_TEST(worst <= 1e-12, entry.name << ", " << count << " workers: " << worst);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
