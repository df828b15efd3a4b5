#include "op_table.hpp"

#include <cmath>

#include "autograd/random.hpp"

namespace rw::test {

Tensor<double> random_tensor(const Shape& shape, Range range, std::uint64_t stream) {
  Random random(stream);
  Tensor<double> x = rw::empty<double>(shape);
  for (double& element : x) {
    element = random.uniform(range.low, range.high);
    if (range.whole) element = std::round(element);
  }
  return x;
}

Values random_values(const std::vector<Shape>& shapes, Range range) {
  Values x;
  for (const Shape& shape : shapes) x.push_back(random_tensor(shape, range, x.size() + 1));
  return x;
}

std::vector<std::vector<Shape>> elementwise_shapes(std::size_t inputs) {
  if (inputs == 1) return {{{}}, {{3, 17}}, {{2, 1, 3}}, {{0, 3}}};
  if (inputs == 2) {
    return {{{}, {}},           {{2, 17}, {2, 17}}, {{2, 3}, {3}},    {{3}, {2, 3}},          {{2, 3}, {2, 1}},
            {{2, 1}, {2, 3}},   {{2, 1}, {1, 3}},   {{2, 3}, {}},     {{}, {2, 3}},           {{2, 1, 3}, {4, 1}},
            {{2, 2, 19}, {19}}, {{0, 3}, {3}},      {{3, 1}, {1, 0}}, {{2, 3, 2}, {2, 1, 2}}, {{1, 1, 3}, {3}},
            {{3}, {1, 3}},      {{3, 1}, {1, 3}}};
  }
  return {
      {{}, {}, {}},      {{2, 17}, {2, 17}, {2, 17}}, {{3}, {2, 3}, {2, 3}}, {{2, 3}, {3}, {2, 1}},   {{}, {2, 3}, {}},
      {{2, 1}, {}, {3}}, {{2, 3}, {2, 3}, {}},        {{0, 3}, {3}, {}},     {{3}, {1, 1, 3}, {1, 3}}};
}

void for_each_index(const Shape& shape,
                    const std::function<void(const std::vector<std::size_t>&, std::size_t)>& visit) {
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::size_t i = 0, n = size_of(shape); i < n; ++i) {
    visit(index, i);
    for (std::size_t a = shape.size(); a-- > 0;) {
      if (++index[a] < shape[a]) break;
      index[a] = 0;
    }
  }
}

Tensor<double> tabulate(const Shape& shape, const std::function<double(const std::vector<std::size_t>&)>& f) {
  Tensor<double> x = rw::empty<double>(shape);
  for_each_index(shape, [&](const std::vector<std::size_t>& index, std::size_t i) { x.data()[i] = f(index); });
  return x;
}

std::size_t flat(const Shape& shape, const std::vector<std::size_t>& index) {
  std::size_t number = 0;
  for (std::size_t a = 0; a < shape.size(); ++a) number = number * shape[a] + index[a];
  return number;
}

double at(const Tensor<double>& x, const std::vector<std::size_t>& index) { return x.data()[flat(x.shape(), index)]; }

Tensor<double> map_scalars(const std::function<double(const std::vector<double>&)>& f, const Values& x) {
  std::size_t rank = 0;
  for (const auto& v : x) rank = std::max(rank, v.dimension());
  const auto extent = [rank](const Shape& shape, std::size_t axis) {
    const std::size_t missing = rank - shape.size();
    return axis < missing ? 1 : shape[axis - missing];
  };
  Shape shape(rank, 1);
  for (std::size_t a = 0; a < rank; ++a) {
    for (const auto& v : x) {
      if (extent(v.shape(), a) != 1) shape[a] = extent(v.shape(), a);
    }
  }
  return tabulate(shape, [&](const std::vector<std::size_t>& index) {
    std::vector<double> elements;
    for (const auto& v : x) {
      std::size_t i = 0;
      for (std::size_t a = 0; a < rank; ++a) {
        const std::size_t n = extent(v.shape(), a);
        i = i * n + (n == 1 ? 0 : index[a]);
      }
      elements.push_back(v.data()[i]);
    }
    return f(elements);
  });
}

OpRow stable(OpRow row) {
  const std::size_t inputs = row.cases.front().size();
  row.extremes.push_back(Values(inputs, tensor<double>({9}, {-1e4, -1e3, -90, -1, 0, 1, 90, 1e3, 1e4})));
  return row;
}

OpRow constant(OpRow row) {
  row.differentiable = false;
  return row;
}

const OpRows& op_table() {
  static const OpRows table = [] {
    OpRows all;
    for (const auto& rows : {arithmetic_rows, compare_rows, exponential_rows, activation_rows, broadcast_rows,
                             matmul_rows, reduce_rows, softmax_rows, shape_rows, join_rows, index_rows}) {
      OpRows family = rows();
      std::move(family.begin(), family.end(), std::back_inserter(all));
    }
    return all;
  }();
  return table;
}

}  // namespace rw::test
