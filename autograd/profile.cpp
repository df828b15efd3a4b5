#include "autograd/profile.hpp"

#include <algorithm>
#include <iomanip>
#include <span>
#include <sstream>
#include <stdexcept>

#include "autograd/replacement.hpp"

namespace rw {
namespace {

std::size_t bytes_of(const Observer::Values& values) {
  std::size_t bytes = 0;
  std::visit(
      [&](const auto& xs) {
        for (const auto& x : xs) bytes += x.size() * sizeof(*x.view().data());
      },
      values);
  return bytes;
}

std::string quoted(const char* text) {
  std::ostringstream out;
  out << '"';
  for (; *text != '\0'; ++text) {
    const auto c = static_cast<unsigned char>(*text);
    if (c < 0x20) {
      out << "\\u00" << std::hex << std::setw(2) << std::setfill('0') << unsigned{c};
    } else {
      out << (c == '"' || c == '\\' ? "\\" : "") << *text;
    }
  }
  out << '"';
  return out.str();
}

}  // namespace

Profile::Profile() : Observer(of_tapes | of_records | of_turns) {
  threads_.emplace(std::this_thread::get_id(), Thread{1, start_, {}});
}

Profile::Thread& Profile::thread() {
  const Thread fresh{threads_.size() + 1, Clock::now(), {}};
  return threads_.emplace(std::this_thread::get_id(), fresh).first->second;
}

// The time since the thread's last event is the op's.
void Profile::take(Thread& thread, const char* op, bool backward, bool call, std::size_t bytes) {
  const Clock::time_point now = Clock::now();
  stretches_.push_back({op, backward, call, thread.number, bytes, thread.last, now});
  thread.last = now;
}

// It is the outer op's where derivatives run, else nobody's.
void Profile::interrupt() {
  Thread& t = thread();
  if (!t.going_back.empty()) take(t, t.going_back.back(), true);
  t.last = Clock::now();
}

void Profile::started(std::uint64_t) {
  const std::lock_guard lock(mutex_);
  interrupt();
}

void Profile::cleared(std::uint64_t) {
  const std::lock_guard lock(mutex_);
  interrupt();
}

void Profile::recorded(const Operation& op, const Values& results) {
  const std::lock_guard lock(mutex_);
  take(thread(), op.name, false, true, bytes_of(results));
}

void Profile::goes_back(const Operation& op) {
  const std::lock_guard lock(mutex_);
  interrupt();
  thread().going_back.push_back(op.name);
}

void Profile::went_back(const Operation& op) {
  const std::lock_guard lock(mutex_);
  Thread& t = thread();
  take(t, op.name, true);
  if (!t.going_back.empty()) t.going_back.pop_back();
}

std::vector<Profile::Row> Profile::rows() const {
  std::map<std::string, Row> by_op;
  {
    const std::lock_guard lock(mutex_);
    for (const Stretch& s : stretches_) {
      Row& row = by_op[s.op];
      row.calls += s.call ? 1 : 0;
      row.bytes += s.bytes;
      (s.backward ? row.backward : row.forward) += std::chrono::duration<double>(s.end - s.begin).count();
    }
  }
  std::vector<Row> rows;
  for (auto& [op, row] : by_op) {
    row.op = op;
    rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.total() > b.total(); });
  return rows;
}

std::string Profile::table() const {
  std::vector<Row> all = rows();
  Row sum;
  sum.op = "all";
  int width = 4;
  for (const Row& row : all) {
    sum.calls += row.calls;
    sum.forward += row.forward;
    sum.backward += row.backward;
    sum.bytes += row.bytes;
    width = std::max(width, static_cast<int>(row.op.size()));
  }
  all.push_back(sum);
  std::ostringstream out;
  out.imbue(std::locale::classic());
  const auto line = [&](const auto& op, const auto&... columns) {
    out << std::left << std::setw(width) << op << std::right;
    ((out << std::setw(13) << columns), ...);
    out << '\n';
  };
  line("op", "calls", "forward ms", "backward ms", "MB", "%");
  out << std::fixed;
  for (const Row& row : all) {
    const double share = sum.total() > 0 ? 100 * row.total() / sum.total() : 0;
    out << std::setprecision(3);
    line(row.op, row.calls, 1e3 * row.forward, 1e3 * row.backward, 1e-6 * static_cast<double>(row.bytes), share);
  }
  return out.str();
}

void Profile::write_chrome_trace(const std::string& path) const {
  std::ostringstream json;
  json.imbue(std::locale::classic());
  json << std::fixed << std::setprecision(3) << R"({"displayTimeUnit":"ms","traceEvents":[)";
  {
    const std::lock_guard lock(mutex_);
    const auto us = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
    const char* comma = "\n";
    for (const Stretch& s : stretches_) {
      json << std::exchange(comma, ",\n") << R"({"name":)" << quoted(s.op) << R"(,"cat":")"
           << (s.backward ? "backward" : "forward") << R"(","ph":"X","pid":1,"tid":)" << s.thread << R"(,"ts":)"
           << us(s.begin - start_) << R"(,"dur":)" << us(s.end - s.begin) << R"(,"args":{"bytes":)" << s.bytes << "}}";
    }
  }
  json << "\n]}\n";
  try {
    Replacement file(path);
    file.write(std::as_bytes(std::span(json.view())));
    file.commit();
  } catch (const std::system_error& error) {
    throw std::runtime_error("profile: expected a file that can be written; got " + path + ": " +
                             error.code().message());
  }
}

}  // namespace rw
