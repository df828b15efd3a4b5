#pragma once

#include "autograd/dual.hpp"
#include "autograd/ops/join.hpp"

namespace rw {

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
  using Pointers = std::array<const Variable<T>*, variables>;

  // noinline: what does not know the function is compiled once for all functions of such arguments.

  static Shape block_shape(const Variable<T>& x, std::size_t count) {
    Shape shape = x.shape();
    if (count > 1) shape.back() /= count;
    return shape;
  }

  [[gnu::noinline]] static Shape shape_of(const Pointers& xs) {
    Shape shape = block_shape(*xs[0], counts[0]);
    for (std::size_t v = 1; v < variables; ++v) shape = broadcast_shape("fuse", shape, block_shape(*xs[v], counts[v]));
    for (std::size_t v = 0; v < variables; ++v) {
      if (counts[v] > 1 && xs[v]->shape().back() != counts[v] * shape.back()) {
        fail("fuse", "blocks as wide as the result, " + to_string(shape), counts[v], " blocks of ", xs[v]->shape());
      }
    }
    return shape;
  }

  template <std::size_t E, std::size_t M>
  struct Walk {
    kernels::BroadcastPlan<inputs + E + M> plan;
    std::array<const T*, inputs + E> from;
  };
  template <std::size_t E, std::size_t M>
  [[gnu::noinline]] static Walk<E, M> walk(const Shape& shape, const Pointers& xs,
                                           const std::array<const Variable<T>*, E>& extra,
                                           const std::array<std::size_t, M>& to_blocks) {
    constexpr std::size_t n = inputs + E;
    std::array<Shape, variables> own;
    std::array<const Shape*, n + M> shapes;
    std::array<std::size_t, n + M> pitch{};
    std::array<const T*, n> from;
    shapes.fill(&shape);
    for (std::size_t v = 0; v < variables; ++v) own[v] = block_shape(*xs[v], counts[v]);
    for (std::size_t k = 0; k < inputs; ++k) {
      const auto [v, block] = origin[k];
      shapes[k] = &own[v];
      if (counts[v] > 1) pitch[k] = own[v].back() * counts[v];
      from[k] = xs[v]->view().data() + (counts[v] > 1 ? block * own[v].back() : 0);
    }
    for (std::size_t e = 0; e < E; ++e) from[inputs + e] = extra[e]->view().data();
    for (std::size_t m = 0; m < M; ++m) {
      if (to_blocks[m] > 1) pitch[n + m] = shape.back() * to_blocks[m];
    }
    return {kernels::broadcast_plan<n + M>(shape, shapes, pitch), from};
  }

  /// Runs f over all lanes: E further inputs of the result's shape, and M outputs, written from to[m] on to one of
  /// to_blocks[m] blocks side by side.
  template <std::size_t E, std::size_t M, class F>
  static void run(const Shape& shape, const Pointers& xs, const std::array<const Variable<T>*, E>& extra,
                  const std::array<T*, M>& to, const std::array<std::size_t, M>& to_blocks, const F& f) {
    if (size_of(shape) == 0) return;
    const Walk<E, M> way = walk(shape, xs, extra, to_blocks);
    constexpr bool back = E > 0;  // on the way back, what was computed long ago has left the caches
    map_rows<T, inputs + E, M, back>(way.plan, way.from, to, f);
  }

  /// Room for the gradients of the variables, and where in it those of the parameters are written.
  struct Room {
    Variables dxs;
    std::array<T*, inputs> to;
    std::array<std::size_t, inputs> blocks;
  };
  [[gnu::noinline]] static Room room(const Shape& shape, Flow<T>& flow) {
    Room r;
    for (std::size_t v = 0, k = 0; v < variables; ++v) {
      Shape whole = shape;
      if (counts[v] > 1) whole.back() *= counts[v];
      r.dxs[v] = flow.room(v, whole);
      for (std::size_t b = 0; b < counts[v]; ++b, ++k) {
        r.to[k] = r.dxs[v].fresh() + (counts[v] > 1 ? b * shape.back() : 0);
        r.blocks[k] = counts[v];
      }
    }
    return r;
  }
  [[gnu::noinline]] static void add(Room r, const Variables& xs, Flow<T>& flow) {
    for (std::size_t v = 0; v < variables; ++v) {
      if (flow.wanted(v)) flow.add(v, sum_to(r.dxs[v], xs[v].shape()));
    }
  }
};

