#pragma once

#include <algorithm>
#include <cstdio>
#include <string>

#include "autograd/blas.hpp"
#include "autograd/tape.hpp"
#include "nn/parameters.hpp"
#include "optim/optim.hpp"

// What the examples of the five forms share. Each is a program that prints what it reached, and returns 0 if that is
// enough. Number to reach and task: see the head of each file.

namespace forms {

/// The parameters of all layers of a model, named by the layer's number.
template <class... Layers>
rw::nn::Parameters<float> parameters_of(Layers&... layers) {
  rw::nn::Parameters<float> all;
  int number = 0;
  (all.add(std::to_string(number++), layers.parameters()), ...);
  return all;
}

/// Steps of Adam on loss(), which is computed anew at every step.
template <class Loss>
void train(const rw::nn::Parameters<float>& parameters, int steps, double learning_rate, const Loss& loss) {
  rw::set_gemm_threads(1);  // products as small as these gain nothing by more
  rw::optim::Adam<float> adam({.learning_rate = learning_rate});
  for (int step = 0; step < steps; ++step) {
    rw::Tape<float> tape;
    auto gradients = tape.backward(loss());
    rw::optim::clip_global_norm(gradients, 1);
    adam.step(parameters, gradients);
  }
}

/// The largest of each row of logits [..., V], [...].
inline rw::Indices likeliest(const rw::Variable<float>& logits) {
  const rw::Shape& shape = logits.shape();
  const std::size_t width = shape.back();
  rw::Indices best = rw::empty<std::int64_t>(rw::Shape(shape.begin(), shape.end() - 1));
  for (std::size_t i = 0; i < best.size(); ++i) {
    const float* row = logits.value().data() + i * width;
    best.data()[i] = std::max_element(row, row + width) - row;
  }
  return best;
}

/// The share of targets [...] that are the largest of their logits [..., V].
inline double accuracy(const rw::Variable<float>& logits, const rw::Indices& targets) {
  const rw::Indices guesses = likeliest(logits);
  double right = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) right += guesses.data()[i] == targets.data()[i];
  return right / static_cast<double>(targets.size());
}

/// Prints a result and says whether it is enough, as a program's result.
inline int report(const char* what, double reached, const char* wanted, bool enough) {
  std::printf("%s: %.4f (%s)%s\n", what, reached, wanted, enough ? "" : ", which is not enough");
  return enough ? 0 : 1;
}

}  // namespace forms
