#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "autograd/ops/shape.hpp"
#include "nn/cell.hpp"
#include "tests/nn/common.hpp"

// A row tells the tests of every cell (every_cell.hpp) how to make one and what it must compute:
//
//     using Cell = ...;
//     static Cell make(std::size_t input, std::size_t hidden, Random& random);
//     static std::vector<std::string> names();                                      of the parameters, in order
//     static Numbers step(const Cell& cell, const Numbers& x, Numbers& state);      in plain scalars, returns the
//     output static auto unfused(const Cell& cell, const Variable& x, const State& s);     op by op from the raw input
//
// step() is given one sequence's state, its Variables' numbers one after the other, and leaves the next one there.
// unfused() returns cell.step(x, s) where the cell neither fuses nor projects. A row may have
//
//     static constexpr std::size_t input = ...;
//
// the only width of inputs, and then of outputs too, that the cell takes, and
//
//     static bool counts(const Variable& v);
//
// for Variables of the state that only count: they keep their first values, and no gradient is asked for.

namespace cell_rows {

using rw::Parameter;
using rw::Random;
using rw::Variable;
using Numbers = std::vector<double>;

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Column j of x·W, with x from `begin` on.
inline double column(const Numbers& x, std::size_t begin, const Variable<double>& w, std::size_t j) {
  const std::size_t rows = w.shape()[0], columns = w.shape()[1];
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) sum += x[begin + i] * w.value().data()[i * columns + j];
  return sum;
}

/// Element j of a parameter; 0 where there is none.
inline double at(const Variable<double>& p, std::size_t j) { return p.value().data()[j]; }
inline double at(const std::optional<Parameter<double>>& p, std::size_t j) { return p ? p->value().data()[j] : 0; }

/// The row's cell with parameters that are all different, biases too.
template <class Row>
typename Row::Cell made(std::size_t input, std::size_t hidden, std::uint64_t seed = 1) {
  Random random(seed);
  auto cell = Row::make(input, hidden, random);
  common::scatter(cell.parameters(), 100 * seed);
  return cell;
}

}  // namespace cell_rows
