#include <boost/test/unit_test.hpp>
#include <numeric>

#include "autograd/tensor.hpp"
#include "tests/errors.hpp"

BOOST_AUTO_TEST_SUITE(shape)

using namespace rw;

namespace {

const std::string nine_axes = "shape: expected at most 8 axes; got 9";

// 0, 1, 2, ...
Tensor<double> counted(const Shape& shape) {
  Tensor<double> x = empty<double>(shape);
  std::iota(x.begin(), x.end(), 0.0);
  return x;
}

Storage<double> counted_storage(std::size_t n) {
  Storage<double> s(n);
  std::iota(s.begin(), s.end(), 0.0);
  return s;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_number_for_each_axis) {
  Shape s{2, 3, 4};
  BOOST_TEST(s.size() == 3u);
  BOOST_TEST(!s.empty());
  BOOST_TEST(s.front() == 2u);
  BOOST_TEST(s[1] == 3u);
  BOOST_TEST(s.back() == 4u);
  s.back() = 7;
  BOOST_TEST(std::accumulate(s.begin(), s.end(), std::size_t{0}) == 12u);
  BOOST_TEST(*s.rbegin() == 7u);
  BOOST_TEST(*(s.crend() - 1) == 2u);
  BOOST_TEST(Shape{}.empty());
  BOOST_TEST((Shape(3, 5) == Shape{5, 5, 5}));
  BOOST_TEST((Shape(3) == Shape{0, 0, 0}));
  const std::vector<int> numbers{4, 5};
  BOOST_TEST((Shape(numbers.begin(), numbers.end()) == Shape{4, 5}));
  BOOST_TEST(size_of({2, 3, 4}) == 24u);
  BOOST_TEST(size_of({}) == 1u);
  BOOST_TEST(size_of({2, 0}) == 0u);
}

BOOST_AUTO_TEST_CASE(equality_is_of_what_is_held) {
  BOOST_TEST((Shape{2, 3} == Shape{2, 3}));
  BOOST_TEST((Shape{2, 3} != Shape{2, 4}));
  BOOST_TEST((Shape{2, 3} != Shape{2, 3, 1}));
  BOOST_TEST((Shape{2} != Shape{}));
  Shape s{2, 3, 4};
  s.pop_back();  // what stood there before does not count
  BOOST_TEST((s == Shape{2, 3}));
  s.resize(3);
  BOOST_TEST((s == Shape{2, 3, 0}));
  s.resize(5, 9);
  BOOST_TEST((s == Shape{2, 3, 0, 9, 9}));
  s.clear();
  BOOST_TEST((s == Shape{}));
}

BOOST_AUTO_TEST_CASE(axes_come_and_go) {
  Shape s{1, 2};
  BOOST_TEST(*s.insert(s.begin() + 1, 7) == 7u);
  BOOST_TEST((s == Shape{1, 7, 2}));
  s.insert(s.begin(), 8);
  s.insert(s.end(), 9);
  BOOST_TEST((s == Shape{8, 1, 7, 2, 9}));
  BOOST_TEST(*s.erase(s.begin()) == 1u);
  BOOST_TEST((s.erase(s.begin() + 3) == s.end()));
  BOOST_TEST((s == Shape{1, 7, 2}));
  const Shape more{5, 6};
  BOOST_TEST(*s.insert(s.begin() + 1, more.begin(), more.end()) == 5u);
  BOOST_TEST((s == Shape{1, 5, 6, 7, 2}));
  s.insert(s.end(), s.begin(), s.begin() + 3);  // of itself
  BOOST_TEST((s == Shape{1, 5, 6, 7, 2, 1, 5, 6}));
}

BOOST_AUTO_TEST_CASE(at_most_eight) {
  Shape s{1, 2, 3, 4, 5, 6, 7, 8};
  const Shape before = s;
  BOOST_CHECK_EXCEPTION(s.push_back(9), std::invalid_argument, says(nine_axes));
  BOOST_CHECK_EXCEPTION(s.insert(s.begin(), 9), std::invalid_argument, says(nine_axes));
  BOOST_CHECK_EXCEPTION(s.resize(9), std::invalid_argument, says(nine_axes));
  BOOST_TEST((s == before));
  BOOST_CHECK_EXCEPTION((Shape{1, 2, 3, 4, 5, 6, 7, 8, 9}), std::invalid_argument, says(nine_axes));
  BOOST_CHECK_EXCEPTION(Shape(9, 1), std::invalid_argument, says(nine_axes));
  const xt::xarray<double> x = xt::ones<double>(std::vector<std::size_t>(9, 1));
  BOOST_CHECK_EXCEPTION(Tensor<double>{x}, std::invalid_argument, says(nine_axes));
}

BOOST_AUTO_TEST_CASE(a_copy_of_borrowed_elements_is_its_own) {
  double elements[3] = {1, 2, 3};
  Storage<double> borrowed = Storage<double>::borrowed(elements, 3);
  BOOST_TEST(borrowed.data() == elements);
  Storage<double> copy = borrowed;
  BOOST_TEST(copy.data() != elements);
  copy[1] = 7;
  BOOST_TEST(elements[1] == 2);
  borrowed[1] = 8;
  BOOST_TEST(elements[1] == 8);
  BOOST_TEST(copy[1] == 7);
  const Storage<double> moved = std::move(borrowed);  // goes on borrowing
  BOOST_TEST(moved.data() == elements);
  copy = moved;
  BOOST_TEST(copy.data() != elements);
  BOOST_TEST(copy[1] == 8);
}

BOOST_AUTO_TEST_CASE(storage_moves) {
  Storage<double> a = counted_storage(5);
  const double* place = a.data();
  Storage<double> b = std::move(a);
  BOOST_TEST(b.data() == place);
  BOOST_TEST(a.empty());
  a = counted_storage(2);
  a.swap(b);
  BOOST_TEST(a.data() == place);
  BOOST_TEST(b.size() == 2u);
  a = std::move(b);
  BOOST_TEST(a.size() == 2u);
  BOOST_TEST(a.back() == 1);
  const Storage<double>& itself = a;
  a = itself;
  BOOST_TEST(a.back() == 1);
  double elements[2] = {3, 4};
  Storage<double> borrowed = Storage<double>::borrowed(elements, 2);
  borrowed.swap(a);
  BOOST_TEST(a.data() == elements);  // and neither is given back twice
}

BOOST_AUTO_TEST_CASE(elements_are_handed_out_and_taken_over) {
  Storage<double> a = counted_storage(5);
  const double* place = a.data();
  const Storage<double> b = Storage<double>::owning(a.give(), 5);
  BOOST_TEST(a.empty());
  BOOST_TEST(b.data() == place);
  BOOST_TEST(b.back() == 4);
  double elements[2] = {3, 4};
  const Storage<double> copy = Storage<double>::owning(Storage<double>::borrowed(elements, 2).give(), 2);
  BOOST_TEST(copy.data() != elements);  // which are somebody else's
  BOOST_TEST(copy.back() == 4);
}

BOOST_AUTO_TEST_CASE(storage_of_another_size) {
  Storage<double> s = counted_storage(4);
  const double* place = s.data();
  s.resize(4);
  BOOST_TEST(s.data() == place);
  BOOST_TEST(s[3] == 3);
  s.resize(100);
  BOOST_TEST(s.size() == 100u);
  s.front() = s.back() = 1;
  s.resize(0);
  BOOST_TEST(s.empty());
  double elements[2] = {3, 4};
  Storage<double> borrowed = Storage<double>::borrowed(elements, 2);
  borrowed.resize(3);
  BOOST_TEST(borrowed.data() != elements);
  BOOST_TEST(Storage<double>(3, 2.5)[2] == 2.5);
  BOOST_TEST(Storage<double>().empty());
}

BOOST_AUTO_TEST_CASE(tensors_from_expressions_of_xtensor_and_back) {
  const Tensor<double> x = counted({2, 3});
  const Tensor<double> y = 2 * x + 1;
  BOOST_TEST((y.shape() == Shape{2, 3}));
  BOOST_TEST(y(1, 2) == 11);
  const Tensor<double> sums = xt::sum(x, {1});
  BOOST_TEST((sums.shape() == Shape{2}));
  BOOST_TEST(sums(1) == 12);
  const Tensor<double> turned = xt::transpose(x);
  BOOST_TEST((turned.shape() == Shape{3, 2}));
  BOOST_TEST(turned(2, 0) == 2);
  BOOST_TEST(turned.data()[1] == 3);  // row-major
  const Tensor<double> wide = x + counted({3, 1, 1});
  BOOST_TEST((wide.shape() == Shape{3, 2, 3}));
  BOOST_TEST(wide(2, 1, 2) == 7);

  const xt::xarray<double> out = x, doubled = x + x;
  BOOST_TEST((out.shape() == xt::xarray<double>::shape_type{2, 3}));
  BOOST_TEST(doubled(1, 1) == 8);
  const xt::xarray<float> narrow = xt::cast<float>(x);
  const Tensor<float> back = narrow;
  BOOST_TEST(back(1, 1) == 4);
  const xt::xarray<double, xt::layout_type::column_major> columns = x;
  BOOST_TEST((Tensor<double>(columns) == x));
  BOOST_TEST(xt::allclose(x, out));
}

BOOST_AUTO_TEST_CASE(tensors_change_in_place) {
  Tensor<double> x = counted({2, 3});
  x *= 2;
  std::fill_n(x.begin(), 3, 7.0);
  x(1, 0) += 0.5;
  BOOST_TEST((x == tensor<double>({2, 3}, {7, 7, 7, 6.5, 8, 10})));
  x.reshape({3, 2});
  BOOST_TEST(x(1, 1) == 6.5);
  x.resize({4, 5});
  BOOST_TEST(x.size() == 20u);
  x = xt::zeros<double>({2});
  BOOST_TEST((x == zeros<double>({2})));
  BOOST_TEST((reshaped(counted({2, 3}), {6}).shape() == Shape{6}));
}

BOOST_AUTO_TEST_CASE(leading_ones_make_no_difference_to_where_elements_lie) {
  BOOST_TEST(alike_but_ones({2, 3}, {2, 3}));
  BOOST_TEST(alike_but_ones({1, 1, 3}, {3}));
  BOOST_TEST(alike_but_ones({3}, {1, 3}));
  BOOST_TEST(alike_but_ones({}, {1, 1}));
  BOOST_TEST(!alike_but_ones({3, 1}, {3}));
  BOOST_TEST(!alike_but_ones({3, 1}, {1, 3}));
  BOOST_TEST(!alike_but_ones({2, 3}, {3}));
  BOOST_TEST(!alike_but_ones({2, 3}, {3, 2}));
}

BOOST_AUTO_TEST_SUITE_END()
