#pragma once

#include <bit>
#include <tuple>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/join.hpp"

namespace rw {

/// A value with its partial derivatives by those inputs of a fused function that it depends on: bit k of Mask says
/// whether there is one by input k. B is a Lane, or a Variable where the backward pass is itself recorded.
template <class B, unsigned Mask>
struct Dual {
  struct is_dual_number;

  B value;
  std::array<B, std::popcount(Mask)> partials;

  static constexpr bool depends_on(std::size_t k) { return (Mask >> k & 1u) != 0; }
  const B& partial(std::size_t k) const { return partials[std::popcount(Mask & ((1u << k) - 1u))]; }
  B& partial(std::size_t k) { return partials[std::popcount(Mask & ((1u << k) - 1u))]; }
};

template <class B, unsigned Mask>
Dual<B, 0> lift(const Dual<B, Mask>& x, double s) {
  return {lift(x.value, s), {}};
}

namespace detail {

constexpr std::size_t fuse_inputs_limit = 16;

// The chain rule for argument number K, whose own partials are those in `x`.
template <std::size_t K, class Rule, class B, unsigned Mask, unsigned Own, class... Values>
void add_partials(const Rule& rule, Dual<B, Mask>& y, std::array<bool, fuse_inputs_limit>& begun, const Dual<B, Own>& x,
                  const Values&... values) {
  for_constants<fuse_inputs_limit>([&](auto k) {
    if constexpr (Dual<B, Own>::depends_on(k)) {
      B term = derive_nth<K>(rule, x.partial(k), values...);
      y.partial(k) = begun[k] ? y.partial(k) + term : term;
      begun[k] = true;
    }
  });
}

}  // namespace detail

template <class Rule, class B, unsigned Mask>
auto elementwise(const Rule& rule, const Dual<B, Mask>& x) {
  if constexpr (Rule::constant) {
    return Dual<B, 0>{elementwise(rule, x.value), {}};
  } else {
    Dual<B, Mask> y{elementwise(rule, x.value), {}};
    for (std::size_t i = 0; i < y.partials.size(); ++i) {
      y.partials[i] = detail::derive_unary(rule, x.partials[i], Rule::reads == Reads::output ? y.value : x.value);
    }
    return y;
  }
}

template <class Rule, class B, unsigned M, unsigned... Ms>
auto elementwise(const Rule& rule, const Dual<B, M>& x, const Dual<B, Ms>&... xs) {
  if constexpr (Rule::constant) {
    return Dual<B, 0>{elementwise(rule, x.value, xs.value...), {}};
  } else {
    Dual<B, (M | ... | Ms)> y{elementwise(rule, x.value, xs.value...), {}};
    std::array<bool, detail::fuse_inputs_limit> begun{};
    const auto all = std::tie(x, xs...);
    detail::for_constants<1 + sizeof...(Ms)>(
        [&](auto k) { detail::add_partials<k>(rule, y, begun, std::get<k>(all), x.value, xs.value...); });
    return y;
  }
}

namespace detail {

template <class R>
auto as_tuple(R result) {
  return std::tuple<R>(std::move(result));
}
template <class... R>
std::tuple<R...> as_tuple(std::tuple<R...> results) {
  return results;
}

/// Σₘ dyₘ · ∂fₘ/∂xₖ for every input k, by forward-mode dual numbers: which partials exist is known at compile time.
template <std::size_t N, class B, class F, class Dy, class One>
std::array<B, N> fused_derivatives(const F& f, const std::array<B, N>& xs, const Dy& dys, const One& one) {
  const auto results = [&]<std::size_t... K>(std::index_sequence<K...>) {
    return as_tuple(f(Dual<B, (1u << K)>{xs[K], {one(xs[K])}}...));
  }
  (std::make_index_sequence<N>());
  std::array<B, N> dxs;
  for_constants<N>([&](auto k) {
    bool begun = false;
    for_constants<std::tuple_size_v<std::decay_t<decltype(results)>>>([&](auto m) {
      const auto& y = std::get<m>(results);
      if constexpr (std::decay_t<decltype(y)>::depends_on(k)) {
        B term = dys[m] * y.partial(k);
        dxs[k] = begun ? dxs[k] + term : term;
        begun = true;
      }
    });
    if (!begun) dxs[k] = lift(xs[k], 0);
  });
  return dxs;
}

}  // namespace detail

/// The columns of x as N blocks of equal width: stands for N arguments of a fused function, read where they lie.
template <std::size_t N, class T>
struct Blocks {
  Variable<T> x;  // [..., N·n]
};

/// The columns of x as N arguments of fuse(), as the gates of one matrix product are, without a copy.   x [..., N·n].
/// Throws std::invalid_argument where N does not divide the last extent.
template <std::size_t N, class T>
Blocks<N, T> blocks(const Variable<T>& x) {
  if (x.rank() == 0 || x.shape().back() % N != 0) {
    fail("blocks", "columns that divide into " + std::to_string(N), "x ", x.shape());
  }
  return {x};
}

namespace detail {

template <class A>
struct FuseArgument {  // a Variable or what derives from it
  static constexpr std::size_t count = 1;
  static const auto& variable(const A& a) { return a; }
};
template <std::size_t N, class T>
struct FuseArgument<Blocks<N, T>> {
  static constexpr std::size_t count = N;
  static const Variable<T>& variable(const Blocks<N, T>& a) { return a.x; }
};

/// The arguments of a fused function: `variables` of them, which stand for `inputs` of its parameters.
template <class T, std::size_t... Counts>
struct Fusion {
  static constexpr std::size_t variables = sizeof...(Counts), inputs = (Counts + ...);
  static constexpr std::array<std::size_t, variables> counts{Counts...};

