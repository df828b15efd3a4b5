#include "examples/translate/train.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "examples/translate/evaluate.hpp"
#include "tests/folder.hpp"
#include "tests/translate/tiny.hpp"

using namespace translate;

namespace {

const ModelSettings small = {.embedding = 12, .hidden = 16, .dropout = 0.1};

TrainSettings settings(std::size_t threads = 2) {
  return {.vocabulary = 300, .epochs = 2, .batch = 16, .threads = threads, .learning_rate = 5e-3};
}

Model<float> model(double dropout) {
  rw::Random random(1);
  return Model<float>({.source_vocabulary = tiny::vocabulary,
                       .target_vocabulary = tiny::vocabulary,
                       .embedding = 8,
                       .hidden = 16,
                       .dropout = dropout},
                      random);
}

/// The parameters after some steps, one after the other.
std::vector<float> learnt(std::size_t threads, std::uint64_t seed, double dropout) {
  Model<float> m = model(dropout);
  TrainSettings s = settings(threads);
  s.seed = seed;
  Trainer trainer(m, s);
  const auto pairs = tiny::pairs(24);
  for (int step = 0; step < 5; ++step) trainer.step(pairs, tiny::range(0, 24), 1e-2);
  std::vector<float> all;
  for (const auto& entry : m.parameters()) {
    all.insert(all.end(), entry.parameter->value().begin(), entry.parameter->value().end());
  }
  return all;
}

std::string bytes_of(const std::filesystem::path& path) {
  Translator t = load_translator(path);
  std::string bytes;
  for (const auto& entry : t.model.parameters()) {
    const auto& value = entry.parameter->value();
    bytes.append(reinterpret_cast<const char*>(value.data()), value.size() * sizeof(float));
  }
  return bytes;
}

const std::vector<Pair>& valid() {
  static const std::vector<Pair> pairs(tiny::corpus().begin(), tiny::corpus().begin() + 5);
  return pairs;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(translate_train, Folder)

BOOST_AUTO_TEST_CASE(steps_lower_the_loss) {
  Model<float> m = model(0.1);
  Trainer trainer(m, settings());
  const auto pairs = tiny::pairs(24);
  const auto all = tiny::range(0, 24);
  const double first = trainer.step(pairs, all, 1e-2);
  // Untrained, each word is about as likely as any other.
  BOOST_TEST(std::abs(first / double(make_batch(pairs, all).target_tokens) - std::log(8)) < 0.5);
  double last = first;
  for (int step = 0; step < 60; ++step) last = trainer.step(pairs, all, 1e-2);
  BOOST_TEST(last < 0.75 * first);
  BOOST_TEST(std::isfinite(last));
  BOOST_CHECK_EXCEPTION(trainer.step(pairs, {}, 1e-2), std::invalid_argument,
                        common::says("Trainer::step: expected at least one pair; got 0"));
}

BOOST_AUTO_TEST_CASE(the_same_seed_and_threads_give_the_same_bits) {
  for (const std::size_t threads : {1, 2, 3}) {
    BOOST_TEST((learnt(threads, 1, 0.2) == learnt(threads, 1, 0.2)));
    BOOST_TEST((learnt(threads, 1, 0.2) != learnt(threads, 2, 0.2)));
  }
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_matters_for_rounding_only) {
  const auto one = learnt(1, 1, 0);
  for (const std::size_t threads : {2, 5, 40}) {  // 40: more than pairs
    const auto several = learnt(threads, 1, 0);
    float worst = 0;
    for (std::size_t i = 0; i < one.size(); ++i) worst = std::max(worst, std::abs(one[i] - several[i]));
    BOOST_TEST(worst < 2e-4);
  }
}

BOOST_AUTO_TEST_CASE(training_learns_and_keeps_the_model) {
  const volatile std::sig_atomic_t go_on = 0;
  const auto loss_of = [&](const Translator& t) {
    const auto pairs = encode_pairs(tiny::corpus(), t.source, t.target);
    const Batch batch = make_batch(pairs, tiny::range(0, pairs.size()));
    return double(t.model.loss(batch, 0, nullptr).item()) / double(batch.target_tokens);
  };
  TrainSettings s = settings();
  s.epochs = 8;
  BOOST_TEST(train(tiny::corpus(), valid(), small, s, file("model"), go_on));
  BOOST_TEST(files() == 1u);
  const Translator t = load_translator(file("model"));
  rw::Random random(1);
  const Translator untrained{t.source, t.target, Model<float>(t.model.settings, random)};
  BOOST_TEST(loss_of(t) < 0.8 * loss_of(untrained));
}

BOOST_AUTO_TEST_CASE(training_again_gives_the_same_model) {
  const volatile std::sig_atomic_t go_on = 0;
  for (const char* name : {"one", "two"}) train(tiny::corpus(), valid(), small, settings(), file(name), go_on);
  BOOST_TEST((bytes_of(file("one")) == bytes_of(file("two"))));
  TrainSettings other = settings();
  other.seed = 2;
  train(tiny::corpus(), valid(), small, other, file("two"), go_on);
  BOOST_TEST((bytes_of(file("one")) != bytes_of(file("two"))));
}

BOOST_AUTO_TEST_CASE(a_stop_keeps_the_model) {
  const volatile std::sig_atomic_t stop = 1;
  BOOST_TEST(!train(tiny::corpus(), valid(), small, settings(), file("model"), stop));
  BOOST_TEST(files() == 1u);
  BOOST_TEST(load_translator(file("model")).translate({"A cat."}, {}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(too_long_sentences_do_not_stop_training) {
  const volatile std::sig_atomic_t stop = 1, go_on = 0;
  std::string words = "word";
  for (std::size_t i = 0; i < longest_sentence; ++i) words += " word";
  const std::vector<Pair> too_long = {{words, "mot"}};
  std::vector<Pair> pairs = tiny::corpus(), held_out = valid();
  pairs.push_back(too_long[0]);
  held_out.push_back(too_long[0]);
  TrainSettings s = settings();
  s.epochs = 1;
  BOOST_TEST(train(pairs, held_out, small, s, file("model"), go_on));
  BOOST_CHECK_EXCEPTION(train(too_long, held_out, small, s, file("model"), stop), std::runtime_error,
                        common::says("train: every sentence pair is too long to learn from"));
  BOOST_CHECK_EXCEPTION(train(pairs, too_long, small, s, file("model"), stop), std::runtime_error,
                        common::says("train: every sentence to validate on is too long to translate"));
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_refused_at_once) {
  const volatile std::sig_atomic_t stop = 1;
  for (const std::string& place : {file("none/model"), path.string(), std::string()}) {
    BOOST_CHECK_EXCEPTION(train(tiny::corpus(), valid(), small, settings(), place, stop), std::runtime_error,
                          tiny::mentions("train: expected a place for the model; got " + place + ": "));
  }
  BOOST_TEST(files() == 0u);
}

BOOST_AUTO_TEST_CASE(the_summary_is_one_line) {
  const Evaluation e{std::vector<std::string>(500), 41.23, 60.06, 12};
  BOOST_TEST(summary(e, {.size = 5}) == "BLEU 41.2  chrF 60.1  exact 12.0%  500 sentences  beam 5");
}

BOOST_AUTO_TEST_SUITE_END()
