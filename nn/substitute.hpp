#pragma once

#include "autograd/ops/reduce.hpp"
#include "nn/dropout.hpp"

namespace rw::nn {

/// A parameter and what it stands for in substitute().
template <class T>
struct Substitution {
  Parameter<T>* parameter;
  Variable<T> computed;
};

/// f() while parameters stand for variables that were computed, from themselves or others, and their gradients flow on
/// into what those were computed from. So any cell's weights can be dropped, normalised or shared:
///     const auto dropped = dropout(cell.weight_hh, 0.5, &random);  // Merity, Keskar & Socher 2018
///     const auto run = substitute<float>({{&cell.weight_hh, dropped}}, [&] { return unroll(cell, xs); });
/// Meanwhile no other thread may read them. Optimisers come after it: they would not know the parameters within.
/// Throws std::invalid_argument where shapes differ.
template <class T, class F>
auto substitute(List<Substitution<T>> substitutions, const F& f) {
  for (const auto& [parameter, computed] : substitutions) {
    check_same_shape("substitute", parameter->shape(), computed.shape());
  }
  struct Exchanged {
    explicit Exchanged(List<Substitution<T>>& list) : all(list) {
      for (auto it = all.begin(); it != all.end(); ++it) exchange(*it);
    }
    ~Exchanged() {
      for (auto it = all.rbegin(); it != all.rend(); ++it) exchange(*it);
    }
    static void exchange(Substitution<T>& s) { std::swap(static_cast<Variable<T>&>(*s.parameter), s.computed); }
    List<Substitution<T>>& all;
  };
  const Exchanged exchanged(substitutions);
  return f();
}

/// w = g · v/‖v‖ for every column of v [I, O] and g [O]: direction and length of a unit's weights apart (Salimans &
/// Kingma 2016). No column of v may be zero. Throws std::invalid_argument where the shapes do not fit.
template <class T>
Variable<T> weight_norm(const Variable<T>& v, const Variable<T>& g) {
  check_rank("weight_norm", v.shape(), 2);
  if (g.shape() != Shape{v.shape()[1]})
    fail("weight_norm", "g [" + std::to_string(v.shape()[1]) + "]", "g ", g.shape());
  return v * (g / norm(v, {.axes = {0}}));
}

}  // namespace rw::nn
