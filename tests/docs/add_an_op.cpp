// The code of docs/add_an_op.md.

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "autograd/autograd.hpp"
#include "tests/autograd/op_table.hpp"

namespace mine {
namespace kernels {

// [kernel]
/// y[n] = s[n]·x[n].   x [N, D], s [N] -> [N, D].
template <class T>
rw::Tensor<T> scale_rows(const rw::Tensor<T>& x, const rw::Tensor<T>& s) {
  const std::size_t rows = x.shape(0), columns = x.shape(1);
  rw::Tensor<T> y = rw::empty<T>(x.shape());
  for (std::size_t n = 0; n < rows; ++n) {
    const T factor = s.data()[n];
    for (std::size_t d = 0; d < columns; ++d) y.data()[n * columns + d] = factor * x.data()[n * columns + d];
  }
  return y;
}
// [end]

}  // namespace kernels

// [op]
/// y[n] = s[n]·x[n]: each row by a factor of its own.   x [N, D], s [N] -> [N, D].
/// Throws std::invalid_argument where there is not one factor a row.
template <class T>
rw::Variable<T> scale_rows(const rw::Variable<T>& x, const rw::Variable<T>& s) {
  rw::check_rank("scale_rows", x.shape(), 2);
  if (s.rank() != 1 || s.size() != x.shape()[0]) {
    rw::fail("scale_rows", "one factor a row", "x ", x.shape(), ", s ", s.shape());
  }
  return record("scale_rows", kernels::scale_rows(x.value(), s.value()),
                wrt(x, [s](const rw::Variable<T>& dy) { return scale_rows(dy, s); }),
                wrt(s, [x](const rw::Variable<T>& dy) { return sum(dy * x, {.axes = {1}}); }));
}
// [end]

// [rule]
struct Softsign : rw::rules::Unary {
  static constexpr const char* name = "softsign";
  template <class Batch>
  Batch value(const Batch& x) const {
    return x / (Batch(1) + xsimd::abs(x));
  }
  auto dx(const auto& dy, const auto& x) const { return dy / square(1 + abs(x)); }
};

/// x / (1 + |x|).
auto softsign(const rw::Operand auto& x) { return elementwise(Softsign{}, x); }
// [end]

}  // namespace mine

namespace rw::test {
namespace {

// [row]
OpRows my_rows() {
  return {
      op(
          "scale_rows", [](const auto& x) { return mine::scale_rows(x[0], x[1]); },
          [](const Values& x) -> Values {
            return {tabulate(x[0].shape(), [&](const auto& index) { return at(x[0], index) * at(x[1], {index[0]}); })};
          },
          {random_values({{3, 4}, {3}}), random_values({{1, 17}, {1}})},
          {{[] {
              mine::scale_rows(Variable<double>(zeros<double>({3, 4})), Variable<double>(zeros<double>({4})));
            },
            "expected one factor a row; got x [3, 4], s [4]"}}),
      elementwise(
          "softsign", [](auto x) { return mine::softsign(x); }, [](double x) { return x / (1 + std::abs(x)); },
          {{-1.5, 1.5}}),
  };
}
// [end]

}  // namespace
}  // namespace rw::test

BOOST_AUTO_TEST_SUITE(add_an_op)

using namespace rw;

BOOST_AUTO_TEST_CASE(gradcheck_of_the_op) {
  // [gradcheck]
  const auto x = tensor<double>({2, 3}, {1, -2, 3, 0.5, 4, -1}), s = tensor<double>({2}, {3, -2});
  const auto report = check_gradients("scale_rows", [](auto& in) { return mine::scale_rows(in[0], in[1]); }, {x, s});
  // [end]
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_CASE(a_wrong_derivative_is_named) {
  const auto wrong = [](const auto& in) {
    const auto &x = in[0], &s = in[1];
    return record("scale_rows", mine::kernels::scale_rows(x.value(), s.value()),
                  wrt(x, [s](const Variable<double>& dy) { return mine::scale_rows(dy, s); }),
                  wrt(s, [x](const Variable<double>& dy) { return sum(dy, {.axes = {1}}); }));
  };
  const auto x = tensor<double>({2, 3}, {1, -2, 3, 0.5, 4, -1}), s = tensor<double>({2}, {3, -2});
  const auto report = check_gradients("scale_rows", wrong, {x, s});
  BOOST_TEST(!report.ok);
  BOOST_TEST_MESSAGE(report.message);
  BOOST_TEST(report.message.find("scale_rows: expected first gradient ") == 0u);
  BOOST_TEST(report.message.find(" of input 1 [2] at [") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_rows_hold) {
  for (const test::OpRow& row : test::my_rows()) {
    for (const test::Values& x : row.cases) {
      const auto report = check_gradients(row.name, row.f, x);
      BOOST_TEST(report.ok, report.message);
      const test::Variables<double> in(x.begin(), x.end());
      for (const auto& f : {row.f, row.fused}) {
        if (!f) continue;
        const auto got = f(in).front().value(), want = row.reference(x).front();
        BOOST_TEST((got.shape() == want.shape()));
        for (std::size_t i = 0; i < want.size(); ++i) BOOST_TEST(std::abs(got.data()[i] - want.data()[i]) < 1e-12);
      }
    }
    for (const test::WrongCall& wrong : row.wrong) {
      BOOST_CHECK_EXCEPTION(wrong.call(), std::invalid_argument,
                            [&](const std::invalid_argument& e) { return e.what() == row.name + ": " + wrong.text; });
    }
  }
}

BOOST_AUTO_TEST_CASE(the_rule_serves_fused_code_and_second_gradients) {
  const auto f = [](const auto& a, const auto& b) { return b * mine::softsign(a + b); };
  const auto report = check_gradients("softsign", [&](auto& in) { return fuse(f, in[0], in[1]); },
                                      {tensor<double>({2, 2}, {0.3, -0.7, 1.2, 2}), tensor<double>({2}, {0.5, -1.5})});
  BOOST_TEST(report.ok, report.message);
}

BOOST_AUTO_TEST_SUITE_END()
