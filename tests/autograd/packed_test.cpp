#include "autograd/packed.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "autograd/autograd.hpp"
#include "autograd/blas.hpp"

BOOST_AUTO_TEST_SUITE(packed)

using namespace rw;

namespace {

template <class T>
Tensor<T> numbers(const Shape& shape, double seed) {
  Tensor<T> x = empty<T>(shape);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = T(std::sin(seed + 1.7 * double(i)));
  return x;
}

template <class T>
void check_close(const Tensor<T>& a, const Tensor<T>& b) {
  BOOST_REQUIRE((a.shape() == b.shape()));
  const double tolerance = 1000 * std::numeric_limits<T>::epsilon();
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_REQUIRE_SMALL(double(a.data()[i]) - b.data()[i], tolerance);
}

// c + a·b, or c + a·bᵀ, in three loops.
template <class T>
Tensor<T> product(const Tensor<T>& a, const Tensor<T>& b, bool transposed, Tensor<T> c) {
  for (std::size_t i = 0; i < c.shape(0); ++i) {
    for (std::size_t j = 0; j < c.shape(1); ++j) {
      double sum = c(i, j);
      for (std::size_t p = 0; p < a.shape(1); ++p) sum += double(a(i, p)) * (transposed ? b(j, p) : b(p, j));
      c(i, j) = T(sum);
    }
  }
  return c;
}

template <class T>
void check_products() {
  for (const std::size_t m : {1, 2, 7, 8, 9, 20, 65, 130}) {
    for (const std::size_t k : {0, 1, 2, 33}) {
      for (const std::size_t n : {1, 15, 16, 17, 47, 48, 97, 150}) {
        const Tensor<T> a = numbers<T>({m, k}, 1), old = numbers<T>({m, n}, 2);
        for (const bool transposed : {false, true}) {
          const Tensor<T> b = numbers<T>(transposed ? Shape{n, k} : Shape{k, n}, 3);
          const Packed<T> packed(b, transposed);
          Tensor<T> c = old;
          packed.multiply(m, a.data(), {c.data(), n}, c.data());
          check_close(c, product(a, b, transposed, old));
          c.fill(std::numeric_limits<T>::quiet_NaN());
          packed.multiply(m, a.data(), {}, c.data());
          check_close(c, product(a, b, transposed, zeros<T>({m, n})));
          c.fill(std::numeric_limits<T>::quiet_NaN());
          packed.multiply(m, a.data(), {old.data(), n}, c.data());
          check_close(c, product(a, b, transposed, old));
          Tensor<T> rows = zeros<T>({m, n});
          for (std::size_t i = 0; i < m; ++i) std::copy_n(old.data(), n, rows.data() + i * n);
          packed.multiply(m, a.data(), {old.data(), 0}, c.data());
          check_close(c, product(a, b, transposed, rows));
        }
      }
    }
  }
}

using F = Variable<float>;

}  // namespace

BOOST_AUTO_TEST_CASE(products_of_odd_sizes) {
  check_products<float>();
  check_products<double>();
}

BOOST_AUTO_TEST_CASE(a_row_does_not_depend_on_the_others) {
  const std::size_t m = 70, k = 33, n = 100;
  const Tensor<float> a = numbers<float>({m, k}, 1), b = numbers<float>({k, n}, 2);
  const Packed<float> packed(b, false);
  Tensor<float> all = empty<float>({m, n}), one = empty<float>({1, n});
  packed.multiply(m, a.data(), {}, all.data());
  for (std::size_t i = 0; i < m; ++i) {
    packed.multiply(1, a.data() + i * k, {}, one.data());
    BOOST_TEST(std::equal(one.begin(), one.end(), all.data() + i * n));
  }
}

BOOST_AUTO_TEST_CASE(gemm_of_many_columns) {  // more than are multiplied at once
  const std::size_t m = 3, k = 5, n = 4099;
  const Tensor<float> a = numbers<float>({m, k}, 1), before = numbers<float>({m, n}, 3);
  for (const bool transposed : {false, true}) {
    const Tensor<float> b = numbers<float>(transposed ? Shape{n, k} : Shape{k, n}, 2);
    Tensor<float> sum = before;
    gemm<float>(m, n, k, {a.data(), k}, {b.data(), b.shape(1), transposed}, 1, sum.data(), n);
    check_close(sum, product(a, b, transposed, before));
  }
}

