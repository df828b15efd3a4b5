#pragma once

#include <optional>

#include "autograd/ops/matmul.hpp"
#include "nn/init.hpp"
#include "nn/parameters.hpp"

namespace rw::nn {

/// y = x·W + b.   x [..., I], W [I, O], b [O] -> y [..., O]. W is drawn from Glorot's uniform distribution, b is 0.
template <class T>
struct Linear {
  struct Options {
    std::size_t input, output;
    bool bias = true;
  };

  Linear(const Options& options, Random& random)
      : weight("weight", glorot_uniform<T>({options.input, options.output}, random)) {
    if (options.bias) bias.emplace("bias", zeros<T>({options.output}));
  }

  Variable<T> operator()(const Variable<T>& x) const { return bias ? affine(x, weight, *bias) : matmul(x, weight); }

  Parameters<T> parameters() { return bias ? Parameters<T>{weight, *bias} : Parameters<T>{weight}; }

  Parameter<T> weight;
  std::optional<Parameter<T>> bias;
};

}  // namespace rw::nn
