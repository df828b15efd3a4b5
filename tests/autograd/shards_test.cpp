#include "autograd/shards.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <mutex>
#include <set>

#include "autograd/autograd.hpp"
#include "tests/distance.hpp"
#include "tests/errors.hpp"

// Batches shared out among threads. Every row of `batch` is a sample.

BOOST_AUTO_TEST_SUITE(shards)

using namespace rw;
using V = Variable<double>;

namespace {

Tensor<double> uniform(const Shape& shape, std::uint64_t stream) {
  Random random(stream);
  Tensor<double> x = empty<double>(shape);
  for (double& element : x) element = random.uniform(-1, 1);
  return x;
}

/// An embedding, a layer and a word of the same embedding's vocabulary to be found.
struct Model {
  static constexpr std::size_t most_rows = 23, vocabulary = 7;

  Parameter<double> table{"table", uniform({vocabulary, 4}, 1)};
  Parameter<double> weight{"weight", uniform({4, 5}, 2)}, bias{"bias", uniform({5}, 3)};
  Indices words = empty<std::int64_t>({most_rows});
  Tensor<double> targets = uniform({most_rows, 5}, 4);

  Model() {
    for (std::size_t i = 0; i < most_rows; ++i) words(i) = static_cast<std::int64_t>(i * i % (vocabulary - 1));
  }

  V loss(const Shard& shard) const {
    const Shape column{shard.end - shard.begin};
    Indices ids = empty<std::int64_t>(column);
    std::copy(words.begin() + shard.begin, words.begin() + shard.end, ids.begin());
    const auto begin = static_cast<std::ptrdiff_t>(shard.begin), end = static_cast<std::ptrdiff_t>(shard.end);
    const V y = tanh(affine(gather_rows(table, ids), weight, bias)), wanted = slice(V(targets), 0, begin, end);
    return sum(square(y - wanted));
  }

