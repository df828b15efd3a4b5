#include "bench/torch.hpp"
#include "bench/torch_leaves.hpp"

namespace bench {
namespace {

// A GRU reads the source; a GRU fed with [word; context] writes the target, context = Σⱼ softmaxⱼ(v·tanh(q·W + kⱼ))·mⱼ.
class Translation : public Contender {
 public:
  Translation(const Task& t, std::size_t vocabulary) : task_(t), leaves_(t.H) {
    torch::set_num_threads(t.threads);
    const std::size_t V = vocabulary, E = t.I, H = t.H;
    source_ = leaves_.create("source.weight", {V, E});
    target_ = leaves_.create("target.weight", {V, E});
    encoder_ = gru("encoder", E);
    decoder_ = gru("decoder", E + H);
    query_ = leaves_.create("attention.query.weight", {H, H}, transposed);
    key_ = leaves_.create("attention.memory.weight", {H, H}, transposed);
    key_bias_ = leaves_.create("attention.memory.bias", {H});
    score_ = leaves_.create("attention.score", {1, H}, [](const Tensor& v) { return v[0]; });
    output_ = leaves_.create("output.weight", {V, H}, transposed);
    output_bias_ = leaves_.create("output.bias", {V});
    const auto ids = [&](const std::string& role) {
      return torch::tensor(tokens(role, t.T * t.B, V)).view({extent(t.T), extent(t.B)});
    };
    source_ids_ = ids("source");
    input_ids_ = ids("input");
    output_ids_ = ids("output").view(-1);
    adam_ = std::make_unique<torch::optim::Adam>(leaves_.tensors(), 1e-3);
  }

  void step() override {
    learn();
    adam_->step();
  }

  Results results() override {
    const float loss = learn();
    Results results = leaves_.gradients();
    results["loss"] = {loss};
    return results;
  }

 private:
  struct Gru {
    Tensor wx, wh, bx, bh;
  };

  // The decoder's input weights are two of ours, for the word and for the context.
  Gru gru(const std::string& name, std::size_t input) {
    const long E = extent(task_.I);
    const std::size_t H = task_.H;
    Gru g;
    g.wx = leaves_.create(name + ".weight_ih", {3 * H, input}, [=](const Tensor& w) { return w.narrow(1, 0, E).t(); });
    if (input > task_.I) {
      leaves_.add("context.weight", g.wx, [=](const Tensor& w) { return w.narrow(1, E, w.size(1) - E).t(); });
    }
    g.wh = leaves_.create(name + ".weight_hh", {3 * H, H}, transposed);
    g.bx = leaves_.create(name + ".bias", {3 * H});
    g.bh = leaves_.create(name + ".bias_hn", {3 * H}, last_third);
    return g;
  }

  float learn() {
    leaves_.forget_gradients();
    const Tensor zero = torch::zeros({1, extent(task_.B), extent(task_.H)});
    const auto [read, last] =
        torch::gru(torch::embedding(source_, source_ids_), zero, {encoder_.wx, encoder_.wh, encoder_.bx, encoder_.bh},
                   true, 1, 0, true, false, false);
    const Tensor memory = read.transpose(0, 1).contiguous();  // [B, T, H]
    const Tensor keys = torch::linear(memory, key_, key_bias_);
    Tensor state = last[0];
    std::vector<Tensor> states;
    for (const Tensor& word : torch::embedding(target_, input_ids_).unbind(0)) {
      const Tensor energy = torch::tanh(keys + torch::linear(state, query_).unsqueeze(1));
      const Tensor weights = torch::softmax(torch::linear(energy, score_).squeeze(2), 1);
      const Tensor context = torch::bmm(weights.unsqueeze(1), memory).squeeze(1);
      state =
          torch::gru_cell(torch::cat({word, context}, 1), state, decoder_.wx, decoder_.wh, decoder_.bx, decoder_.bh);
      states.push_back(state);
    }
    const Tensor logits = torch::linear(torch::stack(states).view({-1, extent(task_.H)}), output_, output_bias_);
    const Tensor loss = torch::cross_entropy_loss(logits, output_ids_);
    loss.backward();
    return loss.item<float>();
  }

  Task task_;
  Leaves leaves_;
  Tensor source_, target_, query_, key_, key_bias_, score_, output_, output_bias_;
  Gru encoder_, decoder_;
  Tensor source_ids_, input_ids_, output_ids_;
  std::unique_ptr<torch::optim::Adam> adam_;
};

}  // namespace

std::unique_ptr<Contender> make_torch_translation(const Task& task, std::size_t vocabulary) {
  return std::make_unique<Translation>(task, vocabulary);
}

}  // namespace bench
