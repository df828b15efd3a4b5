#include "autograd/ops/index.hpp"
#include "autograd/ops/join.hpp"
#include "op_table.hpp"

namespace rw::test {
namespace {

using Index = std::vector<std::size_t>;

Variable<double> ones(const Shape& shape) { return full<double>(shape, 1); }

// The result's elements are elements of x[0]: from(i) says which one stands at i.
Reference picked(const Shape& shape, const std::function<Index(Index)>& from) {
  return
      [=](const Values& x) -> Values { return {tabulate(shape, [&](const Index& i) { return at(x[0], from(i)); })}; };
}

Reference same_elements(const Shape& shape) {
  return [=](const Values& x) -> Values { return {reshaped(x[0], shape)}; };
}

Indices indices(const Shape& shape, std::initializer_list<std::int64_t> ids) {
  return tensor<std::int64_t>(shape, ids);
}

}  // namespace

OpRows shape_rows() {
  const std::vector<Values> x234 = {random_values({{2, 3, 4}})};
  return {
      op("reshape",
         [](const auto& x) {
           return reshape(x[0], {4, 6});
         },
         same_elements({4, 6}), {x234[0], random_values({{24}})},
         {{[] {
             reshape(ones({2, 3}), {4});
           },
           "expected a shape of 6 elements; got x [2, 3], shape [4]"}}),
      op("expand_dims", [](const auto& x) { return expand_dims(x[0], 1); }, same_elements({2, 1, 3, 4}), x234,
         {{[] {
             expand_dims(ones({2, 3}), 3);
           },
           "expected a new axis in [-3, 3); got axis 3, x [2, 3]"}}),
      op(
          "expand_dims(last)", [](const auto& x) { return expand_dims(x[0], -1); }, same_elements({2, 3, 4, 1}), x234),
      op("squeeze", [](const auto& x) { return squeeze(x[0], -2); }, same_elements({2, 3}),
         {random_values({{2, 1, 3}})},
         {{[] {
             squeeze(ones({2, 3}), 0);
           },
           "expected an axis of extent 1; got axis 0 of x [2, 3]"},
          {[] {
             squeeze(ones({2, 3}), 2);
           },
           "expected an axis in [-2, 2); got axis 2 of x [2, 3]"}}),
      op("transpose", [](const auto& x) { return transpose(x[0]); },
         picked({2, 4, 3},
                [](Index i) {
                  return Index{i[0], i[2], i[1]};
                }),
         x234, {{[] { transpose(ones({3})); }, "expected a matrix or batch of matrices; got x [3]"}}),
      op("transpose(axes)",
         [](const auto& x) {
           return transpose(x[0], {2, 0, -2});
         },
         picked({4, 2, 3},
                [](Index i) {
                  return Index{i[1], i[2], i[0]};
                }),
         x234,
         {{[] {
             transpose(ones({2, 3}), {0});
           },
           "expected a permutation of all axes; got 1 axes, x [2, 3]"},
          {[] {
             transpose(ones({2, 3}), {1, -1});
           },
           "expected distinct axes; got axis -1 twice"}}),
      op(
          "transpose(outer axes)",
          [](const auto& x) {
            return transpose(x[0], {1, 0, 2});
          },
          picked({3, 2, 4},
                 [](Index i) {
                   return Index{i[1], i[0], i[2]};
                 }),
          x234),
      op("slice", [](const auto& x) { return slice(x[0], 1, 1, 3); },
         picked({2, 2, 4},
                [](Index i) {
                  return Index{i[0], i[1] + 1, i[2]};
                }),
         x234,
         {{[] {
             slice(ones({2, 3}), 1, 2, 1);
           },
           "expected begin <= end within axis 1; got begin 2, end 1, x [2, 3]"},
          {[] {
             slice(ones({2, 3}), 1, 0, 4);
           },
           "expected begin <= end within axis 1; got begin 0, end 4, x [2, 3]"},
          {[] {
             slice(ones({2, 3}), 1, -4);
           },
           "expected begin <= end within axis 1; got begin -4, end 3, x [2, 3]"},
          {[] {
             slice(ones({2, 3}), 2, 0);
           },
           "expected an axis in [-2, 2); got axis 2 of x [2, 3]"},
          {[] { slice(ones({3}), 0, 0, to_end, 0); }, "expected a step of at least 1; got 0"}}),
      op(
          "slice(steps)", [](const auto& x) { return slice(x[0], -1, -3, to_end, 2); },
          picked({2, 3, 2},
                 [](Index i) {
                   return Index{i[0], i[1], 1 + 2 * i[2]};
                 }),
          x234),
      op(
          "slice(nothing)", [](const auto& x) { return slice(x[0], 0, 1, 1); },
          [](const Values&) -> Values {
            return {zeros<double>({0, 3, 4})};
          },
          x234),
      op(
          "pad",
          [](const auto& x) {
            return pad(x[0], {{1, 0}, {0, 2}}, 7);
          },
          [](const Values& x) -> Values {
            return {tabulate({3, 5}, [&](const Index& i) { return i[0] < 1 || i[1] > 2 ? 7 : x[0](i[0] - 1, i[1]); })};
          },
          {random_values({{2, 3}})},
          {{[] {
              pad(ones({2, 3}), {{1, 1}});
            },
            "expected one padding an axis; got 1 paddings, x [2, 3]"},
           {[] {
              pad(ones({3}), {{0, -1}});
            },
            "expected paddings of at least 0; got {0, -1} at axis 0"}}),
      op("flip",
         [](const auto& x) {
           return flip(x[0], {0, -1});
         },
         picked({2, 3, 4},
                [](Index i) {
                  return Index{1 - i[0], i[1], 3 - i[2]};
                }),
         x234,
         {{[] {
             flip(ones({2, 3}), {2});
           },
           "expected an axis in [-2, 2); got axis 2 of x [2, 3]"},
          {[] {
             flip(ones({2, 3}), {0, 0});
           },
           "expected distinct axes; got axis 0 twice"}}),
  };
}

OpRows join_rows() {
  const auto parts = [](std::vector<Shape> shapes, std::function<Index(std::size_t, Index)> from) -> Reference {
    return [=](const Values& x) {
      Values out;
      for (std::size_t k = 0; k < shapes.size(); ++k) {
        out.push_back(tabulate(shapes[k], [&](const Index& i) { return at(x[0], from(k, i)); }));
      }
      return out;
    };
  };
  return {
      op(
          "concatenate",
          [](const auto& x) {
            return concatenate({x[0], x[1], x[2]}, 1);
          },
          [](const Values& x) -> Values {
            return {tabulate({2, 6}, [&](const Index& i) {
              return i[1] < 2 ? x[0](i[0], i[1]) : i[1] < 3 ? x[1](i[0], i[1] - 2) : x[2](i[0], i[1] - 3);
            })};
          },
          {random_values({{2, 2}, {2, 1}, {2, 3}})},
          {{[] { concatenate(std::vector<Variable<double>>{}, 0); }, "expected at least one tensor; got none"},
           {[] {
              concatenate({ones({2, 3}), ones({3, 3})}, 1);
            },
            "expected equal extents on all axes but 1; got x[0] [2, 3], x[1] [3, 3]"},
           {[] {
              concatenate({ones({2, 3}), ones({2})}, 0);
            },
            "got x[0] [2, 3], x[1] [2]"},
           {[] { concatenate({ones({2})}, 1); }, "expected an axis in [-1, 1); got axis 1 of x [2]"}}),
      op(
          "concatenate(first)",
          [](const auto& x) {
            return concatenate({x[0], x[1]}, -2);
          },
          [](const Values& x) -> Values {
            return {tabulate({x[0].shape(0) + x[1].shape(0), 3}, [&](const Index& i) {
              const std::size_t n = x[0].shape(0);
              return i[0] < n ? x[0](i[0], i[1]) : x[1](i[0] - n, i[1]);
            })};
          },
          {random_values({{2, 3}, {1, 3}}), random_values({{2, 3}, {2, 3}}), random_values({{0, 3}, {2, 3}})}),
      op(
          "stack",
          [](const auto& x) {
            return stack({x[0], x[1]});
          },
          [](const Values& x) -> Values {
            return {tabulate({2, 2, 3}, [&](const Index& i) { return x[i[0]](i[1], i[2]); })};
          },
          {random_values({{2, 3}, {2, 3}})},
          {{[] {
              stack({ones({2, 3}), ones({3, 2})});
            },
            "expected equal shapes; got x[0] [2, 3], x[1] [3, 2]"},
           {[] { stack(std::vector<Variable<double>>{}); }, "expected at least one tensor; got none"},
           {[] { stack({ones({2})}, 2); }, "expected a new axis in [-2, 2); got axis 2, x [2]"}}),
      op(
          "stack(last)",
          [](const auto& x) {
            return stack({x[0], x[1], x[2]}, -1);
          },
          [](const Values& x) -> Values {
            return {tabulate({2, 3}, [&](const Index& i) { return x[i[1]](i[0]); })};
          },
          {random_values({{2}, {2}, {2}})}),
      op("split",
         [](const auto& x) {
           return split(x[0], {1, 3, 0}, 1);
         },
         parts({{2, 1}, {2, 3}, {2, 0}},
               [](std::size_t k, Index i) {
                 return Index{i[0], i[1] + k};
               }),
         {random_values({{2, 4}})},
         {{[] {
             split(ones({2, 4}), {1, 2}, 1);
           },
           "expected extents that add up to 4; got [1, 2], x [2, 4]"},
          {[] {
             split(ones({2, 4}), {3, 2}, 1);
           },
           "expected extents that add up to 4; got [3, 2], x [2, 4]"},
          {[] {
             split(ones({2, 4}), 3, 1);
           },
           "expected sections that divide the extent of axis 1; got 3 sections"},
          {[] {
             split(ones({2, 4}), 2, 2);
           },
           "expected an axis in [-2, 2); got axis 2 of x [2, 4]"}}),
      op("split(sections)", [](const auto& x) { return split(x[0], 2, 0); },
         parts({{2, 3}, {2, 3}},
               [](std::size_t k, Index i) {
                 return Index{i[0] + 2 * k, i[1]};
               }),
         {random_values({{4, 3}})}),
      op("split(known sections)", [](const auto& x) { return split<2>(x[0]); },
         parts({{2, 2}, {2, 2}},
               [](std::size_t k, Index i) {
                 return Index{i[0], i[1] + 2 * k};
               }),
         {random_values({{2, 4}})}),
      op("unstack", [](const auto& x) { return unstack(x[0]); },
         parts({{3, 2}, {3, 2}},
               [](std::size_t k, Index i) {
                 return Index{k, i[0], i[1]};
               }),
         {random_values({{2, 3, 2}})},
         {{[] { unstack(ones({2}), 1); }, "expected an axis in [-1, 1); got axis 1 of x [2]"}}),
      op("unstack(middle)", [](const auto& x) { return unstack(x[0], 1); },
         parts({{2, 2}, {2, 2}, {2, 2}},
               [](std::size_t k, Index i) {
                 return Index{i[0], k, i[1]};
               }),
         {random_values({{2, 3, 2}})}),
  };
}

OpRows index_rows() {
  const Indices ids = indices({2, 2}, {3, 0, 3, 1});
  const Indices columns = indices({2, 3}, {2, 0, 2, 1, 1, 3});
  const auto id = [](const Indices& all, const Index& i) {
    return static_cast<std::size_t>(all.data()[flat(all.shape(), i)]);
  };
  return {
      op(
          "gather_rows", [ids](const auto& x) { return gather_rows(x[0], ids); },
          [=](const Values& x) -> Values {
            return {tabulate({2, 2, 3}, [&](const Index& i) { return x[0](id(ids, {i[0], i[1]}), i[2]); })};
          },
          {random_values({{4, 3}})},
          {{[] {
              gather_rows(ones({2, 3}), indices({1}, {2}));
            },
            "expected indices in [0, 2); got index 2"},
           {[] {
              gather_rows(ones({2, 3}), indices({1}, {-1}));
            },
            "expected indices in [0, 2); got index -1"},
           {[] { gather_rows(ones({}), indices({1}, {0})); }, "expected a table of rows; got "}}),
      op(
          "gather_rows(of a vector)",
          [](const auto& x) {
            return gather_rows(x[0], indices({3}, {1, 1, 0}));
          },
          [](const Values& x) -> Values {
            return {tabulate({3}, [&](const Index& i) { return x[0](i[0] < 2 ? 1 : 0); })};
          },
          {random_values({{4}})}),
      op(
          "scatter_add_rows", [ids](const auto& x) { return scatter_add_rows(x[0], ids, 5); },
          [=](const Values& x) -> Values {
            Tensor<double> sum = zeros<double>({5, 3});
            for_each_index({2, 2, 3}, [&](const Index& i, std::size_t n) {
              sum(id(ids, {i[0], i[1]}), i[2]) += x[0].data()[n];
            });
            return {sum};
          },
          {random_values({{2, 2, 3}})},
          {{[] {
              scatter_add_rows(ones({1, 3}), indices({1}, {2}), 2);
            },
            "expected indices in [0, 2); got index 2"},
           {[] {
              scatter_add_rows(ones({3}), indices({2}, {0, 1}), 2);
            },
            "expected values whose leading axes are those of the indices; got x [3], indices [2]"}}),
      op(
          "gather", [columns](const auto& x) { return gather(x[0], 1, columns); },
          [=](const Values& x) -> Values {
            return {tabulate({2, 3}, [&](const Index& i) { return x[0](i[0], id(columns, i)); })};
          },
          {random_values({{2, 4}})},
          {{[] {
              gather(ones({2, 4}), 1, indices({2, 1}, {0, 4}));
            },
            "expected indices in [0, 4); got index 4"},
           {[] {
              gather(ones({2, 4}), 2, indices({2, 1}, {0, 0}));
            },
            "expected an axis in [-2, 2); got axis 2"},
           {[] {
              gather(ones({2, 4}), 1, indices({1, 1}, {0}));
            },
            "got x [2, 4], indices [1, 1]"}}),
      op(
          "gather(first axis)", [columns](const auto& x) { return gather(x[0], -2, columns); },
          [=](const Values& x) -> Values {
            return {tabulate({2, 3}, [&](const Index& i) { return x[0](id(columns, i), i[1]); })};
          },
          {random_values({{4, 3}})}),
      op(
          "scatter_add", [columns](const auto& x) { return scatter_add(x[0], 1, columns, 4); },
          [=](const Values& x) -> Values {
            Tensor<double> sum = zeros<double>({2, 4});
            for_each_index({2, 3}, [&](const Index& i, std::size_t n) { sum(i[0], id(columns, i)) += x[0].data()[n]; });
            return {sum};
          },
          {random_values({{2, 3}})},
          {{[] {
              scatter_add(ones({2, 1}), 1, indices({2, 1}, {0, 4}), 4);
            },
            "expected indices in [0, 4); got index 4"},
           {[] {
              scatter_add(ones({2, 2}), 1, indices({2, 1}, {0, 0}), 4);
            },
            "got x [2, 2], indices [2, 1]"}}),
  };
}

}  // namespace rw::test
