#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "autograd/gradcheck.hpp"
#include "op_table.hpp"

// The checks that every row of the op table goes through.

BOOST_AUTO_TEST_SUITE(ops)

using namespace rw;
using namespace rw::test;

namespace {

std::string base_name(const std::string& name) { return name.substr(0, name.find('(')); }

template <class T>
Variables<T> constants(const Values& x) {
  Variables<T> out;
  for (const auto& v : x) {
    Tensor<T> value = rw::empty<T>(v.shape());
    std::transform(v.begin(), v.end(), value.begin(), [](double e) { return static_cast<T>(e); });
    out.emplace_back(std::move(value));
  }
  return out;
}

template <class T>
Variables<T> watched(Tape<T>& tape, const Values& x) {
  Variables<T> out;
  for (const auto& v : constants<T>(x)) out.push_back(tape.watch(v));
  return out;
}

template <class T>
void check_equal(const Variables<T>& got, const Values& want, double tolerance) {
  BOOST_REQUIRE(got.size() == want.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    BOOST_REQUIRE_MESSAGE(got[k].shape() == want[k].shape(), "result " << k << " has shape "
                                                                       << to_string(got[k].shape()) << ", expected "
                                                                       << to_string(want[k].shape()));
    for (std::size_t i = 0; i < want[k].size(); ++i) {
      const double g = got[k].value().data()[i], w = want[k].data()[i];
      const bool close = std::abs(g - w) <= tolerance * std::max(1.0, std::abs(w));
      BOOST_TEST(close, "result " << k << ", element " << i << " is " << g << ", expected " << w);
    }
  }
}

template <class T>
void check_finite(const std::string& what, const Variable<T>& x) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = x.value().data()[i];
    BOOST_TEST(std::isfinite(v), what << " " << i << " is " << v);
  }
}

