#include "nn/spectral.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/init.hpp"

namespace rw::nn {
namespace {

void check_square(const char* op, const Shape& shape) {
  if (shape.size() != 2 || shape[0] != shape[1] || shape[0] == 0) fail(op, "a square matrix", shape);
}

void check_radius(const char* op, double radius) {
  if (!(radius >= 0 && std::isfinite(radius))) fail(op, "a finite radius of at least 0", radius);
}

template <class T>
double radius_of(const char* op, const Tensor<T>& weight) {
  check_square(op, weight.shape());
  for (const T element : weight) {
    if (!std::isfinite(element)) fail(op, "finite elements", element);
  }
  const auto n = static_cast<lapack_int>(weight.shape()[0]);
  std::vector<double> a(weight.begin(), weight.end()), real(weight.shape()[0]), imaginary(real);
  // By columns a is the transpose, which has the same eigenvalues.
  const int info =
      LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'N', n, a.data(), n, real.data(), imaginary.data(), nullptr, 1, nullptr, 1);
  if (info != 0) fail(op, "eigenvalues that LAPACK finds", "info ", info);
  double radius = 0;
  for (std::size_t i = 0; i < real.size(); ++i) radius = std::max(radius, std::hypot(real[i], imaginary[i]));
  return radius;
}

template <class T>
Tensor<T> scaled(const char* op, Tensor<T> weight, double radius) {
  check_radius(op, radius);
  const double own = radius_of(op, weight);
  if (own == 0) fail(op, "a matrix of a spectral radius above 0", "0");
  for (T& element : weight) element = static_cast<T>(element * (radius / own));
  return weight;
}

}  // namespace

template <class T>
double spectral_radius(const Tensor<T>& weight) {
  return radius_of("spectral_radius", weight);
}

template <class T>
Tensor<T> scaled_to_radius(const Tensor<T>& weight, double radius) {
  return scaled("scaled_to_radius", weight, radius);
}

template <class T>
Tensor<T> sparse(const Shape& shape, double connectivity, double radius, Random& random) {
  check_square("sparse", shape);
  check_radius("sparse", radius);
  if (!(connectivity > 0 && connectivity <= 1)) fail("sparse", "a connectivity in (0, 1]", connectivity);
  const std::size_t n = shape[0];
  const auto heard = static_cast<std::size_t>(std::max(1.0, std::round(connectivity * static_cast<double>(n))));
  Tensor<double> weight = sparse_columns<double>(
      shape, heard, [&] { return random.uniform(-1, 1); }, random);
  weight = scaled("sparse", std::move(weight), radius);
  Tensor<T> rounded = rw::empty<T>(shape);
  std::transform(weight.begin(), weight.end(), rounded.begin(), [](double w) { return static_cast<T>(w); });
  return rounded;
}

template double spectral_radius(const Tensor<float>&);
template double spectral_radius(const Tensor<double>&);
template Tensor<float> scaled_to_radius(const Tensor<float>&, double);
template Tensor<double> scaled_to_radius(const Tensor<double>&, double);
template Tensor<float> sparse(const Shape&, double, double, Random&);
template Tensor<double> sparse(const Shape&, double, double, Random&);

}  // namespace rw::nn
