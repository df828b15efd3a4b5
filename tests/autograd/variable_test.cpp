#include "autograd/variable.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "autograd/ops/arithmetic.hpp"

BOOST_AUTO_TEST_SUITE(variable)

using namespace rw;
using V = Variable<double>;

static_assert(std::is_copy_constructible_v<V> && std::is_copy_assignable_v<V>);
static_assert(!std::is_copy_constructible_v<Parameter<double>> && !std::is_copy_assignable_v<Parameter<double>>);
static_assert(std::is_move_constructible_v<Parameter<double>> && std::is_move_assignable_v<Parameter<double>>);

namespace {

template <class F>
void check_error(const F& f, const std::string& text) {
  BOOST_CHECK_EXCEPTION(f(), std::invalid_argument, [&](const std::invalid_argument& e) {
    BOOST_TEST(e.what() == text);
    return true;
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(copies_share_the_value) {
  const V x = tensor<double>({2, 3}, {1, 2, 3, 4, 5, 6}), copy = x;
  BOOST_TEST(&x.value() == &copy.value());
  BOOST_TEST((x.shape() == Shape{2, 3}));
  BOOST_TEST(x.rank() == 2u);
  BOOST_TEST(x.size() == 6u);
  BOOST_TEST(x.value()(1, 0) == 4);
  BOOST_TEST(!V().defined());
  BOOST_TEST(x.defined());
}

BOOST_AUTO_TEST_CASE(item_of_one_element) {
  BOOST_TEST(V(scalar(2.5)).item() == 2.5);
  BOOST_TEST(V(full<double>({1, 1}, 3)).item() == 3);
  check_error([] { V(full<double>({2, 1}, 3)).item(); }, "item: expected one element; got x [2, 1]");
}

BOOST_AUTO_TEST_CASE(tensors_of_values) {
  check_error(
      [] {
        tensor<double>({2, 2}, {1, 2, 3});
      },
      "tensor: expected as many values as the shape holds; got shape [2, 2], 3 values");
  BOOST_TEST(tensor<float>({0, 3}, {}).size() == 0u);
  BOOST_TEST((tensor<double>({2}, {1, 2}).shape() == Shape{2}));
  BOOST_TEST(zeros<double>({2, 3})(1, 2) == 0);
  BOOST_TEST(scalar(7.0f).dimension() == 0u);
  BOOST_TEST(to_string(Shape{}) == "[]");
  BOOST_TEST(to_string(Shape{32, 256}) == "[32, 256]");
}

BOOST_AUTO_TEST_CASE(detached_is_a_constant) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0)), y = x.detached() * x;
  const V detached = x.detached();
  BOOST_TEST(&detached.value() == &x.value());
  BOOST_TEST(tape.holds(x));
  BOOST_TEST(!tape.holds(x.detached()));
  BOOST_TEST(tape.backward(y)[x].item() == 3);
}

BOOST_AUTO_TEST_CASE(only_a_sole_owner_may_write) {
  V x = scalar(1.0);
  BOOST_TEST(x.sole_owner() == x.value().data());
  const V copy = x;
  BOOST_TEST(x.sole_owner() == nullptr);
}

BOOST_AUTO_TEST_CASE(parameters_have_names_and_places) {
  Parameter<double> a("encoder.w", scalar(1.0)), b("encoder.w", scalar(1.0));
  BOOST_TEST(a.name() == "encoder.w");
  BOOST_TEST(!(a.place() == b.place()));  // the name does not make the parameter
  const Place place = a.place();
  const Parameter<double> moved = std::move(a);
  BOOST_TEST((moved.place() == place));
  Tape<double> tape;
  const auto g = tape.backward(moved * moved * b);
  BOOST_TEST(g[moved].item() == 2);
  BOOST_TEST(g[b].item() == 1);
}

BOOST_AUTO_TEST_CASE(assign_leaves_old_values_alone) {
  Parameter<double> w("w", tensor<double>({2}, {1, 2}));
  Tape<double> tape;
  const V y = sum_to(w * w, {}), old = w;
  w.assign(tensor<double>({2}, {10, 20}));
  BOOST_TEST(w.value()(1) == 20);
  BOOST_TEST(old.value()(1) == 2);
  BOOST_TEST(tape.backward(y)[w].value()(1) == 4);  // the tape differentiates at the value it read
  check_error([&] { w.assign(scalar(1.0)); }, "assign: expected the shape of w, [2]; got []");
  BOOST_TEST(w.value()(1) == 20);
}

BOOST_AUTO_TEST_CASE(update_leaves_old_values_alone) {
  Parameter<double> w("w", tensor<double>({2}, {1, 2}));
  const auto add_one = [](Tensor<double>& value) {
    for (double& x : value) x += 1;
  };
  {
    Tape<double> tape;
    const V y = sum_to(w * w, {});
    w.update(add_one);
    BOOST_TEST(w.value()(1) == 3);
    BOOST_TEST(tape.backward(y)[w].value()(1) == 4);
  }
  const Tensor<double>& seen = w.value();
  const double* place = seen.data();
  w.update(add_one);  // nobody else holds it: in place
  BOOST_TEST(&w.value() == &seen);
  BOOST_TEST(w.value().data() == place);
  BOOST_TEST(w.value()(1) == 4);
}

BOOST_AUTO_TEST_CASE(an_update_may_read_and_replace_the_value) {
  Parameter<double> w("w", tensor<double>({2}, {1, 2}));
  const Tensor<double>& seen = w.value();
  w.update([&](Tensor<double>& value) { value = 3 * value + w.value(); });
  BOOST_TEST(w.value()(1) == 8);
  BOOST_TEST(seen(1) == 8);
  Tensor<double> other = tensor<double>({2}, {5, 6});
  w.update([&](Tensor<double>& value) { value.storage().swap(other.storage()); });
  BOOST_TEST(w.value()(1) == 6);
  BOOST_TEST(other(1) == 8);
  const auto stop = [](Tensor<double>& value) {
    value.fill(7);
    throw std::runtime_error("stop");
  };
  BOOST_CHECK_THROW(w.update(stop), std::runtime_error);
  BOOST_TEST(w.value()(1) == 7);
}

BOOST_AUTO_TEST_CASE(a_value_is_made_a_tensor_once_by_whoever_asks_first) {
  for (int i = 0; i < 100; ++i) {
    const V x = V(tensor<double>({2}, {1, 2})) * 1.0;
    const Tensor<double>* seen[2] = {};
    std::thread other([&] { seen[0] = &x.value(); });
    seen[1] = &x.value();
    other.join();
    BOOST_TEST(seen[0] == seen[1]);
    BOOST_TEST((*seen[0])(1) == 2);
    BOOST_TEST(x.view().data() == seen[0]->data());
  }
}

BOOST_AUTO_TEST_SUITE_END()
