#include "bench/floor.hpp"

#include <cblas.h>

namespace bench {
namespace {

using Buffer = std::vector<float>;

// C = op(A)·op(B) + beta·C, all dense: op(A) [m, k], op(B) [k, n].
void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::size_t m, std::size_t n, std::size_t k, const float* a,
              const float* b, float beta, float* c) {
  const auto size = [](std::size_t s) { return static_cast<blasint>(s); };
  cblas_sgemm(CblasRowMajor, ta, tb, size(m), size(n), size(k), 1, a, size(ta == CblasTrans ? m : k), b,
              size(tb == CblasTrans ? k : n), beta, c, size(n));
}

// One direction of one layer; z are the gates, [T·B, G·H].
struct Layer {
  std::size_t T, B, I, H, G;
  Buffer x = values("x", T*B*I, H), h = values("h", T*B*H, H), z = values("z", T*B*G*H, H);
  Buffer wx = values("wx", I*G*H, H), wh = values("wh", H*G*H, H);
  Buffer dx = Buffer(x.size()), dh = Buffer(B * H), dwx = Buffer(wx.size()), dwh = Buffer(wh.size());

  void forward() {
    multiply(CblasNoTrans, CblasNoTrans, T * B, G * H, I, x.data(), wx.data(), 0, z.data());
    for (std::size_t t = 0; t < T; ++t) {
      multiply(CblasNoTrans, CblasNoTrans, B, G * H, H, &h[t * B * H], wh.data(), 1, &z[t * B * G * H]);
    }
  }

  void backward() {
    for (std::size_t t = T; t-- > 0;) {
      multiply(CblasNoTrans, CblasTrans, B, H, G * H, &z[t * B * G * H], wh.data(), 0, dh.data());
    }
    multiply(CblasNoTrans, CblasTrans, T * B, I, G * H, z.data(), wx.data(), 0, dx.data());
    multiply(CblasTrans, CblasNoTrans, I, G * H, T * B, x.data(), z.data(), 0, dwx.data());
    multiply(CblasTrans, CblasNoTrans, H, G * H, T * B, h.data(), z.data(), 0, dwh.data());
  }
};

struct Floor : Contender {
  explicit Floor(const Task& t) : train(t.train) {
    const std::map<std::string, std::size_t> gates = {{"lstm", 4}, {"lstm2bi", 4}, {"gru", 3}, {"rnn", 1}};
    std::vector<std::size_t> inputs{t.I};
    if (t.cell == "lstm2bi") inputs = {t.I, t.I, 2 * t.H, 2 * t.H};
    for (std::size_t input : inputs) layers.push_back(Layer{t.T, t.B, input, t.H, gates.at(t.cell)});
  }

  Results results() override { return {}; }

  void step() override {
    for (Layer& layer : layers) layer.forward();
    for (Layer& layer : layers) {
      if (train) layer.backward();
    }
  }

  bool train;
  std::vector<Layer> layers;
};

}  // namespace

std::unique_ptr<Contender> make_floor(const Task& task) { return std::make_unique<Floor>(task); }

}  // namespace bench
