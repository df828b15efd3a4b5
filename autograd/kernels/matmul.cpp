#include "autograd/kernels/matmul.hpp"

#include <algorithm>

#include "autograd/blas.hpp"
#include "autograd/kernels/reduce.hpp"

namespace rw::kernels {
namespace {

// y = x·w + d, with one matrix for every row of x.
template <class T>
[[gnu::noinline]] void multiply_rows(View<T> x, View<T> w, bool transposed, const Packed<T>* packed, Addend<T> d,
                                     Tensor<T>& y) {
  const std::size_t n = y.shape().back(), k = x.shape().back(), m = n == 0 ? 0 : y.size() / n;
  if (packed != nullptr) return packed->multiply(m, x.data(), d, y.data());
  // Many rows win back what packing takes, where gemm() would read w transposed or d would have to be copied first; but
  // of long rows too few stay in the second cache until all of w has passed by.
  constexpr std::size_t many = 512, long_row = 4096;
  const bool apart = d.data != nullptr && d.data != y.data();
  if ((transposed || apart) && m >= many && k < long_row && Packed<T>::pays(m, k, n)) {
    return Packed<T>(w, transposed).multiply(m, x.data(), d, y.data());
  }
  for (std::size_t i = 0; apart && i < m; ++i) {
    std::copy_n(d.data + i * d.stride, n, y.data() + i * n);
  }
  gemm<T>(m, n, k, {x.data(), k}, {w.data(), w.shape(1), transposed}, T(d.data != nullptr), y.data(), n);
}

}  // namespace

template <class T>
Tensor<T> matmul(const char* op, View<T> a, View<T> b, Transpose transpose, const Packed<T>* packed) {
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
    multiply_rows(a, b, tb, packed, {}, c);
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
Tensor<T> affine(const char* op, View<T> x, View<T> w, View<T> b, const Packed<T>* packed) {
  check_rank(op, w.shape(), 2);
  check_inner(op, x.shape(), w.shape(), false, false);
  Shape shape = x.shape();
  shape.back() = w.shape(1);
  // Rows, or one row, are added where they lie; any other b is repeated first.
  const bool row = b.shape() == Shape{shape.back()}, as_it_is = row || b.shape() == shape;
  Tensor<T> y = as_it_is ? empty<T>(shape) : broadcast_to(op, b, shape);
  multiply_rows<T>(x, w, false, packed, {as_it_is ? b.data() : y.data(), row ? 0 : shape.back()}, y);
  return y;
}

template Tensor<float> matmul(const char*, View<float>, View<float>, Transpose, const Packed<float>*);
template Tensor<double> matmul(const char*, View<double>, View<double>, Transpose, const Packed<double>*);
template Tensor<float> affine(const char*, View<float>, View<float>, View<float>, const Packed<float>*);
template Tensor<double> affine(const char*, View<double>, View<double>, View<double>, const Packed<double>*);

}  // namespace rw::kernels
