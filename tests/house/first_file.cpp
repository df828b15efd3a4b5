// With second_file.cpp, two files of one program that both include all of the library.

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/house/second_file.hpp"

#include <boost/test/unit_test.hpp>

using namespace rw;

BOOST_AUTO_TEST_SUITE(house)

BOOST_AUTO_TEST_CASE(a_tape_of_one_file_records_what_another_file_does) {
  Tape<double> tape;
  const Variable<double> x = tape.watch(tensor<double>({2}, {3, 4}));
  const Variable<double> y = half_squared_norm(x);
  BOOST_TEST(y.item() == 12.5);
  BOOST_TEST(tape.backward(y)[x].value() == x.value());
}

BOOST_AUTO_TEST_SUITE_END()
