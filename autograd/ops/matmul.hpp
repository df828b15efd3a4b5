#pragma once

#include "autograd/kernels/matmul.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/shape.hpp"

namespace rw {

template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, Transpose transpose = Transpose::none);

namespace detail {

/// b, or its transpose, packed, where that makes x·b faster; else nullptr. It is made once and kept with b until that
/// changes: for a parameter where no tape records; and where `tape` has several products with b, as with a recurrent
/// weight.
template <class T>
const Packed<T>* packed(const Variable<T>& x, const Variable<T>& b, bool transposed, const Tape<T>* tape) {
  constexpr std::size_t several = 3;
  if (b.rank() != 2 || x.size() == 0 || x.rank() == 0) return nullptr;
  if (!Packed<T>::pays(x.size() / x.shape().back(), b.shape()[0], b.shape()[1])) return nullptr;
  const bool often = tape == nullptr ? b.place().tape == Place::parameters : tape->uses(b) >= several;
  return often ? &b.packed(transposed) : nullptr;
}

/// dC·B or dC·Bᵀ for the backward pass of `tape`.
template <class T>
Variable<T> times(const Variable<T>& dc, const Variable<T>& b, bool transposed, const Tape<T>* tape) {
  const Transpose how = transposed ? Transpose::b : Transpose::none;
  if (Tape<T>::current() != nullptr) return matmul(dc, b, how);
  return kernels::matmul("matmul", dc.view(), b.view(), how, packed(dc, b, transposed, tape));
}

}  // namespace detail

/// C = A·B, either operand read transposed without a copy.
/// A [..., m, k], B [k, n] -> C [..., m, n];  A [..., m, k], B [..., k, n] with equal batch axes -> C [..., m, n].
/// Throws std::invalid_argument where the inner extents or batch axes differ.
template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, Transpose transpose) {
  const bool ta = transpose == Transpose::a || transpose == Transpose::both;
  const bool tb = transpose == Transpose::b || transpose == Transpose::both;
  const Packed<T>* packed = ta ? nullptr : detail::packed(a, b, tb, Tape<T>::current());
  Variable<T> c = kernels::matmul("matmul", a.view(), b.view(), transpose, packed);
  const auto da = [&] {
    return [b = b, ta, tb, tape = Tape<T>::current()](const Variable<T>& dc) {
      if (ta) return matmul(b, dc, tb ? Transpose::both : Transpose::b);
      return detail::times(dc, b, !tb, tape);
    };
  };
  if (b.rank() == 2 && !ta) return record("matmul", std::move(c), wrt(a, da), weight(b, a, tb));
  const auto db = [&] {
    return [a = a, ta, tb](const Variable<T>& dc) {
      if (ta) return tb ? matmul(dc, a, Transpose::both) : matmul(a, dc);
      return tb ? matmul(dc, a, Transpose::a) : matmul(a, dc, Transpose::a);
    };
  };
  return record("matmul", std::move(c), wrt(a, da), wrt(b, db));
}

/// y = x·W + b, with b repeated along the axes it lacks.   x [..., k], W [k, n], b [n] or any shape that broadcasts to
/// [..., n] -> y [..., n]. Throws std::invalid_argument where the shapes do not fit.
template <class T>
Variable<T> affine(const Variable<T>& x, const Variable<T>& w, const Variable<T>& b) {
  const Packed<T>* packed = detail::packed(x, w, false, Tape<T>::current());
  const auto dx = [&] {
    return [w = w, tape = Tape<T>::current()](const Variable<T>& dy) { return detail::times(dy, w, true, tape); };
  };
  return record("affine", kernels::affine("affine", x.view(), w.view(), b.view(), packed), wrt(x, dx), repeated(b),
                weight(w, x));
}

/// The product left open by a derivative, multiplied out.
template <class T>
Variable<T> multiplied(const Product<T>& product) {
  const auto flat = [](const Variable<T>& x) {
    return x.rank() == 2 ? x : reshape(x, {rows_of(x.shape()), x.shape().back()});
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
