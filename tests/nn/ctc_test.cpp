#include "nn/ctc.hpp"

#include <boost/test/unit_test.hpp>
#include <map>

#include "autograd/gradcheck.hpp"
#include "autograd/ops/softmax.hpp"
#include "tests/nn/common.hpp"

namespace {

using common::distance;
using common::numbers;
using common::says;
using rw::Indices;
using rw::Tape;
using rw::Tensor;
using rw::nn::ctc;
using rw::nn::ctc_beam_search;
using rw::nn::ctc_best_path;
using rw::nn::ctc_rows;
using rw::nn::CtcOptions;
using V = rw::Variable<double>;
using Labels = std::vector<std::int64_t>;
using Lengths = std::vector<std::size_t>;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Logits ±3, so that paths differ much.
Tensor<double> logits(const rw::Shape& shape, std::uint64_t stream = 1) {
  Tensor<double> x = numbers(shape, stream);
  for (double& element : x) element *= 3;
  return x;
}

/// Targets of any lengths side by side, padded by a number that is no class.
Indices padded(const std::vector<Labels>& rows) {
  std::size_t longest = 0;
  for (const Labels& row : rows) longest = std::max(longest, row.size());
  Indices targets = rw::full<std::int64_t>({rows.size(), longest}, -5);
  for (std::size_t b = 0; b < rows.size(); ++b) std::copy(rows[b].begin(), rows[b].end(), targets.data() + b * longest);
  return targets;
}

Lengths lengths_of(const std::vector<Labels>& rows) {
  Lengths lengths;
  for (const Labels& row : rows) lengths.push_back(row.size());
  return lengths;
}

/// Everything that row b's paths spell, with its probability: by going through all V^T of them.
std::map<Labels, double> spelled(const Tensor<double>& x, std::size_t b, std::size_t steps, std::int64_t blank = 0) {
  const std::size_t rows = x.shape()[1], classes = x.shape()[2];
  const Tensor<double> p = softmax(V(x)).value();
  std::map<Labels, double> all;
  std::vector<std::size_t> path(steps, 0);
  while (true) {
    Labels labels;
    double probability = 1;
    for (std::size_t t = 0; t < steps; ++t) {
      const auto k = static_cast<std::int64_t>(path[t]);
      probability *= p.data()[(t * rows + b) * classes + path[t]];
      if (k != blank && (t == 0 || path[t] != path[t - 1])) labels.push_back(k);
    }
    all[labels] += probability;
    std::size_t t = 0;
    while (t < steps && ++path[t] == classes) path[t++] = 0;
    if (t == steps) return all;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctc_suite)

// Every sequence that can be spelled at all, in a batch where each row has other lengths.
BOOST_AUTO_TEST_CASE(equals_the_sum_over_all_paths) {
  for (const std::int64_t blank : {0, 2}) {
    for (const std::size_t steps : {1, 2, 3, 5}) {
      const Tensor<double> one = logits({steps, 1, 3}, steps);
      const auto all = spelled(one, 0, steps, blank);
      std::vector<Labels> targets;
      for (const auto& [labels, probability] : all) targets.push_back(labels);
      const V x = broadcast_to(V(one), {steps, targets.size(), 3});
      const V rows = ctc_rows(x, padded(targets), {.target_lengths = lengths_of(targets), .blank = blank});
      BOOST_TEST(bool(rows.shape() == rw::Shape{targets.size()}));
      double total = 0;
      for (std::size_t b = 0; b < targets.size(); ++b) {
        BOOST_TEST(std::abs(rows.value().data()[b] + std::log(all.at(targets[b]))) < 1e-12);
        total += std::exp(-rows.value().data()[b]);
      }
      BOOST_TEST(std::abs(total - 1) < 1e-12);
    }
  }
}

BOOST_AUTO_TEST_CASE(ragged_rows_equal_each_alone) {
  const std::vector<Labels> targets{{1, 1, 2}, {}, {3}, {2, 1}, {3, 3}};
  const Lengths steps{7, 4, 1, 6, 3};
  Tensor<double> all = logits({7, 5, 4});
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i / 20 >= steps[i / 4 % 5]) all.data()[i] = i % 2 == 0 ? NAN : infinity;  // padding does not matter
  }
  Tape<double> tape;
  const V x = tape.watch(all);
  const V rows = ctc_rows(x, padded(targets), {.input_lengths = steps, .target_lengths = lengths_of(targets)});
  const V y = common::weighed(rows, 3);
  const V plain = tape.backward(y)[x], recorded = tape.backward(y, {.record = true})[x];
  BOOST_TEST(distance(plain, recorded) < 1e-13);
  const V second = tape.backward(common::weighed(recorded, 5))[x];
  BOOST_TEST(distance(second, second) == 0);  // finite
  for (std::size_t b = 0; b < targets.size(); ++b) {
    const auto n = static_cast<std::ptrdiff_t>(b), end = static_cast<std::ptrdiff_t>(steps[b]);
    Tape<double> inner;
    const V alone = inner.watch(slice(slice(V(all), 1, n, n + 1), 0, 0, end).value());
    const V cost = ctc_rows(alone, padded({targets[b]}));
    BOOST_TEST(std::abs(cost.item() - rows.value().data()[b]) < 1e-12);
    BOOST_TEST(std::abs(cost.item() + std::log(spelled(all, b, steps[b]).at(targets[b]))) < 1e-12);
    const auto g = inner.backward(cost, {.seed = V(rw::full<double>({1}, numbers({5}, 3).data()[b]))});
    BOOST_TEST(distance(g[alone], slice(slice(plain, 1, n, n + 1), 0, 0, end)) < 1e-12);
    const V beyond = slice(slice(plain, 1, n, n + 1), 0, end);
    BOOST_TEST(distance(beyond.value(), rw::zeros<double>(beyond.shape())) == 0);
  }
}