  /// Of parameter k: which variable it belongs to, and which block of it.
  static constexpr std::array<std::pair<std::size_t, std::size_t>, inputs> origin = [] {
    std::array<std::pair<std::size_t, std::size_t>, inputs> all{};
    std::size_t k = 0;
    for (std::size_t v = 0; v < variables; ++v) {
      for (std::size_t b = 0; b < counts[v]; ++b) all[k++] = {v, b};
    }
    return all;
  }();

  using Variables = std::array<Variable<T>, variables>;

  static Shape block_shape(const Variable<T>& x, std::size_t count) {
    Shape shape = x.shape();
    if (count > 1) shape.back() /= count;
    return shape;
  }

  static Shape shape_of(const Variables& xs) {
    Shape shape = block_shape(xs[0], counts[0]);
    for (std::size_t v = 1; v < variables; ++v) shape = broadcast_shape("fuse", shape, block_shape(xs[v], counts[v]));
    for (std::size_t v = 0; v < variables; ++v) {
      if (counts[v] > 1 && xs[v].shape().back() != counts[v] * shape.back()) {
        fail("fuse", "blocks as wide as the result, " + to_string(shape), counts[v], " blocks of ", xs[v].shape());
      }
    }
    return shape;
  }

  /// Runs f over all lanes: E further inputs of the result's shape, and M outputs, written from to[m] on to one of
  /// to_blocks[m] blocks side by side.
  template <std::size_t E, std::size_t M, class F>
  static void run(const Shape& shape, const Variables& xs, const std::array<const Variable<T>*, E>& extra,
                  const std::array<T*, M>& to, const std::array<std::size_t, M>& to_blocks, const F& f) {
    constexpr std::size_t n = inputs + E;
    if (size_of(shape) == 0) return;
    std::array<Shape, variables> own;
    std::array<const Shape*, n + M> shapes;
    std::array<std::size_t, n + M> pitch{};
    std::array<const T*, n> from;
    shapes.fill(&shape);
    for (std::size_t v = 0; v < variables; ++v) own[v] = block_shape(xs[v], counts[v]);
    for (std::size_t k = 0; k < inputs; ++k) {
      const auto [v, block] = origin[k];
      shapes[k] = &own[v];
      if (counts[v] > 1) pitch[k] = own[v].back() * counts[v];
      from[k] = xs[v].value().data() + (counts[v] > 1 ? block * own[v].back() : 0);
    }
    for (std::size_t e = 0; e < E; ++e) from[inputs + e] = extra[e]->value().data();
    for (std::size_t m = 0; m < M; ++m) {
      if (to_blocks[m] > 1) pitch[n + m] = shape.back() * to_blocks[m];
    }
    map_rows<T, n, M>(kernels::broadcast_plan<n + M>(shape, shapes, pitch), from, to, f);
  }

  /// The parameters one by one, as variables.
  static std::array<Variable<T>, inputs> split_up(const Variables& xs) {
    std::array<Variable<T>, inputs> all;
    std::size_t k = 0;
    for (std::size_t v = 0; v < variables; ++v) {
      if (counts[v] == 1) {
        all[k++] = xs[v];
      } else {
        for (Variable<T>& block : split(xs[v], counts[v], -1)) all[k++] = std::move(block);
      }
    }
    return all;
  }
};

/// The backward pass of a fused function.
template <class Fused, std::size_t Outputs, class T, class F>
struct FusedDerivative {
  F f;
  typename Fused::Variables xs;
  static constexpr std::size_t inputs = Fused::inputs;

  void operator()(std::span<const Variable<T>> dys, Flow<T>& flow) const {
    Tape<T>::current() != nullptr ? recorded(dys, flow) : fused(dys, flow);
  }

