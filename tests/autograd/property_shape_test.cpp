#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "autograd/ops/index.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "tests/property.hpp"

// Ops that move elements, and products, against plain loops over indices: any rank, axis and position, extents from 0.

BOOST_AUTO_TEST_SUITE(shape_properties)

using namespace rw;
using namespace rw::property;

namespace {

using Vs = std::vector<V>;

// y[index] = x[from(index)].
Reference moved(const Shape& shape, const std::function<Index(Index)>& from) {
  return [=](const Arrays& x) -> Arrays {
    return {tabulate(shape, [&](const Index& index) { return x[0][from(index)]; })};
  };
}

Reference renumbered(const Shape& shape) {
  return [=](const Arrays& x) -> Arrays {
    Array y(shape);
    y.elements = x[0].elements;
    return {y};
  };
}

Arrays same(const Arrays& x) { return x; }

Shape inserted(Shape shape, std::size_t axis, std::size_t extent) {
  shape.insert(shape.begin() + axis, extent);
  return shape;
}

Index removed(Index index, std::size_t axis) {
  index.erase(index.begin() + static_cast<std::ptrdiff_t>(axis));
  return index;
}

// A position of an axis as a user may write it: from the end too, but for the end itself.
std::ptrdiff_t given(std::size_t position, std::size_t extent) {
  const auto p = static_cast<std::ptrdiff_t>(position), n = static_cast<std::ptrdiff_t>(extent);
  return p < n && coin() ? p - n : p;
}

}  // namespace

RC_BOOST_PROP(elements_keep_their_order, ()) {
  const Shape shape = any_shape();
  const Axis added(shape.size() + 1);
  const Shape longer = inserted(shape, added.index, 1);
  Shape other;  // the extents in another order make a shape of the same size
  for (const std::size_t a : any_order(shape.size())) other.push_back(shape[a]);
  const Values x = {any_values(shape)};
  agree(
      "reshape", [&](const Vs& x) -> Vs { return {reshape(x[0], other)}; }, renumbered(other), x);
  agree(
      "expand_dims", [&](const Vs& x) -> Vs { return {expand_dims(x[0], added.given)}; }, renumbered(longer), x);
  agree("squeeze", [&](const Vs& x) -> Vs { return {squeeze(x[0], added.given)}; }, renumbered(shape),
        {any_values(longer)});
}

RC_BOOST_PROP(axes_change_places, ()) {
  const Shape shape = any_shape();
  const Index order = any_order(shape.size());
  std::vector<std::ptrdiff_t> permutation, flipped;
  std::vector<bool> flips(shape.size());
  Shape permuted;
  for (const std::size_t a : order) {
    permutation.push_back(Axis(shape.size(), a).given);
    permuted.push_back(shape[a]);
    if (coin()) flips[a] = true;
    if (flips[a]) flipped.push_back(Axis(shape.size(), a).given);
  }
  const Values x = {any_values(shape)};
  agree(
      "transpose", [&](const Vs& x) -> Vs { return {transpose(x[0], permutation)}; },
      moved(permuted,
            [&](const Index& index) {
              Index from = index;
              for (std::size_t a = 0; a < index.size(); ++a) from[order[a]] = index[a];
              return from;
            }),
      x);
  agree(
      "flip", [&](const Vs& x) -> Vs { return {flip(x[0], flipped)}; },
      moved(shape,
            [&](Index index) {
              for (std::size_t a = 0; a < index.size(); ++a) index[a] = flips[a] ? shape[a] - 1 - index[a] : index[a];
              return index;
            }),
      x);
}

