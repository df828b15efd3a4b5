#include "autograd/kernels/join.hpp"

#include "autograd/kernels/layout.hpp"

namespace rw::kernels {
namespace {

std::ptrdiff_t columns(std::size_t size, std::size_t rows) {
  return rows == 0 ? 0 : static_cast<std::ptrdiff_t>(size / rows);
}

}  // namespace

template <class T>
Tensor<T> cut(View<T> x, std::size_t rows, std::size_t begin, const Shape& shape) {
  Tensor<T> y = empty<T>(shape);
  const std::ptrdiff_t width = columns(y.size(), rows);
  if (y.size() == 0) return y;
  copy_rows(x.data() + begin, columns(x.size(), rows), y.data(), width, rows, static_cast<std::size_t>(width));
  return y;
}

template <class T>
void paste(Tensor<T>& to, std::size_t rows, std::size_t begin, View<T> part) {
  const std::ptrdiff_t width = columns(part.size(), rows);
  if (width == 0) return;
  copy_rows(part.data(), width, to.data() + begin, columns(to.size(), rows), rows, static_cast<std::size_t>(width));
}

template Tensor<float> cut(View<float>, std::size_t, std::size_t, const Shape&);
template Tensor<double> cut(View<double>, std::size_t, std::size_t, const Shape&);
template void paste(Tensor<float>&, std::size_t, std::size_t, View<float>);
template void paste(Tensor<double>&, std::size_t, std::size_t, View<double>);

}  // namespace rw::kernels
