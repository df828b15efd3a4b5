#include "optim/schedule.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "optim/validation.hpp"
#include "tests/errors.hpp"

namespace {

using namespace rw::optim;

bool near(double a, double b) { return std::abs(a - b) <= 1e-14 * std::abs(b); }

const double nan_ = std::numeric_limits<double>::quiet_NaN();

template <class Call>
std::string refused(const Call& call) {
  return message<std::invalid_argument>(call);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(decay) {
  const DecayOptions halved{.rate = 8, .factor = 0.5, .every = 10};
  BOOST_TEST(step_decay(0, halved) == 8);
  BOOST_TEST(step_decay(9, halved) == 8);
  BOOST_TEST(step_decay(10, halved) == 4);
  BOOST_TEST(step_decay(39, halved) == 1);
  BOOST_TEST(exponential_decay(0, halved) == 8);
  BOOST_TEST(near(exponential_decay(5, halved), 8 * std::sqrt(0.5)));
  BOOST_TEST(near(exponential_decay(20, halved), 2));
  BOOST_TEST(near(exponential_decay(3, {.rate = 1, .factor = 0.9}), 0.729));
}

BOOST_AUTO_TEST_CASE(cosine_from_one_rate_to_the_other) {
  const CosineOptions options{.rate = 3, .last = 1, .steps = 12};
  BOOST_TEST(cosine(0, options) == 3);
  BOOST_TEST(near(cosine(2, options), 2 + std::sqrt(0.75)));  // cos 30°
  BOOST_TEST(near(cosine(6, options), 2));
  BOOST_TEST(near(cosine(8, options), 1.5));  // cos 120°
  BOOST_TEST(near(cosine(12, options), 1));
  BOOST_TEST(near(cosine(1000, options), 1));
}

BOOST_AUTO_TEST_CASE(one_cycle_up_and_down) {
  const OneCycleOptions options{.rate = 1, .steps = 100, .rising = 0.2, .first = 0.1, .last = 0.01};
  BOOST_TEST(near(one_cycle(0, options), 0.1));
  BOOST_TEST(near(one_cycle(10, options), 0.55));
  BOOST_TEST(near(one_cycle(20, options), 1));
  BOOST_TEST(near(one_cycle(60, options), 0.505));
  BOOST_TEST(near(one_cycle(100, options), 0.01));
  BOOST_TEST(near(one_cycle(200, options), 0.01));
  BOOST_TEST(near(one_cycle(0, {.rate = 1, .steps = 10, .rising = 0}), 1));
  BOOST_TEST(near(one_cycle(10, {.rate = 5, .steps = 10}), 5 / 25e4));
}

BOOST_AUTO_TEST_CASE(warm_up_as_the_transformers) {
  const double d = 512, w = 4000;
  for (const double s : {1.0, 100.0, 4000.0, 4001.0, 100000.0}) {
    const double expected = std::pow(d, -0.5) * std::min(std::pow(s, -0.5), s * std::pow(w, -1.5));
    const auto t = static_cast<std::uint64_t>(s) - 1;
    BOOST_TEST(near(inverse_square_root(t, {.rate = 1 / std::sqrt(d * w), .warm_up = 4000}), expected));
  }
}

BOOST_AUTO_TEST_CASE(wrong_options) {
  BOOST_TEST(refused([] { step_decay(0, {.rate = -1}); }) == "step_decay: expected rate in [0, inf); got -1");
  BOOST_TEST(refused([] { step_decay(0, {.every = 0}); }) == "step_decay: expected every above 0; got 0");
  BOOST_TEST(refused([] { exponential_decay(0, {.factor = nan_}); }) ==
             "exponential_decay: expected factor in [0, inf); got nan");
  BOOST_TEST(refused([] { cosine(0, {.last = -1, .steps = 1}); }) == "cosine: expected last in [0, inf); got -1");
  BOOST_TEST(refused([] { cosine(0, {.steps = 0}); }) == "cosine: expected steps above 0; got 0");
  BOOST_TEST(refused([] { one_cycle(0, {.rising = 1}); }) == "one_cycle: expected rising in [0, 1); got 1");
  BOOST_TEST(refused([] { one_cycle(0, {.first = -1}); }) == "one_cycle: expected first in [0, inf); got -1");
  BOOST_TEST(refused([] { inverse_square_root(0, {.warm_up = 0}); }) ==
             "inverse_square_root: expected warm_up above 0; got 0");
}

BOOST_AUTO_TEST_CASE(a_plateau_lowers_the_rate) {
  Plateau plateau({.rate = 1, .factor = 0.5, .patience = 2, .cooldown = 1, .gain = 0.1, .smallest = 0.3});
  BOOST_TEST(plateau(5) == 1);
  BOOST_TEST(plateau(4.95) == 1);  // lower, but by too little
  BOOST_TEST(plateau(nan_) == 0.5);
  BOOST_TEST(plateau(5) == 0.5);  // cools down
  BOOST_TEST(plateau(5) == 0.5);
  BOOST_TEST(plateau(4) == 0.5);  // lower
  BOOST_TEST(plateau(4) == 0.5);
  Plateau resumed({.rate = 1, .factor = 0.5, .patience = 2, .cooldown = 1, .gain = 0.1, .smallest = 0.3});
  resumed.restore(plateau.numbers());
  for (Plateau* each : {&plateau, &resumed}) {
    BOOST_TEST(each->rate() == 0.5);
    BOOST_TEST((*each)(4) == 0.3);
    BOOST_TEST((*each)(4) == 0.3);  // cools down
    BOOST_TEST((*each)(4) == 0.3);
    BOOST_TEST((*each)(4) == 0.3);  // the smallest
  }
  Plateau small({.rate = 0.1, .patience = 1, .smallest = 0.2});  // begins below the smallest rate: never rises to it
  small(1);
  BOOST_TEST(small(1) == 0.1);
}

BOOST_AUTO_TEST_CASE(training_stops_early) {
  EarlyStopping stopping({.patience = 2});
  BOOST_TEST(stopping.see(3));
  BOOST_TEST(!stopping.see(4));
  BOOST_TEST(!stopping.stop());
  BOOST_TEST(stopping.see(2));
  BOOST_TEST(!stopping.see(2));
  BOOST_TEST(!stopping.stop());
  EarlyStopping resumed({.patience = 2});
  resumed.restore(stopping.numbers());
  for (EarlyStopping* each : {&stopping, &resumed}) {
    BOOST_TEST(!each->see(nan_));
    BOOST_TEST(each->stop());
    BOOST_TEST(each->lowest() == 2);
  }
  EarlyStopping wide({.patience = 1, .gain = 0.5});
  BOOST_TEST(wide.see(1));
  BOOST_TEST(!wide.see(0.6));
  BOOST_TEST(wide.stop());
}

BOOST_AUTO_TEST_CASE(wrong_options_of_what_follows_the_loss) {
  BOOST_TEST(refused([] { EarlyStopping({.patience = 0}); }) == "early_stopping: expected patience above 0; got 0");
  BOOST_TEST(refused([] { EarlyStopping({.gain = -1}); }) == "early_stopping: expected gain in [0, inf); got -1");
  BOOST_TEST(refused([] { Plateau({.factor = 1}); }) == "plateau: expected factor in [0, 1); got 1");
  BOOST_TEST(refused([] { Plateau({.patience = 0}); }) == "plateau: expected patience above 0; got 0");
  BOOST_TEST(refused([] { Plateau({.smallest = -1}); }) == "plateau: expected smallest in [0, inf); got -1");
  Plateau plateau;
  BOOST_TEST(refused([&] {
               plateau.restore({{"rate", 1}, {"cooling", 0}, {"waited", 0}});
             }) == "lowest: expected a number lowest; got none");
  BOOST_TEST(refused([&] { plateau.restore({}); }) == "plateau: expected a number rate; got none");
  BOOST_TEST(plateau.rate() == 1e-3);
}

BOOST_AUTO_TEST_SUITE_END()