  void fused(std::span<const Variable<T>> dys, Flow<T>& flow) const {
    const Shape& shape = dys[0].shape();
    std::array<Variable<T>, Fused::variables> dxs;
    std::array<T*, inputs> to;
    std::array<std::size_t, inputs> to_blocks;
    for (std::size_t v = 0, k = 0; v < Fused::variables; ++v) {
      Shape whole = shape;
      if (Fused::counts[v] > 1) whole.back() *= Fused::counts[v];
      dxs[v] = flow.room(v, whole);
      for (std::size_t b = 0; b < Fused::counts[v]; ++b, ++k) {
        to[k] = dxs[v].fresh() + (Fused::counts[v] > 1 ? b * shape.back() : 0);
        to_blocks[k] = Fused::counts[v];
      }
    }
    std::array<const Variable<T>*, Outputs> seeds;
    for (std::size_t m = 0; m < Outputs; ++m) seeds[m] = &dys[m];
    // flatten: the chain rule inlined throughout is worth a third of the time.
    Fused::run(
        shape, xs, seeds, to,
        to_blocks, [this](const std::array<Lane<T>, inputs + Outputs>& lanes) __attribute__((flatten)) {
          std::array<Lane<T>, inputs> values;
          std::array<Lane<T>, Outputs> dy;
          std::copy_n(lanes.begin(), inputs, values.begin());
          std::copy_n(lanes.begin() + inputs, Outputs, dy.begin());
          return fused_derivatives<inputs, Lane<T>>(f, values, dy, [](const Lane<T>& x) { return lift(x, 1); });
        });
    for (std::size_t v = 0; v < Fused::variables; ++v) {
      if (flow.wanted(v)) flow.add(v, sum_to(dxs[v], xs[v].shape()));
    }
  }

  void recorded(std::span<const Variable<T>> dys, Flow<T>& flow) const {
    const auto dxs = fused_derivatives<inputs, Variable<T>>(f, Fused::split_up(xs), dys,
                                                            [](const Variable<T>& x) { return lift(x, 1); });
    for (std::size_t v = 0, k = 0; v < Fused::variables; ++v) {
      std::vector<Variable<T>> parts;
      for (std::size_t b = 0; b < Fused::counts[v]; ++b) parts.push_back(broadcast_to(dxs[k++], dys[0].shape()));
      flow.add(v, sum_to(parts.size() == 1 ? parts[0] : concatenate(parts, -1), xs[v].shape()));
    }
  }
};

}  // namespace detail

/// f(x, xs...) elementwise with broadcasting, as one pass over memory forward and one backward. f is a generic lambda
/// of the elementwise functions and operators of this library that returns one value or a std::tuple of several;
/// numbers it captures are constants. An argument is a Variable, or blocks<N>(x) for N parameters of f. The result is a
/// Variable, or a std::array of Variables.
/// Throws std::invalid_argument where the shapes do not broadcast.
template <class F, class X, class... Xs>
auto fuse(const F& f, const X& x, const Xs&... xs) {
  const auto& first = detail::FuseArgument<X>::variable(x);
  using T = typename std::decay_t<decltype(first)>::value_type;
  using Fused = detail::Fusion<T, detail::FuseArgument<X>::count, detail::FuseArgument<Xs>::count...>;
  constexpr std::size_t n = Fused::inputs;
  static_assert(n <= detail::fuse_inputs_limit, "fuse: at most 16 inputs");
  const typename Fused::Variables arguments{first, detail::FuseArgument<Xs>::variable(xs)...};
  const auto on_lanes = [&f](const std::array<Lane<T>, n>& lanes) { return detail::as_tuple(std::apply(f, lanes)); };
  constexpr std::size_t outputs = std::tuple_size_v<decltype(on_lanes({}))>;

  const Shape shape = Fused::shape_of(arguments);
  std::array<Variable<T>, outputs> ys;
  std::array<T*, outputs> to;
  std::array<std::size_t, outputs> whole;
  whole.fill(1);
  for (std::size_t m = 0; m < outputs; ++m) {
    ys[m] = Variable<T>::uninitialised(shape);
    to[m] = ys[m].fresh();
  }
  Fused::run(shape, arguments, std::array<const Variable<T>*, 0>{}, to, whole,
             [&](const std::array<Lane<T>, n>& lanes) {
               return std::apply([](const auto&... y) { return std::array<Lane<T>, outputs>{y...}; }, on_lanes(lanes));
             });

  const std::array<const Variable<T>*, Fused::variables> inputs{&first, &detail::FuseArgument<Xs>::variable(xs)...};
  record_all("fuse", std::span<Variable<T>>(ys),
             wrt(inputs, detail::FusedDerivative<Fused, outputs, T, F>{f, arguments}));
  if constexpr (outputs == 1) {
    return std::move(ys[0]);
  } else {
    return ys;
  }
}

}  // namespace rw