RC_BOOST_PROP(slices_and_paddings, ()) {
  const Shape shape = any_shape(1);
  const Axis axis(shape.size());
  const std::size_t extent = shape[axis.index], end = between(0, extent), begin = between(0, end), step = between(1, 3);
  const std::ptrdiff_t first = given(begin, extent), last = end == extent && coin() ? to_end : given(end, extent);
  Shape cut = shape, padded = shape;
  cut[axis.index] = (end - begin + step - 1) / step;
  agree("slice",
        [&](const Vs& x) -> Vs { return {slice(x[0], axis.given, first, last, static_cast<std::ptrdiff_t>(step))}; },
        moved(cut,
              [&](Index index) {
                index[axis.index] = begin + step * index[axis.index];
                return index;
              }),
        {any_values(shape)});

  const auto before = several(shape.size(), 0, 2), after = several(shape.size(), 0, 2);
  std::vector<Padding> paddings;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    paddings.push_back({static_cast<std::ptrdiff_t>(before[a]), static_cast<std::ptrdiff_t>(after[a])});
    padded[a] += before[a] + after[a];
  }
  agree(
      "pad", [&](const Vs& x) -> Vs { return {pad(x[0], paddings, 7)}; },
      [&](const Arrays& x) -> Arrays {
        Array y(padded);
        std::fill(y.elements.begin(), y.elements.end(), 7);
        each(shape, [&](Index index) {
          const Tangent element = x[0][index];
          for (std::size_t a = 0; a < index.size(); ++a) index[a] += before[a];
          y[index] = element;
        });
        return {y};
      },
      {any_values(shape)});
}

RC_BOOST_PROP(parts_of_an_axis, ()) {
  const Shape shape = any_shape(1);
  const Axis axis(shape.size());
  const auto extents = several(between(1, 4), 0, 3);
  Values parts;
  std::vector<std::size_t> begins;
  Shape whole = shape;
  whole[axis.index] = 0;
  for (const std::size_t extent : extents) {
    Shape part = shape;
    part[axis.index] = extent;
    parts.push_back(any_values(part));
    begins.push_back(whole[axis.index]);
    whole[axis.index] += extent;
  }
  agree(
      "concatenate", [&](const Vs& x) -> Vs { return {concatenate(x, axis.given)}; },
      [&](const Arrays& x) -> Arrays {
        Array y(whole);
        for (std::size_t k = 0; k < x.size(); ++k) {
          each(x[k].shape, [&](Index index) {
            const Tangent element = x[k][index];
            index[axis.index] += begins[k];
            y[index] = element;
          });
        }
        return {y};
      },
      parts);
  agree(
      "split",
      [&](const Vs& x) -> Vs {
        const auto ys = split(x[0], extents, axis.given);
        return {ys.begin(), ys.end()};
      },
      [&](const Arrays& x) {
        Arrays ys;
        for (std::size_t k = 0; k < extents.size(); ++k) {
          ys.push_back(tabulate(parts[k].shape(), [&](Index index) {
            index[axis.index] += begins[k];
            return x[0][index];
          }));
        }
        return ys;
      },
      {any_values(whole)});
}

RC_BOOST_PROP(slices_side_by_side, ()) {
  const Shape part = any_shape(0, 3);
  const Axis axis(part.size() + 1);
  const std::size_t n = between(0, 4);
  const Shape whole = inserted(part, axis.index, n);
  const auto slices = [&](std::size_t along) {
    return [&, along](const Arrays& x) {
      Arrays ys;
      for (std::size_t k = 0; k < n; ++k) {
        ys.push_back(tabulate(part, [&](Index index) {
          index.insert(index.begin() + static_cast<std::ptrdiff_t>(along), k);
          return x[0][index];
        }));
      }
      return ys;
    };
  };
  agree("unstack",
        [&](const Vs& x) -> Vs {
          const auto ys = unstack(x[0], axis.given);
          return {ys.begin(), ys.end()};
        },
        slices(axis.index), {any_values(whole)});
  agree("slices",
        [](const Vs& x) {
          const Slices<double> all(x[0]);
          Vs ys;
          for (std::size_t i = 0; i < all.size(); ++i) ys.push_back(all[i]);
          return ys;
        },
        slices(0), {any_values(inserted(part, 0, n))});
  Values parts;
  for (std::size_t k = 0; k < n; ++k) parts.push_back(any_values(part));
  if (n == 0) return;
  agree(
      "stack", [&](const Vs& x) -> Vs { return {stack(x, axis.given)}; },
      [&](const Arrays& x) -> Arrays {
        return {tabulate(whole, [&](const Index& index) { return x[index[axis.index]][removed(index, axis.index)]; })};
      },
      parts);
}