// Value, gradients and second gradients stay finite.
template <class T>
void check_extreme(const Function<T>& f, const Values& inputs) {
  Tape<T> tape;
  const Variables<T> x = watched(tape, inputs);
  for (const Variable<T>& y : f(x)) {
    check_finite("value", y);
    const auto g = tape.backward(y, {.seed = full<T>(y.shape(), T(1)), .record = true});
    for (const Variable<T>& input : x) {
      const Variable<T> dx = g[input];
      check_finite("gradient", dx);
      if (!tape.holds(dx)) continue;
      const auto second = tape.backward(dx, {.seed = full<T>(dx.shape(), T(1))});
      for (const Variable<T>& other : x) check_finite("second gradient", second[other]);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(value_equals_reference) {
  for (const OpRow& row : op_table()) {
    BOOST_REQUIRE(!row.cases.empty());
    for (const Values& x : row.cases) {
      BOOST_TEST_CONTEXT(row.name << " of " << to_string(x[0].shape())) {
        check_equal(row.f(constants<double>(x)), row.reference(x), 1e-12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(value_in_float) {
  for (const OpRow& row : op_table()) {
    for (const Values& x : row.cases) {
      BOOST_TEST_CONTEXT(row.name << " of " << to_string(x[0].shape())) {
        check_equal(row.f32(constants<float>(x)), row.reference(x), 1e-5);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(recording_changes_no_value) {
  for (const OpRow& row : op_table()) {
    BOOST_TEST_CONTEXT(row.name) {
      Tape<double> tape;
      check_equal(row.f(watched(tape, row.cases[0])), row.reference(row.cases[0]), 1e-12);
    }
  }
}

BOOST_AUTO_TEST_CASE(first_and_second_gradients) {
  for (const OpRow& row : op_table()) {
    if (!row.differentiable) continue;
    for (const Values& x : row.cases) {
      const auto report = check_gradients(row.name, row.f, x);
      BOOST_TEST(report.ok, report.message);
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_in_float) {
  for (const OpRow& row : op_table()) {
    if (!row.differentiable) continue;
    for (const Values& x : row.cases) {
      BOOST_TEST_CONTEXT(row.name << " of " << to_string(x[0].shape())) {
        Tape<double> tape;
        Tape<float> tape32;
        const auto in = watched(tape, x), out = row.f(in);
        const auto in32 = watched(tape32, x), out32 = row.f32(in32);
        for (std::size_t k = 0; k < out.size(); ++k) {
          const Values seed = {random_tensor(out[k].shape())};
          const auto g = tape.backward(out[k], {.seed = seed[0]});
          const auto g32 = tape32.backward(out32[k], {.seed = constants<float>(seed)[0]});
          for (std::size_t i = 0; i < in.size(); ++i) {
            const Variable<double> dx = g[in[i]];
            check_equal<float>({g32[in32[i]]}, {dx.value()}, 1e-5);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(one_variable_as_every_input) {
  std::size_t checked = 0;
  for (const OpRow& row : op_table()) {
    if (!row.differentiable) continue;
    for (const Values& x : row.cases) {
      const auto same = [&](const auto& v) { return v.shape() == x[0].shape(); };
      if (x.size() < 2 || !std::all_of(x.begin(), x.end(), same)) continue;
      const auto f = [&](const auto& v) { return row.f(Variables<double>(x.size(), v[0])); };
      const auto report = check_gradients(row.name + " reusing x", f, {x[0]});
      BOOST_TEST(report.ok, report.message);
      ++checked;
    }
  }
  BOOST_TEST(checked > 10u);
}

BOOST_AUTO_TEST_CASE(fused_equals_reference) {
  for (const OpRow& row : op_table()) {
    if (!row.fused) continue;
    for (const Values& x : row.cases) {
      BOOST_TEST_CONTEXT(row.name << " of " << to_string(x[0].shape())) {
        check_equal(row.fused(constants<double>(x)), row.reference(x), 1e-12);
      }
      if (!row.differentiable) continue;
      const auto report = check_gradients("fused " + row.name, row.fused, x);
      BOOST_TEST(report.ok, report.message);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_gradient_passes_through_constants) {
  std::size_t checked = 0;
  for (const OpRow& row : op_table()) {
    if (row.differentiable) continue;
    ++checked;
    BOOST_TEST_CONTEXT(row.name) {
      Tape<double> tape;
      for (const auto& y : row.f(watched(tape, row.cases[0]))) BOOST_TEST(!tape.holds(y));
    }
  }
  BOOST_TEST(checked >= 4u);
}

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  for (const OpRow& row : op_table()) {
    for (const WrongCall& wrong : row.wrong) {
      BOOST_TEST_CONTEXT(row.name) {
        BOOST_CHECK_EXCEPTION(wrong.call(), std::invalid_argument, [&](const std::invalid_argument& e) {
          const std::string text = e.what();
          BOOST_TEST_MESSAGE(text);
          const bool as_worded = text.rfind(base_name(row.name) + ": expected ", 0) == 0 &&
                                 text.find(wrong.text) != std::string::npos && text.find('\n') == std::string::npos;
          BOOST_TEST(as_worded, "\"" << text << "\" where \"" << wrong.text << "\" was expected");
          return true;
        });
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(finite_at_extremes) {
  for (const OpRow& row : op_table()) {
    for (const Values& x : row.extremes) {
      BOOST_TEST_CONTEXT(row.name) {
        check_extreme<double>(row.f, x);
        check_extreme<float>(row.f32, x);
        if (row.fused) check_extreme<double>(row.fused, x);
      }
    }
  }
}

namespace {

// The names under which the headers record, and the public functions that are made of recorded ones.
std::set<std::string> op_names(std::string header) {
  std::set<std::string> names;
  const auto collect = [&](const std::regex& pattern) {
    for (std::sregex_iterator it(header.begin(), header.end(), pattern), end; it != end; ++it) names.insert((*it)[1]);
  };
  collect(std::regex(R"re(\bname = "(\w+)")re"));
  collect(std::regex(R"re(\brecord(?:_many)?\(\s*"(\w+)")re"));
  for (const std::string scope : {"detail", "rules"}) {
    const std::string closing = "}  // namespace " + scope;
    for (std::size_t from; (from = header.find("namespace " + scope + " {")) != std::string::npos;) {
      const std::size_t to = header.find(closing, from);
      BOOST_REQUIRE(to != std::string::npos);
      header.erase(from, to + closing.size() - from);
    }
  }
  collect(std::regex(R"re(\n(?:Variable<T>|std::vector<Variable<T>>|std::array<Variable<T>, \w+>|auto) (\w+)\()re"));
  return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_op_has_a_row) {
  std::set<std::string> rows;
  for (const OpRow& row : op_table()) rows.insert(base_name(row.name));
  std::size_t headers = 0;
  for (const auto& entry : std::filesystem::directory_iterator(REWIND_SOURCE_DIR "/autograd/ops")) {
    if (entry.path().extension() != ".hpp") continue;
    ++headers;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto names = op_names(text.str());
    BOOST_TEST(!names.empty(), entry.path().filename() << " holds no op");
    for (const std::string& name : names) {
      BOOST_TEST(rows.count(name) == 1u, name << " of " << entry.path().filename() << " has no row in the op table");
    }
  }
  BOOST_TEST(headers >= 10u);
}

BOOST_AUTO_TEST_CASE(the_scan_finds_ops) {
  const auto names = op_names(R"(
struct A : Unary { static constexpr const char* name = "rule"; };
namespace detail {
Variable<T> hidden(const Variable<T>& x) { return record_many(
      "many", y); }
}  // namespace detail
template <class T>
Variable<T> composed(const Variable<T>& x) { return record("inner", y); }
auto operator+(const Operand auto& x) {}
auto plain(const Operand auto& x) {}
)");
  BOOST_TEST((names == std::set<std::string>{"rule", "many", "composed", "inner", "plain"}));
}

BOOST_AUTO_TEST_SUITE_END()
