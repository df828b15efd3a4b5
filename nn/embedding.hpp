#pragma once

#include <optional>

#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/index.hpp"
#include "nn/init.hpp"
#include "nn/parameters.hpp"

namespace rw::nn {

/// Rows of a table by number: ids [...] -> [..., D]. The gradient is row-sparse. The row of `padding` is zero and stays
/// so: no gradient flows to it. Throws std::invalid_argument where an id is not below the vocabulary's size.
template <class T>
struct Embedding {
  struct Options {
    std::size_t vocabulary, dimension;
    std::optional<std::int64_t> padding = {};
  };

  /// The table is drawn from N(0, 1/D). Throws std::invalid_argument where `padding` is not below the vocabulary's
  /// size.
  Embedding(const Options& options, Random& random)
      : weight("weight",
               normal<T>({options.vocabulary, options.dimension}, 1 / std::sqrt(double(options.dimension)), random)),
        padding(options.padding) {
    if (!padding) return;
    if (*padding < 0 || static_cast<std::size_t>(*padding) >= options.vocabulary) {
      fail("embedding", "a padding in [0, " + std::to_string(options.vocabulary) + ")", *padding);
    }
    weight.update([&](Tensor<T>& table) {
      std::fill_n(table.data() + static_cast<std::size_t>(*padding) * options.dimension, options.dimension, T(0));
    });
  }

  Variable<T> operator()(const Indices& ids) const {
    Variable<T> rows = gather_rows(weight, ids);
    if (!padding) return rows;
    Shape shape = ids.shape();
    shape.push_back(1);
    Tensor<T> real = rw::empty<T>(shape);
    std::transform(ids.begin(), ids.end(), real.data(), [&](std::int64_t id) { return id == *padding ? T(0) : T(1); });
    return where(Variable<T>(std::move(real)), rows, rows.detached());
  }

  Parameters<T> parameters() { return {weight}; }

  Parameter<T> weight;
  std::optional<std::int64_t> padding;
};

}  // namespace rw::nn