RC_BOOST_PROP(elements_by_their_numbers, ()) {
  Shape shape = any_shape(1);
  const Axis axis(shape.size());
  const std::size_t extent = shape[axis.index];
  Shape picked = shape;
  picked[axis.index] = extent == 0 ? 0 : between(0, 4);
  const Indices ids = any_indices(picked, 0, static_cast<std::int64_t>(extent) - (extent > 0));
  const auto from = [&](Index index) {
    index[axis.index] = static_cast<std::size_t>(ids.data()[number_of(picked, index)]);
    return index;
  };
  agree("gather", [&](const Vs& x) -> Vs { return {gather(x[0], axis.given, ids)}; }, moved(picked, from),
        {any_values(shape)});
  agree(
      "scatter_add", [&](const Vs& x) -> Vs { return {scatter_add(x[0], axis.given, ids, extent)}; },
      [&](const Arrays& x) -> Arrays {
        Array y(shape);
        each(picked, [&](const Index& index) { y[from(index)] += x[0][index]; });
        return {y};
      },
      {any_values(picked)});
}

RC_BOOST_PROP(rows_by_their_numbers, ()) {
  const Shape shape = any_shape(1, 3);
  const std::size_t rows = shape[0];
  Shape numbers = any_shape(0, 2);
  if (rows == 0) numbers = {2, 0};
  const Indices ids = any_indices(numbers, 0, static_cast<std::int64_t>(rows) - (rows > 0));
  Shape picked = numbers;
  picked.insert(picked.end(), shape.begin() + 1, shape.end());
  const auto from = [&](const Index& index) {
    const auto rest = index.begin() + static_cast<std::ptrdiff_t>(numbers.size());
    Index row = {static_cast<std::size_t>(ids.data()[number_of(numbers, {index.begin(), rest})])};
    row.insert(row.end(), rest, index.end());
    return row;
  };
  agree("gather_rows", [&](const Vs& x) -> Vs { return {gather_rows(x[0], ids)}; }, moved(picked, from),
        {any_values(shape)});
  agree(
      "scatter_add_rows", [&](const Vs& x) -> Vs { return {scatter_add_rows(x[0], ids, rows)}; },
      [&](const Arrays& x) -> Arrays {
        Array y(shape);
        each(picked, [&](const Index& index) { y[from(index)] += x[0][index]; });
        return {y};
      },
      {any_values(picked)});
}

// What is moved there and back is the same, and its gradient too.
RC_BOOST_PROP(round_trips, ()) {
  const Shape shape = any_shape(1);
  const Axis axis(shape.size());
  const std::size_t a = axis.index, extent = shape[a], middle = between(0, extent);
  const Index order = any_order(shape.size()), places = any_order(extent);
  std::vector<std::ptrdiff_t> there(shape.size()), back(shape.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    there[k] = static_cast<std::ptrdiff_t>(order[k]);
    back[order[k]] = static_cast<std::ptrdiff_t>(k);
  }
  Indices ids = rw::empty<std::int64_t>(shape);
  std::size_t next = 0;
  each(shape, [&](const Index& index) { ids.data()[next++] = static_cast<std::int64_t>(places[index[a]]); });
  const std::vector<Padding> paddings(shape.size(), {2, 1});

  const auto same_again = [&](const char* name, const std::function<V(const V&)>& f) {
    agree(name, [&](const Vs& x) -> Vs { return {f(x[0])}; }, same, {any_values(shape)});
  };
  same_again("reshape", [&](const V& x) { return reshape(reshape(x, {x.size()}), shape); });
  same_again("expand_dims, squeeze", [&](const V& x) { return squeeze(expand_dims(x, axis.given), axis.given); });
  same_again("transpose", [&](const V& x) { return transpose(transpose(x, there), back); });
  same_again("flip", [&](const V& x) { return flip(flip(x, {axis.given}), {axis.given}); });
  same_again("split, concatenate", [&](const V& x) {
    return concatenate(split(x, {middle, extent - middle}, axis.given), axis.given);
  });
  same_again("slice, concatenate", [&](const V& x) {
    const auto at = static_cast<std::ptrdiff_t>(middle);
    return concatenate({slice(x, axis.given, 0, at), slice(x, axis.given, at)}, axis.given);
  });
  if (extent > 0) {
    same_again("unstack, stack", [&](const V& x) { return stack(unstack(x, axis.given), axis.given); });
  }
  same_again("pad, slice", [&](const V& x) {
    V y = pad(x, paddings, 3);
    for (std::size_t k = 0; k < shape.size(); ++k) y = slice(y, static_cast<std::ptrdiff_t>(k), 2, -1);
    return y;
  });
  same_again("gather, scatter_add",
             [&](const V& x) { return scatter_add(gather(x, axis.given, ids), axis.given, ids, extent); });
}

