#include "examples/app/plot.hpp"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace plot {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// In gnuplot's single quotes, within which only they themselves mean anything else.
std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char c : text) all += c == '\'' ? "''" : c == '\n' ? " " : std::string(1, c);
  return all + "'";
}

std::string script(const std::string& path, const Axes& axes, const std::vector<Curve>& curves) {
  std::ostringstream out;
  out.precision(12);
  out << "set terminal "
      << (ends_with(path, ".svg") ? "svg size 900,600 noenhanced background rgb 'white'"
                                  : "pngcairo size 1200,800 noenhanced")
      << "\nset output " << quoted(path) << "\nset title " << quoted(axes.title) << "\nset xlabel " << quoted(axes.x)
      << "\nset ylabel " << quoted(axes.y) << "\nset grid\nset key outside right top\nset format y '%g'\n";
  if (axes.log_y) out << "set logscale y\n";
  std::string separator = "plot ";
  for (const Curve& curve : curves) {
    out << std::exchange(separator, ", ") << "'-' with lines linewidth 2 title " << quoted(curve.name);
  }
  out << "\n";
  for (const Curve& curve : curves) {
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      const bool drawn = std::isfinite(curve.y[i]) && (!axes.log_y || curve.y[i] > 0);
      if (drawn) out << curve.x[i] << " " << curve.y[i] << "\n";
    }
    out << "e\n";
  }
  return out.str();
}

}  // namespace

bool draw(const std::string& path, const Axes& axes, const std::vector<Curve>& curves) {
  if (!ends_with(path, ".png") && !ends_with(path, ".svg")) {
    throw std::invalid_argument("plot: expected a file name that ends in .png or .svg; got " + path);
  }
  for (const Curve& curve : curves) {
    if (curve.x.size() != curve.y.size()) {
      throw std::invalid_argument("plot: expected as many x as y; got " + std::to_string(curve.x.size()) + " and " +
                                  std::to_string(curve.y.size()) + " of " + curve.name);
    }
  }
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0) return false;
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // gnuplot may end before it has read all
  std::FILE* gnuplot = popen("gnuplot > /dev/null 2>&1", "w");
  const std::string text = script(path, axes, curves);
  bool good = gnuplot != nullptr && std::fwrite(text.data(), 1, text.size(), gnuplot) == text.size();
  good = gnuplot != nullptr && pclose(gnuplot) == 0 && good;
  std::signal(SIGPIPE, before);
  if (!good) throw std::runtime_error("plot: expected gnuplot to write " + path + "; got an error");
  return true;
}

}  // namespace plot
