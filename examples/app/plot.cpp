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

const char* style(const Curve& curve) {
  if (!curve.upper.empty())
    return "using 1:2:3 with filledcurves fillstyle solid 0.25 noborder linecolor rgb '#4477aa'";
  return curve.points ? "with points pointtype 7 pointsize 0.6 linecolor rgb '#cc3311'" : "with lines linewidth 2";
}

void write(std::ostream& out, const Panel& panel) {
  const Axes& axes = panel.axes;
  out << "set title " << quoted(axes.title) << "\nset xlabel " << quoted(axes.x) << "\nset ylabel " << quoted(axes.y)
      << (axes.log_y ? "\nset logscale y\n" : "\nunset logscale y\n");
  std::string separator = "plot ";
  for (const Curve& curve : panel.curves) {
    out << std::exchange(separator, ", ") << "'-' " << style(curve) << " title " << quoted(curve.name);
  }
  out << "\n";
  for (const Curve& curve : panel.curves) {
    const auto drawn = [&](double y) { return std::isfinite(y) && (!axes.log_y || y > 0); };
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!drawn(curve.y[i]) || (!curve.upper.empty() && !drawn(curve.upper[i]))) continue;
      out << curve.x[i] << " " << curve.y[i];
      if (!curve.upper.empty()) out << " " << curve.upper[i];
      out << "\n";
    }
    out << "e\n";
  }
}

std::string script(const std::string& path, const std::vector<Panel>& panels) {
  std::ostringstream out;
  out.precision(12);
  out << "set terminal "
      << (ends_with(path, ".svg") ? "svg size 900,600 noenhanced background rgb 'white'"
                                  : "pngcairo size 1200,800 noenhanced")
      << "\nset output " << quoted(path) << "\nset grid\nset key outside right top\nset format y '%g'\n";
  if (panels.size() > 1) {  // one width for all, whatever stands beside
    out << "set lmargin 12\nset rmargin 24\nset multiplot layout " << panels.size() << ",1\n";
  }
  for (const Panel& panel : panels) write(out, panel);
  if (panels.size() > 1) out << "unset multiplot\n";
  return out.str();
}

}  // namespace

bool draw(const std::string& path, const Axes& axes, const std::vector<Curve>& curves) {
  return draw(path, {Panel{axes, curves}});
}

bool draw(const std::string& path, const std::vector<Panel>& panels) {
  if (!ends_with(path, ".png") && !ends_with(path, ".svg")) {
    throw std::invalid_argument("plot: expected a file name that ends in .png or .svg; got " + path);
  }
  for (const Panel& panel : panels) {
    for (const Curve& curve : panel.curves) {
      if (curve.x.size() != curve.y.size() || (!curve.upper.empty() && curve.x.size() != curve.upper.size())) {
        throw std::invalid_argument("plot: expected as many x as y; got " + std::to_string(curve.x.size()) + " and " +
                                    std::to_string(curve.y.size()) + " of " + curve.name);
      }
    }
  }
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0) return false;
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // gnuplot may end before it has read all
  std::FILE* gnuplot = popen("gnuplot > /dev/null 2>&1", "w");
  const std::string text = script(path, panels);
  bool good = gnuplot != nullptr && std::fwrite(text.data(), 1, text.size(), gnuplot) == text.size();
  good = gnuplot != nullptr && pclose(gnuplot) == 0 && good;
  std::signal(SIGPIPE, before);
  if (!good) throw std::runtime_error("plot: expected gnuplot to write " + path + "; got an error");
  return true;
}

}  // namespace plot
