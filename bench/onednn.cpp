#include "bench/onednn.hpp"

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>

namespace bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& stream() {
  static dnnl::stream stream(cpu());
  return stream;
}

float* data(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
std::size_t size(const memory& m) { return m.get_desc().get_size() / sizeof(float); }
void clear(const memory& m) { std::fill_n(data(m), size(m), 0.0f); }

memory filled(const memory::dims& shape, Tag tag) {
  memory m({shape, memory::data_type::f32, tag}, cpu());
  clear(m);
  return m;
}

void repack(memory from, memory to) { dnnl::reorder(from, to).execute(stream(), from, to); }

void run(const dnnl::primitive& primitive, const Arguments& arguments) {
  primitive.execute(stream(), arguments);
  stream().wait();
}

struct Descriptors {
  memory::desc x, state, wx, wh, bias, y;
};

// The primitives of one cell; their descriptors differ in an activation at the head and in the number of states.
template <class Forward, class Backward>
struct Primitives {
  static auto head(dnnl::prop_kind kind, dnnl::rnn_direction direction) {
    if constexpr (std::is_same_v<Forward, dnnl::vanilla_rnn_forward>) {
      return std::tuple(kind, dnnl::algorithm::eltwise_tanh, direction);
    } else {
      return std::tuple(kind, direction);
    }
  }

  static auto tensors(const Descriptors& d) {
    const memory::desc none;
    if constexpr (std::is_same_v<Forward, dnnl::lstm_forward>) {
      return std::tuple(d.x, d.state, d.state, d.wx, d.wh, d.bias, d.y, none, none);
    } else {
      return std::tuple(d.x, d.state, d.wx, d.wh, d.bias, d.y, none);
    }
  }

  static auto forward(bool train, dnnl::rnn_direction direction, const Descriptors& d) {
    const auto kind = train ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return typename Forward::primitive_desc(
        std::make_from_tuple<typename Forward::desc>(std::tuple_cat(head(kind, direction), tensors(d))), cpu());
  }

  static auto backward(dnnl::rnn_direction direction, const Descriptors& d,
                       const typename Forward::primitive_desc& forward) {
    return typename Backward::primitive_desc(std::make_from_tuple<typename Backward::desc>(std::tuple_cat(
                                                 head(dnnl::prop_kind::backward, direction), tensors(d), tensors(d))),
                                             cpu(), forward);
  }
};

// One layer in one direction, or in both where there are two prefixes of names: x [T, B, I] -> y [T, B, D·H].
class Layer {
 public:
  Layer(const std::string& cell, const Task& t, std::size_t input, const std::vector<std::string>& prefixes)
      : gru_(cell == "gru"), train_(t.train), hidden_(t.H), prefixes_(prefixes) {
    const auto extent = [](std::size_t n) { return static_cast<memory::dim>(n); };
    const memory::dim T = extent(t.T), B = extent(t.B), I = extent(input), H = extent(t.H);
    const memory::dim D = extent(prefixes.size()), G = cell == "lstm" ? 4 : gru_ ? 3 : 1;
    x_ = filled({T, B, I}, Tag::tnc);
    y_ = filled({T, B, D * H}, Tag::tnc);
    state_ = filled({1, D, B, H}, Tag::ldnc);
    wx_ = filled({1, D, I, G, H}, Tag::ldigo);
    wh_ = filled({1, D, H, G, H}, Tag::ldigo);
    bias_ = filled({1, D, gru_ ? 4 : G, H}, Tag::ldgo);
    for (const Stretch& s : stretches(wx_, wh_, bias_)) {
      const std::vector<float> ours = with_our_gates(s.role, values(s.role, s.size, hidden_));
      std::copy(ours.begin(), ours.end(), s.data);
    }
    const auto direction =
        D == 2 ? dnnl::rnn_direction::bidirectional_concat : dnnl::rnn_direction::unidirectional_left2right;
    if (cell == "rnn") {
      prepare<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(direction);
    } else if (gru_) {
      prepare<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(direction);
    } else {
      prepare<dnnl::lstm_forward, dnnl::lstm_backward>(direction);
    }
    pack_for_forward();
  }

  memory x() const { return x_; }
  memory y() const { return y_; }
  memory dx() const { return dx_; }
  memory dy() const { return dy_; }

  /// Reads what the layer below writes, and writes the gradient that it reads.
  void put_on(const Layer& below) {
    forward_arguments_[DNNL_ARG_SRC_LAYER] = backward_arguments_[DNNL_ARG_SRC_LAYER] = below.y_;
    backward_arguments_[DNNL_ARG_DIFF_SRC_LAYER] = below.dy_;
  }

  void forward() {
    if (train_) pack_for_forward();
    run(forward_, forward_arguments_);
  }

  void backward() {
    repack(wx_, backward_arguments_[DNNL_ARG_WEIGHTS_LAYER]);
    repack(wh_, backward_arguments_[DNNL_ARG_WEIGHTS_ITER]);
    memory &dwx = backward_arguments_[DNNL_ARG_DIFF_WEIGHTS_LAYER],
           &dwh = backward_arguments_[DNNL_ARG_DIFF_WEIGHTS_ITER];
    for (const memory& m : {dwx, dwh, dbias_}) clear(m);  // the primitive adds to them
    run(backward_, backward_arguments_);
    repack(dwx, dwx_);
    repack(dwh, dwh_);
    stream().wait();
  }

  void add_gradients(Results& results) const {
    for (const Stretch& s : stretches(dwx_, dwh_, dbias_)) {
      results[s.role] = with_our_gates(s.role, std::vector<float>(s.data, s.data + s.size));
    }
  }

 private:
  // Where one of our tensors lies.
  struct Stretch {
    std::string role;
    float* data;
    std::size_t size;
  };

  std::vector<Stretch> stretches(const memory& wx, const memory& wh, const memory& bias) const {
    std::vector<Stretch> all;
    const std::size_t directions = prefixes_.size(), biases = size(bias) / directions;
    for (std::size_t d = 0; d < directions; ++d) {
      const auto part = [&](const memory& m) { return data(m) + d * size(m) / directions; };
      all.push_back({prefixes_[d] + "weight_ih", part(wx), size(wx) / directions});
      all.push_back({prefixes_[d] + "weight_hh", part(wh), size(wh) / directions});
      all.push_back({prefixes_[d] + "bias", part(bias), gru_ ? 3 * hidden_ : biases});
      if (gru_) all.push_back({prefixes_[d] + "bias_hn", part(bias) + 3 * hidden_, hidden_});
    }
    return all;
  }

  // A GRU's gates are z, r, n here and r, z, n with us.
  std::vector<float> with_our_gates(const std::string& role, std::vector<float> v) const {
    if (!gru_ || last_name(role) == "bias_hn") return v;
    for (auto row = v.begin(); row != v.end(); row += std::ptrdiff_t(3 * hidden_)) {
      std::swap_ranges(row, row + std::ptrdiff_t(hidden_), row + std::ptrdiff_t(hidden_));
    }
    return v;
  }

  void pack_for_forward() {
    repack(wx_, forward_arguments_[DNNL_ARG_WEIGHTS_LAYER]);
    repack(wh_, forward_arguments_[DNNL_ARG_WEIGHTS_ITER]);
    stream().wait();
  }

  template <class Forward, class Backward>
  void prepare(dnnl::rnn_direction direction) {
    const auto any = [](const memory& m) {
      return memory::desc(m.get_desc().dims(), memory::data_type::f32, Tag::any);
    };
    const Descriptors d{x_.get_desc(), state_.get_desc(), any(wx_), any(wh_), bias_.get_desc(), y_.get_desc()};
    using Both = Primitives<Forward, Backward>;
    const auto forward = Both::forward(train_, direction, d);
    forward_ = Forward(forward);
    forward_arguments_ = {{DNNL_ARG_SRC_LAYER, x_},
                          {DNNL_ARG_SRC_ITER, state_},
                          {DNNL_ARG_SRC_ITER_C, state_},
                          {DNNL_ARG_WEIGHTS_LAYER, memory(forward.weights_layer_desc(), cpu())},
                          {DNNL_ARG_WEIGHTS_ITER, memory(forward.weights_iter_desc(), cpu())},
                          {DNNL_ARG_BIAS, bias_},
                          {DNNL_ARG_DST_LAYER, y_}};
    if (!train_) return;
    const auto backward = Both::backward(direction, d, forward);
    backward_ = Backward(backward);
    const std::vector<std::pair<memory*, memory*>> pairs = {{&x_, &dx_},           {&y_, &dy_},   {&state_, &dstate_},
                                                            {&state_, &dstate_c_}, {&wx_, &dwx_}, {&wh_, &dwh_},
                                                            {&bias_, &dbias_}};
    for (const auto& [value, gradient] : pairs) *gradient = memory(value->get_desc(), cpu());
    forward_arguments_[DNNL_ARG_WORKSPACE] = memory(forward.workspace_desc(), cpu());
    backward_arguments_ = forward_arguments_;
    backward_arguments_[DNNL_ARG_WEIGHTS_LAYER] = memory(backward.weights_layer_desc(), cpu());
    backward_arguments_[DNNL_ARG_WEIGHTS_ITER] = memory(backward.weights_iter_desc(), cpu());
    backward_arguments_[DNNL_ARG_DIFF_SRC_LAYER] = dx_;
    backward_arguments_[DNNL_ARG_DIFF_SRC_ITER] = dstate_;
    backward_arguments_[DNNL_ARG_DIFF_SRC_ITER_C] = dstate_c_;
    backward_arguments_[DNNL_ARG_DIFF_WEIGHTS_LAYER] = memory(backward.diff_weights_layer_desc(), cpu());
    backward_arguments_[DNNL_ARG_DIFF_WEIGHTS_ITER] = memory(backward.diff_weights_iter_desc(), cpu());
    backward_arguments_[DNNL_ARG_DIFF_BIAS] = dbias_;
    backward_arguments_[DNNL_ARG_DIFF_DST_LAYER] = dy_;
  }

  bool gru_, train_;
  std::size_t hidden_;
  std::vector<std::string> prefixes_;
  // The state is zero, and given: without it the gradient of the recurrent weights is wrong in oneDNN 2.6.
  memory x_, y_, state_, wx_, wh_, bias_;                   // in plain layouts, as an optimiser holds them
  memory dx_, dy_, dstate_, dstate_c_, dwx_, dwh_, dbias_;  // likewise
  dnnl::primitive forward_, backward_;
  Arguments forward_arguments_, backward_arguments_;
};

class Fused : public Contender {
 public:
  explicit Fused(const Task& t) : train_(t.train) {
    layers_.reserve(2);
    if (t.cell == "lstm2bi") {
      layers_.emplace_back("lstm", t, t.I, std::vector<std::string>{"0.forward.", "0.backward."});
      layers_.emplace_back("lstm", t, 2 * t.H, std::vector<std::string>{"1.forward.", "1.backward."});
      layers_[1].put_on(layers_[0]);
    } else {
      layers_.emplace_back(t.cell, t, t.I, std::vector<std::string>{""});
    }
    const memory x = layers_.front().x();
    const std::vector<float> xs = values("x", size(x), t.H);
    std::copy(xs.begin(), xs.end(), data(x));
  }

  void step() override { pass(); }

  Results results() override {
    const auto numbers = [](const memory& m) { return std::vector<float>(data(m), data(m) + size(m)); };
    const float loss = pass();
    if (!train_) return {{"output", numbers(layers_.back().y())}};
    Results results{{"loss", {loss}}, {"x", numbers(layers_.front().dx())}};
    for (const Layer& layer : layers_) layer.add_gradients(results);
    return results;
  }

 private:
  float pass() {
    for (Layer& layer : layers_) layer.forward();
    if (!train_) return 0;
    const float loss = mean_square(layers_.back().y(), layers_.back().dy());
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) layer->backward();
    return loss;
  }

  static float mean_square(const memory& y, const memory& dy) {
    const std::size_t n = size(y);
    const float *from = data(y), slope = 2 / float(n);
    float* to = data(dy);
    double sum = 0;
#pragma omp parallel for simd reduction(+ : sum)
    for (std::size_t i = 0; i < n; ++i) {
      sum += from[i] * from[i];
      to[i] = slope * from[i];
    }
    return float(sum / double(n));
  }

  bool train_;
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<Contender> make_onednn(const Task& task) { return std::make_unique<Fused>(task); }

}  // namespace bench
