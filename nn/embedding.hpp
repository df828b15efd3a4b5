#pragma once

#include <optional>

#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/index.hpp"
#include "nn/init.hpp"
#include "nn/parameters.hpp"

namespace rw::nn {

/// Rows of a table by number: ids [...] -> [..., D]. The gradient is row-sparse. Rows of `padding` are zero and stay so.
/// Throws std::invalid_argument where an id is not below the vocabulary's size.
template <class T>
struct Embedding {
  struct Options {
    std::size_t vocabulary, dimension;
    std::optional<std::int64_t> padding = {};
  };

  /// The table is drawn from N(0, 1/D).
  Embedding(const Options& options, Random& random)
      : weight("weight", normal<T>({options.vocabulary, options.dimension}, 1 / std::sqrt(double(options.dimension)), random)),
        padding(options.padding) {}

  Variable<T> operator()(const Indices& ids) const {
    const Variable<T> rows = gather_rows(weight, ids);
    if (!padding) return rows;
    Shape shape = ids.shape();
    shape.push_back(1);
    Tensor<T> real = rw::empty<T>(shape);
    std::transform(ids.begin(), ids.end(), real.data(), [&](std::int64_t id) { return id == *padding ? T(0) : T(1); });
    return where(Variable<T>(std::move(real)), rows, 0);
  }

  Parameters<T> parameters() { return {weight}; }

  Parameter<T> weight;
  std::optional<std::int64_t> padding;
};

}  // namespace rw::nn