/// The parameters of a fused function one by one, each with 1 as its own derivative.
template <class T>
List<RecordedDual<T>> duals(std::span<const Variable<T>> xs, std::span<const std::size_t> counts) {
  List<Variable<T>> inputs;
  for (std::size_t v = 0; v < xs.size(); ++v) {
    const auto parts = counts[v] == 1 ? List<Variable<T>>{xs[v]} : split(xs[v], counts[v], -1);
    inputs.insert(inputs.end(), parts.begin(), parts.end());
  }
  List<RecordedDual<T>> all;
  for (const Variable<T>& x : inputs) {
    all.push_back({x, List<Variable<T>>(inputs.size())});
    all.back().partials[all.size() - 1] = lift(x, 1);
  }
  return all;
}

/// Adds Σₘ dyₘ · ∂fₘ/∂xₖ to the gradients of the variables.
template <class T>
void add_recorded(std::span<const RecordedDual<T>> results, std::span<const Variable<T>> dys,
                  std::span<const Variable<T>> xs, std::span<const std::size_t> counts, Flow<T>& flow) {
  for (std::size_t v = 0, k = 0; v < xs.size(); ++v) {
    List<Variable<T>> parts;
    for (std::size_t b = 0; b < counts[v]; ++b) parts.push_back(recorded_derivative(k++, results, dys));
    flow.add(v, sum_to(parts.size() == 1 ? parts[0] : concatenate<T>(parts, -1), xs[v].shape()));
  }
}

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
    auto room = Fused::room(shape, flow);
    std::array<const Variable<T>*, Outputs> seeds;
    for (std::size_t m = 0; m < Outputs; ++m) seeds[m] = &dys[m];
    typename Fused::Pointers arguments;
    for (std::size_t v = 0; v < Fused::variables; ++v) arguments[v] = &xs[v];
    Fused::run(shape, arguments, seeds, room.to, room.blocks,
               [f = f](const std::array<Lane<T>, inputs + Outputs>& lanes) {
                 std::array<Lane<T>, inputs> values;
                 std::array<Lane<T>, Outputs> dy;
                 std::copy_n(lanes.begin(), inputs, values.begin());
                 std::copy_n(lanes.begin() + inputs, Outputs, dy.begin());
                 return fused_derivatives(f, values, dy);
               });
    Fused::add(std::move(room), xs, flow);
  }

  [[gnu::cold]] void recorded(std::span<const Variable<T>> dys, Flow<T>& flow) const {
    const auto given = duals<T>(xs, Fused::counts);
    const auto results = [&]<std::size_t... K>(std::index_sequence<K...>) { return f(given[K]...); }
    (std::make_index_sequence<inputs>());
    add_recorded<T>(as_array<RecordedDual<T>>(results), dys, xs, Fused::counts, flow);
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
  const typename Fused::Pointers arguments{&first, &detail::FuseArgument<Xs>::variable(xs)...};
  const auto on_lanes = [f](const std::array<Lane<T>, n>& xs) { return detail::as_array<Lane<T>>(std::apply(f, xs)); };
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
  Fused::run(shape, arguments, std::array<const Variable<T>*, 0>{}, to, whole, on_lanes);

  record_all(
      "fuse", std::span<Variable<T>>(ys), wrt(arguments, [&] {
        return detail::FusedDerivative<Fused, outputs, T, F>{f, {first, detail::FuseArgument<Xs>::variable(xs)...}};
      }));
  if constexpr (outputs == 1) {
    return std::move(ys[0]);
  } else {
    return ys;
  }
}

}  // namespace rw