BOOST_AUTO_TEST_CASE(gradients_are_right) {
  const std::vector<Labels> targets{{1, 1, 2}, {}, {3}, {2, 1}};
  const CtcOptions options{.input_lengths = {6, 4, 1, 5}, .target_lengths = lengths_of(targets)};
  const auto costs = [&](const std::vector<V>& x) {
    return std::vector<V>{ctc_rows(x[0], padded(targets), options), ctc(x[0], padded(targets), options)};
  };
  const auto report = rw::check_gradients("ctc", costs, {logits({6, 4, 4})});
  BOOST_TEST(report.ok, report.message);
}

// Probabilities far below the smallest number of either type, and sums of logarithms as long.
BOOST_AUTO_TEST_CASE(long_sequences_do_not_underflow) {
  const std::size_t steps = 3000;
  const Tensor<double> x = rw::zeros<double>({steps, 1, 2});
  // Uniform over 2^T paths, of which C(T + 1, 2) have one run of ones.
  const double expected = double(steps) * std::log(2) - std::log(double(steps) * double(steps + 1) / 2);
  BOOST_TEST(std::abs(ctc(V(x), padded({{1}})).item() - expected) < 1e-9);
  const rw::Variable<float> narrow = rw::zeros<float>({steps, 1, 2});
  BOOST_TEST(std::abs(ctc(narrow, padded({{1}})).item() / expected - 1) < 1e-6);
}

BOOST_AUTO_TEST_CASE(float_keeps_its_digits_over_many_steps) {
  Labels target;
  for (std::size_t i = 0; i < 40; ++i) target.push_back(static_cast<std::int64_t>(i * i % 5 + 1));
  const Tensor<double> wide = logits({400, 1, 6});
  Tensor<float> narrow = rw::empty<float>({400, 1, 6});
  std::copy(wide.begin(), wide.end(), narrow.begin());
  Tape<double> exact;
  Tape<float> tape;
  const V x = exact.watch(wide);
  const rw::Variable<float> y = tape.watch(narrow);
  const V gradient = exact.backward(ctc(x, padded({target})))[x];
  const auto cost = ctc(y, padded({target}));
  for (const bool record : {false, true}) {
    const Tensor<float> ours = tape.backward(cost, {.record = record})[y].value();
    double worst = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      worst = std::max(worst, std::abs(double(ours.data()[i]) - gradient.value().data()[i]));
    }
    BOOST_TEST(worst < 2e-5);
  }
}

BOOST_AUTO_TEST_CASE(logits_of_minus_infinity_exclude_a_class) {
  Tensor<double> masked = logits({4, 1, 4});
  for (std::size_t t = 0; t < 4; ++t) masked.data()[t * 4 + 3] = -infinity;
  Tape<double> tape;
  const V x = tape.watch(masked);
  const V possible = ctc(x, padded({{1, 2}}));
  BOOST_TEST(std::abs(possible.item() + std::log(spelled(masked, 0, 4).at({1, 2}))) < 1e-12);
  const V plain = tape.backward(possible)[x];
  BOOST_TEST(distance(plain, tape.backward(possible, {.record = true})[x]) < 1e-13);
  BOOST_TEST(plain.value().data()[3] == 0);
  BOOST_TEST(ctc(x, padded({{1, 3}})).item() == infinity);
}