  Learned<double> learned(Workers& workers, std::size_t rows) const {
    return learn<double>(workers, rows, [this](const Shard& shard) { return loss(shard); });
  }
};

using test::distance;

bool same_bits(const V& a, const V& b) {
  return a.shape() == b.shape() && std::memcmp(a.value().data(), b.value().data(), a.size() * sizeof(double)) == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_row_stands_in_one_shard) {
  for (std::size_t count : {1, 2, 3, 5}) {
    Workers workers(count);
    for (std::size_t rows = 0; rows <= 41; ++rows) {
      const std::size_t shards = shards_of(rows, count);
      BOOST_TEST((shards == 1 || shards == count));
      std::vector<Shard> seen(shards, Shard{0, 0, 0});
      for_each_shard(workers, rows, [&](const Shard& shard) { seen.at(shard.index) = shard; });
      std::size_t next = 0;
      for (std::size_t s = 0; s < shards; ++s) {
        BOOST_TEST(seen[s].index == s);
        BOOST_TEST(seen[s].begin == next);
        if (shards > 1) {
          const std::size_t size = seen[s].end - seen[s].begin;
          BOOST_TEST((size == rows / shards || size == rows / shards + 1));
        }
        next = seen[s].end;
      }
      BOOST_TEST(next == rows);
    }
  }
  BOOST_TEST(shards_of(1000, 3) == 3u);
  BOOST_TEST(shards_of(2, 3) == 1u);
}

BOOST_AUTO_TEST_CASE(several_processes_share_the_shards_of_the_joint_batch) {
  for (const std::size_t processes : {1, 2, 3}) {
    for (const std::size_t count : {1, 2}) {
      Workers workers(count), all(processes * count);
      for (const std::size_t rows : {3, 12, 23, 41}) {
        using Place = std::array<std::size_t, 3>;
        std::mutex mutex;
        std::set<Place> joint, shared;
        const auto collect = [&](std::set<Place>& into) {
          return [&](const Shard& s) {
            const std::lock_guard lock(mutex);
            BOOST_TEST(into.insert({s.index, s.begin, s.end}).second);
          };
        };
        for_each_shard(all, rows, collect(joint));
        for (std::size_t p = 0; p < processes; ++p) for_each_shard(workers, rows, collect(shared), {p, processes});
        BOOST_TEST((shared == joint));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(shares_of_a_batch_add_up) {
  const Model model;
  Workers workers(2), all(4);
  const auto loss = [&](const Shard& shard) { return model.loss(shard); };
  for (const std::size_t rows : {23, 5}) {  // of 5 rows the second process has none
    auto sum = learn<double>(workers, rows, loss, {0, 2});
    auto second = learn<double>(workers, rows, loss, {1, 2});
    BOOST_TEST(second.gradients.has(model.weight) == (rows == 23));
    sum.gradients += std::move(second.gradients);
    const auto expected = learn<double>(all, rows, loss);
    BOOST_TEST(std::abs(sum.loss + second.loss - expected.loss) <= 1e-12);
    for (const auto* p : {&model.table, &model.weight, &model.bias}) {
      BOOST_TEST(distance(sum.gradients[*p], expected.gradients[*p]) <= 1e-12, p->name());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_as_one_tape_over_the_joint_batch) {
  const Model model;
  for (std::size_t count : {1, 2, 3}) {
    Workers workers(count);
    for (std::size_t rows : {23, 22, 12, 5, 2, 1}) {
      Tape<double> tape;
      const V loss = model.loss({0, 0, rows});
      const auto expected = tape.backward(loss);
      const auto got = model.learned(workers, rows);
      BOOST_TEST(std::abs(got.loss - loss.item()) <= 1e-12);
      for (const auto* p : {&model.table, &model.weight, &model.bias}) {
        BOOST_TEST(distance(got.gradients[*p], expected[*p]) <= 1e-12, p->name() << ", " << rows << " rows");
      }
      BOOST_TEST(Tape<double>::current() == &tape);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_in_every_run) {
  const Model model;
  Workers workers(3), others(3);
  const auto first = model.learned(workers, 23);
  for (Workers* team : {&workers, &others}) {
    const auto again = model.learned(*team, 23);
    BOOST_TEST(again.loss == first.loss);
    for (const auto* p : {&model.table, &model.weight, &model.bias}) {
      BOOST_TEST(same_bits(again.gradients[*p], first.gradients[*p]));
    }
  }
}

BOOST_AUTO_TEST_CASE(row_sparse_gradients_add_up_and_stay_sparse) {
  const Model model;
  Workers workers(2);
  Tape<double> tape;  // a tape that records meanwhile makes no difference
  const auto expected = tape.backward(model.loss({0, 0, 16}));
  const std::size_t recorded = tape.size();
  auto twice = tape.backward(model.loss({0, 0, 8}));
  twice += tape.backward(model.loss({0, 8, 16}));
  const std::size_t more = tape.size();
  BOOST_TEST(more > recorded);
  const auto learned = model.learned(workers, 16);
  BOOST_TEST(tape.size() == more);
  const RowSparse<double>* want = expected.rows(model.table);
  BOOST_REQUIRE(want != nullptr);
  BOOST_TEST(want->ids.size() < Model::vocabulary);
  for (const Gradients<double>* sum : {&learned.gradients, &std::as_const(twice)}) {
    const RowSparse<double>* rows = sum->rows(model.table);
    BOOST_TEST_REQUIRE(rows != nullptr);
    BOOST_TEST((rows->ids == want->ids));  // each once, though both shards name them
    BOOST_TEST(distance(rows->values, want->values) <= 1e-12);
    BOOST_TEST(rows->rows == Model::vocabulary);
  }
}

BOOST_AUTO_TEST_CASE(what_only_one_shard_reads) {
  Parameter<double> all("all", scalar(2.0)), first("first", scalar(3.0)), none("none", scalar(5.0));
  Workers workers(2);
  const auto got = learn<double>(workers, 10, [&](const Shard& shard) {
    const V loss = all * double(shard.end - shard.begin);
    return shard.index == 0 ? loss + first * 7 : loss;
  });
  BOOST_TEST(got.loss == 41);
  BOOST_TEST(got.gradients[all].item() == 10);
  BOOST_TEST(got.gradients[first].item() == 7);
  BOOST_TEST(!got.gradients.has(none));
}

BOOST_AUTO_TEST_CASE(an_error_in_a_shard_comes_out) {
  const Model model;
  Workers workers(3);
  const auto failing = [&](std::size_t bad) {
    return [&model, bad](const Shard& shard) {
      const V loss = model.loss(shard);
      if (shard.index == bad) fail("loss", "good rows", "shard ", bad);
      return loss;
    };
  };
  const auto before = model.learned(workers, 23);
  for (std::size_t bad : {0, 1, 2}) {
    const std::string text = "loss: expected good rows; got shard " + std::to_string(bad);
    BOOST_CHECK_EXCEPTION(learn<double>(workers, 23, failing(bad)), std::invalid_argument, says(text));
    BOOST_TEST(Tape<double>::current() == nullptr);
    const auto after = model.learned(workers, 23);  // the workers live on
    BOOST_TEST(same_bits(after.gradients[model.weight], before.gradients[model.weight]));
  }
  const auto two_numbers = [](const Shard&) { return V(zeros<double>({2})); };
  BOOST_CHECK_EXCEPTION(learn<double>(workers, 23, two_numbers), std::invalid_argument,
                        says("item: expected one element; got x [2]"));
}

BOOST_AUTO_TEST_CASE(subnormal_numbers_count_as_zero_while_learning) {
  const Parameter<float> tiny("tiny", full<float>({4}, 1e-30f));
  const auto loss = [&](const Shard&) { return sum(square(tiny)); };
  for (const std::size_t count : {1, 2}) {
    Workers workers(count);
    const auto seen = learn<float>(workers, 32, [&](const Shard& s) { return sum(tiny * 1e-10f) + 0 * loss(s); });
    BOOST_TEST(seen.loss == 0);
  }
  BOOST_TEST((tiny * 1e-10f).value()(0) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
