#include "nn/cells/reservoir.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/ops/reduce.hpp"
#include "nn/safetensors.hpp"
#include "nn/unroll.hpp"
#include "optim/optim.hpp"
#include "tests/folder.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::at;
using cell_rows::column;
using cell_rows::Numbers;
using rw::Random;
using rw::Tape;
using rw::Tensor;
using rw::Variable;
using rw::nn::Parameters;
using rw::nn::Reservoir;
using rw::nn::unroll;

/// A reservoir whose parameters are the trained ones alone: differences are taken by those that have gradients.
template <class Activation>
struct Trained : Reservoir<double, Activation> {
  using Reservoir<double, Activation>::Reservoir;
  Parameters<double> parameters() {
    Parameters<double> all{this->log_radius, this->log_input_scale};
    if (this->leak_logit) all.add(*this->leak_logit);
    return all;
  }
};

template <bool Leaky, bool Bias, std::size_t Feedback, class Activation = rw::rules::Tanh>
struct ReservoirRow {
  using Cell = Trained<Activation>;
  static Cell make(std::size_t input, std::size_t hidden, Random&) {
    Random random(7);  // the fixed weights are the same for all seeds, as files of the trained ones do not hold them
    return Cell({.input = input - Feedback,
                 .hidden = hidden,
                 .feedback = Feedback,
                 .bias = Bias,
                 .leak = Leaky ? 0.3 : 1,
                 .feedback_scale = 0.5,
                 .connectivity = 0.6},
                random);
  }
  static std::vector<std::string> names() {
    return Leaky ? std::vector<std::string>{"log_radius", "log_input_scale", "leak_logit"}
                 : std::vector<std::string>{"log_radius", "log_input_scale"};
  }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& h) {
    const double scale = std::exp(at(cell.log_input_scale, 0)), radius = std::exp(at(cell.log_radius, 0));
    const double leak = Leaky ? cell_rows::sigmoid(at(cell.leak_logit, 0)) : 1;
    Numbers next(cell.hidden());
    for (std::size_t j = 0; j < next.size(); ++j) {
      double sum =
          scale * (column(x, 0, cell.weight_ih, j) + at(cell.bias, j)) + radius * column(h, 0, cell.weight_hh, j);
      if (Feedback > 0) sum += column(x, x.size() - Feedback, *cell.weight_fb, j);
      next[j] = (1 - leak) * h[j] + leak * (std::is_same_v<Activation, rw::rules::Tanh> ? std::tanh(sum) : sum);
    }
    return h = next;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const typename Cell::State& s) {
    const auto parts = rw::split(x, {x.shape()[1] - Feedback, Feedback}, 1);
    auto sum = matmul(parts[0], cell.weight_ih.detached());
    if (Bias) sum = sum + cell.bias->detached();
    sum = cell.input_scale() * sum + cell.radius() * matmul(s.h, cell.weight_hh.detached());
    if (Feedback > 0) sum = sum + matmul(parts[1], cell.weight_fb->detached());
    const auto h = (1 - cell.leak()) * s.h + cell.leak() * elementwise(Activation{}, sum);
    return rw::nn::Step<double, typename Cell::State>{h, {h}};
  }
};

BOOST_AUTO_TEST_SUITE(reservoir)

Reservoir<double>::Options small(double leak = 0.4) {
  return {.input = 1, .hidden = 20, .bias = false, .leak = leak, .radius = 0.8, .input_scale = 0.5};
}

BOOST_AUTO_TEST_CASE(begins_with_the_leak_radius_and_scale_asked_for) {
  Random random(1);
  const Reservoir<double> cell(small(), random), plain(small(1), random);
  BOOST_TEST(std::abs(cell.leak().item() - 0.4) < 1e-15);
  BOOST_TEST(std::abs(cell.radius().item() - 0.8) < 1e-15);
  BOOST_TEST(std::abs(cell.input_scale().item() - 0.5) < 1e-15);
  BOOST_TEST(std::abs(rw::nn::spectral_radius(cell.weight_hh.value()) - 1) < 1e-12);
  BOOST_TEST(plain.leak().item() == 1);
  BOOST_TEST(!plain.leak_logit);
}

// The drawn weights are saved with the rest: a file makes any other reservoir of the same form the same one.
BOOST_AUTO_TEST_CASE(a_file_holds_the_fixed_weights_too) {
  Random random(2);
  auto options = small();
  options.bias = true;
  options.feedback = 2;
  Reservoir<double> cell(options, random), other(options, random);
  std::vector<std::string> names;
  for (const auto& entry : cell.parameters()) names.push_back(entry.name);
  const std::vector<std::string> all{"log_radius", "log_input_scale", "leak_logit", "weight_ih", "weight_hh",
                                     "bias",       "weight_fb"};
  BOOST_TEST(names == all, boost::test_tools::per_element());
  const Folder folder;
  rw::nn::save(folder.file("reservoir"), cell.parameters());
  rw::nn::load(folder.file("reservoir"), other.parameters());
  const Variable<double> xs = common::numbers({6, 2, 3});
  BOOST_TEST(common::distance(unroll(cell, xs).outputs, unroll(other, xs).outputs) == 0);
}

