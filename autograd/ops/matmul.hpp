#pragma once

#include "autograd/kernels/matmul.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/shape.hpp"

namespace rw {

/// C = A·B, either operand read transposed without a copy.
/// A [..., m, k], B [k, n] -> C [..., m, n];  A [..., m, k], B [..., k, n] with equal batch axes -> C [..., m, n].
/// Throws std::invalid_argument where the inner extents or batch axes differ.
template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, Transpose transpose = Transpose::none) {
  const bool ta = transpose == Transpose::a || transpose == Transpose::both;
  const bool tb = transpose == Transpose::b || transpose == Transpose::both;
  return record("matmul", kernels::matmul("matmul", a.value(), b.value(), transpose),
                wrt(a,
                    [b, ta, tb](const Variable<T>& dc) {
                      if (ta) return matmul(b, dc, tb ? Transpose::both : Transpose::b);
                      return matmul(dc, b, tb ? Transpose::none : Transpose::b);
                    }),
                wrt(b, [a, ta, tb, single = b.rank() == 2](const Variable<T>& dc) -> Term<T> {
                  if (ta) return tb ? matmul(dc, a, Transpose::both) : matmul(a, dc);
                  if (single) return tb ? Product<T>{dc, a} : Product<T>{a, dc};
                  return tb ? matmul(dc, a, Transpose::a) : matmul(a, dc, Transpose::a);
                }));
}

/// y = x·W + b, with b repeated along the axes it lacks.   x [..., k], W [k, n], b [n] or any shape that broadcasts to
/// [..., n] -> y [..., n]. Throws std::invalid_argument where the shapes do not fit.
template <class T>
Variable<T> affine(const Variable<T>& x, const Variable<T>& w, const Variable<T>& b) {
  return record("affine", kernels::affine("affine", x.value(), w.value(), b.value()),
                wrt(x, [w](const Variable<T>& dy) { return matmul(dy, w, Transpose::b); }),
                wrt(w,
                    [x](const Variable<T>& dy) {
                      return Product<T>{x, dy};
                    }),
                wrt(b, [shape = b.shape()](const Variable<T>& dy) { return sum_to(dy, shape); }));
}

/// The product left open by a derivative, multiplied out.
template <class T>
Variable<T> multiplied(const Product<T>& product) {
  const auto flat = [](const Variable<T>& x) {
    const std::size_t width = x.shape().back();
    return x.rank() == 2 ? x : reshape(x, {width == 0 ? 0 : x.size() / width, width});
  };
  return matmul(flat(product.a), flat(product.b), Transpose::a);
}

/// C[i, j] = a[i]·b[j].   a [m], b [n] -> C [m, n]. Throws std::invalid_argument where one is not a vector.
template <class T>
Variable<T> outer(const Variable<T>& a, const Variable<T>& b) {
  check_rank("outer", a.shape(), 1);
  check_rank("outer", b.shape(), 1);
  return reshape(a, {a.size(), 1}) * b;
}

}  // namespace rw
