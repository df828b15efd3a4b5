#include "nn/cells/fully_recurrent.hpp"

#include <boost/test/unit_test.hpp>

#include "nn/unroll.hpp"
#include "tests/nn/cells/row.hpp"

namespace {

using cell_rows::column;
using cell_rows::Numbers;
using rw::Variable;

struct FullyRecurrentRow {
  using Cell = rw::nn::FullyRecurrent<double>;
  static Cell make(std::size_t input, std::size_t hidden, rw::Random& random) {
    return Cell({.input = input, .units = hidden}, random);
  }
  static std::vector<std::string> names() { return {"weight"}; }

  static Numbers step(const Cell& cell, const Numbers& x, Numbers& y) {
    Numbers z = y;
    z.insert(z.end(), x.begin(), x.end());
    z.push_back(1);
    for (std::size_t k = 0; k < y.size(); ++k) y[k] = cell_rows::sigmoid(column(z, 0, cell.weight, k));
    return y;
  }

  static auto unfused(const Cell& cell, const Variable<double>& x, const Cell::State& s) {
    const auto w = rw::split(Variable<double>(cell.weight), {s.y.shape()[1], x.shape()[1], std::size_t{1}}, 0);
    const auto y = sigmoid(matmul(s.y, w[0]) + matmul(x, w[1]) + w[2]);
    return rw::nn::Step<double, Cell::State>{y, {y}};
  }
};

using Rows = std::tuple<FullyRecurrentRow>;

}  // namespace

#include "tests/nn/cells/every_cell.hpp"
