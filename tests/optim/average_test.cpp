#include "optim/average.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/errors.hpp"

namespace {

using rw::Parameter;
using rw::Tensor;
using rw::optim::WeightAverage;

}  // namespace

BOOST_AUTO_TEST_SUITE(averages)

BOOST_AUTO_TEST_CASE(follow_the_weights) {
  Parameter<double> p("p", rw::full<double>({19}, 1)), late("late", rw::full<double>({2}, 8));
  WeightAverage<double> average({.decay = 0.75});
  average.update({&p});
  p.assign(rw::full<double>({19}, 5));
  average.update({&p, &late});
  for (const double x : average.average(p)) BOOST_TEST(x == 2);
  BOOST_TEST(bool(average.average(late) == late.value()));
  for (const double x : p.value()) BOOST_TEST(x == 5);
}

BOOST_AUTO_TEST_CASE(stand_in_for_the_weights) {
  Parameter<double> p("p", rw::full<double>({3}, 1));
  const rw::Variable<double> held = p;
  WeightAverage<double> average({.decay = 0.5});
  average.update({&p});
  p.assign(rw::full<double>({3}, 2));
  average.update({&p});
  const double seen = average.during({&p}, [&] { return p.value().data()[2]; });
  BOOST_TEST(seen == 1.5);
  BOOST_TEST(bool(p.value() == rw::full<double>({3}, 2)));
  BOOST_CHECK_THROW(average.during({&p}, []() -> int { throw std::runtime_error("stop"); }), std::runtime_error);
  BOOST_TEST(bool(p.value() == rw::full<double>({3}, 2)));
  BOOST_TEST(bool(average.average(p) == rw::full<double>({3}, 1.5)));
  BOOST_TEST(held.value().data()[0] == 1);
}

BOOST_AUTO_TEST_CASE(are_all_there_is) {
  Parameter<float> p("p", rw::full<float>({3}, 1)), q("q", rw::full<float>({3}, 0));
  WeightAverage<float> first, second;
  first.update({&p});
  second.average(q) = first.average(p);
  p.assign(rw::full<float>({3}, 0.3f));
  q.assign(p.value());
  Parameter<float> moved = std::move(p);
  first.update({&moved});
  second.update({&q});
  BOOST_TEST(bool(first.average(moved) == second.average(q)));
  BOOST_TEST(std::abs(first.average(moved).data()[0] - (0.999f + 0.001f * 0.3f)) < 1e-7f);
}

BOOST_AUTO_TEST_CASE(are_forgotten) {
  Parameter<double> p("p", rw::full<double>({3}, 1)), q("q", rw::full<double>({3}, 1));
  WeightAverage<double> average;
  BOOST_TEST(!average.has(p));
  average.update({&p, &q});
  BOOST_TEST(average.has(p));
  average.forget(p);
  BOOST_TEST(!average.has(p));
  BOOST_TEST(average.has(q));
  p.assign(rw::full<double>({3}, 2));
  average.update({&p});
  BOOST_TEST(bool(average.average(p) == p.value()));
}

BOOST_AUTO_TEST_CASE(wrong_use) {
  Parameter<double> p("p", rw::full<double>({3}, 1));
  const auto refused = [](const auto& call) { return message<std::invalid_argument>(call); };
  BOOST_TEST(refused([] { WeightAverage<double>({.decay = 1}); }) == "weight_average: expected decay in [0, 1); got 1");
  WeightAverage<double> average;
  BOOST_TEST(refused([&] { average.during({&p}, [] { return 0; }); }) ==
             "weight_average: expected parameters that were averaged; got p");
  BOOST_TEST(refused([&] { average.update({&p, nullptr}); }) == "weight_average: expected parameters; got nullptr");
  average.average(p) = rw::zeros<double>({2});
  BOOST_TEST(refused([&] { average.update({&p}); }) == "weight_average: expected equal shapes; got a [3], b [2]");
  BOOST_TEST(refused([&] { average.during({&p}, [] { return 0; }); }) ==
             "weight_average: expected equal shapes; got a [3], b [2]");
  BOOST_TEST(bool(p.value() == rw::full<double>({3}, 1)));
}

BOOST_AUTO_TEST_SUITE_END()
