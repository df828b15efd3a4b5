#include "autograd/kernels/matmul.hpp"

#include "autograd/blas.hpp"
#include "autograd/kernels/reduce.hpp"

namespace rw::kernels {

template <class T>
Tensor<T> matmul(const char* op, const Tensor<T>& a, const Tensor<T>& b, Transpose transpose) {
  const bool ta = transpose == Transpose::a || transpose == Transpose::both;
  const bool tb = transpose == Transpose::b || transpose == Transpose::both;
  check_inner(op, a.shape(), b.shape(), ta, tb);
  const std::size_t ra = a.dimension(), rb = b.dimension();
  const std::size_t stride_a = a.shape(ra - 1), stride_b = b.shape(rb - 1);
  const std::size_t k = a.shape(ra - (ta ? 2 : 1)), n = b.shape(rb - (tb ? 2 : 1));
  if (rb == 2 && !ta) {  // one matrix for every row of a
    Shape shape = a.shape();
    shape.back() = n;
    Tensor<T> c = empty<T>(shape);
    gemm<T>(n == 0 ? 0 : c.size() / n, n, k, {a.data(), stride_a}, {b.data(), stride_b, tb}, T(0), c.data(), n);
    return c;
  }
  const std::size_t m = a.shape(ra - (ta ? 1 : 2));
  Shape shape = a.shape();
  if (ra != rb || !std::equal(shape.begin(), shape.end() - 2, b.shape().begin())) {
    fail(op, "equal batch axes, or a single matrix b", "a ", a.shape(), ", b ", b.shape());
  }
  shape[ra - 2] = m;
  shape[ra - 1] = n;
  Tensor<T> c = empty<T>(shape);
  const std::size_t batch = size_of(Shape(shape.begin(), shape.end() - 2));
  for (std::size_t i = 0; i < batch; ++i) {
    gemm<T>(m, n, k, {a.data() + i * m * k, stride_a, ta}, {b.data() + i * k * n, stride_b, tb}, T(0),
            c.data() + i * m * n, n);
  }
  return c;
}

template <class T>
Tensor<T> affine(const char* op, const Tensor<T>& x, const Tensor<T>& w, const Tensor<T>& b) {
  check_rank(op, w.shape(), 2);
  check_inner(op, x.shape(), w.shape(), false, false);
  const std::size_t k = w.shape(0), n = w.shape(1);
  Shape shape = x.shape();
  shape.back() = n;
  Tensor<T> y = broadcast_to(op, b, shape);
  gemm<T>(n == 0 ? 0 : y.size() / n, n, k, {x.data(), k}, {w.data(), n}, T(1), y.data(), n);
  return y;
}

template Tensor<float> matmul(const char*, const Tensor<float>&, const Tensor<float>&, Transpose);
template Tensor<double> matmul(const char*, const Tensor<double>&, const Tensor<double>&, Transpose);
template Tensor<float> affine(const char*, const Tensor<float>&, const Tensor<float>&, const Tensor<float>&);
template Tensor<double> affine(const char*, const Tensor<double>&, const Tensor<double>&, const Tensor<double>&);

}  // namespace rw::kernels
