#include "examples/course/course.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "examples/app/picture.hpp"

namespace course {

void Lesson::draw(const plot::Axes& axes, const std::vector<plot::Curve>& curves) const {
  app::Log file(log);
  for (const plot::Curve& curve : curves) {
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      file.write({{"curve", curve.name}, {"x", curve.x[i]}, {"y", curve.y[i]}});
    }
  }
  app::draw({.quiet = true}, picture, {{axes, curves}});
}

int run(int argc, char** argv, const std::string& about, const std::function<void(const Lesson&)>& lesson) {
  Lesson settings{{.threads = 1}};  // products as small as these gain nothing by more
  const std::string name = program_invocation_short_name;
  CLI::App flags(about + "\n  " + name + "\n  " + name + " --seed 2 --picture lesson.svg --log curves.jsonl");
  flags.name(name);
  app::add_picture(flags, settings.picture, "picture of the lesson");
  app::add_common(flags, settings);
  return app::run(flags, argc, argv, [&] {
    const app::Log log(settings.log);  // where it cannot be written, this is told before the lesson
    rw::set_gemm_threads(settings.threads);
    lesson(settings);
    return 0;
  });
}

void row(const std::string& name, const std::vector<double>& numbers) {
  std::printf("%-22s", name.c_str());
  for (const double number : numbers) std::printf(std::trunc(number) == number ? " %8.0f" : " %8.3g", number);
  std::printf("\n");
}

plot::Curve curve(const std::string& name, const std::vector<double>& ys, double first) {
  plot::Curve all{name, {}, {}};
  const std::size_t many = (ys.size() + 99) / 100;
  for (std::size_t i = 0; i < ys.size(); i += many) {
    const std::size_t n = std::min(many, ys.size() - i);
    all.x.push_back(first + static_cast<double>(2 * i + n - 1) / 2);
    all.y.push_back(std::accumulate(ys.data() + i, ys.data() + i + n, 0.0) / static_cast<double>(n));
  }
  return all;
}

}  // namespace course
