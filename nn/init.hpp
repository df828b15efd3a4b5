#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

// Values to start training from. Weights are stored [I, O] and applied as x·W, so I is the fan-in and O the fan-out.
// Numbers are drawn in double and rounded, so float and double weights of one seed agree. A constant is rw::full.
// Every layer says what it begins with; to begin otherwise, assign:
//     cell.weight_hh.assign(nn::identity<float>(cell.weight_hh.shape()));
// What is said of [I, O] throws std::invalid_argument where a shape has not 2 axes.

namespace rw::nn {

/// Uniform in [−bound, bound].
template <class T>
Tensor<T> uniform(const Shape& shape, double bound, Random& random);

/// From the normal distribution of mean 0 and standard deviation `deviation`.
template <class T>
Tensor<T> normal(const Shape& shape, double deviation, Random& random);

/// The same, drawn again where it is further than 2·deviation from 0, which leaves a standard deviation of
/// 0.8796·deviation.
template <class T>
Tensor<T> truncated_normal(const Shape& shape, double deviation, Random& random);

/// Uniform in ±√(6/(I + O)), so that tanh keeps the variance of values and gradients (Glorot & Bengio 2010).
/// [I, O].
template <class T>
Tensor<T> glorot_uniform(const Shape& shape, Random& random);

/// Normal of variance 2/(I + O) (Glorot & Bengio 2010).   [I, O].
template <class T>
Tensor<T> glorot_normal(const Shape& shape, Random& random);

/// What a variance is made for: values on their way forward, gradients on their way back.
enum class Fan { in, out };

struct HeOptions {
  Fan fan = Fan::in;
  double slope = 0;  // a of the leaky relu max(x, a·x)
};

/// Uniform in ±√(6/((1 + a²)·fan)), so that relu keeps the variance (He et al. 2015, equations 10, 14 and 15).   [I,
/// O]. Throws std::invalid_argument also where a is not finite.
template <class T>
Tensor<T> he_uniform(const Shape& shape, Random& random, const HeOptions& options = {});

/// Normal of variance 2/((1 + a²)·fan). Throws as he_uniform().
template <class T>
Tensor<T> he_normal(const Shape& shape, Random& random, const HeOptions& options = {});

/// Uniform in ±√(3/I), so that inputs of variance 1 make sums of variance 1 (LeCun et al. 1998, section 4.6; for selu
/// Klambauer et al. 2017).   [I, O].
template <class T>
Tensor<T> lecun_uniform(const Shape& shape, Random& random);

/// Normal of variance 1/I.   [I, O].
template <class T>
Tensor<T> lecun_normal(const Shape& shape, Random& random);

/// Uniform in ±1/√hidden, whatever the shape: the customary start of recurrent layers.
template <class T>
Tensor<T> recurrent_uniform(const Shape& shape, std::size_t hidden, Random& random);

/// gain·Q with a uniformly distributed matrix Q [m, n], QᵀQ = 1 where m ≥ n, else QQᵀ = 1: of gain 1 it keeps lengths,
/// so a linear recurrence neither vanishes nor explodes (Saxe, McClelland & Ganguli 2014).
template <class T>
Tensor<T> orthogonal(const Shape& shape, Random& random, double gain = 1);

/// `scale` on the diagonal, else 0; [I, O] need not be square. With relu and biases of 0 a recurrence that keeps what
/// it holds (Le, Jaitly & Hinton 2015; their scale is 1, or 0.01 where a long memory does harm).
template <class T>
Tensor<T> identity(const Shape& shape, double scale = 1);

struct SparseOptions {
  std::size_t connections = 15;  // of each unit; all I where there are no more
  double deviation = 1;
};

/// Sparse (Martens 2010; Sutskever et al. 2013): each column, what one unit hears, has so many elements from the normal
/// distribution, at random places, the others are 0.   [I, O]. Throws std::invalid_argument also where there is no
/// connection. For a reservoir of a spectral radius see nn/spectral.hpp.
template <class T>
Tensor<T> sparse_normal(const Shape& shape, Random& random, const SparseOptions& options = {});

/// The same with elements that `draw` gives.
template <class T>
Tensor<T> sparse_columns(const Shape& shape, std::size_t connections, const std::function<double()>& draw,
                         Random& random);

/// Several weights side by side, as the gates of a cell lie: `count` tensors draw(shape of one), joined along the last
/// axis, so that a fan is that of one gate:
///     blocks<float>({I, 4 * H}, 4, [&](const Shape& one) { return he_normal<float>(one, random); })
/// Throws std::invalid_argument where the last extent is no multiple of `count`.
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
