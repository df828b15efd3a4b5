#include "examples/translate/decode.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "autograd/ops/softmax.hpp"
#include "optim/adam.hpp"
#include "tests/translate/tiny.hpp"

using namespace translate;
using Words = std::vector<int>;

namespace {

std::vector<Words> sources(std::size_t count, std::uint64_t seed) {
  std::vector<Words> all;
  for (Encoded& pair : tiny::pairs(count, seed)) all.push_back(std::move(pair.source));
  return all;
}

Model<double> briefly_trained(std::uint64_t seed) {
  auto model = tiny::model(seed);
  const auto pairs = tiny::pairs(30, seed);
  const Batch batch = make_batch(pairs, tiny::range(0, pairs.size()));
  rw::optim::Adam<double> adam({.learning_rate = 0.02});
  for (int step = 0; step < 60; ++step) {
    rw::Tape<double> tape;
    const auto gradients = tape.backward(model.loss(batch, 0, nullptr) * (1.0 / double(batch.target_tokens)));
    adam.step(model.parameters(), gradients);
  }
  return model;
}

std::string text_of(const std::vector<Words>& sentences) {
  std::string text;
  for (const Words& words : sentences) {
    for (const int word : words) text += std::to_string(word) + " ";
    text += "| ";
  }
  return text;
}

/// log P of each next word after `words`, read from the start.
std::vector<double> next_word(const Model<double>& model, const Words& source, const Words& words) {
  rw::Indices ids;
  std::vector<std::size_t> lengths;
  pad_sources({source}, ids, lengths);
  const auto encoded = model.encode(ids, lengths, nullptr);
  auto next = model.next(rw::tensor<std::int64_t>({1}, {Subwords::bos}), encoded.state, encoded.memory);
  for (const int word : words) next = model.next(rw::tensor<std::int64_t>({1}, {word}), next.state, encoded.memory);
  const rw::Tensor<double> logp = rw::log_softmax(next.logits).value();
  return {logp.begin(), logp.end()};
}

/// Beam search as one would say it, without batches and remembered states.
Words plain_beam_search(const Model<double>& model, const Words& source, std::size_t size, double alpha) {
  struct Hypothesis {
    Words words;
    double score;
    bool done;
  };
  std::vector<Hypothesis> open = {{{}, 0, false}}, finished;
  while (!open.empty()) {
    std::vector<Hypothesis> longer;
    for (const Hypothesis& h : open) {
      const auto logp = next_word(model, source, h.words);
      for (int word = Subwords::eos; word < static_cast<int>(logp.size()); ++word) {
        const bool done = word == Subwords::eos || h.words.size() == longest_translation(source.size());
        longer.push_back({h.words, h.score + logp[static_cast<std::size_t>(word)], done});
        if (!done) longer.back().words.push_back(word);
      }
    }
    std::stable_sort(longer.begin(), longer.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    longer.resize(std::min(longer.size(), size - finished.size()));
    open.clear();
    for (const Hypothesis& h : longer) (h.done ? finished : open).push_back(h);
  }
  const auto value = [&](const Hypothesis& h) { return h.score / std::pow((5.0 + double(h.words.size())) / 6, alpha); };
  return std::max_element(finished.begin(), finished.end(),
                          [&](const auto& a, const auto& b) { return value(a) < value(b); })
      ->words;
}

void set_output_bias(Model<double>& model, double all, int word, double its) {
  model.output.bias->update([&](rw::Tensor<double>& bias) {
    bias.fill(all);
    bias.data()[word] = its;
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(translate_decode)

BOOST_AUTO_TEST_CASE(a_beam_of_one_is_greedy) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Model<double> model = seed <= 3 ? tiny::model(seed) : briefly_trained(seed);
    const auto batch = sources(20, 10 + seed);
    BOOST_TEST(text_of(beam_search(model, batch, {.size = 1})) == text_of(greedy(model, batch)));
  }
}

BOOST_AUTO_TEST_CASE(greedy_takes_the_likeliest_word_each_time) {
  const Model<double> model = briefly_trained(2);
  const auto batch = sources(6, 5);
  const auto translations = greedy(model, batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Words words;
    while (words.size() < longest_translation(batch[i].size())) {
      const auto logp = next_word(model, batch[i], words);
      const auto best = std::max_element(logp.begin() + Subwords::eos, logp.end()) - logp.begin();
      if (best == Subwords::eos) break;
      words.push_back(static_cast<int>(best));
    }
    BOOST_TEST(text_of({translations[i]}) == text_of({words}));
  }
}

BOOST_AUTO_TEST_CASE(a_beam_keeps_the_likeliest_translations) {
  for (const std::uint64_t seed : {1, 4}) {
    const Model<double> model = seed == 1 ? tiny::model(seed) : briefly_trained(seed);
    const auto batch = sources(5, 20 + seed);
    for (const std::size_t size : {2, 5}) {
      for (const double alpha : {0.0, 1.0}) {
        std::vector<Words> plain;
        for (const Words& source : batch) plain.push_back(plain_beam_search(model, source, size, alpha));
        BOOST_TEST(text_of(beam_search(model, batch, {.size = size, .length_penalty = alpha})) == text_of(plain));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_rest_of_the_batch_does_not_matter) {
  const Model<double> model = briefly_trained(5);
  const auto batch = sources(12, 6);
  std::vector<Words> one_by_one, first_ones;
  for (const Words& source : batch) {
    one_by_one.push_back(beam_search(model, {source}, {.size = 4}).front());
    first_ones.push_back(greedy(model, {source}).front());
  }
  BOOST_TEST(text_of(beam_search(model, batch, {.size = 4})) == text_of(one_by_one));
  BOOST_TEST(text_of(greedy(model, batch)) == text_of(first_ones));
}

BOOST_AUTO_TEST_CASE(equal_scores_are_decided_by_the_smaller_number) {
  auto model = tiny::model();
  for (const auto& entry : model.parameters()) entry.parameter->assign(rw::zeros<double>(entry.parameter->shape()));
  const std::vector<Words> batch = {{3, 4, 2}, {2}};
  // Three are kept: nothing, then 3, then 3 3, of log-probability s, 2s and 3s. The longest wins where
  // 3 / (7/6)^alpha < 1 / (5/6)^alpha, that is alpha > 3.27.
  BOOST_TEST(text_of(beam_search(model, batch, {.size = 3, .length_penalty = 3.5})) == "3 3 | 3 3 | ");
  BOOST_TEST(text_of(beam_search(model, batch, {.size = 3, .length_penalty = 3})) == "| | ");
  BOOST_TEST(text_of(beam_search(model, batch, {.size = 3, .length_penalty = 0})) == "| | ");
  BOOST_TEST(text_of(greedy(model, batch)) == "| | ");
}

BOOST_AUTO_TEST_CASE(a_translation_ends_at_the_longest) {
  auto model = tiny::model();
  set_output_bias(model, 0, 5, 1000);
  BOOST_TEST(longest_translation(3) == 16u);
  const std::vector<Words> batch = {{3, 4, 2}, {2}, {3, 3, 3, 3, 2}};
  for (const auto& translations :
       {greedy(model, batch), beam_search(model, batch, {.size = 1}), beam_search(model, batch, {.size = 3})}) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      BOOST_TEST(translations[i].size() == longest_translation(batch[i].size()));
      BOOST_TEST(translations[i].back() == 5);
    }
  }
}

BOOST_AUTO_TEST_CASE(pad_and_bos_never_stand_in_a_translation) {
  for (const int forbidden : {Subwords::pad, Subwords::bos}) {
    auto model = tiny::model();
    set_output_bias(model, 0, forbidden, 1000);
    for (const auto& translations : {greedy(model, {{3, 2}}), beam_search(model, {{3, 2}}, {.size = 9})}) {
      BOOST_TEST(std::count(translations[0].begin(), translations[0].end(), forbidden) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_beam_wider_than_the_vocabulary_is_fine) {
  const auto model = tiny::model();
  const Words source = {3, 2};
  BOOST_TEST(text_of(beam_search(model, {source}, {.size = 20})) == text_of({plain_beam_search(model, source, 20, 1)}));
}

BOOST_AUTO_TEST_CASE(a_model_of_nans_gives_nothing) {
  auto model = tiny::model();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  set_output_bias(model, nan, 5, nan);
  for (const std::size_t size : {1, 3}) BOOST_TEST(text_of(beam_search(model, {{3, 2}}, {.size = size})) == "| ");
  BOOST_TEST(text_of(greedy(model, {{3, 2}})) == "| ");
}

BOOST_AUTO_TEST_CASE(a_beam_has_a_size) {
  BOOST_CHECK_EXCEPTION(beam_search(tiny::model(), {{3, 2}}, {.size = 0}), std::invalid_argument,
                        common::says("beam_search: expected a beam of at least one; got 0"));
}

BOOST_AUTO_TEST_SUITE_END()
