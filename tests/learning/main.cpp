// Runs learning tests and prints a table of what they reached, and their verdicts in the Test Anything Protocol.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <sstream>

#include "autograd/blas.hpp"
#include "autograd/subnormals.hpp"
#include "autograd/workers.hpp"
#include "tests/learning/learning.hpp"

namespace rw::learning {

double accuracy(const Tensor<float>& logits, const Indices& targets) {
  const std::size_t width = logits.shape().back();
  std::size_t right = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const float* row = logits.data() + i * width;
    right += std::max_element(row, row + width) - row == targets.data()[i];
  }
  return static_cast<double>(right) / static_cast<double>(targets.size());
}

Tensor<float> one_hot(const Indices& ids, std::size_t width) {
  Shape shape = ids.shape();
  shape.push_back(width);
  Tensor<float> rows = zeros<float>(shape);
  for (std::size_t i = 0; i < ids.size(); ++i) rows.data()[i * width + static_cast<std::size_t>(ids.data()[i])] = 1;
  return rows;
}

namespace {

struct Run {
  double reached = std::nan(""), seconds = 0;
  bool passed = false;
  std::string error = {};
};

/// Of this thread alone, so that it matters little what else the machine does.
double processor_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Run run(const Task& task, std::uint64_t seed) {
  Run run;
  const double start = processor_seconds();
  try {
    const FlushSubnormals flush;
    const Result result = task.run(seed);
    run.reached = result.reached;
    run.passed = result.holds && task.at_least <= result.reached && result.reached <= task.at_most;
  } catch (const std::exception& error) {
    run.error = error.what();
  }
  run.seconds = processor_seconds() - start;
  return run;
}

std::string number(double x) {
  std::ostringstream text;
  text.precision(4);
  text << x;
  return text.str();
}

std::string required(const Task& task) {
  if (task.must_pass == 0) return "reported";
  const bool low = std::isfinite(task.at_least), high = std::isfinite(task.at_most);
  if (low && high) return number(task.at_least) + " to " + number(task.at_most);
  return low ? ">= " + number(task.at_least) : "<= " + number(task.at_most);
}

using Row = std::vector<std::string>;

/// The median, the range, the seeds that passed and the seconds of all.
Row row(const Task& task, std::vector<Run> runs) {
  const auto passed = std::count_if(runs.begin(), runs.end(), [](const Run& run) { return run.passed; });
  double seconds = 0;
  for (const Run& run : runs) seconds += run.seconds;
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    return a.reached < b.reached || (std::isnan(a.reached) && !std::isnan(b.reached));
  });
  return {task.name,
          task.system,
          task.measure,
          number(runs[runs.size() / 2].reached),
          number(runs.front().reached) + " to " + number(runs.back().reached),
          required(task),
          task.published,
          std::to_string(passed) + "/" + std::to_string(runs.size()),
          number(std::round(10 * seconds) / 10)};
}

std::size_t width_of(const std::string& text) {  // of UTF-8, in code points
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Lines that begin with "# |", for whoever reads the protocol.
void print(const std::vector<Row>& table) {
  std::vector<std::size_t> widths(table.front().size());
  for (const Row& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (const Row& row : table) {
    std::cout << "#";
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::cout << " | " << row[i] << std::string(widths[i] - width_of(row[i]), ' ');
    }
    std::cout << " |\n";
  }
}

struct Chosen {
  const Task* task;
  int seeds, must_pass;
  std::vector<Run> runs = {};
};

/// In the quick suite some of the seeds, of which the same share must pass, rounded down but at least one.
Chosen choose(const Task& task, bool quick) {
  if (!quick) return {&task, task.seeds, task.must_pass};
  return {&task, task.quick, task.must_pass == 0 ? 0 : std::max(1, task.quick * task.must_pass / task.seeds)};
}

/// Prints the verdict; whether it is a good one.
bool judge(const Chosen& chosen) {
  const auto& runs = chosen.runs;
  const auto passed = std::count_if(runs.begin(), runs.end(), [](const Run& run) { return run.passed; });
  const bool broken = std::any_of(runs.begin(), runs.end(), [](const Run& run) { return !run.error.empty(); });
  const bool good = passed >= chosen.must_pass && !broken;
  std::cout << (good ? "ok - " : "not ok - ") << chosen.task->name << "\n";
  if (good) return true;
  std::cout << "# " << chosen.must_pass << " seeds must reach " << required(*chosen.task) << "\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::cout << "# seed " << i + 1 << (runs[i].passed ? " passed: " : " failed: ")
              << (runs[i].error.empty() ? number(runs[i].reached) : runs[i].error) << "\n";
  }
  return false;
}

/// All seeds of all chosen tasks, one a thread at a time.
void run(std::vector<Chosen>& chosen, std::size_t threads) {
  std::vector<std::pair<Chosen*, std::size_t>> work;
  for (Chosen& c : chosen) {
    c.runs.resize(static_cast<std::size_t>(c.seeds));
    for (std::size_t i = 0; i < c.runs.size(); ++i) work.push_back({&c, i});
  }
  set_gemm_threads(1);
  std::atomic<std::size_t> next = 0;
  Workers(threads).run([&](std::size_t) {
    for (std::size_t i = next++; i < work.size(); i = next++) {
      Chosen& c = *work[i].first;
      Run& result = c.runs[work[i].second] = run(*c.task, work[i].second + 1);
      std::ostringstream line;
      line << c.task->name << " seed " << work[i].second + 1 << ": " << number(result.reached)
           << (result.passed ? "" : " (failed)") << " in " << number(result.seconds) << " s\n";
      std::cerr << line.str();
    }
  });
}

constexpr const char* usage =
    "usage: learning [--quick] [--threads N] [NAME...]\n"
    "  --quick      a few seeds of a task or two of each family\n"
    "  --threads N  so many seeds at once (default: 1)\n"
    "  NAME...      only the tasks whose names begin so\n";

int main(const std::vector<std::string>& arguments) {
  bool quick = false;
  std::size_t threads = 1;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--quick") {
      quick = true;
    } else if (arguments[i] == "--threads" && i + 1 < arguments.size()) {
      threads = std::strtoul(arguments[++i].c_str(), nullptr, 10);  // 0 where it is no number, and that is refused
    } else if (arguments[i].rfind("-", 0) == 0) {
      std::cerr << usage;
      return 2;
    } else {
      names.push_back(arguments[i]);
    }
  }
  const auto is_named = [&](const Task& task) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return task.name.rfind(name, 0) == 0; });
  };
  std::vector<Chosen> chosen;
  for (const Task& task : tasks()) {
    if ((names.empty() || is_named(task)) && (!quick || task.quick > 0)) chosen.push_back(choose(task, quick));
  }
  if (chosen.empty()) {
    std::cerr << "learning: no task is named so; there are";
    for (const Task& task : tasks()) std::cerr << " " << task.name;
    std::cerr << "\n";
    return 2;
  }
  run(chosen, threads);

  std::vector<Row> table{{"task", "system", "measure", "median", "range", "required", "published", "seeds", "seconds"}};
  bool good = true;
  for (const Chosen& c : chosen) {
    table.push_back(row(*c.task, c.runs));
    good = judge(c) && good;
  }
  std::cout << "1.." << chosen.size() << "\n";
  print(table);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace rw::learning

int main(int argc, char** argv) {
  try {
    return rw::learning::main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "learning: " << error.what() << "\n";
    return 2;
  }
}
