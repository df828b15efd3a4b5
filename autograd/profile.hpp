#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "autograd/observer.hpp"

namespace rw {

/// While in scope, measures what each op takes, here and in the Workers set to work here:
///     Profile profile;
///     ...                              // a few training steps
///     std::cout << profile.table();
/// An op is recorded when its value is there, so its forward time runs from the event before it on that thread (a tape
/// begins, an op is recorded or has gone back) and holds what the program did in between. Its backward time is that of
/// its derivatives; where these compute ops that are recorded or go back themselves, as checkpoints do, theirs is taken
/// out. Products for a weight's gradient are multiplied at the end, and count for an op that reads it. What is computed
/// without a tape is not seen.
class Profile : public Observer {
 public:
  struct Row {
    std::string op;
    std::size_t calls = 0;             // how often it was recorded
    double forward = 0, backward = 0;  // seconds
    std::size_t bytes = 0;             // of its results, parts of others included

    double total() const { return forward + backward; }
  };

  Profile();

  /// What was measured so far, what took longest first.
  std::vector<Row> rows() const;

  /// The same as a text, a line an op, with its share of the time of all and a last line for them.
  std::string table() const;

  /// Writes every call with its time and thread for chrome://tracing or ui.perfetto.dev, about 100 bytes each, beside
  /// `path`, then renames. Throws std::runtime_error where that fails.
  void write_chrome_trace(const std::string& path) const;

  void started(std::uint64_t tape) override;
  void cleared(std::uint64_t tape) override;
  void recorded(const Operation& op, const Values& results) override;
  void goes_back(const Operation& op) override;
  void went_back(const Operation& op) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Thread {
    std::size_t number;
    Clock::time_point last;               // event
    std::vector<const char*> going_back;  // ops whose derivatives run, each within those of the one before
  };
  struct Stretch {  // of time that an op took
    const char* op;
    bool backward, call;
    std::size_t thread, bytes;
    Clock::time_point begin, end;
  };

  Thread& thread();
  void take(Thread& thread, const char* op, bool backward, bool call = false, std::size_t bytes = 0);
  void interrupt();

  Clock::time_point start_ = Clock::now();
  mutable std::mutex mutex_;
  std::map<std::thread::id, Thread> threads_;
  std::vector<Stretch> stretches_;
};

}  // namespace rw
