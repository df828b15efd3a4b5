#include "nn/init.hpp"

#include <cmath>

#include "autograd/blas.hpp"

namespace rw::nn {
namespace {

template <class T, class Draw>
Tensor<T> drawn(const Shape& shape, Draw draw) {
  Tensor<T> x = rw::empty<T>(shape);
  std::generate_n(x.data(), x.size(), [&] { return static_cast<T>(draw()); });
  return x;
}

// I + O of [I, O]; 1 where the weight is empty.
double fans(const char* op, const Shape& shape) {
  check_rank(op, shape, 2);
  return static_cast<double>(std::max<std::size_t>(shape[0] + shape[1], 1));
}

}  // namespace

template <class T>
Tensor<T> uniform(const Shape& shape, double bound, Random& random) {
  return drawn<T>(shape, [&] { return random.uniform(-bound, bound); });
}

template <class T>
Tensor<T> normal(const Shape& shape, double deviation, Random& random) {
  return drawn<T>(shape, [&] { return deviation * random.normal(); });
}

template <class T>
Tensor<T> glorot_uniform(const Shape& shape, Random& random) {
  return uniform<T>(shape, std::sqrt(6 / fans("glorot_uniform", shape)), random);
}

template <class T>
Tensor<T> glorot_normal(const Shape& shape, Random& random) {
  return normal<T>(shape, std::sqrt(2 / fans("glorot_normal", shape)), random);
}

template <class T>
Tensor<T> recurrent_uniform(const Shape& shape, std::size_t hidden, Random& random) {
  if (hidden == 0) fail("recurrent_uniform", "a hidden size of at least 1", hidden);
  return uniform<T>(shape, 1 / std::sqrt(static_cast<double>(hidden)), random);
}

template <class T>
Tensor<T> orthogonal(const Shape& shape, Random& random) {
  check_rank("orthogonal", shape, 2);
  const std::size_t m = shape[0], n = shape[1];
  Tensor<T> out = rw::empty<T>(shape);
  if (out.size() == 0) return out;
  const bool wide = m < n;  // then the rows are the columns of a tall matrix
  const Tensor<double> q = orthonormal_columns(normal<double>(wide ? Shape{n, m} : shape, 1, random));
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      out.data()[i * n + j] = static_cast<T>(wide ? q.data()[j * m + i] : q.data()[i * n + j]);
    }
  }
  return out;
}

template <class T>
Tensor<T> bias_blocks(std::size_t hidden, const std::vector<double>& values) {
  Tensor<T> bias = rw::empty<T>({values.size() * hidden});
  T* to = bias.data();
  for (const double value : values) to = std::fill_n(to, hidden, static_cast<T>(value));
  return bias;
}

template <class T>
Tensor<T> chrono(std::size_t hidden, double longest, const std::vector<double>& signs, Random& random) {
  if (!(longest > 2 && std::isfinite(longest))) fail("chrono", "a longest memory of more than 2 steps", longest);
  const Tensor<double> times = drawn<double>({hidden}, [&] { return std::log(random.uniform(1, longest - 1)); });
  Tensor<T> bias = rw::empty<T>({signs.size() * hidden});
  T* to = bias.data();
  for (const double sign : signs) {
    to = std::transform(times.begin(), times.end(), to, [sign](double time) { return static_cast<T>(sign * time); });
  }
  return bias;
}

template Tensor<float> uniform(const Shape&, double, Random&);
template Tensor<double> uniform(const Shape&, double, Random&);
template Tensor<float> normal(const Shape&, double, Random&);
template Tensor<double> normal(const Shape&, double, Random&);
template Tensor<float> glorot_uniform(const Shape&, Random&);
template Tensor<double> glorot_uniform(const Shape&, Random&);
template Tensor<float> glorot_normal(const Shape&, Random&);
template Tensor<double> glorot_normal(const Shape&, Random&);
template Tensor<float> recurrent_uniform(const Shape&, std::size_t, Random&);
template Tensor<double> recurrent_uniform(const Shape&, std::size_t, Random&);
template Tensor<float> orthogonal(const Shape&, Random&);
template Tensor<double> orthogonal(const Shape&, Random&);
template Tensor<float> bias_blocks(std::size_t, const std::vector<double>&);
template Tensor<double> bias_blocks(std::size_t, const std::vector<double>&);
template Tensor<float> chrono(std::size_t, double, const std::vector<double>&, Random&);
template Tensor<double> chrono(std::size_t, double, const std::vector<double>&, Random&);

}  // namespace rw::nn
