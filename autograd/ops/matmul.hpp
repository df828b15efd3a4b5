#pragma once

#include "autograd/kernels/matmul.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/shape.hpp"

namespace rw {

template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, Transpose transpose = Transpose::none);

namespace detail {

/// dC·Bᵀ for the backward pass of a tape. A product of few rows with a transposed matrix takes up to twice the time of
/// one with the matrix as it lies; where the tape has several of them, as with a recurrent weight, the transpose is
/// made once and kept with the weight until that changes.
template <class T>
Variable<T> times_transposed(const Variable<T>& dc, const Variable<T>& b, const Tape<T>* tape) {
  constexpr std::size_t few_rows = 256, several = 3;
  if (Tape<T>::current() != nullptr || b.rank() != 2 || dc.size() > few_rows * dc.shape().back() ||
      tape->uses(b) < several) {
    return matmul(dc, b, Transpose::b);
  }
  return kernels::matmul("matmul", dc.value(), b.transposed(), Transpose::none);
}

}  // namespace detail

/// C = A·B, either operand read transposed without a copy.
/// A [..., m, k], B [k, n] -> C [..., m, n];  A [..., m, k], B [..., k, n] with equal batch axes -> C [..., m, n].
/// Throws std::invalid_argument where the inner extents or batch axes differ.
template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, Transpose transpose) {
  const bool ta = transpose == Transpose::a || transpose == Transpose::both;
  const bool tb = transpose == Transpose::b || transpose == Transpose::both;
  return record("matmul", kernels::matmul("matmul", a.value(), b.value(), transpose),
                wrt(a,
                    [b, ta, tb, tape = Tape<T>::current()](const Variable<T>& dc) {
                      if (ta) return matmul(b, dc, tb ? Transpose::both : Transpose::b);
                      return tb ? matmul(dc, b) : detail::times_transposed(dc, b, tape);
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
  return record(
      "affine", kernels::affine("affine", x.value(), w.value(), b.value()),
      wrt(x, [w, tape = Tape<T>::current()](const Variable<T>& dy) { return detail::times_transposed(dy, w, tape); }),
      wrt(w,
          [x](const Variable<T>& dy) {
            return Product<T>{x, dy};
          }),
      repeated(b));
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
