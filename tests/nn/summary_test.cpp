#include "nn/summary.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "nn/cells/lstm.hpp"
#include "nn/linear.hpp"

BOOST_AUTO_TEST_SUITE(summaries)

using rw::Parameter;
using rw::Random;
using rw::nn::Parameters;
using rw::nn::summary;

BOOST_AUTO_TEST_CASE(of_a_model) {
  Random random(1);
  rw::nn::Lstm<float> encoder({.input = 100, .hidden = 256}, random);
  rw::nn::Linear<float> readout({.input = 256, .output = 3}, random);
  Parameters<float> model;
  model.add("encoder", encoder.parameters());
  model.add("readout", readout.parameters());
  BOOST_TEST(summary(model) ==
             "name               shape        elements      bytes\n"
             "encoder.weight_ih  [100, 1024]   102,400    409,600\n"
             "encoder.weight_hh  [256, 1024]   262,144  1,048,576\n"
             "encoder.bias       [1024]          1,024      4,096\n"
             "readout.weight     [256, 3]          768      3,072\n"
             "readout.bias       [3]                 3         12\n"
             "5 parameters                     366,339  1,465,356\n");
  BOOST_TEST(summary(readout) == summary(readout.parameters()));
}

BOOST_AUTO_TEST_CASE(with_statistics) {
  Parameter<double> w("w", rw::tensor<double>({2, 2}, {1, 2, 3, 4})), gain("gain", rw::scalar(-1000.0)),
      none("none", rw::empty<double>({0, 2})),
      broken("broken", rw::tensor<double>({2}, {1, std::numeric_limits<double>::infinity()}));
  const Parameters<double> model{w, gain};
  BOOST_TEST(summary(model, {.statistics = true}) ==
             "name          shape   elements  bytes   mean  deviation\n"
             "w             [2, 2]         4     32    2.5      1.118\n"
             "gain          []             1      8  -1000          0\n"
             "2 parameters                 5     40\n");
  // What is not finite shows.
  BOOST_TEST(summary(Parameters<double>{broken}, {.statistics = true}).find("inf") != std::string::npos);
  BOOST_TEST(summary(Parameters<double>{none}) ==
             "name         shape   elements  bytes\n"
             "none         [0, 2]         0      0\n"
             "1 parameter                 0      0\n");
}

BOOST_AUTO_TEST_CASE(of_nothing) {
  BOOST_TEST(summary(Parameters<float>()) ==
             "name          shape  elements  bytes\n"
             "0 parameters                0      0\n");
}

BOOST_AUTO_TEST_SUITE_END()
