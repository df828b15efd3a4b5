#include <boost/test/unit_test.hpp>
#include <cstdio>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

// The code of docs/training_parallel.md.

using namespace rw;

BOOST_AUTO_TEST_SUITE(training_parallel_page)

BOOST_AUTO_TEST_CASE(a_job) {
  const std::size_t steps = 200, threads = 2;
  Random random(1);
  const Variable<float> x = nn::normal<float>({40, 3}, 1, random), y = sum(x, {.axes = {1}, .keep = true});
  double last = 0;
  // [job]
  optim::Ranks ranks;
  const int code = ranks.run([&] {
    Random start(1);  // every rank begins with the same weights
    nn::Linear<float> model({.input = 3, .output = 1}, start);
    optim::Adam<float> adam({.learning_rate = 0.1});
    Workers workers(threads);
    const auto loss = [&](const Shard& s) {  // rows of the joint batch, of which no two shards have the same
      const auto begin = static_cast<std::ptrdiff_t>(s.begin), end = static_cast<std::ptrdiff_t>(s.end);
      return sum(square(model(slice(x, 0, begin, end)) - slice(y, 0, begin, end)));
    };
    for (std::size_t step = 0; step < steps; ++step) {
      auto part = learn<float>(workers, 40, loss, ranks.share());
      const auto gradients = ranks.sum<float>(model.parameters(), std::move(part.gradients));
      adam.step(model.parameters(), gradients, &workers);  // the same step in every rank
      last = ranks.sum(part.loss);
    }
    if (ranks.first()) std::printf("loss %g\n", last);  // and saves the model
    return 0;
  });
  // [end]
  BOOST_TEST(code == 0);
  BOOST_TEST(last < 0.1);
}

BOOST_AUTO_TEST_SUITE_END()
