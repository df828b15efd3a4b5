#include "bench/torch.hpp"

#include "bench/torch_leaves.hpp"

namespace bench {
namespace {

namespace nn = torch::nn;

using Forward = std::function<Tensor(const Tensor&)>;

// A function of x [T, B, I] whose leaves are told to a list.
class Network : public Contender {
 public:
  Network(const Task& t, const std::function<Forward(Leaves&)>& make, bool wants_x = true) : task_(t), leaves_(t.H) {
    torch::set_num_threads(t.threads);
    forward_ = make(leaves_);
    const std::vector<long> shape{extent(t.T), extent(t.B), extent(t.I)};
    x_ = filled("x", shape, t.H);
    if (wants_x) leaves_.add("x", x_);
  }

  void step() override { task_.train ? (void)learn() : (void)infer(); }

  Results results() override {
    if (!task_.train) return {{"output", numbers_of(infer())}};
    const float loss = learn();
    Results results = leaves_.gradients();
    results["loss"] = {loss};
    return results;
  }

 private:
  float learn() {
    leaves_.forget_gradients();
    const Tensor loss = forward_(x_).square().mean();
    loss.backward();
    return loss.item<float>();
  }

  Tensor infer() {
    torch::NoGradGuard off;
    return forward_(x_);
  }

