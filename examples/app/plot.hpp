#pragma once

#include <string>
#include <vector>

namespace plot {

struct Curve {
  std::string name;
  std::vector<double> x, y;        // points; those that are not finite, or not above 0 under `log_y`, are left out
  std::vector<double> upper = {};  // where given, a band is filled from y up to it, and no line drawn
  bool points = false;             // dots, not a line
};

struct Axes {
  std::string title, x, y;  // what is written on them
  bool log_y = false;
};

/// One of several pictures above one another, with the x axis they share.
struct Panel {
  Axes axes;
  std::vector<Curve> curves;
};

/// Draws curves by gnuplot into `path`, a picture by its ending .png or .svg. Returns false where there is no gnuplot.
/// Throws std::invalid_argument where the path ends otherwise or a curve has not as many x as y, and
/// std::runtime_error where the picture could not be written.
bool draw(const std::string& path, const Axes& axes, const std::vector<Curve>& curves);

/// The same for panels, the first on top.
bool draw(const std::string& path, const std::vector<Panel>& panels);

}  // namespace plot
