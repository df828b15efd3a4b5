#pragma once

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/learned_start.hpp"
#include "nn/stack.hpp"
#include "tests/nn/users_cell.hpp"

namespace common {

/// Two layers, 3 -> 4 -> 5.
inline rw::nn::Stack<rw::nn::Lstm<double>> deep() {
  rw::nn::Stack<rw::nn::Lstm<double>> stack;
  stack.layers.push_back(made<rw::nn::Lstm<double>>(3, 4, 1));
  stack.layers.push_back(made<rw::nn::Lstm<double>>(4, 5, 2));
  return stack;
}

/// check(cell) for cells of 3 inputs whose states differ in kind.
template <class Check>
void check_several_cells(const Check& check) {
  check(made<rw::nn::Lstm<double>>(3, 4));
  check(made<rw::nn::Gru<double>>(3, 4));
  check(made<UsersCell>(3, 4));
  check(rw::nn::LearnedStart<rw::nn::Lstm<double>>(made<rw::nn::Lstm<double>>(3, 4)));
  check(deep());
}

}  // namespace common
