#include "autograd/hooks.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>

#include "autograd/ops/reduce.hpp"
#include "autograd/shards.hpp"
#include "tests/errors.hpp"

BOOST_AUTO_TEST_SUITE(hooks)

using namespace rw;
using V = Variable<double>;
using Seen = std::vector<std::pair<std::string, double>>;

BOOST_AUTO_TEST_CASE(a_gradient_is_looked_at) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0));
  std::vector<double> seen;
  const V h = on_gradient(x * x, [&](const V& dy) { seen.push_back(dy.item()); });
  BOOST_TEST(h.item() == 9);
  BOOST_TEST(seen.empty());
  BOOST_TEST(tape.backward(h * 5 + h)[x].item() == 36);
  BOOST_TEST((seen == std::vector<double>{6}));  // once, with the whole gradient
  BOOST_TEST(tape.backward(x * 2)[x].item() == 2);
  BOOST_TEST(seen.size() == 1u);  // not reached
}

BOOST_AUTO_TEST_CASE(a_gradient_is_replaced) {
  Tape<double> tape;
  const V x = tape.watch(tensor<double>({2}, {3, -4}));
  const V h = on_gradient(x, [](const V& dy) { return dy * 0.5; });
  const V dx = tape.backward(sum(h * h), {.record = true})[x];
  BOOST_TEST(dx.value()(0) == 3);
  BOOST_TEST(tape.backward(sum(dx))[x].value()(1) == 0.5);  // the gradient of h there is 1, and passes h again
  const V wrong = on_gradient(x, [](const V& dy) { return sum(dy); });
  BOOST_CHECK_EXCEPTION(tape.backward(sum(wrong)), std::invalid_argument,
                        says("on_gradient: expected a derivative of the input's shape [2]; got []"));
  BOOST_TEST(!tape.holds(on_gradient(V(scalar(1.0)), [](const V& dy) { return dy; })));
}

BOOST_AUTO_TEST_CASE(a_value_is_looked_at) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0));
  double seen = 0;
  const V y = on_value(x * x, [&](const V& value) { seen = (value * x.detached()).item(); });
  BOOST_TEST(seen == 27);
  BOOST_TEST(tape.size() == 1u);
  BOOST_TEST(tape.backward(y)[x].item() == 6);
}

BOOST_AUTO_TEST_CASE(every_recorded_value_is_seen) {
  Tape<double> tape;
  Parameter<double> w("w", scalar(2.0));
  const V x = tape.watch(scalar(3.0));
  Seen seen, inner;
  {
    const OnRecord<double> hook([&](const char* op, const V& value) {
      seen.emplace_back(op, (value * w).item());  // neither recorded nor seen, though w is a parameter
      BOOST_TEST(!tape.holds(value));
    });
    const OnRecord<float> other([&](const char* op, const Variable<float>&) { inner.emplace_back(op, 0); });
    const V y = x * x;
    V(scalar(1.0)) * 2.0;  // a constant is not recorded
    {
      const OnRecord<double> within([&](const char* op, const V& value) { inner.emplace_back(op, value.item()); });
      tape.backward(y + 1, {.record = true});
    }
  }
  BOOST_TEST((x * x).item() == 9);  // by nobody
  BOOST_TEST((seen.size() > 2u && seen[0] == std::pair<std::string, double>("multiply", 18)));
  BOOST_TEST((seen[1] == std::pair<std::string, double>("add", 20)));
  BOOST_TEST((inner[0] == std::pair<std::string, double>("add", 10)));
  BOOST_TEST(inner.size() == seen.size() - 1);  // the recorded backward pass by both
}

namespace {

struct Log : Observer {
  using Observer::Observer;

  std::vector<std::string> lines;
  std::uint64_t tape = 0;

  void started(std::uint64_t t) override {
    tape = t;
    lines.push_back("started");
  }
  void cleared(std::uint64_t t) override { lines.push_back(t == tape ? "cleared" : "another"); }
  void recorded(const Operation& op, const Values& results) override { add("recorded ", op, results); }
  void goes_back(const Operation& op) override { lines.push_back("goes back " + std::string(op.name)); }
  void derived(const Operation& op, const Values& gradient) override { add("derived ", op, gradient); }
  void went_back(const Operation& op) override { lines.push_back("went back " + std::string(op.name)); }

  void add(const std::string& what, const Operation& op, const Values& values) {
    const V& x = std::get<std::span<const V>>(values)[0];
    lines.push_back(what + op.name + " " + std::to_string(static_cast<int>(x.item())));
    BOOST_TEST(op.tape == tape);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_observer_is_told_in_order) {
  Parameter<double> w("w", scalar(3.0));
  Log log;
  {
    Tape<double> tape;
    const V y = log.lines.size() == 1 ? w * w : V(w);
    tape.backward(y + 1, {.seed = scalar(5.0)});
  }
  const std::vector<std::string> expected = {"started",
                                             "recorded multiply 9",
                                             "recorded add 10",
                                             "derived seed 5",
                                             "goes back add",
                                             "derived add 5",
                                             "went back add",
                                             "goes back multiply",
                                             "derived multiply 15",
                                             "derived multiply 15",
                                             "went back multiply",
                                             "goes back multiply",
                                             "derived multiply 30",
                                             "went back multiply",
                                             "cleared"};
  BOOST_TEST(log.lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_observer_is_told_what_it_or_one_around_it_wants) {
  Parameter<double> w("w", scalar(3.0));
  const auto lines = [&](unsigned wanted) {
    Log log(wanted);
    Tape<double> tape;
    log.tape = tape.watch(scalar(0.0)).place().tape;
    tape.backward(w * 2);
    return log.lines;
  };
  using Lines = std::vector<std::string>;
  const auto in_order = boost::test_tools::per_element();
  BOOST_TEST(lines(Observer::of_records) == Lines{"recorded multiply 6"}, in_order);
  BOOST_TEST(lines(Observer::of_anomalies) == Lines{}, in_order);
  const Lines turns = {"goes back multiply", "went back multiply", "goes back multiply", "went back multiply"};
  BOOST_TEST(lines(Observer::of_turns) == turns, in_order);
  const Lines derived = {"derived multiply 2", "derived multiply 2"};
  BOOST_TEST(lines(Observer::of_derivatives) == derived, in_order);
  const OnRecord<double> around([](const char*, const V&) {});
  BOOST_TEST(lines(Observer::of_anomalies) == Lines{"recorded multiply 6"}, in_order);
}

BOOST_AUTO_TEST_CASE(an_error_of_a_hook_ends_the_op) {
  Tape<double> tape;
  const V x = tape.watch(scalar(3.0));
  const OnRecord<double> hook([](const char* op, const V&) {
    if (op == std::string("multiply")) throw std::runtime_error("enough");
  });
  BOOST_CHECK_EXCEPTION(x * x, std::runtime_error, says("enough"));
  BOOST_TEST(tape.backward(x + x)[x].item() == 2);  // and nothing else
  BOOST_TEST(Observer::current() == &hook);
}

BOOST_AUTO_TEST_CASE(workers_are_seen_too) {
  Parameter<double> w("w", scalar(2.0));
  Workers workers(2);
  std::atomic<int> seen{0};
  const auto loss = [&](const Shard&) { return w * w; };
  {
    const OnRecord<double> hook([&](const char*, const V&) { ++seen; });
    learn<double>(workers, 16, loss);
    BOOST_TEST(seen == 2);
  }
  learn<double>(workers, 16, loss);
  BOOST_TEST(seen == 2);
}

BOOST_AUTO_TEST_SUITE_END()
