#include "nn/attention.hpp"

#include "autograd/lane.hpp"

namespace rw::nn::kernels {
namespace {

void check_extents(const char* op, const Shape& w, const Shape& q, const Shape& m) {
  if (w.size() != 2 || q.size() != 2 || m != Shape{w[0], w[1], q[1]} || w[1] != q[0]) {
    fail(op, "weights [S, B], queries [B, D] and memories [S, B, D]", "weights ", w, ", queries ", q, ", memories ", m);
  }
}

// What the missing one of the three would be, for the check.
Shape weights_of(const Shape& m) { return m.size() == 3 ? Shape{m[0], m[1]} : Shape{}; }
Shape queries_of(const Shape& m) { return m.size() == 3 ? Shape{m[1], m[2]} : Shape{}; }

template <class T>
T dot_product(const T* a, const T* b, std::size_t n) {
  constexpr std::size_t width = lane_size<T>;
  Simd<T> total(T(0));
  std::size_t i = 0;
  for (; i + width <= n; i += width) {
    total = xsimd::fma(load_simd(a + i), load_simd(b + i), total);
  }
  T sum = xsimd::hadd(total);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

template <class T>
Tensor<T> mix(const Tensor<T>& w, const Tensor<T>& m) {
  check_extents("mix", w.shape(), queries_of(m.shape()), m.shape());
  const std::size_t rows = w.size(), batch = w.shape(1), width = m.shape(2);
  Tensor<T> y = zeros<T>({batch, width});
  for (std::size_t i = 0; i < rows; ++i) {
    const T weight = w.data()[i];
    if (weight == T(0)) continue;  // a masked step, whatever stands there
    const T* from = m.data() + i * width;
    T* to = y.data() + i % batch * width;
    for (std::size_t d = 0; d < width; ++d) to[d] += weight * from[d];
  }
  return y;
}

template <class T>
Tensor<T> dot(const Tensor<T>& q, const Tensor<T>& m) {
  check_extents("dot", weights_of(m.shape()), q.shape(), m.shape());
  const std::size_t batch = m.shape(1), width = m.shape(2);
  Tensor<T> e = rw::empty<T>({m.shape(0), batch});
  for (std::size_t i = 0; i < e.size(); ++i) {
    e.data()[i] = dot_product(q.data() + i % batch * width, m.data() + i * width, width);
  }
  return e;
}

template <class T>
Tensor<T> spread(const Tensor<T>& w, const Tensor<T>& q) {
  check_extents("spread", w.shape(), q.shape(),
                w.dimension() == 2 && q.dimension() == 2 ? Shape{w.shape(0), w.shape(1), q.shape(1)} : Shape{});
  const std::size_t batch = w.shape(1), width = q.shape(1);
  Tensor<T> m = rw::empty<T>({w.shape(0), batch, width});
  for (std::size_t i = 0; i < w.size(); ++i) {
    const T weight = w.data()[i];
    const T* from = q.data() + i % batch * width;
    T* to = m.data() + i * width;
    for (std::size_t d = 0; d < width; ++d) to[d] = weight * from[d];
  }
  return m;
}

template Tensor<float> mix(const Tensor<float>&, const Tensor<float>&);
template Tensor<double> mix(const Tensor<double>&, const Tensor<double>&);
template Tensor<float> dot(const Tensor<float>&, const Tensor<float>&);
template Tensor<double> dot(const Tensor<double>&, const Tensor<double>&);
template Tensor<float> spread(const Tensor<float>&, const Tensor<float>&);
template Tensor<double> spread(const Tensor<double>&, const Tensor<double>&);

}  // namespace rw::nn::kernels
