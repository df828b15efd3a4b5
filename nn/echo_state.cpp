#include "nn/echo_state.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace rw::nn {
namespace {

void check_finite(const Tensor<double>& x) {
  for (const double element : x) {
    if (!std::isfinite(element)) fail("ridge", "finite rows", element);
  }
}

}  // namespace

Tensor<double> ridge(const Tensor<double>& x, const Tensor<double>& y, double lambda) {
  if (x.dimension() != 2 || y.dimension() != 2 || x.shape(0) != y.shape(0)) {
    fail("ridge", "x [N, P] and y [N, O]", "x ", x.shape(), ", y ", y.shape());
  }
  if (!(lambda >= 0 && std::isfinite(lambda))) fail("ridge", "a finite lambda of at least 0", lambda);
  check_finite(x);
  check_finite(y);
  const std::size_t rows = x.shape(0), inputs = x.shape(1), outputs = y.shape(1);
  const std::size_t all = rows + (lambda > 0 ? inputs : 0);
  const auto dependent = [&] {
    fail("ridge", "linearly independent columns or a lambda above 0", "x ", x.shape(), ", lambda ", lambda);
  };
  if (all < inputs) dependent();
  Tensor<double> w = zeros<double>({inputs, outputs});
  if (w.size() == 0) return w;

  std::vector<double> a(all * inputs), b(all * outputs);  // column after column
  for (std::size_t j = 0; j < inputs; ++j) {
    for (std::size_t i = 0; i < rows; ++i) a[j * all + i] = x.data()[i * inputs + j];
    if (lambda > 0) a[j * all + rows + j] = std::sqrt(lambda);
  }
  for (std::size_t j = 0; j < outputs; ++j) {
    for (std::size_t i = 0; i < rows; ++i) b[j * all + i] = y.data()[i * outputs + j];
  }
  const auto m = static_cast<lapack_int>(all), n = static_cast<lapack_int>(inputs);
  const int info =
      LAPACKE_dgels(LAPACK_COL_MAJOR, 'N', m, n, static_cast<lapack_int>(outputs), a.data(), m, b.data(), m);
  double least = std::numeric_limits<double>::infinity(), most = 0;  // of R's diagonal
  for (std::size_t j = 0; j < inputs; ++j) {
    least = std::min(least, std::abs(a[j * all + j]));
    most = std::max(most, std::abs(a[j * all + j]));
  }
  const double rounding = std::numeric_limits<double>::epsilon() * static_cast<double>(all);
  if (info != 0 || (lambda == 0 && least <= rounding * most)) dependent();
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t j = 0; j < outputs; ++j) w.data()[i * outputs + j] = b[j * all + i];
  }
  return w;
}

template <class T>
double nrmse(const Tensor<T>& predicted, const Tensor<T>& targets) {
  check_same_shape("nrmse", predicted.shape(), targets.shape());
  double mean = 0, error = 0, spread = 0;
  for (const T y : targets) mean += y / static_cast<double>(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double y = targets.data()[i], off = predicted.data()[i] - y;
    error += off * off;
    spread += (y - mean) * (y - mean);
  }
  if (spread == 0) fail("nrmse", "targets that are not all equal", "targets ", targets.shape());
  return std::sqrt(error / spread);
}

template double nrmse(const Tensor<float>&, const Tensor<float>&);
template double nrmse(const Tensor<double>&, const Tensor<double>&);

}  // namespace rw::nn
