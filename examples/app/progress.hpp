#pragma once

#include <chrono>
#include <string>

namespace app {

/// One line on standard error that is drawn anew while work goes on; on a terminal only.
class Progress {
 public:
  /// `total` units of work, e.g. target tokens of all epochs, `unit` is their plural. `quiet` draws nothing.
  explicit Progress(std::size_t total, std::string unit, bool quiet = false);

  /// Draws at most ten times a second: `epoch 2/10 [=====>    ] 45%  loss 2.31  4812 tokens/s  0:42 left`.
  void show(const std::string& label, double loss, std::size_t done);

  /// Clears the line, so that other output can follow.
  void clear();

  /// Units a second so far, without the time spent paused.
  double rate(std::size_t done) const;

  /// Seconds of work so far, without the time spent paused.
  double seconds() const;

  /// Time between pause() and resume() does not count: evaluation is not training.
  void pause();
  void resume();

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t total_;
  std::string unit_;
  bool terminal_, drawn_ = false;
  Clock::time_point start_, paused_at_, last_drawn_;
};

/// "1:05" for 65 seconds, "2:03:09" beyond an hour.
std::string clock_text(double seconds);

}  // namespace app