BOOST_AUTO_TEST_CASE(too_short_inputs_have_a_policy) {
  // Each target with the steps it needs, and with one too few.
  const std::vector<Labels> targets{{1, 2}, {1, 1}, {1, 2, 2, 1}, {1}};
  const Lengths enough{2, 3, 5, 1}, few{1, 2, 4, 0};
  const auto costs = [&](const V& x, const Lengths& steps, CtcOptions::TooShort policy) {
    return ctc_rows(x, padded(targets),
                    {.input_lengths = steps, .target_lengths = lengths_of(targets), .too_short = policy});
  };
  Tape<double> tape;
  const V x = tape.watch(logits({5, 4, 3}));
  using TooShort = CtcOptions::TooShort;
  for (const TooShort policy : {TooShort::infinite, TooShort::zero, TooShort::refuse}) {
    const V rows = costs(x, enough, policy);
    for (std::size_t b = 0; b < 4; ++b) {
      BOOST_TEST(std::abs(rows.value().data()[b] + std::log(spelled(x.value(), b, enough[b]).at(targets[b]))) < 1e-12);
    }
  }
  for (const TooShort policy : {TooShort::infinite, TooShort::zero}) {
    const V rows = costs(x, few, policy);
    for (const double cost : rows.value()) BOOST_TEST(cost == (policy == TooShort::zero ? 0 : infinity));
    for (const bool record : {false, true}) {
      const auto g = tape.backward(sum(rows), {.record = record});
      BOOST_TEST(distance(g[x].value(), rw::zeros<double>({5, 4, 3})) == 0);
    }
  }
  BOOST_CHECK_EXCEPTION(costs(x, {2, 3, 4, 1}, TooShort::refuse), std::invalid_argument,
                        says("ctc: expected at least 5 steps for the target of row 2; got 4"));
}

BOOST_AUTO_TEST_CASE(nothing_is_spelled_by_no_step) {
  Tape<double> tape;
  const V x = tape.watch(rw::zeros<double>({0, 2, 3}));
  const V rows = ctc_rows(x, padded({{}, {1}}), {.target_lengths = {0, 1}});
  BOOST_TEST(rows.value().data()[0] == 0);
  BOOST_TEST(rows.value().data()[1] == infinity);
  for (const bool record : {false, true}) {
    BOOST_TEST(bool(tape.backward(sum(rows), {.record = record})[x].shape() == rw::Shape{0, 2, 3}));
  }
  BOOST_TEST(ctc_rows(V(rw::zeros<double>({4, 0, 3})), padded({})).size() == 0u);
}

BOOST_AUTO_TEST_CASE(best_path_merges_and_drops_blanks) {
  const Labels path{2, 2, 0, 2, 1, 1, 0, 0, 1};
  Tensor<double> x = rw::zeros<double>({9, 2, 3});
  for (std::size_t t = 0; t < 9; ++t) {
    for (std::size_t b = 0; b < 2; ++b) x.data()[(t * 2 + b) * 3 + static_cast<std::size_t>(path[t])] = 1;
  }
  const std::vector<Labels> expected{{2, 2, 1, 1}, {2, 2, 1}};
  BOOST_TEST((ctc_best_path(x, {.lengths = {9, 5}}) == expected));
  const std::vector<Labels> other{{2, 0, 2, 0}, {2, 0, 2}};
  BOOST_TEST((ctc_best_path(x, {.lengths = {9, 5}, .blank = 1}) == other));
  BOOST_TEST((ctc_best_path(x, {.lengths = {0, 1}}) == std::vector<Labels>{{}, {2}}));
}

BOOST_AUTO_TEST_CASE(wide_beams_are_exact) {
  for (const std::int64_t blank : {0, 2}) {
    const Tensor<double> x = logits({5, 2, 3}, 7);
    const Lengths lengths{5, 4};
    const auto found = ctc_beam_search(x, {.lengths = lengths, .blank = blank, .width = 1000});
    BOOST_TEST(found.size() == 2u);
    for (std::size_t b = 0; b < 2; ++b) {
      const auto all = spelled(x, b, lengths[b], blank);
      BOOST_TEST(found[b].size() == all.size());
      for (std::size_t i = 0; i < found[b].size(); ++i) {
        BOOST_TEST(std::abs(found[b][i].log_probability - std::log(all.at(found[b][i].labels))) < 1e-12);
        if (i > 0) BOOST_TEST(found[b][i].log_probability <= found[b][i - 1].log_probability);
      }
    }
  }
}

