#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/compare.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/shape.hpp"

// Which steps of a padded batch are a row's own. What unroll() and its like share.

namespace rw::nn::detail {

/// The valid steps of each row, from lengths or a mask [T, B]; all of them where neither is given.
class ValidSteps {
 public:
  /// Throws std::invalid_argument where both are given, or do not fit T steps and B rows.
  ValidSteps(std::size_t steps, std::size_t batch, const std::vector<std::size_t>& lengths,
             const std::optional<Indices>& mask, const char* op = "unroll");

  /// Whether every row, or no row, has step t.
  bool all(std::size_t t) const { return counts_.empty() || counts_[t] == batch_; }
  bool none(std::size_t t) const { return !counts_.empty() && counts_[t] == 0; }

  bool has(std::size_t t, std::size_t b) const { return counts_.empty() || valid_[t * batch_ + b] != 0; }

  /// 1 for rows that have step t, else 0, [B].
  template <class T>
  Tensor<T> rows(std::size_t t) const {
    Tensor<T> rows = rw::empty<T>({batch_});
    for (std::size_t b = 0; b < batch_; ++b) rows.data()[b] = has(t, b) ? T(1) : T(0);
    return rows;
  }

 private:
  std::size_t batch_;
  List<char> valid_;          // [T, B]
  List<std::size_t> counts_;  // rows that have a step, [T]; empty where all have all
};

/// xs [T, B, I] with zeros where a row has no step and something is there that is not finite. Throws
/// std::invalid_argument where a valid step is not finite.
template <class T>
Variable<T> finite_inputs(const Variable<T>& xs, const ValidSteps& valid);

/// a in the rows that are chosen, else b; a and b are [B, ...].
template <class T>
Variable<T> choose_rows(const Tensor<T>& chosen, const Variable<T>& a, const Variable<T>& b) {
  if (a.rank() == 0 || a.shape()[0] != chosen.size()) {
    fail("unroll", "outputs and states [" + std::to_string(chosen.size()) + ", ...] where rows have lengths",
         a.shape());
  }
  Shape column(a.rank(), 1);
  column[0] = chosen.size();
  return where(Variable<T>(reshaped(chosen, column)), a, b);
}

}  // namespace rw::nn::detail
