#pragma once

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

// The spectral radius of recurrent weights, and weights that are given one.

namespace rw::nn {

/// ρ(W), the largest |λ| of the eigenvalues λ of W [n, n].
/// Throws std::invalid_argument where W is not square, is empty or holds what is not finite.
template <class T>
double spectral_radius(const Tensor<T>& weight);

/// W·radius/ρ(W). Throws std::invalid_argument as spectral_radius(), where ρ(W) is 0 (a zero matrix, one without
/// loops), or where the radius is negative or not finite.
template <class T>
Tensor<T> scaled_to_radius(const Tensor<T>& weight, double radius);

/// A sparse matrix [n, n] of spectral radius `radius`: a reservoir (Jaeger 2001). Each column, what one unit hears, has
/// connectivity·n elements, at least one, at random places, uniform in [−1, 1) before they are scaled.
/// Throws std::invalid_argument where the shape is not square or is empty, the connectivity is not in (0, 1], or the
/// radius is negative or not finite.
template <class T>
Tensor<T> sparse(const Shape& shape, double connectivity, double radius, Random& random);

}  // namespace rw::nn