namespace {

// An element of A·B.   A [..., m, k], B [k, n] or [..., k, n], or their transposes.
Tangent product_at(const Array& a, const Array& b, const Index& index, bool ta, bool tb) {
  const std::size_t rank = index.size(), inner = a.shape[rank - (ta ? 2 : 1)];
  Tangent sum;
  for (std::size_t k = 0; k < inner; ++k) {
    Index i = index, j(index.end() - static_cast<std::ptrdiff_t>(b.shape.size()), index.end());
    i[rank - 2] = ta ? k : index[rank - 2];
    i[rank - 1] = ta ? index[rank - 2] : k;
    j[j.size() - 2] = tb ? index[rank - 1] : k;
    j[j.size() - 1] = tb ? k : index[rank - 1];
    sum += a[i] * b[j];
  }
  return sum;
}

Shape matrices(const Shape& batch, std::size_t rows, std::size_t columns, bool transposed = false) {
  Shape shape = batch;
  shape.push_back(transposed ? columns : rows);
  shape.push_back(transposed ? rows : columns);
  return shape;
}

}  // namespace

RC_BOOST_PROP(products_of_any_extents, ()) {
  const Shape batch = any_shape(0, 2);
  const std::size_t m = between(0, 4), k = between(0, 4), n = between(0, 4);
  const bool tb = coin(), single = coin(), ta = coin() && (!single || batch.empty());
  const auto how = ta ? tb ? Transpose::both : Transpose::a : tb ? Transpose::b : Transpose::none;
  agree(
      "matmul", [&](const Vs& x) -> Vs { return {matmul(x[0], x[1], how)}; },
      [&](const Arrays& x) -> Arrays {
        return {tabulate(matrices(batch, m, n), [&](const Index& i) { return product_at(x[0], x[1], i, ta, tb); })};
      },
      {any_values(matrices(batch, m, k, ta)), any_values(matrices(single ? Shape{} : batch, k, n, tb))});
  agree(
      "affine", [&](const Vs& x) -> Vs { return {affine(x[0], x[1], x[2])}; },
      [&](const Arrays& x) -> Arrays {
        return {tabulate(matrices(batch, m, n),
                         [&](const Index& i) { return product_at(x[0], x[1], i, false, false) + shown(x[2], i); })};
      },
      {any_values(matrices(batch, m, k)), any_values({k, n}), any_values(any_part(matrices(batch, m, n)))});
  // A weight that serves several times: its gradient is put off and done at once.
  agree(
      "matmul, again and again",
      [&](const Vs& x) -> Vs {
        return {matmul(x[0], x[3]), affine(x[1], x[3], x[4]), matmul(x[2], x[3])};
      },
      [&](const Arrays& x) {
        Arrays ys;
        for (std::size_t k = 0; k < 3; ++k) {
          ys.push_back(tabulate(matrices(batch, m, n), [&](const Index& i) {
            return product_at(x[k], x[3], i, false, false) + (k == 1 ? shown(x[4], i) : 0);
          }));
        }
        return ys;
      },
      {any_values(matrices(batch, m, k)), any_values(matrices(batch, m, k)), any_values(matrices(batch, m, k)),
       any_values({k, n}), any_values({n})});
  agree(
      "outer", [&](const Vs& x) -> Vs { return {outer(x[0], x[1])}; },
      [&](const Arrays& x) -> Arrays {
        return {tabulate({m, n}, [&](const Index& i) { return x[0].elements[i[0]] * x[1].elements[i[1]]; })};
      },
      {any_values({m}), any_values({n})});
}

BOOST_AUTO_TEST_SUITE_END()
