#include "examples/translate/model.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

#include "autograd/gradcheck.hpp"
#include "tests/translate/tiny.hpp"

using namespace translate;

namespace {

rw::Gradients<double> gradients(const Model<double>& model, const Batch& batch) {
  rw::Tape<double> tape;
  return tape.backward(model.loss(batch, 0.1, nullptr));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(translate_model)

BOOST_AUTO_TEST_CASE(parameters_have_stable_names) {
  const std::vector<std::string> expected = {"source_embedding.weight",
                                             "target_embedding.weight",
                                             "encoder.forward.weight_ih",
                                             "encoder.forward.weight_hh",
                                             "encoder.forward.bias",
                                             "encoder.forward.bias_hn",
                                             "encoder.backward.weight_ih",
                                             "encoder.backward.weight_hh",
                                             "encoder.backward.bias",
                                             "encoder.backward.bias_hn",
                                             "bridge.weight",
                                             "bridge.bias",
                                             "attention.score",
                                             "attention.query.weight",
                                             "attention.memory.weight",
                                             "attention.memory.bias",

                                             "decoder.weight_ih",
                                             "decoder.weight_hh",
                                             "decoder.bias",
                                             "decoder.bias_hn",
                                             "context.weight",
                                             "readout.weight",
                                             "readout.bias",
                                             "output.weight",
                                             "output.bias"};
  auto model = tiny::model();
  std::vector<std::string> names;
  for (const auto& entry : model.parameters()) names.push_back(entry.name);
  BOOST_TEST(names == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_gradients_of_the_loss_are_right) {
  for (const double dropout : {0.0, 0.3}) {
    auto model = tiny::model(1, dropout);
    const auto pairs = tiny::pairs(3);
    const Batch batch = make_batch(pairs, tiny::range(0, 3));
    const auto loss = [&](const auto&) {
      rw::Random random(7);
      return model.loss(batch, 0.1, &random);
    };
    const auto report = rw::check_gradients("loss", loss, {}, {.parameters = model.parameters()});
    BOOST_TEST(report.ok, report.message);
  }
}

BOOST_AUTO_TEST_CASE(padding_changes_nothing) {
  const auto model = tiny::model();
  const auto pairs = tiny::pairs(9);
  for (const double smoothing : {0.0, 0.1}) {
    double alone = 0;
    for (std::size_t i = 0; i < 9; ++i) {
      alone += model.loss(make_batch(pairs, std::vector{i}), smoothing, nullptr).item();
    }
    BOOST_TEST(std::abs(model.loss(make_batch(pairs, tiny::range(0, 9)), smoothing, nullptr).item() - alone) < 1e-10);
  }
}

BOOST_AUTO_TEST_CASE(the_gradients_of_shards_add_up) {
  auto model = tiny::model();
  const auto pairs = tiny::pairs(8);
  const auto whole = gradients(model, make_batch(pairs, tiny::range(0, 8)));
  auto sum = gradients(model, make_batch(pairs, tiny::range(0, 3)));
  sum += gradients(model, make_batch(pairs, tiny::range(3, 8)));
  for (const auto& entry : model.parameters()) {
    BOOST_TEST(common::distance(sum[*entry.parameter], whole[*entry.parameter]) < 1e-12, entry.name);
    BOOST_TEST(common::distance(whole[*entry.parameter], rw::zeros<double>(entry.parameter->shape())) > 1e-6,
               entry.name);
  }
}

BOOST_AUTO_TEST_CASE(embeddings_have_row_sparse_gradients) {
  const auto model = tiny::model();
  const Batch batch = make_batch({{{3, 5, 2}, {4, 2}}, {{5, 2}, {4, 6, 2}}}, tiny::range(0, 2));
  const auto g = gradients(model, batch);
  const auto ids = [&](const rw::Parameter<double>& table) {
    const auto* rows = g.rows(table);
    return rows == nullptr ? std::set<std::int64_t>{} : std::set(rows->ids.begin(), rows->ids.end());
  };
  BOOST_TEST((ids(model.source_embedding.weight) == std::set<std::int64_t>{0, 2, 3, 5}));
  BOOST_TEST((ids(model.target_embedding.weight) == std::set<std::int64_t>{1, 2, 4, 6}));
}

BOOST_AUTO_TEST_CASE(dropout_follows_its_seed) {
  const auto model = tiny::model(1, 0.3);
  const auto pairs = tiny::pairs(4);
  const Batch batch = make_batch(pairs, tiny::range(0, 4));
  const auto loss = [&](std::uint64_t seed) {
    rw::Random random(seed);
    return model.loss(batch, 0, &random).item();
  };
  BOOST_TEST(loss(1) == loss(1));
  BOOST_TEST(loss(1) != loss(2));
  BOOST_TEST(loss(1) != model.loss(batch, 0, nullptr).item());
  BOOST_TEST(model.loss(batch, 0, nullptr).item() == model.loss(batch, 0, nullptr).item());
}

BOOST_AUTO_TEST_CASE(writing_word_by_word_gives_the_loss) {
  const auto model = tiny::model();
  const auto pairs = tiny::pairs(1, 3);
  const Batch batch = make_batch(pairs, tiny::range(0, 1));
  const auto encoded = model.encode(batch.source, batch.source_lengths, nullptr);
  rw::Variable<double> state = encoded.state;
  double loss = 0;
  for (std::size_t t = 0; t < pairs[0].target.size(); ++t) {
    const auto next = model.next(rw::tensor<std::int64_t>({1}, {batch.target_in.data()[t]}), state, encoded.memory);
    state = next.state;
    loss -= rw::log_softmax(next.logits).value().data()[pairs[0].target[t]];
    BOOST_TEST(std::abs(sum(next.alignment).item() - 1) < 1e-12);
  }
  BOOST_TEST(std::abs(loss - model.loss(batch, 0, nullptr).item()) < 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(translate_batches)

BOOST_AUTO_TEST_CASE(batches_are_padded_time_outermost) {
  const Batch b =
      make_batch({{{9, 2}, {9, 2}}, {{3, 4, 2}, {5, 2}}, {{6, 2}, {7, 3, 4, 2}}}, std::vector<std::size_t>{1, 2});
  const auto is = [](const rw::Indices& ids, const rw::Shape& shape, std::vector<std::int64_t> values) {
    return ids.shape() == shape && std::equal(ids.begin(), ids.end(), values.begin(), values.end());
  };
  BOOST_TEST(is(b.source, {3, 2}, {3, 6, 4, 2, 2, 0}));
  BOOST_TEST(is(b.target_in, {4, 2}, {1, 1, 5, 7, 2, 3, 0, 4}));
  BOOST_TEST(is(b.target_out, {4, 2}, {5, 7, 2, 3, 0, 4, 0, 2}));
  BOOST_TEST((b.source_lengths == std::vector<std::size_t>{3, 2}));
  BOOST_TEST(b.target_tokens == 6u);
  BOOST_CHECK_EXCEPTION(make_batch({}, {}), std::invalid_argument,
                        common::says("make_batch: expected at least one pair; got 0"));

  rw::Indices ids;
  std::vector<std::size_t> lengths = {99};
  pad_sources({{3, 2}, {2}}, ids, lengths);
  BOOST_TEST(is(ids, {2, 2}, {3, 2, 2, 0}));
  BOOST_TEST((lengths == std::vector<std::size_t>{2, 1}));
}

BOOST_AUTO_TEST_CASE(buckets_hold_each_pair_once) {
  for (const std::size_t count : {0, 1, 7, 8, 400, 401, 1003}) {
    const auto pairs = tiny::pairs(count);
    rw::Random random(3), again(3), other(4);
    const auto buckets = bucketed(pairs, 8, random);
    std::vector<std::size_t> seen;
    std::size_t padding = 0;
    for (const auto& bucket : buckets) {
      BOOST_TEST((bucket.size() >= 1 && bucket.size() <= 8));
      seen.insert(seen.end(), bucket.begin(), bucket.end());
      const Batch batch = make_batch(pairs, bucket);
      padding += batch.target_out.size() - batch.target_tokens;
    }
    BOOST_TEST(padding <= 8 * 7 * (count / 400 + 1));  // a pool is sorted: its lengths rise from batch to batch
    BOOST_TEST((buckets == bucketed(pairs, 8, again)));
    if (count > 8) BOOST_TEST((buckets != bucketed(pairs, 8, other)));
    std::sort(seen.begin(), seen.end());
    BOOST_TEST((seen == tiny::range(0, count)));
  }
  rw::Random random(1);
  BOOST_CHECK_EXCEPTION(bucketed(tiny::pairs(3), 0, random), std::invalid_argument,
                        common::says("bucketed: expected batches of at least one pair; got 0"));
}

BOOST_AUTO_TEST_CASE(too_long_pairs_are_left_out) {
  std::vector<std::string> texts;
  for (const Pair& pair : tiny::corpus()) texts.push_back(pair.source);
  const Subwords subwords = Subwords::train(texts, {.vocabulary = 300});
  // Characters never seen are spelt in bytes: three pieces each, and the space before the first.
  std::string fits = "\u65E5", over = fits;
  for (std::size_t i = 1; i < (longest_sentence - 2) / 3; ++i) fits += "\u65E5";
  for (std::size_t i = 1; i < longest_sentence / 3; ++i) over += "\u65E5";
  BOOST_REQUIRE(subwords.encode(fits).size() < longest_sentence);
  BOOST_REQUIRE(subwords.encode(over).size() >= longest_sentence);
  const auto pairs = encode_pairs({{"a", "b"}, {over, "b"}, {"a", over}, {fits, "c"}}, subwords, subwords);
  BOOST_REQUIRE(pairs.size() == 2u);
  BOOST_TEST(pairs[0].target.back() == Subwords::eos);
  BOOST_TEST(subwords.decode(pairs[0].target) == "b");
  BOOST_TEST(subwords.decode(pairs[1].source) == fits);
}

BOOST_AUTO_TEST_SUITE_END()
