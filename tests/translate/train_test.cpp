#include "examples/translate/train.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>

#include "autograd/shards.hpp"
#include "examples/translate/evaluate.hpp"
#include "nn/safetensors.hpp"
#include "tests/folder.hpp"
#include "tests/translate/tiny.hpp"

using namespace translate;

namespace {

const ModelSettings small = {.embedding = 12, .hidden = 16, .dropout = 0.1};

const volatile std::sig_atomic_t go_on = 0, stop = 1;
rw::optim::Ranks alone;

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

/// The parameters, one after the other.
std::vector<float> numbers(const rw::nn::Parameters<float>& parameters) {
  std::vector<float> all;
  for (const auto& entry : parameters) {
    all.insert(all.end(), entry.parameter->value().begin(), entry.parameter->value().end());
  }
  return all;
}

/// The parameters after some steps.
std::vector<float> learnt(std::size_t threads, std::uint64_t seed, double dropout) {
  Model<float> m = model(dropout);
  TrainSettings s = settings(threads);
  s.seed = seed;
  Trainer trainer(m, s, alone);
  const auto pairs = tiny::pairs(24);
  for (int step = 0; step < 5; ++step) trainer.step(pairs, tiny::range(0, 24), 1e-2);
  return numbers(m.parameters());
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

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The lines of a curve, without the seconds.
std::vector<std::string> curve(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line.substr(0, line.find(",\"seconds\"")));
  return lines;
}

template <class T = float>
bool run(const std::vector<Pair>& pairs, const std::vector<Pair>& valid, const TrainSettings& s,
         const TrainFiles& files, const volatile std::sig_atomic_t& flag) {
  return train<T>(pairs, valid, small, s, files, alone, flag);
}

const std::vector<Pair>& valid() {
  static const std::vector<Pair> pairs(tiny::corpus().begin(), tiny::corpus().begin() + 5);
  return pairs;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(translate_train, Folder)

BOOST_AUTO_TEST_CASE(steps_lower_the_loss) {
  Model<float> m = model(0.1);
  const TrainSettings s = settings();
  Trainer trainer(m, s, alone);
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

BOOST_AUTO_TEST_CASE(steps_that_are_not_finite_change_nothing) {
  Model<float> m = model(0);
  const TrainSettings s = settings();
  Trainer trainer(m, s, alone);
  const auto parameters = m.parameters();
  const auto last =
      std::find_if(parameters.begin(), parameters.end(), [](auto& p) { return p.name == "output.weight"; });
  last->parameter->update([](rw::Tensor<float>& x) { x.fill(INFINITY); });
  const auto before = numbers(m.parameters());
  BOOST_TEST(trainer.skipped() == 0u);
  for (int step = 0; step < 10; ++step) trainer.step(tiny::pairs(24), tiny::range(0, 24), 1e-2);
  BOOST_TEST(trainer.skipped() == 10u);
  BOOST_TEST((numbers(m.parameters()) == before));
  BOOST_CHECK_EXCEPTION(trainer.step(tiny::pairs(24), tiny::range(0, 24), 1e-2), std::runtime_error,
                        tiny::mentions("expected a finite norm within 11 steps"));
}

// Of a run whose state says that it skipped three.
BOOST_AUTO_TEST_CASE(skipped_steps_are_told_with_the_epoch) {
  TrainFiles files{.model = file("model"), .log = file("log"), .quiet = true};
  for (const bool any : {false, true}) {
    files.resume = false;
    run(tiny::corpus(), valid(), settings(), files, stop);
    auto state = rw::nn::read_safetensors(files.snapshot());
    BOOST_TEST(*state.get<double>("finite.skipped").data() == 0);
    if (any) state.tensors["finite.skipped"] = rw::scalar<double>(3);
    rw::nn::write_safetensors(files.snapshot(), state);
    files.resume = true;
    BOOST_TEST(run(tiny::corpus(), valid(), settings(), files, go_on));
    std::ifstream log(files.log);
    int epochs = 0;
    for (std::string line; std::getline(log, line);) {
      const auto values = nlohmann::json::parse(line);
      const bool told = any && values.contains("bleu");
      epochs += values.contains("bleu");
      BOOST_TEST(values.contains("skipped") == told);
      if (told) BOOST_TEST(values.at("skipped") == 3);
    }
    BOOST_TEST(epochs == 2);
  }
  BOOST_TEST(app::skipped_text(0) == "");
  BOOST_TEST(app::skipped_text(3) == "  (steps skipped: 3)");
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

BOOST_AUTO_TEST_CASE(gradients_of_all_numbers_of_workers_are_those_of_one_tape) {
  Model<double> m = tiny::model();
  const auto pairs = tiny::pairs(25);
  const auto loss = [&](const rw::Shard& s) {
    return m.loss(make_batch(pairs, tiny::range(s.begin, s.end)), 0.1, nullptr);
  };
  rw::Tape<double> tape;
  const auto whole = loss({0, 0, pairs.size()});
  const auto expected = tape.backward(whole);
  for (const std::size_t count : {1, 2, 3}) {
    rw::Workers workers(count);
    const auto got = rw::learn<double>(workers, pairs.size(), loss);
    BOOST_TEST(std::abs(got.loss - whole.item()) <= 1e-12 * whole.item());
    for (const auto& [name, parameter] : m.parameters()) {
      BOOST_TEST(expected.has(*parameter), name);
      BOOST_TEST(common::distance(got.gradients[*parameter], expected[*parameter]) <= 1e-12,
                 name << ", " << count << " workers");
    }
  }
}

BOOST_AUTO_TEST_CASE(training_learns_and_keeps_the_model) {
  const auto loss_of = [&](const Translator& t) {
    const auto pairs = encode_pairs(tiny::corpus(), t.source, t.target);
    const Batch batch = make_batch(pairs, tiny::range(0, pairs.size()));
    return double(t.model.loss(batch, 0, nullptr).item()) / double(batch.target_tokens);
  };
  TrainSettings s = settings();
  s.epochs = 8;
  BOOST_TEST(run(tiny::corpus(), valid(), s, {.model = file("model")}, go_on));
  BOOST_TEST(files() == 1u);
  const Translator t = load_translator(file("model"));
  rw::Random random(1);
  const Translator untrained{t.source, t.target, Model<float>(t.model.settings, random)};
  BOOST_TEST(loss_of(t) < 0.8 * loss_of(untrained));
}

BOOST_AUTO_TEST_CASE(training_again_gives_the_same_model) {
  for (const char* name : {"one", "two"}) run(tiny::corpus(), valid(), settings(), {.model = file(name)}, go_on);
  BOOST_TEST((bytes_of(file("one")) == bytes_of(file("two"))));
  TrainSettings other = settings();
  other.seed = 2;
  run(tiny::corpus(), valid(), other, {.model = file("two")}, go_on);
  BOOST_TEST((bytes_of(file("one")) != bytes_of(file("two"))));
}

BOOST_AUTO_TEST_CASE(a_stop_keeps_the_model) {
  BOOST_TEST(!run(tiny::corpus(), valid(), settings(), {.model = file("model")}, stop));
  BOOST_TEST(files() == 2u);  // and the state of the run
  BOOST_TEST(load_translator(file("model")).translate({"A cat."}, {}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(stopped_after_every_batch_it_learns_the_same) {
  const TrainFiles straight{.model = file("straight"), .log = file("straight.jsonl")};
  BOOST_TEST(run(tiny::corpus(), valid(), settings(), straight, go_on));
  TrainFiles files{.model = file("model"), .log = file("log.jsonl")};
  std::size_t stops = 0;
  for (; !run(tiny::corpus(), valid(), settings(), files, stop); ++stops) {
    BOOST_TEST_REQUIRE(stops < 100u);
    BOOST_TEST(std::filesystem::exists(files.snapshot()));
    BOOST_TEST(load_translator(files.model).translate({"A cat."}, {}).size() == 1u);
    files.resume = true;
    std::ofstream(files.log, std::ios::app) << "what a killed run logged after its last state\n";
  }
  BOOST_TEST(stops == 8u);  // batches of two epochs
  BOOST_TEST((text_of(files.model) == text_of(straight.model)));
  BOOST_TEST(curve(files.log) == curve(straight.log), boost::test_tools::per_element());
  BOOST_TEST(curve(files.log).size() == 10u);
  BOOST_TEST(!std::filesystem::exists(files.snapshot()));
}

BOOST_AUTO_TEST_CASE(double_learns_what_float_does) {
  const TrainFiles in_float{.model = file("float")}, in_double{.model = file("double")};
  run(tiny::corpus(), valid(), settings(), in_float, go_on);
  TrainFiles files = in_double;
  while (!run<double>(tiny::corpus(), valid(), settings(), files, files.resume ? go_on : stop)) files.resume = true;
  Translator a = load_translator(in_float.model), b = load_translator(in_double.model);
  double worst = 0;
  for (const auto& [name, parameter] : a.model.parameters()) {
    const auto difference = *parameter - *b.model.parameters().find(name);
    for (const float x : difference.value()) worst = std::max(worst, std::abs(double(x)));
  }
  BOOST_TEST(worst > 0);
  BOOST_TEST(worst < 1e-2);
}

BOOST_AUTO_TEST_CASE(only_the_same_run_is_resumed) {
  TrainFiles files{.model = file("model"), .resume = true};
  const auto refused = [&](const std::string& why, const std::vector<Pair>& pairs, const TrainSettings& s) {
    BOOST_CHECK_EXCEPTION(run(pairs, valid(), s, files, stop), std::runtime_error, tiny::mentions(why));
  };
  const std::string snapshot = files.snapshot();
  refused("train: expected a run to resume at " + snapshot + "; got none", tiny::corpus(), settings());
  files.resume = false;
  run(tiny::corpus(), valid(), settings(), files, stop);
  const std::string state = text_of(snapshot), model = text_of(files.model);
  files.resume = true;
  const std::string as = ", as " + snapshot + " began; got ";
  TrainSettings other = settings();
  other.batch = 8;
  refused("train: expected --batch 16" + as + "8", tiny::corpus(), other);
  refused("train: expected --threads of all processes 2" + as + "3", tiny::corpus(), settings(3));
  other = settings();
  other.learning_rate = 1e-3;
  refused("train: expected --learning-rate 0.005" + as + "0.001", tiny::corpus(), other);
  std::vector<Pair> pairs = tiny::corpus();
  pairs[7].target += "!";
  refused("train: expected --corpus \"60 pairs, ", pairs, settings());
  BOOST_CHECK_EXCEPTION(run<double>(tiny::corpus(), valid(), settings(), files, stop), std::runtime_error,
                        tiny::mentions("train: expected --precision \"float\"" + as + "\"double\""));
  std::ofstream(snapshot, std::ios::binary) << state.substr(0, state.size() / 2);
  refused(snapshot + ": not the state of a run: ", tiny::corpus(), settings());
  BOOST_TEST((text_of(files.model) == model));
  std::ofstream(snapshot, std::ios::binary) << state;
  BOOST_TEST(!run(tiny::corpus(), valid(), settings(), files, stop));
}

BOOST_AUTO_TEST_CASE(too_long_sentences_do_not_stop_training) {
  std::string words = "word";
  for (std::size_t i = 0; i < longest_sentence; ++i) words += " word";
  const std::vector<Pair> too_long = {{words, "mot"}};
  std::vector<Pair> pairs = tiny::corpus(), held_out = valid();
  pairs.push_back(too_long[0]);
  held_out.push_back(too_long[0]);
  TrainSettings s = settings();
  s.epochs = 1;
  BOOST_TEST(run(pairs, held_out, s, {.model = file("model")}, go_on));
  BOOST_CHECK_EXCEPTION(run(too_long, held_out, s, {.model = file("model")}, stop), std::runtime_error,
                        common::says("train: every sentence pair is too long to learn from"));
  BOOST_CHECK_EXCEPTION(run(pairs, too_long, s, {.model = file("model")}, stop), std::runtime_error,
                        common::says("train: every sentence to validate on is too long to translate"));
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_refused_at_once) {
  for (const std::string& place : {file("none/model"), path.string(), std::string()}) {
    BOOST_CHECK_EXCEPTION(run(tiny::corpus(), valid(), settings(), {.model = place}, stop), std::runtime_error,
                          tiny::mentions("expected a place for the model; got " + place + ": "));
  }
  BOOST_TEST(files() == 0u);
}

BOOST_AUTO_TEST_CASE(the_summary_is_one_line) {
  const Evaluation e{std::vector<std::string>(500), 41.23, 60.06, 12};
  BOOST_TEST(summary(e, {.size = 5}) == "BLEU 41.2  chrF 60.1  exact 12.0%  500 sentences  beam 5");
}

BOOST_AUTO_TEST_SUITE_END()