// Two steps of blank 0.6 and a 0.4: the best path is blank, blank with 0.36, but a is spelled with 0.64.
BOOST_AUTO_TEST_CASE(beams_find_what_the_best_path_misses) {
  Tensor<double> x = rw::empty<double>({2, 1, 2});
  for (std::size_t t = 0; t < 2; ++t) x.data()[2 * t] = std::log(0.6), x.data()[2 * t + 1] = std::log(0.4);
  BOOST_TEST((ctc_best_path(x) == std::vector<Labels>{{}}));
  const auto best = ctc_beam_search(x, {.width = 2}).front();
  BOOST_TEST((best.front().labels == Labels{1}));
  BOOST_TEST(std::abs(best.front().log_probability - std::log(0.64)) < 1e-15);
  BOOST_TEST(ctc_beam_search(x, {.width = 1}).front().size() == 1u);
}

// Never more probable than the sum over all paths, and no hypothesis twice.
BOOST_AUTO_TEST_CASE(narrow_beams_are_bounded) {
  const Tensor<double> x = logits({12, 1, 5}, 5);
  const auto found = ctc_beam_search(x, {.width = 8}).front();
  BOOST_TEST(found.size() == 8u);
  std::map<Labels, int> seen;
  for (const auto& hypothesis : found) {
    BOOST_TEST(++seen[hypothesis.labels] == 1);
    BOOST_TEST(hypothesis.log_probability <= -ctc(V(x), padded({hypothesis.labels})).item() + 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const auto refused = [](const rw::Shape& shape, const Indices& targets, const CtcOptions& options,
                          const std::string& text) {
    BOOST_CHECK_EXCEPTION(ctc(V(rw::zeros<double>(shape)), targets, options), std::invalid_argument,
                          says("ctc: expected " + text));
  };
  const std::string shapes = "logits [T, B, V] and targets [B, L]; got logits ";
  refused({4, 3}, padded({{1}}), {}, shapes + "[4, 3], targets [1, 1]");
  refused({4, 2, 3}, padded({{1}}), {}, shapes + "[4, 2, 3], targets [1, 1]");
  refused({4, 2, 3}, rw::zeros<std::int64_t>({2}), {}, shapes + "[4, 2, 3], targets [2]");
  refused({4, 1, 3}, padded({{1}}), {.blank = 3}, "a blank in [0, 3); got blank 3");
  refused({4, 1, 3}, padded({{1}}), {.blank = -1}, "a blank in [0, 3); got blank -1");
  refused({4, 2, 3}, padded({{1}, {1}}), {.input_lengths = {4}}, "one input length a row; got 1 lengths, 2 rows");
  refused({4, 1, 3}, padded({{1}}), {.input_lengths = {5}}, "input lengths of at most 4; got 5");
  refused({4, 1, 3}, padded({{1}}), {.target_lengths = {1, 1}}, "one target length a row; got 2 lengths, 1 rows");
  refused({4, 1, 3}, padded({{1}}), {.target_lengths = {2}}, "target lengths of at most 1; got 2");
  const std::string labels = "labels in [0, 3) other than the blank ";
  refused({4, 2, 3}, padded({{1}, {3}}), {}, labels + "0; got label 3 in row 1");
  refused({4, 2, 3}, padded({{-1}, {1}}), {}, labels + "0; got label -1 in row 0");
  refused({4, 1, 3}, padded({{2, 0}}), {}, labels + "0; got label 0 in row 0");
  refused({4, 1, 3}, padded({{0, 2}}), {.blank = 2}, labels + "2; got label 2 in row 0");

  const Tensor<double> x = rw::zeros<double>({4, 1, 3});
  BOOST_CHECK_EXCEPTION(ctc_best_path(rw::zeros<double>({4, 3})), std::invalid_argument,
                        mentions("ctc_best_path: expected "));
  BOOST_CHECK_EXCEPTION(ctc_best_path(x, {.lengths = {5}}), std::invalid_argument,
                        says("ctc_best_path: expected input lengths of at most 4; got 5"));
  BOOST_CHECK_EXCEPTION(ctc_best_path(x, {.blank = 3}), std::invalid_argument,
                        says("ctc_best_path: expected a blank in [0, 3); got blank 3"));
  BOOST_CHECK_EXCEPTION(ctc_beam_search(x, {.width = 0}), std::invalid_argument,
                        says("ctc_beam_search: expected a width of at least 1; got 0"));
  Tensor<double> broken = x;
  broken.data()[7] = NAN;
  BOOST_CHECK_EXCEPTION(ctc_beam_search(broken), std::invalid_argument,
                        says("ctc_beam_search: expected numbers in the valid steps; got NaN in row 0 at step 2"));
  BOOST_TEST(ctc_beam_search(broken, {.lengths = {2}}).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
