#include <boost/test/unit_test.hpp>

#include "nn/cells/lstm.hpp"
#include "nn/unroll.hpp"
#include "tests/nn/users_cell.hpp"

// What unroll() does for the sake of memory changes no numbers.

namespace {

using common::difference;
using common::numbers;
using common::UsersCell;
using rw::Tape;
using rw::nn::unroll;
using V = rw::Variable<double>;
using Lstm = rw::nn::Lstm<double>;
using Lengths = std::vector<std::size_t>;
using Cells = std::tuple<Lstm, UsersCell>;

constexpr std::size_t T = 5, B = 3, I = 3, H = 4;

}  // namespace

BOOST_AUTO_TEST_SUITE(unroll_memory)

BOOST_AUTO_TEST_CASE_TEMPLATE(many_steps_that_nobody_records_are_the_same, Cell, Cells) {
  const auto cell = common::made<Cell>(I, H);
  constexpr std::size_t many = 700;  // so many rows that inputs are projected some steps at a time
  const V xs = numbers({many, B, I});
  for (const Lengths& lengths : {Lengths{}, Lengths{700, 3, 401}, Lengths{650, 0, 400}}) {
    for (const bool reverse : {false, true}) {
      const auto quick = unroll(cell, xs, {.lengths = lengths, .reverse = reverse});
      Tape<double> tape;
      const auto all = unroll(cell, xs, {.lengths = lengths, .reverse = reverse});
      BOOST_TEST(difference(quick.outputs, all.outputs) < 1e-13);
      BOOST_TEST(difference(quick.state.h, all.state.h) < 1e-13);
      const auto last = unroll(cell, xs, {.lengths = lengths, .reverse = reverse, .outputs = false});
      BOOST_TEST(difference(last.state.h, all.state.h) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(records_keep_outputs_once) {
  const Lstm cell = common::made<Lstm>(I, H);
  Tape<double> tape;
  const auto all = unroll(cell, V(numbers({T, B, I})));
  const auto again = rw::stack(rw::unstack(all.outputs));
  BOOST_TEST(again.view().data() == all.outputs.view().data());
  // The last state does not hold on to the outputs of all steps.
  const double *first = all.outputs.view().data(), *h = all.state.h.view().data();
  BOOST_TEST((h < first || h >= first + all.outputs.size()));
}

BOOST_AUTO_TEST_SUITE_END()
