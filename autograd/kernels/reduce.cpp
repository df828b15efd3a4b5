#include "autograd/kernels/reduce.hpp"

#include "autograd/kernels/broadcast.hpp"
#include "autograd/lane.hpp"

namespace rw::kernels {
namespace {

void check_broadcasts(const char* op, const Shape& from, const Shape& to) {
  bool ok = from.size() <= to.size();
  for (std::size_t i = 0; ok && i < from.size(); ++i) {
    ok = from[i] == to[to.size() - from.size() + i] || from[i] == 1;
  }
  if (!ok) fail(op, "a shape that broadcasts to " + to_string(to), from);
}

}  // namespace

template <class T>
T sum(const T* x, std::size_t n) {
  constexpr std::size_t width = lane_size<T>;
  xsimd::batch<T> a(T(0)), b(T(0));
  std::size_t i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    a += xsimd::load_unaligned(x + i);
    b += xsimd::load_unaligned(x + i + width);
  }
  T total = xsimd::hadd(a + b);
  for (; i < n; ++i) total += x[i];
  return total;
}

template <class T>
Tensor<T> sum_to(const char* op, const Tensor<T>& x, const Shape& shape) {
  check_broadcasts(op, shape, x.shape());
  Tensor<T> out = zeros<T>(shape);
  if (x.size() == 0) return out;
  const auto plan = broadcast_plan<1>(op, x.shape(), {&shape});
  const std::size_t last = plan.axes - 1, columns = plan.extent[last];
  const T* from = x.data();
  for_each_row(plan, [&](const std::array<std::size_t, 1>& offset) {
    T* to = out.data() + offset[0];
    if (plan.stride[0][last] == 0) {
      *to += sum(from, columns);
    } else {
      for (std::size_t j = 0; j < columns; ++j) to[j] += from[j];
    }
    from += columns;
  });
  return out;
}

template <class T>
Tensor<T> broadcast_to(const char* op, const Tensor<T>& x, const Shape& shape) {
  check_broadcasts(op, x.shape(), shape);
  Tensor<T> out = empty<T>(shape);
  if (out.size() == 0) return out;
  const auto plan = broadcast_plan<1>(op, shape, {&x.shape()});
  const std::size_t last = plan.axes - 1, columns = plan.extent[last];
  T* to = out.data();
  for_each_row(plan, [&](const std::array<std::size_t, 1>& offset) {
    const T* from = x.data() + offset[0];
    if (plan.stride[0][last] == 0) {
      std::fill_n(to, columns, *from);
    } else {
      std::copy_n(from, columns, to);
    }
    to += columns;
  });
  return out;
}

template float sum(const float*, std::size_t);
template double sum(const double*, std::size_t);
template Tensor<float> sum_to(const char*, const Tensor<float>&, const Shape&);
template Tensor<double> sum_to(const char*, const Tensor<double>&, const Shape&);
template Tensor<float> broadcast_to(const char*, const Tensor<float>&, const Shape&);
template Tensor<double> broadcast_to(const char*, const Tensor<double>&, const Shape&);

}  // namespace rw::kernels
