#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/autograd.hpp"
#include "examples/app/plot.hpp"
#include "examples/forms/form.hpp"

// What the lessons of docs/course.md share. All compute in double, so that no digit they print hangs on the processor.

namespace course {

struct Lesson : app::Common {
  std::string picture = {};  // where it goes; '' for none

  /// Draws the picture where one is wanted, and says so where there is no gnuplot; logs the curves point by point.
  void draw(const plot::Axes& axes, const std::vector<plot::Curve>& curves) const;
};

/// Parses --picture and what all programs have, and gives the lesson. Returns the exit code: 2 for a wrong flag and 1
/// for a failure, each told in one line.
int run(int argc, char** argv, const std::string& about, const std::function<void(const Lesson&)>& lesson);

/// Prints a name and numbers, whole or in three digits, aligned from row to row.
void row(const std::string& name, const std::vector<double>& numbers);

/// ys over their number, from `first` on; means of neighbours where they are more than 100.
plot::Curve curve(const std::string& name, const std::vector<double>& ys, double first = 0);

}  // namespace course
