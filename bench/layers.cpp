#include "bench/floor.hpp"
#include "bench/onednn.hpp"
#include "bench/ours.hpp"
#include "bench/race.hpp"
#include "bench/torch.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"

// The layers of the library against libtorch's, oneDNN's fused primitives and the multiplications alone.

namespace bench {
namespace {

using rw::nn::Bidirectional;
using Lstm = rw::nn::Lstm<float>;

struct TwoBidirectional {
  Bidirectional<Lstm> first, second;

  rw::Variable<float> operator()(const rw::Variable<float>& xs) const {
    return rw::nn::unroll(second, rw::nn::unroll(first, xs).outputs).outputs;
  }

  rw::nn::Parameters<float> parameters() {
    rw::nn::Parameters<float> all;
    all.add("0", first.parameters());
    all.add("1", second.parameters());
    return all;
  }
};

std::unique_ptr<Contender> make_two_bidirectional(const Task& task) {
  rw::Random random(1);
  const auto both = [&](std::size_t input) {
    const Lstm::Options options{.input = input, .hidden = task.H};
    return Bidirectional<Lstm>{Lstm(options, random), Lstm(options, random)};
  };
  return make_ours(TwoBidirectional{both(task.I), both(2 * task.H)}, task);
}

Case layer(const Task& task, const MakeContender& ours) {
  return {task, {{"ours", ours}, {"libtorch", make_torch_layer}, {"onednn", make_onednn}, {"floor", make_floor}}};
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const std::vector<std::pair<std::string, MakeContender>> cells = {
      {"lstm", make_layer<Lstm>}, {"gru", make_layer<rw::nn::Gru<float>>}, {"rnn", make_layer<rw::nn::Rnn<float>>}};
  const std::vector<Task> shapes = {{"", 50, 1, 128, 128},  {"", 50, 32, 128, 128},  {"", 50, 32, 256, 256},
                                    {"", 35, 20, 650, 650}, {"", 100, 64, 512, 512}, {"", 100, 128, 1024, 1024}};
  std::vector<Case> cases;
  for (const auto& [cell, ours] : cells) {
    for (Task task : shapes) {
      task.cell = cell;
      cases.push_back(layer(task, ours));
    }
  }
  cases.push_back(layer({"lstm2bi", 50, 32, 256, 256}, make_two_bidirectional));
  return race(argc, argv, cases);
}
