#include "autograd/profile.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "autograd/checkpoint.hpp"
#include "autograd/ops/activation.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/shards.hpp"
#include "tests/errors.hpp"

BOOST_AUTO_TEST_SUITE(profile)

using namespace rw;
using V = Variable<double>;

namespace {

const Profile::Row* find(const std::vector<Profile::Row>& rows, const std::string& op) {
  for (const Profile::Row& row : rows) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

void step(const Parameter<double>& w) {
  Tape<double> tape;
  V h = full<double>({4, 8}, 0.5);
  for (int t = 0; t < 3; ++t) h = tanh(matmul(h, w));
  tape.backward(sum(h));
}

std::filesystem::path fresh_folder() {
  const auto folder = std::filesystem::temp_directory_path() / "rewind_profile_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace

BOOST_AUTO_TEST_CASE(counts_calls_and_bytes_and_shares_out_the_time) {
  const Parameter<double> w("w", full<double>({8, 8}, 0.1));
  const auto begin = std::chrono::steady_clock::now();
  const Profile profile;
  for (int i = 0; i < 5; ++i) step(w);
  const auto rows = profile.rows();
  const double all = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  BOOST_TEST(rows.size() == 3u);
  const Profile::Row *product = find(rows, "matmul"), *tanh = find(rows, "tanh"), *sum = find(rows, "sum");
  BOOST_REQUIRE((product && tanh && sum));
  BOOST_TEST(product->calls == 15u);
  BOOST_TEST(product->bytes == 15u * 4 * 8 * 8);
  BOOST_TEST(tanh->calls == 15u);
  BOOST_TEST(sum->calls == 5u);
  BOOST_TEST(sum->bytes == 5u * 8);
  double measured = 0;
  for (const Profile::Row& row : rows) {
    BOOST_TEST((row.forward > 0 && row.backward > 0), row.op);
    measured += row.total();
  }
  BOOST_TEST(measured <= all);
  BOOST_TEST((rows[0].total() >= rows[1].total() && rows[1].total() >= rows[2].total()));
}

BOOST_AUTO_TEST_CASE(ends_with_its_scope) {
  const Parameter<double> w("w", full<double>({8, 8}, 0.1));
  const Profile outer;
  {
    const Profile inner;
    step(w);
    BOOST_TEST(find(inner.rows(), "sum")->calls == 1u);
  }
  step(w);
  BOOST_TEST(find(outer.rows(), "sum")->calls == 2u);
}

BOOST_AUTO_TEST_CASE(what_runs_within_a_derivative_is_taken_out) {
  Tape<double> tape;
  const V x = tape.watch(full<double>({4}, 0.5));
  const Profile profile;
  const V y = checkpoint<double>([x] { return std::vector{sum(tanh(x))}; })[0];
  tape.backward(y);
  const auto rows = profile.rows();
  BOOST_TEST(find(rows, "tanh")->calls == 2u);  // computed again
  BOOST_TEST(find(rows, "tanh")->backward > 0);
  BOOST_TEST(find(rows, "checkpoint")->calls == 1u);
  BOOST_TEST(find(rows, "checkpoint")->backward > 0);
}

BOOST_AUTO_TEST_CASE(a_table_has_aligned_columns) {
  const Parameter<double> w("w", full<double>({8, 8}, 0.1));
  const Profile profile;
  BOOST_TEST(profile.table().rfind("op  ", 0) == 0u);  // of nothing
  step(w);
  std::istringstream table(profile.table());
  std::vector<std::string> lines;
  for (std::string line; std::getline(table, line);) lines.push_back(line);
  BOOST_REQUIRE(lines.size() == 5u);
  BOOST_TEST(lines[0] == "op            calls   forward ms  backward ms           MB            %");
  for (const std::string& line : lines) BOOST_TEST(line.size() == lines[0].size());
  BOOST_TEST(lines[4].rfind("all               7 ", 0) == 0u, lines[4]);
  BOOST_TEST(lines[4].substr(lines[4].size() - 8) == " 100.000");
}

BOOST_AUTO_TEST_CASE(a_trace_is_json) {
  const auto folder = fresh_folder();
  const std::string path = folder / "trace.json";
  Parameter<double> w("w", full<double>({8, 8}, 0.1));
  const Profile profile;
  step(w);
  {
    Tape<double> tape;
    record("a \"quoted\\\"\top", Tensor<double>(w.value()), wrt(w, [](const V& dy) { return dy; }));
  }
  std::ofstream(path) << "old";
  profile.write_chrome_trace(path);
  const auto trace = nlohmann::json::parse(std::ifstream(path));
  std::size_t forward = 0, backward = 0;
  double end = 0;
  for (const auto& event : trace.at("traceEvents")) {
    BOOST_TEST(event.at("ph") == "X");
    BOOST_TEST(event.at("tid") == 1);
    BOOST_TEST(event.at("ts").get<double>() >= end - 0.01);  // stretches of one thread do not overlap
    end = event.at("ts").get<double>() + event.at("dur").get<double>();
    ++(event.at("cat") == "forward" ? forward : backward);
  }
  BOOST_TEST(forward == 8u);
  BOOST_TEST(backward == 8u);  // seven derivatives, and the products of w
  BOOST_TEST(trace["traceEvents"].back()["name"] == "a \"quoted\\\"\top");
  BOOST_TEST(trace["traceEvents"].back()["args"]["bytes"] == 512);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  const std::string missing = folder / "missing" / "trace.json";
  BOOST_CHECK_EXCEPTION(
      profile.write_chrome_trace(missing), std::runtime_error,
      says("profile: expected a file that can be written; got " + missing + ": No such file or directory"));
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(workers_have_their_own_lines) {
  const Parameter<double> w("w", full<double>({8, 8}, 0.1));
  Workers workers(2);
  const Profile profile;
  learn<double>(workers, 16, [&](const Shard&) { return sum(tanh(w)); });
  BOOST_TEST(find(profile.rows(), "tanh")->calls == 2u);
  const auto folder = fresh_folder();
  profile.write_chrome_trace(folder / "trace.json");
  const auto trace = nlohmann::json::parse(std::ifstream(folder / "trace.json"));
  std::set<int> threads;
  for (const auto& event : trace["traceEvents"]) threads.insert(event["tid"].get<int>());
  BOOST_TEST((threads == std::set<int>{1, 2}));
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()
