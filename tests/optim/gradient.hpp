#pragma once

#include "autograd/gradients.hpp"

namespace rw::test {

/// Adds the gradient `term` of p.
template <class T>
void give(Gradients<T>& gradients, const Parameter<T>& p, Term<T> term) {
  GradientSum<T> sum;
  sum.add(std::move(term));
  sum.settle();
  gradients.insert(p.place(), std::move(sum));
}

/// The gradient of p alone.
template <class T>
Gradients<T> gradient(const Parameter<T>& p, Term<T> term) {
  Gradients<T> gradients;
  give(gradients, p, std::move(term));
  return gradients;
}

template <class T>
Gradients<T> gradient(const Parameter<T>& p, Tensor<T> x) {
  return gradient<T>(p, Term<T>(Variable<T>(std::move(x))));
}

/// Row i of x.
inline Tensor<double> row(const Tensor<double>& x, std::size_t i) {
  const Shape shape(x.shape().begin() + 1, x.shape().end());
  Tensor<double> out = empty<double>(shape);
  std::copy_n(x.data() + i * out.size(), out.size(), out.data());
  return out;
}

}  // namespace rw::test
