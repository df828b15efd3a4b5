#include "nn/init.hpp"

#include <cmath>
#include <numeric>

#include "autograd/blas.hpp"

namespace rw::nn {
namespace {

template <class T, class Draw>
Tensor<T> drawn(const Shape& shape, Draw draw) {
  Tensor<T> x = rw::empty<T>(shape);
  std::generate_n(x.data(), x.size(), [&] { return static_cast<T>(draw()); });
  return x;
}

struct Fans {
  double in, out;
};

// Of [I, O]; 1 where there are none.
Fans fans(const char* op, const Shape& shape) {
  check_rank(op, shape, 2);
  return {std::max(static_cast<double>(shape[0]), 1.0), std::max(static_cast<double>(shape[1]), 1.0)};
}

double glorot_sum(const char* op, const Shape& shape) {
  const Fans fan = fans(op, shape);
  return fan.in + fan.out;
}

double he_variance(const char* op, const Shape& shape, const HeOptions& o) {
  const Fans fan = fans(op, shape);
  if (!std::isfinite(o.slope)) fail(op, "a finite slope", o.slope);
  return 2 / ((1 + o.slope * o.slope) * (o.fan == Fan::in ? fan.in : fan.out));
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
Tensor<T> truncated_normal(const Shape& shape, double deviation, Random& random) {
  return drawn<T>(shape, [&] {
    double x = random.normal();
    while (std::abs(x) > 2) x = random.normal();
    return deviation * x;
  });
}

template <class T>
Tensor<T> glorot_uniform(const Shape& shape, Random& random) {
  return uniform<T>(shape, std::sqrt(6 / glorot_sum("glorot_uniform", shape)), random);
}

template <class T>
Tensor<T> glorot_normal(const Shape& shape, Random& random) {
  return normal<T>(shape, std::sqrt(2 / glorot_sum("glorot_normal", shape)), random);
}

template <class T>
Tensor<T> he_uniform(const Shape& shape, Random& random, const HeOptions& options) {
  return uniform<T>(shape, std::sqrt(3 * he_variance("he_uniform", shape, options)), random);
}

template <class T>
Tensor<T> he_normal(const Shape& shape, Random& random, const HeOptions& options) {
  return normal<T>(shape, std::sqrt(he_variance("he_normal", shape, options)), random);
}

template <class T>
Tensor<T> lecun_uniform(const Shape& shape, Random& random) {
  return uniform<T>(shape, std::sqrt(3 / fans("lecun_uniform", shape).in), random);
}

template <class T>
Tensor<T> lecun_normal(const Shape& shape, Random& random) {
  return normal<T>(shape, std::sqrt(1 / fans("lecun_normal", shape).in), random);
}

template <class T>
Tensor<T> recurrent_uniform(const Shape& shape, std::size_t hidden, Random& random) {
  if (hidden == 0) fail("recurrent_uniform", "a hidden size of at least 1", hidden);
  return uniform<T>(shape, 1 / std::sqrt(static_cast<double>(hidden)), random);
}

template <class T>
Tensor<T> orthogonal(const Shape& shape, Random& random, double gain) {
  check_rank("orthogonal", shape, 2);
  const std::size_t m = shape[0], n = shape[1];
  Tensor<T> out = rw::empty<T>(shape);
  if (out.size() == 0) return out;
  const bool wide = m < n;  // then the rows are the columns of a tall matrix
  const Tensor<double> q = orthonormal_columns(normal<double>(wide ? Shape{n, m} : shape, 1, random));
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      out.data()[i * n + j] = static_cast<T>(gain * (wide ? q.data()[j * m + i] : q.data()[i * n + j]));
    }
  }
  return out;
}

template <class T>
Tensor<T> identity(const Shape& shape, double scale) {
  check_rank("identity", shape, 2);
  Tensor<T> out = zeros<T>(shape);
  for (std::size_t i = 0; i < std::min(shape[0], shape[1]); ++i) out.data()[i * shape[1] + i] = static_cast<T>(scale);
  return out;
}

template <class T>
Tensor<T> sparse_columns(const Shape& shape, std::size_t connections, const std::function<double()>& draw,
                         Random& random) {
  check_rank("sparse_columns", shape, 2);
  const std::size_t m = shape[0], n = shape[1];
  Tensor<T> out = zeros<T>(shape);
  std::vector<std::size_t> places(m);
  std::iota(places.begin(), places.end(), std::size_t{0});
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < std::min(connections, m); ++k) {  // the first of a shuffle
      std::swap(places[k], places[k + random.below(m - k)]);
      out.data()[places[k] * n + j] = static_cast<T>(draw());
    }
  }
  return out;
}

template <class T>
Tensor<T> sparse_normal(const Shape& shape, Random& random, const SparseOptions& options) {
  check_rank("sparse_normal", shape, 2);
  if (options.connections == 0) fail("sparse_normal", "at least one connection", options.connections);
  return sparse_columns<T>(
      shape, options.connections, [&] { return options.deviation * random.normal(); }, random);
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
template Tensor<float> truncated_normal(const Shape&, double, Random&);
template Tensor<double> truncated_normal(const Shape&, double, Random&);
template Tensor<float> glorot_uniform(const Shape&, Random&);
template Tensor<double> glorot_uniform(const Shape&, Random&);
template Tensor<float> glorot_normal(const Shape&, Random&);
template Tensor<double> glorot_normal(const Shape&, Random&);
template Tensor<float> he_uniform(const Shape&, Random&, const HeOptions&);
template Tensor<double> he_uniform(const Shape&, Random&, const HeOptions&);
template Tensor<float> he_normal(const Shape&, Random&, const HeOptions&);
template Tensor<double> he_normal(const Shape&, Random&, const HeOptions&);
template Tensor<float> lecun_uniform(const Shape&, Random&);
template Tensor<double> lecun_uniform(const Shape&, Random&);
template Tensor<float> lecun_normal(const Shape&, Random&);
template Tensor<double> lecun_normal(const Shape&, Random&);
template Tensor<float> recurrent_uniform(const Shape&, std::size_t, Random&);
template Tensor<double> recurrent_uniform(const Shape&, std::size_t, Random&);
template Tensor<float> orthogonal(const Shape&, Random&, double);
template Tensor<double> orthogonal(const Shape&, Random&, double);
template Tensor<float> identity(const Shape&, double);
template Tensor<double> identity(const Shape&, double);
template Tensor<float> sparse_columns(const Shape&, std::size_t, const std::function<double()>&, Random&);
template Tensor<double> sparse_columns(const Shape&, std::size_t, const std::function<double()>&, Random&);
template Tensor<float> sparse_normal(const Shape&, Random&, const SparseOptions&);
template Tensor<double> sparse_normal(const Shape&, Random&, const SparseOptions&);
template Tensor<float> bias_blocks(std::size_t, const std::vector<double>&);
template Tensor<double> bias_blocks(std::size_t, const std::vector<double>&);
template Tensor<float> chrono(std::size_t, double, const std::vector<double>&, Random&);
template Tensor<double> chrono(std::size_t, double, const std::vector<double>&, Random&);

}  // namespace rw::nn
