#pragma once

#include <string>
#include <vector>

namespace plot {

struct Curve {
  std::string name;
  std::vector<double> x, y;  // points; those that are not finite, or not above 0 under `log_y`, are left out
};

struct Axes {
  std::string title, x, y;  // what is written on them
  bool log_y = false;
};

/// Draws curves by gnuplot into `path`, a picture by its ending .png or .svg. Returns false where there is no gnuplot.
/// Throws std::invalid_argument where the path ends otherwise or a curve has not as many x as y, and
/// std::runtime_error where the picture could not be written.
bool draw(const std::string& path, const Axes& axes, const std::vector<Curve>& curves);

}  // namespace plot
