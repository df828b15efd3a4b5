#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/fuse.hpp"

// The op table: one row an op. A row says what the op computes, in plain scalar code that shares nothing with the
// library's kernels, and where; op_table_test.cpp runs every check on every row. An op without a row fails a test.

namespace rw::test {

using Values = std::vector<Tensor<double>>;
template <class T>
using Variables = std::vector<Variable<T>>;
template <class T>
using Function = std::function<Variables<T>(const Variables<T>&)>;
using Reference = std::function<Values(const Values&)>;

/// A call that must throw std::invalid_argument with this text.
struct WrongCall {
  std::function<void()> call;
  std::string text;
};

struct OpRow {
  std::string name;  // the op's, then perhaps a variant in parentheses
  Function<double> f;
  Function<float> f32;
  Reference reference;
  std::vector<Values> cases;  // inputs, away from kinks
  std::vector<WrongCall> wrong = {};
  std::vector<Values> extremes = {};  // inputs where value and gradient must stay finite
  Function<double> fused = {};        // the same inside fuse(), for elementwise ops
  bool differentiable = true;         // false: the result must be a constant
};

using OpRows = std::vector<OpRow>;

// By family, each in a file of its own.
OpRows arithmetic_rows();
OpRows compare_rows();
OpRows exponential_rows();
OpRows activation_rows();
OpRows broadcast_rows();
OpRows matmul_rows();
OpRows reduce_rows();
OpRows softmax_rows();
OpRows shape_rows();
OpRows join_rows();
OpRows index_rows();

const OpRows& op_table();

/// Where the elements of an input are drawn from.
struct Range {
  double low, high;
  bool whole = false;  // whole numbers only
};

/// The same pseudo-random tensor for the same arguments.
Tensor<double> random_tensor(const Shape& shape, Range range = {-1.5, 1.5}, std::uint64_t stream = 1);

/// Random inputs of the given shapes.
Values random_values(const std::vector<Shape>& shapes, Range range = {-1.5, 1.5});

/// Shapes for elementwise ops of so many inputs: scalars, full SIMD groups and rests, all ways to broadcast, no
/// element.
std::vector<std::vector<Shape>> elementwise_shapes(std::size_t inputs);

/// f(element of x[0], element of x[1], ...) with broadcasting, by index arithmetic.
Tensor<double> map_scalars(const std::function<double(const std::vector<double>&)>& f, const Values& x);

/// Calls set(index, number) for every element of a tensor of this shape, in row-major order.
void for_each_index(const Shape& shape,
                    const std::function<void(const std::vector<std::size_t>& index, std::size_t number)>& visit);

/// A tensor of `shape` with the elements f(index).
Tensor<double> tabulate(const Shape& shape, const std::function<double(const std::vector<std::size_t>&)>& f);

/// The row-major number of the element at `index`.
std::size_t flat(const Shape& shape, const std::vector<std::size_t>& index);

/// x at `index`.
double at(const Tensor<double>& x, const std::vector<std::size_t>& index);

/// The row of a function of one vector of variables, generic in float and double.
template <class F>
OpRow op(std::string name, F f, Reference reference, std::vector<Values> cases, std::vector<WrongCall> wrong = {}) {
  const auto results = [f]<class T>(const Variables<T>& x) -> Variables<T> {
    if constexpr (std::is_same_v<std::decay_t<decltype(f(x))>, Variable<T>>) {
      return {f(x)};
    } else {
      const auto ys = f(x);
      return {ys.begin(), ys.end()};
    }
  };
  return {.name = std::move(name),
          .f = [results](const Variables<double>& x) { return results(x); },
          .f32 = [results](const Variables<float>& x) { return results(x); },
          .reference = std::move(reference),
          .cases = std::move(cases),
          .wrong = std::move(wrong)};
}

namespace detail {

template <std::size_t N, class F, class X>
auto spread(const F& f, const X& x) {
  return [&]<std::size_t... K>(std::index_sequence<K...>) { return f(x[K]...); }
  (std::make_index_sequence<N>());
}

}  // namespace detail

/// The row of an elementwise op: f(a, b, ...) on any operand, `scalar` the same on plain doubles, a range an input.
template <std::size_t N, class F, class S>
OpRow elementwise(std::string name, F f, S scalar, const Range (&ranges)[N]) {
  const auto reference = [scalar](const Values& x) -> Values {
    return {map_scalars([scalar](const std::vector<double>& v) { return double(detail::spread<N>(scalar, v)); }, x)};
  };
  OpRow row = op(std::move(name), [f](const auto& x) { return detail::spread<N>(f, x); }, reference, {});
  for (const auto& shapes : elementwise_shapes(N)) {
    Values x;
    for (std::size_t k = 0; k < N; ++k) x.push_back(random_tensor(shapes[k], ranges[k], k + 1));
    row.cases.push_back(std::move(x));
  }
  row.fused = [f](const Variables<double>& x) -> Variables<double> {
    return {detail::spread<N>([f](const auto&... v) { return fuse(f, v...); }, x)};
  };
  if constexpr (N > 1) {
    Variables<double> x(N, zeros<double>({2, 3}));
    x.back() = zeros<double>({2});
    row.wrong.push_back({[f, x] { detail::spread<N>(f, x); }, "expected shapes that broadcast; got a [2, 3], b [2]"});
  }
  return row;
}

/// An elementwise row that must not overflow at ±10⁴.
OpRow stable(OpRow row);

/// A row whose results are constants.
OpRow constant(OpRow row);

}  // namespace rw::test
