#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "autograd/blas.hpp"
#include "autograd/tape.hpp"
#include "examples/app/log.hpp"
#include "examples/app/program.hpp"
#include "examples/app/progress.hpp"
#include "nn/parameters.hpp"
#include "optim/optim.hpp"

// What the examples of the five forms share, and the lessons of the course with them. Each form is a program that
// prints what it reached, and returns 0 if that is enough. Number to reach and task: see the head of each file.

namespace forms {

/// The parameters of all layers of a model, named by the layer's number.
template <class Layer, class... Layers>
auto parameters_of(Layer& layer, Layers&... layers) {
  auto all = decltype(layer.parameters())();
  int number = 0;
  all.add(std::to_string(number++), layer.parameters());
  (all.add(std::to_string(number++), layers.parameters()), ...);
  return all;
}

/// Parses the command line and gives the form what all programs' have. Returns the exit code.
inline int run(int argc, char** argv, const std::string& about, const std::function<int(const app::Common&)>& form) {
  const std::string name = program_invocation_short_name;
  CLI::App flags(about + "\n  " + name + "\n  " + name + " --seed 2 --log curve.jsonl");
  flags.name(name);
  app::Common common{.threads = 1};  // products as small as these gain nothing by more
  app::add_common(flags, common);
  return app::run(flags, argc, argv, [&] {
    rw::set_gemm_threads(common.threads);
    return form(common);
  });
}

/// Steps of Adam on loss(), which is computed anew at every step. Returns the losses, and logs them.
template <class T, class Loss>
std::vector<double> train(const rw::nn::Parameters<T>& parameters, std::size_t steps, double learning_rate,
                          const Loss& loss, const app::Common& common = {.quiet = true}) {
  rw::optim::Adam<T> adam({.learning_rate = learning_rate});
  app::Progress progress(steps, "steps", common.quiet);
  app::Log log(common.log);
  std::vector<double> losses;
  while (losses.size() < steps) {
    rw::Tape<T> tape;
    const rw::Variable<T> value = loss();
    losses.push_back(static_cast<double>(value.item()));
    auto gradients = tape.backward(value);
    rw::optim::clip_global_norm(gradients, 1);
    adam.step(parameters, gradients);
    progress.show("learning", losses.back(), losses.size());
    log.write({{"step", losses.size()}, {"loss", losses.back()}});
  }
  progress.clear();
  return losses;
}

/// The largest of each row of logits [..., V], [...].
template <class T>
rw::Indices likeliest(const rw::Variable<T>& logits) {
  const rw::Shape& shape = logits.shape();
  const std::size_t width = shape.back();
  rw::Indices best = rw::empty<std::int64_t>(rw::Shape(shape.begin(), shape.end() - 1));
  for (std::size_t i = 0; i < best.size(); ++i) {
    const T* row = logits.value().data() + i * width;
    best.data()[i] = std::max_element(row, row + width) - row;
  }
  return best;
}

/// The share of targets [...] that are the largest of their logits [..., V].
template <class T>
double accuracy(const rw::Variable<T>& logits, const rw::Indices& targets) {
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
