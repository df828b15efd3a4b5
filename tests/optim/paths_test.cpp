#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "tests/errors.hpp"
#include "tests/optim/golden_optimizers.hpp"
#include "tests/optim/gradient.hpp"
#include "tests/optim/kinds.hpp"

// The paths that the optimisers take: PyTorch's, some by hand, and down Rosenbrock's valley.

namespace {

using namespace rw::optim;
using rw::Parameter;
using rw::test::gradient;

// The gradients of the paths by hand, from x = 1 on.
const std::vector<double> slopes{1, -2, 0.5, 3, -1, 0.25, -0.75, 2};

void check_path(Optimizer<double>& optimizer, const std::vector<double>& path) {
  Parameter<double> p("p", rw::full<double>({1}, 1));
  for (std::size_t t = 0; t < path.size(); ++t) {
    optimizer.step({&p}, gradient(p, rw::full<double>({1}, slopes[t])));
    BOOST_TEST(std::abs(p.value().data()[0] - path[t]) < 1e-12, "step " << t + 1 << " ends at " << p.value().data()[0]);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(paths)

BOOST_AUTO_TEST_CASE(are_those_of_the_reference) {
  std::size_t files = 0;
  double worst = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TESTS_DIR) + "/golden")) {
    if (entry.path().extension() != ".safetensors") continue;
    golden::Case c(entry.path().stem(), rw::nn::read_safetensors(entry.path()));
    if (c.kind().rfind("optimiser ", 0) != 0) continue;
    check_optimizer(c);
    BOOST_TEST(c.faults().empty(), c.name());
    BOOST_TEST(c.worst() < 1e-12, c.name() << " is off by " << c.worst());
    worst = std::max(worst, c.worst());
    ++files;
  }
  BOOST_TEST(files >= 14u);
  std::cout << files << " paths of the reference, largest relative error " << worst << std::endl;
}

// By the papers' equations, in decimal arithmetic of 40 digits.
BOOST_AUTO_TEST_CASE(of_nadam_radam_lion_and_graves) {
  Nadam<double> nadam({.learning_rate = 0.1, .beta2 = 0.99});
  check_path(nadam, {0.89435482322091298, 0.98488779691164463, 0.96374637421902687, 0.86675710583192411,
                     0.8953862326956088, 0.88267548818177255, 0.9086252187185333, 0.8316568929463215});
  Radam<double> radam({.learning_rate = 0.1, .beta2 = 0.99});
  check_path(radam, {0.9, 0.95789473684210524, 0.97597591765391334, 0.90156475161727478, 0.86974379486408193,
                     0.86818994080018208, 0.86748782174007177, 0.86409853447046925});
  Lion<double> lion({.learning_rate = 0.1, .weight_decay = 0.5});
  check_path(
      lion, {0.85, 0.9075, 0.762125, 0.62401875, 0.6928178125, 0.558176921875, 0.63026807578125, 0.498754671992187484});
  RmsProp<double> graves(RmsProp<double>::graves());
  check_path(graves, {0.99954165075148593, 0.99953332635329384, 0.99942525056850817, 0.99896130287821427,
                      0.99866360075746652, 0.9983649635679549, 0.99818834019347402, 0.9978074614369139});
}

// f(x, y) = (1 − x)² + 100·(y − x²)², least at (1, 1), from (−1.2, 1).
BOOST_AUTO_TEST_CASE(lead_down_rosenbrocks_valley) {
  for (const auto& kind : rw::test::kinds<double>()) {
    Parameter<double> p("p", rw::tensor<double>({2}, {-1.2, 1}));
    const auto optimizer = kind.make(kind.rate);
    double f = 24.2;
    int steps = 0;
    for (; steps < 20000 && f > 1e-2; ++steps) {
      const double x = p.value().data()[0], y = p.value().data()[1];
      const double dy = 200 * (y - x * x);
      optimizer->step({&p}, gradient(p, rw::tensor<double>({2}, {-2 * (1 - x) - 2 * x * dy, dy})));
      const double a = p.value().data()[0], b = p.value().data()[1];
      f = (1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a);
    }
    BOOST_TEST(f <= 1e-2, kind.name << " is at " << f);
    std::cout << kind.name << " at " << kind.rate << ": " << steps << " steps" << std::endl;
  }
}

BOOST_AUTO_TEST_CASE(need_good_options) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](const auto& make_it, const std::string& text) {
    BOOST_TEST(message<std::invalid_argument>(make_it) == text);
  };
  refused([] { Sgd<double>({.learning_rate = -1}); }, "optimizer: expected learning_rate in [0, inf); got -1");
  refused([&] { Sgd<float>({.learning_rate = nan}); }, "optimizer: expected learning_rate in [0, inf); got nan");
  refused([] { Sgd<double>({.momentum = 1}); }, "sgd: expected momentum in [0, 1); got 1");
  refused([] { Sgd<double>({.momentum = 0.5, .dampening = -1}); }, "sgd: expected dampening in [0, 1); got -1");
  refused([] { Sgd<double>({.weight_decay = -1}); }, "sgd: expected weight_decay in [0, inf); got -1");
  refused([] { Sgd<double>({.nesterov = true}); },
          "sgd: expected momentum without dampening for nesterov; got momentum 0, dampening 0");
  refused([] { Sgd<double>({.momentum = 0.9, .dampening = 0.5, .nesterov = true}); },
          "sgd: expected momentum without dampening for nesterov; got momentum 0.9, dampening 0.5");
  refused([] { Adagrad<double>({.epsilon = -1}); }, "adagrad: expected epsilon in [0, inf); got -1");
  refused([] { Adadelta<double>({.rho = 1}); }, "adadelta: expected rho in [0, 1); got 1");
  refused([] { Adadelta<double>({.epsilon = -1}); }, "adadelta: expected epsilon in [0, inf); got -1");
  refused([] { RmsProp<double>({.alpha = 2}); }, "rmsprop: expected alpha in [0, 1); got 2");
  refused([] { RmsProp<double>({.epsilon = -1}); }, "rmsprop: expected epsilon in [0, inf); got -1");
  refused([] { RmsProp<double>({.momentum = 1}); }, "rmsprop: expected momentum in [0, 1); got 1");
  refused([] { Adam<double>({.beta1 = 1}); }, "adam: expected beta1 in [0, 1); got 1");
  refused([] { Adam<double>({.beta2 = -0.5}); }, "adam: expected beta2 in [0, 1); got -0.5");
  refused([] { Adam<double>({.epsilon = -1}); }, "adam: expected epsilon in [0, inf); got -1");
  refused([] { Adam<double>({.weight_decay = -1}); }, "optimizer: expected weight_decay in [0, inf); got -1");
  refused([] { Adamax<double>({.beta1 = 1}); }, "adamax: expected beta1 in [0, 1); got 1");
  refused([] { Nadam<double>({.beta2 = 1}); }, "nadam: expected beta2 in [0, 1); got 1");
  refused([] { Nadam<double>({.momentum_decay = -1}); }, "nadam: expected momentum_decay in [0, inf); got -1");
  refused([] { Radam<double>({.beta1 = 1}); }, "radam: expected beta1 in [0, 1); got 1");
  refused([] { Lion<double>({.beta1 = 1}); }, "lion: expected beta1 in [0, 1); got 1");
  refused([] { Lion<double>({.beta2 = 1}); }, "lion: expected beta2 in [0, 1); got 1");
}

BOOST_AUTO_TEST_SUITE_END()
