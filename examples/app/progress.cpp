#include "examples/app/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace app {
namespace {

constexpr int bar_width = 24;

}  // namespace

Progress::Progress(std::size_t total, std::string unit, bool quiet)
    : total_(std::max<std::size_t>(total, 1)),
      unit_(std::move(unit)),
      terminal_(!quiet && isatty(STDERR_FILENO) != 0),
      start_(Clock::now()) {}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

double Progress::rate(std::size_t done) const { return static_cast<double>(done) / std::max(seconds(), 1e-9); }

void Progress::pause() { paused_at_ = Clock::now(); }

void Progress::resume() { start_ += Clock::now() - paused_at_; }

void Progress::show(const std::string& label, double loss, std::size_t done) {
  if (!terminal_ || (drawn_ && Clock::now() - last_drawn_ < std::chrono::milliseconds(100))) return;
  last_drawn_ = Clock::now();
  drawn_ = true;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
  const int filled = static_cast<int>(share * bar_width);
  const std::string bar = std::string(static_cast<std::size_t>(filled), '=') +
                          std::string(static_cast<std::size_t>(bar_width - filled), ' ');
  const double left = static_cast<double>(total_ - std::min(done, total_)) / std::max(rate(done), 1e-9);
  std::fprintf(stderr, "\r%s [%s] %3.0f%%  loss %.3f  %.0f %s/s  %s left \033[K", label.c_str(), bar.c_str(),
               100 * share, loss, rate(done), unit_.c_str(), clock_text(left).c_str());
  std::fflush(stderr);
}

void Progress::clear() {
  if (!drawn_) return;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

std::string clock_text(double seconds) {
  const long s = std::lround(seconds);
  char text[32];
  if (s >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  }
  return text;
}

}  // namespace app