// An optimiser that is given all parameters moves the trained ones; whatever it does to them they stay in range.
BOOST_AUTO_TEST_CASE(an_optimiser_moves_leak_radius_and_scale_and_no_weight) {
  Random random(3);
  Reservoir<double> cell(small(), random);
  const Tensor<double> w = cell.weight_ih.value(), u = cell.weight_hh.value();
  rw::optim::Sgd<double> sgd({.learning_rate = 20});
  const double before = cell.leak().item();
  for (int i = 0; i < 20; ++i) {
    Tape<double> tape;
    const auto loss = sum(square(unroll(cell, Variable<double>(common::numbers({10, 3, 1}))).outputs));
    const auto gradients = tape.backward(loss);
    BOOST_TEST(gradients.has(cell.log_radius));
    BOOST_TEST(!gradients.has(cell.weight_ih));
    BOOST_TEST(!gradients.has(cell.weight_hh));
    sgd.step(cell.parameters(), gradients);
    BOOST_TEST((cell.leak().item() >= 0 && cell.leak().item() <= 1));
    BOOST_TEST((cell.radius().item() >= 0 && cell.input_scale().item() >= 0));
  }
  BOOST_TEST(std::abs(cell.leak().item() - before) > 0.1);
  BOOST_TEST(bool(cell.weight_ih.value() == w));
  BOOST_TEST(bool(cell.weight_hh.value() == u));
}

// By gradient alone: the leak, radius and scale of the reservoir that made the data are found again.
BOOST_AUTO_TEST_CASE(the_gradient_finds_leak_radius_and_scale) {
  Random random(4), again(4);
  const Reservoir<double> teacher(small(0.3), random);
  auto options = small(0.6);
  options.radius = 0.5;
  options.input_scale = 1;
  Reservoir<double> cell(options, again);
  BOOST_REQUIRE(bool(cell.weight_hh.value() == teacher.weight_hh.value()));
  const Variable<double> xs = common::numbers({30, 8, 1}), wanted = unroll(teacher, xs).outputs;
  rw::optim::Adam<double> adam({.learning_rate = 0.03});
  for (int i = 0; i < 400; ++i) {
    Tape<double> tape;
    adam.step(cell.parameters(), tape.backward(mean(square(unroll(cell, xs).outputs - wanted))));
  }
  BOOST_TEST(std::abs(cell.leak().item() - 0.3) < 1e-3);
  BOOST_TEST(std::abs(cell.radius().item() - 0.8) < 1e-3);
  BOOST_TEST(std::abs(cell.input_scale().item() - 0.5) < 1e-3);
}

// Echo state property: without input two states become one under radius 0.9, and do not under 1.5 (Jaeger 2001).
BOOST_AUTO_TEST_CASE(states_converge_where_the_radius_is_below_one) {
  for (const double radius : {0.9, 1.5}) {
    Random random(5);
    const Reservoir<double> cell({.input = 1, .hidden = 100, .bias = false, .radius = radius}, random);
    const Variable<double> silence = rw::zeros<double>({200, 1, 1});
    const auto from = [&](std::uint64_t stream) {
      return unroll(cell, silence, {.initial = Reservoir<double>::State{common::numbers({1, 100}, stream)}}).state.h;
    };
    const double apart = common::distance(from(1), from(2));
    BOOST_TEST((radius < 1 ? apart < 1e-8 : apart > 1e-2), "radius " << radius << ", apart " << apart);
  }
}

BOOST_AUTO_TEST_CASE(noise_is_drawn_where_a_source_is_given) {
  Random random(6);
  const Reservoir<double, rw::rules::Identity> cell({.input = 1, .hidden = 20, .bias = false, .leak = 1, .noise = 1e-3},
                                                    random);
  const Variable<double> xs = common::numbers({1, 50, 1});
  const auto quiet = unroll(cell, xs).outputs;
  BOOST_TEST(common::distance(unroll(cell, xs).outputs, quiet) == 0);
  Random source(7);
  const double far = common::distance(unroll(cell, xs, {.random = &source}).outputs, quiet);
  BOOST_TEST((far > 0.99e-3 && far <= 1e-3));  // 1000 draws uniform in ±1e-3
  BOOST_TEST(bool(source != Random(7)));
}

BOOST_AUTO_TEST_CASE(bad_options) {
  const double nan = std::nan("");
  const auto bad = [](const Reservoir<double>::Options& options, const std::string& text) {
    Random random(8);
    BOOST_CHECK_EXCEPTION(Reservoir<double>(options, random), std::invalid_argument,
                          common::says("reservoir: " + text));
  };
  bad({.input = 1, .hidden = 0}, "expected at least one unit; got 0");
  bad({.input = 1, .hidden = 2, .leak = 0}, "expected a leak in (0, 1]; got 0");
  bad({.input = 1, .hidden = 2, .leak = 1.5}, "expected a leak in (0, 1]; got 1.5");
  bad({.input = 1, .hidden = 2, .radius = 0}, "expected a finite radius above 0; got 0");
  bad({.input = 1, .hidden = 2, .radius = nan}, "expected a finite radius above 0; got nan");
  bad({.input = 1, .hidden = 2, .input_scale = -1}, "expected a finite input scale above 0; got -1");
  bad({.input = 1, .hidden = 2, .feedback_scale = -1}, "expected a finite feedback scale of at least 0; got -1");
  bad({.input = 1, .hidden = 2, .connectivity = 2}, "expected a connectivity in (0, 1]; got 2");
  bad({.input = 1, .hidden = 2, .noise = -1}, "expected finite noise of at least 0; got -1");
}

BOOST_AUTO_TEST_SUITE_END()

using Rows = std::tuple<ReservoirRow<true, true, 0>, ReservoirRow<false, false, 0>, ReservoirRow<true, false, 1>,
                        ReservoirRow<true, true, 0, rw::rules::Identity>>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"
