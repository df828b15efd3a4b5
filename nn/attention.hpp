#pragma once

#include "autograd/fuse.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/ops/softmax.hpp"
#include "nn/init.hpp"
#include "nn/linear.hpp"
#include "nn/parameters.hpp"

// Attention over a memory m [S, B, D], time outermost, with a query q [B, Q]. Each kind scores every memory step; the
// weights are the softmax of the scores over the steps that the mask [S, B] marks with 1, so a masked step weighs
// exactly 0 and a row without any valid step gets a zero context.

namespace rw::nn {

/// A memory made ready for many queries.
template <class T>
struct Memory {
  Variable<T> values;  // [S, B, D]
  Variable<T> keys;    // what the scores are computed from, once a sequence
  Tensor<T> mask;      // [S, B] of 0 and 1
};

template <class T>
struct Attended {
  Variable<T> context;  // [B, D]
  Variable<T> weights;  // [S, B]
};

namespace kernels {

/// Σₛ w[s, b]·m[s, b, :], [B, D].
template <class T>
Tensor<T> mix(const Tensor<T>& w, const Tensor<T>& m);

/// q[b, :]·m[s, b, :], [S, B].
template <class T>
Tensor<T> dot(const Tensor<T>& q, const Tensor<T>& m);

/// w[s, b]·q[b, :], [S, B, D].
template <class T>
Tensor<T> spread(const Tensor<T>& w, const Tensor<T>& q);

}  // namespace kernels

// Three bilinear ops over weights w [S, B], queries q [B, D] and memories m [S, B, D], each the derivative of the
// others. Each throws std::invalid_argument where the extents differ.

template <class T>
Variable<T> dot(const Variable<T>& q, const Variable<T>& m);
template <class T>
Variable<T> spread(const Variable<T>& w, const Variable<T>& q);

/// y[b, :] = Σₛ w[s, b]·m[s, b, :].   w [S, B], m [S, B, D] -> y [B, D].
template <class T>
Variable<T> mix(const Variable<T>& w, const Variable<T>& m) {
  return record("mix", kernels::mix(w.value(), m.value()),
                wrt(w, [m = m](const Variable<T>& dy) { return dot(dy, m); }),
                wrt(m, [w = w](const Variable<T>& dy) { return spread(w, dy); }));
}

/// e[s, b] = q[b, :]·m[s, b, :].   q [B, D], m [S, B, D] -> e [S, B].
template <class T>
Variable<T> dot(const Variable<T>& q, const Variable<T>& m) {
  return record("dot", kernels::dot(q.value(), m.value()),
                wrt(q, [m = m](const Variable<T>& de) { return mix(de, m); }),
                wrt(m, [q = q](const Variable<T>& de) { return spread(de, q); }));
}

/// m[s, b, :] = w[s, b]·q[b, :].   w [S, B], q [B, D] -> m [S, B, D].
template <class T>
Variable<T> spread(const Variable<T>& w, const Variable<T>& q) {
  return record("spread", kernels::spread(w.value(), q.value()),
                wrt(w, [q = q](const Variable<T>& dm) { return dot(q, dm); }),
                wrt(q, [w = w](const Variable<T>& dm) { return mix(w, dm); }));
}

/// The mean of the memory's steps by their softmax weights. scores [S, B].
template <class T>
Attended<T> attend(const Variable<T>& scores, const Memory<T>& memory) {
  const Variable<T> weights = softmax(scores, memory.mask, 0);
  return {mix(weights, memory.values), weights};
}

/// 1 for the steps t < lengths[b], else 0: [S, B].
template <class T>
Tensor<T> mask_of(const std::vector<std::size_t>& lengths, std::size_t steps) {
  Tensor<T> mask = rw::empty<T>({steps, lengths.size()});
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < lengths.size(); ++b) mask.data()[t * lengths.size() + b] = t < lengths[b] ? T(1) : T(0);
  }
  return mask;
}

namespace detail {

/// vᵀ·tanh(q + k) of every step: q [B, A], k [S, B, A], v [A] -> [S, B].
template <class T>
Variable<T> additive_scores(const Variable<T>& q, const Variable<T>& k, const Variable<T>& v) {
  return sum(fuse([](auto q, auto k, auto v) { return v * tanh(q + k); }, q, k, v), {.axes = {-1}});
}

}  // namespace detail

/// Additive attention (Bahdanau, Cho & Bengio 2015): score = vᵀ·tanh(q·W + m·U + b).
template <class T>
struct AdditiveAttention {
  struct Options {
    std::size_t query, memory, hidden;
  };

  AdditiveAttention(const Options& o, Random& random)
      : query({.input = o.query, .output = o.hidden, .bias = false}, random),
        memory({.input = o.memory, .output = o.hidden}, random),
        score("score", uniform<T>({o.hidden}, 1 / std::sqrt(double(o.hidden)), random)) {}

  Memory<T> prepare(const Variable<T>& values, const Tensor<T>& mask) const { return {values, memory(values), mask}; }

  Attended<T> operator()(const Variable<T>& q, const Memory<T>& m) const {
    return attend(detail::additive_scores<T>(query(q), m.keys, score), m);
  }

  Parameters<T> parameters() {
    Parameters<T> all{score};
    all.add("query", query.parameters());
    all.add("memory", memory.parameters());
    return all;
  }

  Linear<T> query, memory;
  Parameter<T> score;
};

/// Luong, Pham & Manning 2015, "dot": score = qᵀ·m, for queries as wide as the memory.
template <class T>
struct DotAttention {
  Memory<T> prepare(const Variable<T>& values, const Tensor<T>& mask) const { return {values, values, mask}; }

  Attended<T> operator()(const Variable<T>& q, const Memory<T>& m) const { return attend(dot(q, m.keys), m); }

  Parameters<T> parameters() { return {}; }
};

/// Luong, Pham & Manning 2015, "general": score = qᵀ·W·m.
template <class T>
struct GeneralAttention {
  struct Options {
    std::size_t query, memory;
  };

  GeneralAttention(const Options& o, Random& random)
      : memory({.input = o.memory, .output = o.query, .bias = false}, random) {}

  Memory<T> prepare(const Variable<T>& values, const Tensor<T>& mask) const { return {values, memory(values), mask}; }

  Attended<T> operator()(const Variable<T>& q, const Memory<T>& m) const { return attend(dot(q, m.keys), m); }

  Parameters<T> parameters() {
    Parameters<T> all;
    all.add("memory", memory.parameters());
    return all;
  }

  Linear<T> memory;
};

/// Luong, Pham & Manning 2015, "concat": score = vᵀ·tanh([q; m]·W). The same function as AdditiveAttention without a
/// bias, its weight in one matrix [Q + D, A].
template <class T>
struct ConcatAttention {
  struct Options {
    std::size_t query, memory, hidden;
  };

  ConcatAttention(const Options& o, Random& random)
      : weight("weight", glorot_uniform<T>({o.query + o.memory, o.hidden}, random)),
        score("score", uniform<T>({o.hidden}, 1 / std::sqrt(double(o.hidden)), random)),
        query_width(o.query) {}

  Memory<T> prepare(const Variable<T>& values, const Tensor<T>& mask) const {
    return {values, matmul(values, slice(weight, 0, query_width, weight.shape()[0])), mask};
  }

  Attended<T> operator()(const Variable<T>& q, const Memory<T>& m) const {
    return attend(detail::additive_scores<T>(matmul(q, slice(weight, 0, 0, query_width)), m.keys, score), m);
  }

  Parameters<T> parameters() { return {weight, score}; }

  Parameter<T> weight, score;
  std::size_t query_width;
};

}  // namespace rw::nn
