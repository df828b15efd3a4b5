#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <stdexcept>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/folder.hpp"

// The code on snapshots in docs/training.md.

using namespace rw;

namespace {

/// The weights after three epochs. Throws, as a power cut would end it, before it learns more than `most` times.
Tensor<double> trained(const std::string& path, std::uint64_t seed, int most) {
  Random random(seed);
  nn::Gru<double> model({.input = 2, .hidden = 3}, random);
  optim::Adam<double> adam({.learning_rate = 0.01});
  optim::WeightAverage<double> average({.decay = 0.9});
  optim::Plateau plateau({.rate = 0.01, .factor = 0.5, .patience = 1, .gain = 10});
  std::vector<std::size_t> order{0, 1, 2, 3};
  double loss = 0;
  const auto learn_from = [&](std::size_t sequence) {
    if (most-- == 0) throw std::runtime_error("stopped");
    Tape<double> tape;
    const Variable<double> xs = full<double>({5, 1, 2}, 0.1 * static_cast<double>(sequence));
    const auto y = mean(square(nn::unroll(model, nn::dropout(xs, 0.2, &random)).outputs - 0.5));
    adam.step(model.parameters(), tape.backward(y));
    average.update(model.parameters());
    return y.item();
  };
  // [snapshot]
  std::size_t epoch = 0, place = 0;
  nn::Snapshot run;
  run.add("model", model.parameters());
  run.add("adam", adam, model.parameters());
  run.add("average", average, model.parameters());
  run.add("plateau", plateau);
  run.add("random", random);  // of the dropout and of the order of the data
  run.add("order", order);
  run.add("epoch", epoch);
  run.add("place", place);
  if (std::filesystem::exists(path)) run.load(path);

  while (epoch < 3) {
    if (place == 0) random.shuffle(order);
    loss = learn_from(order[place]);
    if (++place == order.size()) {
      adam.set_learning_rate(plateau(loss));
      place = 0;
      ++epoch;
    }
    run.save(path);  // as often as you like
  }
  // [end]
  return average.during(model.parameters(), [&] { return model.weight_hh.value(); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot_page)

BOOST_AUTO_TEST_CASE(a_run_goes_on_after_a_stop) {
  const Folder folder;
  const Tensor<double> straight = trained(folder.file("straight"), 1, -1);
  for (const int most : {0, 1, 5}) BOOST_CHECK_THROW(trained(folder.file("run"), 1, most), std::runtime_error);
  BOOST_TEST(bool(trained(folder.file("run"), 2, 6) == straight));
  BOOST_TEST(bool(trained(folder.file("other"), 2, -1) != straight));
}

BOOST_AUTO_TEST_SUITE_END()
