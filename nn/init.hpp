#pragma once

#include <algorithm>
#include <vector>

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

// Values to start training from. Weights are stored [I, O] and applied as x·W, so I is the fan-in and O the fan-out.
// Numbers are drawn in double and rounded, so float and double weights of one seed agree.

namespace rw::nn {

/// Uniform in [−bound, bound].
template <class T>
Tensor<T> uniform(const Shape& shape, double bound, Random& random);

/// From the normal distribution of mean 0 and standard deviation `deviation`.
template <class T>
Tensor<T> normal(const Shape& shape, double deviation, Random& random);

/// Uniform in ±√(6/(I + O)), shape [I, O] (Glorot & Bengio 2010). Throws std::invalid_argument where it has not 2 axes.
template <class T>
Tensor<T> glorot_uniform(const Shape& shape, Random& random);

/// Normal of variance 2/(I + O), shape [I, O] (Glorot & Bengio 2010).
/// Throws std::invalid_argument where it has not 2 axes.
template <class T>
Tensor<T> glorot_normal(const Shape& shape, Random& random);

/// Uniform in ±1/√hidden, whatever the shape: the customary start of recurrent layers.
template <class T>
Tensor<T> recurrent_uniform(const Shape& shape, std::size_t hidden, Random& random);

/// A uniformly distributed matrix [m, n] with QᵀQ = 1 where m ≥ n, else QQᵀ = 1: it keeps lengths, so a linear
/// recurrence neither vanishes nor explodes (Saxe, McClelland & Ganguli 2014).
/// Throws std::invalid_argument where the shape has not 2 axes.
template <class T>
Tensor<T> orthogonal(const Shape& shape, Random& random);

/// Several weights side by side, as the gates of a cell lie: `count` tensors draw(shape of one), joined along the last
/// axis. Throws std::invalid_argument where the last extent is no multiple of `count`.
template <class T, class Draw>
Tensor<T> blocks(const Shape& shape, std::size_t count, Draw&& draw) {
  if (count == 0 || shape.empty() || shape.back() % count != 0) {
    fail("blocks", "a last extent that is a multiple of the number of blocks", shape, ", ", count, " blocks");
  }
  Shape one = shape;
  one.back() /= count;
  const std::size_t width = one.back(), rows = width == 0 ? 0 : size_of(one) / width;
  Tensor<T> all = rw::empty<T>(shape);
  for (std::size_t k = 0; k < count; ++k) {
    const Tensor<T> block = draw(one);
    for (std::size_t i = 0; i < rows; ++i) {
      std::copy_n(block.data() + i * width, width, all.data() + (i * count + k) * width);
    }
  }
  return all;
}

/// [I, count·H] with each gate's [I, H] drawn by glorot_uniform.
template <class T>
Tensor<T> glorot_uniform_blocks(const Shape& shape, std::size_t count, Random& random) {
  return blocks<T>(shape, count, [&](const Shape& one) { return glorot_uniform<T>(one, random); });
}

/// [H, count·H] with each gate's [H, H] drawn by orthogonal.
template <class T>
Tensor<T> orthogonal_blocks(const Shape& shape, std::size_t count, Random& random) {
  return blocks<T>(shape, count, [&](const Shape& one) { return orthogonal<T>(one, random); });
}

/// A bias of one constant a gate, [values.size()·hidden]: {0, 1, 0, 0} opens the second of four gates, an LSTM's
/// forget gate (Jozefowicz, Zaremba & Sutskever 2015).
template <class T>
Tensor<T> bias_blocks(std::size_t hidden, const std::vector<double>& values);

/// A bias [signs.size()·hidden] whose block k is signs[k]·ln U(1, longest − 1), the same draws in all blocks, so that
/// the units remember between 1 and `longest` steps (Tallec & Ollivier 2018, chrono initialisation): {−1, 1, 0, 0} for
/// the gates i, f, g, o of an LSTM, {0, 1, 0} for r, z, n of a GRU.
/// Throws std::invalid_argument where `longest` is not finite and above 2.
template <class T>
Tensor<T> chrono(std::size_t hidden, double longest, const std::vector<double>& signs, Random& random);

}  // namespace rw::nn