  Task task_;
  Leaves leaves_;
  Forward forward_;
  Tensor x_;
};

// ---- modules

// A recurrent module, its parameters under our names: weight_hh_l1_reverse is 1.backward.weight_hh where it has both
// directions. Of its two biases a gate the second is ours only for a GRU's n.
template <class Module>
Forward module(Leaves& leaves, Module m, bool both = false) {
  torch::NoGradGuard off;
  for (const auto& item : m->named_parameters()) {
    const std::string name = item.key(), kind = name.substr(0, name.find("_l"));
    std::string layer;
    if (both) layer = name[kind.size() + 2] + std::string(name.back() == 'e' ? ".backward." : ".forward.");
    const Tensor& tensor = item.value().zero_();
    if (kind == "bias_ih") {
      leaves.add(layer + "bias", tensor);
    } else if (kind != "bias_hh") {
      leaves.add(layer + kind, tensor, transposed);
    } else if (std::is_same_v<Module, nn::GRU>) {
      leaves.add(layer + "bias_hn", tensor, last_third);
    } else {
      leaves.add("", tensor);
    }
  }
  return [m](const Tensor& x) mutable { return std::get<0>(m->forward(x)); };
}

// ---- cells made by hand

using Step = std::function<Tensor(const Tensor&)>;  // holds the state of its sequence

// x·Wᵀ + b for all steps at once, as who cares for speed writes it; then the steps of a sequence, each an output.
Forward unrolled(Leaves& leaves, const Task& t, std::size_t gates, const std::function<Step()>& begin,
                 const View& prepare = as_it_is) {
  const Tensor wx = leaves.create("weight_ih", {gates * t.H, t.I}, transposed);
  const Tensor b = leaves.create("bias", {gates * t.H});
  return [=](const Tensor& x) {
    const Step step = begin();
    std::vector<Tensor> outputs;
    for (const Tensor& input : prepare(torch::linear(x, wx, b)).unbind(0)) outputs.push_back(step(input));
    return torch::stack(outputs);
  };
}

Tensor zero_state(const Task& t) { return torch::zeros({extent(t.B), extent(t.H)}); }

Forward peephole_lstm(Leaves& leaves, const Task& t) {
  const Tensor wh = leaves.create("weight_hh", {4 * t.H, t.H}, transposed);
  const Tensor pi = leaves.create("peep_i", {t.H}), pf = leaves.create("peep_f", {t.H});
  const Tensor po = leaves.create("peep_o", {t.H});
  return unrolled(leaves, t, 4, [=]() -> Step {
    return [=, wh_t = wh.t(), h = zero_state(t), c = zero_state(t)](const Tensor& x) mutable {
      const auto z = torch::addmm(x, h, wh_t).chunk(4, 1);
      const Tensor i = torch::sigmoid(z[0] + pi * c), f = torch::sigmoid(z[1] + pf * c);
      c = f * c + i * torch::tanh(z[2]);
      return h = torch::sigmoid(z[3] + po * c) * torch::tanh(c);
    };
  });
}

Forward layer_norm_lstm(Leaves& leaves, const Task& t) {
  const Tensor wh = leaves.create("weight_hh", {4 * t.H, t.H}, transposed);
  const auto norm = [&](const std::string& of, std::size_t width, bool shifted) {
    const Tensor gain = leaves.create("gain_" + of, {width});
    const Tensor shift = shifted ? leaves.create("shift_" + of, {width}) : Tensor();
    return [=](const Tensor& x) { return torch::layer_norm(x, {extent(width)}, gain, shift); };
  };
  const auto norm_x = norm("x", 4 * t.H, true), norm_h = norm("h", 4 * t.H, false), norm_c = norm("c", t.H, true);
  return unrolled(
      leaves, t, 4,
      [=]() -> Step {
        return [=, wh_t = wh.t(), h = zero_state(t), c = zero_state(t)](const Tensor& x) mutable {
          const auto z = (x + norm_h(torch::mm(h, wh_t))).chunk(4, 1);
          c = torch::sigmoid(z[1]) * c + torch::sigmoid(z[0]) * torch::tanh(z[2]);
          return h = torch::sigmoid(z[3]) * torch::tanh(norm_c(c));
        };
      },
      norm_x);
}

Forward gru_by_hand(Leaves& leaves, const Task& t) {
  const Tensor wh = leaves.create("weight_hh", {3 * t.H, t.H}, transposed);
  const Tensor bh = leaves.create("bias_hn", {3 * t.H}, last_third);
  return unrolled(leaves, t, 3, [=]() -> Step {
    return [=, wh_t = wh.t(), h = zero_state(t)](const Tensor& x) mutable {
      const auto zx = x.chunk(3, 1), zh = torch::addmm(bh, h, wh_t).chunk(3, 1);
      const Tensor r = torch::sigmoid(zx[0] + zh[0]), z = torch::sigmoid(zx[1] + zh[1]);
      const Tensor n = torch::tanh(zx[2] + r * zh[2]);
      return h = n + z * (h - n);
    };
  });
}

Forward independent_rnn(Leaves& leaves, const Task& t) {
  const Tensor u = leaves.create("u", {t.H});
  return unrolled(leaves, t, 1, [=]() -> Step {
    return [=, h = zero_state(t)](const Tensor& x) mutable { return h = torch::relu(x + u * h); };
  });
}

// ---- small things

Forward chain(Leaves& leaves, const Task& t) {
  const bool wanted = t.cell == "chain_weights";
  const auto operand = [&](const std::string& role) {
    return wanted ? leaves.create(role, {t.I}) : filled(role, {extent(t.I)}, t.H);
  };
  const Tensor w = operand("w"), b = operand("b");
  return [=](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 250; ++i) y = torch::sigmoid(torch::tanh(y * w + b));
    return y;
  };
}

Forward last_state(Leaves& leaves, const Task& t) {
  const Tensor wx = leaves.create("weight_ih", {t.H, t.I}, transposed);
  const Tensor wh = leaves.create("weight_hh", {t.H, t.H}, transposed);
  const Tensor b = leaves.create("bias", {t.H});
  return [=](const Tensor& xs) {
    Tensor h = zero_state(t);
    const Tensor wh_t = wh.t();
    for (const Tensor& x : xs.unbind(0)) h = torch::tanh(torch::addmm(torch::linear(x, wx, b), h, wh_t));
    return h;
  };
}

std::unique_ptr<Contender> network(const Task& task, const std::function<Forward(Leaves&)>& make, bool wants_x = true) {
  return std::make_unique<Network>(task, make, wants_x);
}

}  // namespace

std::unique_ptr<Contender> make_torch_layer(const Task& t) {
  const long I = extent(t.I), H = extent(t.H);
  return network(t, [&](Leaves& leaves) -> Forward {
    if (t.cell == "gru") return module(leaves, nn::GRU(I, H));
    if (t.cell == "rnn") return module(leaves, nn::RNN(I, H));
    if (t.cell == "lstm") return module(leaves, nn::LSTM(I, H));
    return module(leaves, nn::LSTM(nn::LSTMOptions(I, H).num_layers(2).bidirectional(true)), true);
  });
}

std::unique_ptr<Contender> make_torch_cell(const Task& t) {
  return network(t, [&](Leaves& leaves) {
    if (t.cell == "peephole") return peephole_lstm(leaves, t);
    if (t.cell == "lnlstm") return layer_norm_lstm(leaves, t);
    if (t.cell == "handgru") return gru_by_hand(leaves, t);
    return independent_rnn(leaves, t);
  });
}

std::unique_ptr<Contender> make_torch_small(const Task& t) {
  const bool is_long = t.cell == "long";
  return network(
      t, [&](Leaves& leaves) { return is_long ? last_state(leaves, t) : chain(leaves, t); }, !is_long);
}

}  // namespace bench
