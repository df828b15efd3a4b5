#include "autograd/ops/matmul.hpp"

#include "autograd/ops/broadcast.hpp"
#include "op_table.hpp"

namespace rw::test {
namespace {

template <class T>
Variable<T> matmul_of(const Variables<T>& x, Transpose transpose) {
  return matmul(x[0], x[1], transpose);
}

// Three loops a matrix of the batch; b without batch axes serves all of them.
Reference matmul_reference(Transpose transpose) {
  const bool ta = transpose == Transpose::a || transpose == Transpose::both;
  const bool tb = transpose == Transpose::b || transpose == Transpose::both;
  return [=](const Values& x) -> Values {
    const Tensor<double>&a = x[0], &b = x[1];
    const std::size_t ra = a.dimension(), rb = b.dimension();
    Shape shape = a.shape();
    shape[ra - 2] = a.shape(ta ? ra - 1 : ra - 2);
    shape[ra - 1] = b.shape(tb ? rb - 2 : rb - 1);
    const std::size_t inner = a.shape(ta ? ra - 2 : ra - 1);
    return {tabulate(shape, [&](const std::vector<std::size_t>& c) {
      double sum = 0;
      for (std::size_t k = 0; k < inner; ++k) {
        std::vector<std::size_t> ia = c, ib(c.end() - static_cast<std::ptrdiff_t>(rb), c.end());
        ia[ra - 2] = ta ? k : c[ra - 2];
        ia[ra - 1] = ta ? c[ra - 2] : k;
        ib[rb - 2] = tb ? c[ra - 1] : k;
        ib[rb - 1] = tb ? k : c[ra - 1];
        sum += at(a, ia) * at(b, ib);
      }
      return sum;
    })};
  };
}

template <class F>
OpRow product(const std::string& name, Transpose transpose, const F& f, std::vector<std::vector<Shape>> shapes,
              std::vector<WrongCall> wrong = {}) {
  std::vector<Values> cases;
  for (const auto& s : shapes) cases.push_back(random_values(s));
  return op(name, f, matmul_reference(transpose), std::move(cases), std::move(wrong));
}

Variable<double> ones(const Shape& shape) { return full<double>(shape, 1); }

}  // namespace

OpRows matmul_rows() {
  return {
      product("matmul", Transpose::none, [](const auto& x) { return matmul_of(x, Transpose::none); },
              {{{2, 3}, {3, 4}},
               {{3, 3}, {3, 3}},
               {{1, 5}, {5, 1}},
               {{2, 4, 3}, {3, 2}},
               {{2, 4, 3}, {2, 3, 2}},
               {{2, 2, 1, 3}, {2, 2, 3, 2}},
               {{0, 3}, {3, 2}},
               {{2, 0}, {0, 3}}},
              {{[] {
                  matmul(ones({2, 3}), ones({2, 3}));
                },
                "expected equal inner extents; got a [2, 3], b [2, 3]"},
               {[] {
                  matmul(ones({3}), ones({3, 2}));
                },
                "expected matrices or batches of matrices; got a [3], b [3, 2]"},
               {[] {
                  matmul(ones({2, 4, 3}), ones({3, 3, 2}));
                },
                "expected equal batch axes"}}),
      product("matmul(aᵀ)", Transpose::a, [](const auto& x) { return matmul_of(x, Transpose::a); },
              {{{3, 2}, {3, 4}}, {{3, 3}, {3, 3}}, {{2, 3, 4}, {2, 3, 2}}},
              {{[] {
                  matmul(ones({2, 3}), ones({3, 2}), Transpose::a);
                },
                "expected equal inner extents; got a (transposed) [2, 3], b [3, 2]"}}),
      product("matmul(bᵀ)", Transpose::b, [](const auto& x) { return matmul_of(x, Transpose::b); },
              {{{2, 3}, {4, 3}}, {{3, 3}, {3, 3}}, {{2, 4, 3}, {2, 3}}, {{2, 4, 3}, {2, 2, 3}}},
              {{[] {
                  matmul(ones({2, 3}), ones({3, 2}), Transpose::b);
                },
                "expected equal inner extents; got a [2, 3], b (transposed) [3, 2]"}}),
      product("matmul(aᵀ, bᵀ)", Transpose::both, [](const auto& x) { return matmul_of(x, Transpose::both); },
              {{{3, 2}, {4, 3}}, {{3, 3}, {3, 3}}, {{2, 3, 4}, {2, 2, 3}}}),
      product("multiplied", Transpose::a,
              [](const auto& x) {
                using T = typename std::decay_t<decltype(x[0])>::value_type;
                return multiplied(Product<T>{x[0], x[1]});
              },
              {{{3, 2}, {3, 4}}}),
      op(
          "affine", [](const auto& x) { return affine(x[0], x[1], x[2]); },
          [](const Values& x) -> Values {
            const Tensor<double> product = matmul_reference(Transpose::none)(x)[0];
            return {map_scalars([](const auto& v) { return v[0] + v[1]; }, {product, x[2]})};
          },
          {random_values({{2, 3}, {3, 4}, {4}}), random_values({{2, 2, 3}, {3, 4}, {4}}),
           random_values({{0, 3}, {3, 4}, {4}})},
          {{[] {
              affine(ones({2, 3}), ones({2, 3}), ones({3}));
            },
            "expected equal inner extents; got "},
           {[] {
              affine(ones({2, 3}), ones({3, 4}), ones({3}));
            },
            "[3]"}}),
      op(
          "outer", [](const auto& x) { return outer(x[0], x[1]); },
          [](const Values& x) -> Values {
            return {tabulate({x[0].size(), x[1].size()}, [&](const auto& i) { return x[0](i[0]) * x[1](i[1]); })};
          },
          {random_values({{3}, {4}}), random_values({{2}, {2}})},
          {{[] {
              outer(ones({2, 3}), ones({3}));
            },
            "expected 1 axes; got x [2, 3]"},
           {[] { outer(ones({3}), ones({})); }, "expected 1 axes; got x []"}}),
  };
}

OpRows broadcast_rows() {
  const auto sum_rows = [](const Values& x) -> Values {
    Tensor<double> sum = zeros<double>({2, 1});
    for_each_index(x[0].shape(), [&](const auto& i, std::size_t n) { sum(i[1], 0) += x[0].data()[n]; });
    return {sum};
  };
  return {
      op("sum_to",
         [](const auto& x) {
           return sum_to(x[0], {2, 1});
         },
         sum_rows, {random_values({{4, 2, 3}}), random_values({{1, 2, 17}}), random_values({{0, 2, 3}})},
         {{[] {
             sum_to(ones({4, 3}), {2});
           },
           "expected a shape that broadcasts to [4, 3]; got [2]"},
          {[] {
             sum_to(ones({3}), {1, 3});
           },
           "expected a shape that broadcasts to [3]; got [1, 3]"}}),
      op(
          "sum_to(columns)", [](const auto& x) { return sum_to(x[0], {3}); },
          [](const Values& x) -> Values {
            Tensor<double> sum = zeros<double>({3});
            for_each_index(x[0].shape(), [&](const auto& i, std::size_t n) { sum(i.back()) += x[0].data()[n]; });
            return {sum};
          },
          {random_values({{4, 3}}), random_values({{2, 5, 3}})}),
      op(
          "broadcast_to",
          [](const auto& x) {
            return broadcast_to(x[0], {2, 3, 4});
          },
          [](const Values& x) -> Values {
            return {map_scalars([](const auto& v) { return v[0]; }, {x[0], zeros<double>({2, 3, 4})})};
          },
          {random_values({{3, 1}}), random_values({{4}}), random_values({{}}), random_values({{2, 1, 4}})},
          {{[] { broadcast_to(ones({2}), {3}); }, "expected a shape that broadcasts to [3]; got [2]"},
           {[] {
              broadcast_to(ones({2, 3}), {3});
            },
            "expected a shape that broadcasts to [3]; got [2, 3]"}}),
  };
}

}  // namespace rw::test
