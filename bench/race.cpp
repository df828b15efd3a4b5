#include "bench/race.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "bench/child.hpp"

namespace bench {
namespace {

constexpr double tolerance = 1e-4;
const std::vector<std::string> peers = {"libtorch", "onednn", "floor", "lstm", "own"};  // columns of the table

struct Options {
  bool json = false;
  int threads = 0;  // 0: one and two
  std::string only, mode;
  double seconds = 1;
};

struct Score {
  double ms = 0, mb = 0;
};
using Scores = std::map<std::string, Score>;

std::string mode_name(const Task& task) { return task.train ? "train" : "infer"; }

std::string case_name(const Task& t) {
  return t.cell + " " + std::to_string(t.T) + "," + std::to_string(t.B) + "," + std::to_string(t.I) + "," +
         std::to_string(t.H);
}

// ‖a − b‖ / ‖b‖; NaN where either holds one.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double apart = 0, length = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    apart += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    length += double(b[i]) * b[i];
  }
  return apart == 0 ? 0 : std::sqrt(apart / length);
}

void check_agreement(const Results& ours, const std::string& peer, const Results& theirs) {
  const auto disagree = [&](const std::string& what, const std::string& expected, const std::string& got) {
    throw std::runtime_error(peer + ": expected the " + what + " of ours " + expected + "; got " + got);
  };
  if (theirs.empty()) return;
  for (const auto& [name, b] : theirs) {
    if (!ours.count(name)) disagree(name, "to be there", "none");
  }
  for (const auto& [name, a] : ours) {
    const auto found = theirs.find(name);
    if (found == theirs.end()) disagree(name, "in its results", "none");
    if (found->second.size() != a.size()) {
      disagree(name, "(" + std::to_string(a.size()) + " numbers)", std::to_string(found->second.size()));
    }
    const double apart = difference(a, found->second);
    if (!(apart <= tolerance)) disagree(name, "within 1e-4", std::to_string(apart));
  }
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return (x[(x.size() - 1) / 2] + x[x.size() / 2]) / 2;
}

Scores run(const Case& c, double seconds) {
  std::vector<std::unique_ptr<Child>> children;
  for (const Entry& entry : c.contenders) children.push_back(std::make_unique<Child>(entry.name, entry.make, c.task));
  {
    const Results ours = children[0]->results();
    for (std::size_t i = 1; i < children.size(); ++i)
      check_agreement(ours, children[i]->name(), children[i]->results());
  }

  // Turns of about a tenth of the time, so that whatever else the machine does meets every contender.
  std::vector<std::size_t> steps;
  double slowest = 0;
  for (const auto& child : children) {
    const double once = median(child->steps(1));
    slowest = std::max(slowest, once);
    steps.push_back(static_cast<std::size_t>(std::clamp(seconds / 10 / once, 1.0, 1e4)));
  }
  const int rounds = static_cast<int>(std::clamp(seconds / slowest, slowest > 1 ? 3.0 : 5.0, 10.0));
  std::vector<std::vector<double>> times(children.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < children.size(); ++i) {
      // OpenMP's threads spin for a while after their work, which would be in the way of the next.
      if (c.task.threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const std::vector<double> turn = children[i]->steps(steps[i]);
      times[i].insert(times[i].end(), turn.begin(), turn.end());
    }
  }
  Scores scores;
  for (std::size_t i = 0; i < children.size(); ++i) {
    scores[children[i]->name()] = {median(times[i]) * 1e3, children[i]->peak_mb()};
  }
  return scores;
}

void print_json(const Case& c, const Scores& scores) {
  const Task& t = c.task;
  std::printf(R"({"cell":"%s","mode":"%s","T":%zu,"B":%zu,"I":%zu,"H":%zu,"threads":%d)", t.cell.c_str(),
              mode_name(t).c_str(), t.T, t.B, t.I, t.H, t.threads);
  for (const Entry& e : c.contenders) std::printf(R"(,"%s_ms":%.5g)", e.name.c_str(), scores.at(e.name).ms);
  for (const Entry& e : c.contenders) {
    if (e.name == "ours" || e.name == "libtorch") {
      std::printf(R"(,"%s_mb":%.1f)", e.name.c_str(), scores.at(e.name).mb);
    }
  }
  for (const Entry& e : c.contenders) {
    if (c.parts > 0) std::printf(R"(,"%s_ns":%.5g)", e.name.c_str(), scores.at(e.name).ms * 1e6 / double(c.parts));
  }
  std::printf("}\n");
}

void print_head() {
  std::printf("%-26s %-5s %s %9s", "cell T,B,I,H", "mode", "threads", "ours ms");
  for (const std::string& peer : peers) std::printf("  %9s ratio", peer.c_str());
  std::printf("   MB ours libtorch ratio   ns ours  libtorch\n");
}

void print_row(const Case& c, const Scores& scores) {
  const Score ours = scores.at("ours");
  std::printf("%-26s %-5s %7d %9.3f", case_name(c.task).c_str(), mode_name(c.task).c_str(), c.task.threads, ours.ms);
  for (const std::string& peer : peers) {
    const auto found = scores.find(peer);
    if (found == scores.end()) {
      std::printf("  %9s %5s", "-", "-");
    } else {
      std::printf("  %9.3f %5.*f", found->second.ms, ours.ms < found->second.ms / 10 ? 3 : 2,
                  ours.ms / found->second.ms);
    }
  }
  const Score torch = scores.at("libtorch");
  std::printf("   %7.1f %8.1f %5.2f", ours.mb, torch.mb, ours.mb / torch.mb);
  if (c.parts > 0) std::printf("   %7.0f %9.0f", ours.ms * 1e6 / double(c.parts), torch.ms * 1e6 / double(c.parts));
  std::printf("\n");
}

void race_case(Case c, const Options& options) {
  for (const bool train : {true, false}) {
    c.task.train = train;
    if ((!train && !c.infer) || (!options.mode.empty() && options.mode != mode_name(c.task))) continue;
    for (const int threads : {1, 2}) {
      if (options.threads != 0 && options.threads != threads) continue;
      c.task.threads = threads;
      try {
        const Scores scores = run(c, options.seconds);
        options.json ? print_json(c, scores) : print_row(c, scores);
        std::fflush(stdout);
      } catch (const std::exception& error) {
        throw std::runtime_error(case_name(c.task) + " " + mode_name(c.task) + " on " + std::to_string(threads) +
                                 " threads, " + error.what());
      }
    }
  }
}

}  // namespace

int race(int argc, char** argv, const std::vector<Case>& cases) {
  Options options;
  CLI::App app("Races recurrent networks against their peers; see docs/performance.md.");
  app.add_flag("--json", options.json, "One JSON object a line instead of a table");
  app.add_option("--threads", options.threads, "Threads of every contender; both where it is not given")
      ->check(CLI::IsMember({1, 2}));
  app.add_option("--only", options.only, "Only the cases whose name and sizes hold this, e.g. \"lstm 50,32\"");
  app.add_option("--mode", options.mode, "Only training or only inference")->check(CLI::IsMember({"train", "infer"}));
  app.add_option("--seconds", options.seconds, "Seconds for each contender of a case")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (!options.json) print_head();
  try {
    for (const Case& c : cases) {
      if (case_name(c.task).find(options.only) != std::string::npos) race_case(c, options);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace bench