BOOST_AUTO_TEST_CASE(threads_inside_a_product_change_nothing) {
  const std::size_t m = 40, k = 200, n = 150;
  const Tensor<float> a = numbers<float>({m, k}, 1), b = numbers<float>({k, n}, 2);
  const Packed<float> packed(b, false);
  Tensor<float> alone = empty<float>({m, n}), shared = alone;
  set_gemm_threads(1);
  BOOST_TEST(gemm_threads(m * k * n) == 1);
  packed.multiply(m, a.data(), {}, alone.data());
  set_gemm_threads(2);
  BOOST_TEST(gemm_threads(m * k * n) == 2);
  BOOST_TEST(gemm_threads(k * n) == 1);
  packed.multiply(m, a.data(), {}, shared.data());
  set_gemm_threads(1);
  BOOST_TEST((alone == shared));
}

BOOST_AUTO_TEST_CASE(parameters_without_a_tape) {
  Parameter<float> w("w", numbers<float>({33, 50}, 1)), u("u", numbers<float>({50, 33}, 2));
  const F bias = numbers<float>({50}, 3);
  for (const Shape& shape : {Shape{1, 33}, Shape{5, 33}, Shape{2, 3, 33}}) {
    const F x = numbers<float>(shape, 4);
    check_close(matmul(x, w).value(), matmul(x, w.detached()).value());
    check_close(matmul(x, u, Transpose::b).value(), matmul(x, u.detached(), Transpose::b).value());
    check_close(affine(x, w, bias).value(), affine(x, w.detached(), bias).value());
  }
  BOOST_CHECK_THROW(matmul(F(numbers<float>({5, 50}, 4)), w), std::invalid_argument);
  BOOST_CHECK_THROW(matmul(F(scalar(1.0f)), w), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_new_value_is_packed_anew) {
  Parameter<float> w("w", numbers<float>({33, 50}, 1)), u("u", numbers<float>({50, 33}, 1));
  const F x = numbers<float>({4, 33}, 2);
  const auto check = [&] {
    check_close(matmul(x, w).value(), product(x.value(), w.value(), false, zeros<float>({4, 50})));
    check_close(matmul(x, u, Transpose::b).value(), product(x.value(), u.value(), true, zeros<float>({4, 50})));
  };
  check();
  for (Parameter<float>* p : {&w, &u}) p->update([](Tensor<float>& t) { t.data()[7] += 1; });
  check();
  for (Parameter<float>* p : {&w, &u}) p->assign(numbers<float>(p->shape(), 5));
  check();
  const F held = w;  // an update leaves the held value, and what was packed of it, alone
  const Tensor<float> before = matmul(x, w).value();
  w.update([](Tensor<float>& t) { t.data()[7] += 1; });
  check();
  BOOST_TEST((matmul(x, held).value() == before));
}

BOOST_AUTO_TEST_CASE(two_threads_use_one_parameter) {
  for (int round = 0; round < 50; ++round) {
    const Parameter<float> w("w", numbers<float>({40, 60}, round));
    const F x = numbers<float>({3, 40}, 1);
    std::array<Tensor<float>, 2> y;
    std::array<std::thread, 2> threads;
    for (std::size_t i = 0; i < 2; ++i) threads[i] = std::thread([&, i] { y[i] = matmul(x, w).value(); });
    for (std::thread& thread : threads) thread.join();
    BOOST_TEST((y[0] == y[1]));
    check_close(y[0], product(x.value(), w.value(), false, zeros<float>({3, 60})));
  }
}

// Several products with one weight on a tape, which packs it, against a tape for each of them, which does not.
BOOST_AUTO_TEST_CASE(several_products_on_a_tape) {
  const std::size_t several = 6;
  for (const bool transposed : {false, true}) {
    const Parameter<float> w("w", numbers<float>(transposed ? Shape{50, 33} : Shape{33, 50}, 1));
    const Transpose how = transposed ? Transpose::b : Transpose::none;
    const auto weighted = [&](const F& x, std::size_t i) {
      return sum(matmul(x, w, how) * F(numbers<float>({4, 50}, double(i))));
    };
    Tape<float> tape;
    std::vector<F> xs;
    F total = scalar(0.0f);
    for (std::size_t i = 0; i < several; ++i) {
      xs.push_back(tape.watch(numbers<float>({4, 33}, 10 + double(i))));
      total = total + weighted(xs[i], i);
    }
    const auto gradients = tape.backward(total);
    Tensor<float> dw = zeros<float>(w.shape());
    for (std::size_t i = 0; i < several; ++i) {
      Tape<float> single;
      const F x = single.watch(xs[i].value());
      const auto expected = single.backward(weighted(x, i));
      check_close(gradients[xs[i]].value(), expected[x].value());
      const Tensor<float> term = expected[w].value();
      for (std::size_t j = 0; j < dw.size(); ++j) dw.data()[j] += term.data()[j];
    }
    check_close(gradients[w].value(), dw);
  }
}

BOOST_AUTO_TEST_SUITE_END()
