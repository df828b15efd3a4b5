#include "autograd/kernels/join.hpp"

#include "autograd/kernels/layout.hpp"

namespace rw::kernels {
namespace {

std::ptrdiff_t columns(std::size_t size, std::size_t rows) {
  return rows == 0 ? 0 : static_cast<std::ptrdiff_t>(size / rows);
}

}  // namespace

template <class T>
Tensor<T> cut(const Tensor<T>& x, std::size_t rows, const Part& part) {
  Tensor<T> y = empty<T>(part.shape);
  const std::ptrdiff_t width = columns(y.size(), rows);
  if (y.size() == 0) return y;
  copy_rows(x.data() + part.begin, columns(x.size(), rows), y.data(), width, rows, static_cast<std::size_t>(width));
  return y;
}

template <class T>
Tensor<T> join(std::span<const Tensor<T>* const> xs, std::size_t rows, std::span<const Part> parts,
               const Shape& shape) {
  std::size_t covered = 0;
  for (const Tensor<T>* x : xs) covered += x->size();
  Tensor<T> out = covered == size_of(shape) ? empty<T>(shape) : zeros<T>(shape);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const std::ptrdiff_t width = columns(xs[i]->size(), rows);
    if (width == 0) continue;
    copy_rows(xs[i]->data(), width, out.data() + parts[i].begin, columns(out.size(), rows), rows,
              static_cast<std::size_t>(width));
  }
  return out;
}

template Tensor<float> cut(const Tensor<float>&, std::size_t, const Part&);
template Tensor<double> cut(const Tensor<double>&, std::size_t, const Part&);
template Tensor<float> join(std::span<const Tensor<float>* const>, std::size_t, std::span<const Part>, const Shape&);
template Tensor<double> join(std::span<const Tensor<double>* const>, std::size_t, std::span<const Part>, const Shape&);

}  // namespace rw::kernels
