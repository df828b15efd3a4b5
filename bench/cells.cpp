#include "bench/ours.hpp"
#include "bench/ours_cells.hpp"
#include "bench/race.hpp"
#include "bench/torch.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"

// Cells that a user writes against the same in libtorch's ops, and against the library's own LSTM (for the GRU its own
// GRU) of that size; the layer-norm LSTM against the library's own one as well.

namespace bench {
namespace {

// Computes something else, so there is nothing to compare.
struct Unverified : Contender {
  explicit Unverified(std::unique_ptr<Contender> c) : contender(std::move(c)) {}
  Results results() override { return {}; }
  void step() override { contender->step(); }
  std::unique_ptr<Contender> contender;
};

struct OwnLayerNormLstm : rw::nn::Lstm<float> {
  OwnLayerNormLstm(const Sizes& s, rw::Random& random)
      : Lstm<float>({.input = s.input, .hidden = s.hidden, .layer_norm = true}, random) {}
};

template <class Cell>
std::unique_ptr<Contender> make_unverified(const Task& task) {
  return std::make_unique<Unverified>(make_layer<Cell>(task));
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  struct Written {
    std::string name;
    MakeContender ours, built_in;
  };
  const MakeContender lstm = make_unverified<rw::nn::Lstm<float>>, gru = make_unverified<rw::nn::Gru<float>>;
  const std::vector<Written> cells = {{"peephole", make_layer<PeepholeLstm>, lstm},
                                      {"lnlstm", make_layer<LayerNormLstm>, lstm},
                                      {"handgru", make_layer<HandGru>, gru},
                                      {"indrnn", make_layer<IndRnn>, {}}};
  std::vector<Case> cases;
  for (const Written& cell : cells) {
    for (const std::size_t width : {256, 128}) {
      Case& added = cases.emplace_back();
      added.task = {cell.name, 50, 32, width, width};
      added.contenders = {{"ours", cell.ours}, {"libtorch", make_torch_cell}};
      if (cell.built_in) added.contenders.push_back({"lstm", cell.built_in});
      if (cell.name == "lnlstm") added.contenders.push_back({"own", make_unverified<OwnLayerNormLstm>});
    }
  }
  return race(argc, argv, cases);
}
