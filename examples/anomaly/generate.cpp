#include "examples/anomaly/generate.hpp"

#include <cmath>

namespace anomaly {

Generated generate(std::size_t rows, std::size_t from, std::uint64_t seed) {
  rw::Random random(seed);
  Generated all{{.name = "generated, season 48", .values = {}}, {}, {}};
  const auto season = [](double t) {
    const double turn = 6.283185307179586 * t / 48;
    return 3 * std::sin(turn) + 1.5 * std::sin(2 * turn + 1);
  };
  Values& x = all.series.values;
  Values noise;
  for (std::size_t t = 0; t < rows; ++t) {
    noise.push_back((t == 0 ? 0 : 0.5 * noise.back()) + 0.35 * random.normal());
    x.push_back(10 + season(static_cast<double>(t)) + noise.back());
  }
  all.series.labels.resize(rows);
  constexpr const char* kinds[] = {"spike", "stuck", "rhythm"};
  constexpr std::size_t lengths[] = {1, 20, 48}, apart = 120;
  for (std::size_t i = 0; from + (i + 1) * apart <= rows; ++i) {
    const std::size_t kind = i % 3, begin = from + i * apart + 1 + random.below(apart - 60),
                      end = begin + lengths[kind];
    const double height = random.below(2) == 0 ? 5 : -5;
    for (std::size_t t = begin; t < end; ++t) {
      const auto mirrored = static_cast<double>(begin + end - 1 - t);
      x[t] = kind == 0 ? x[t] + height : kind == 1 ? x[begin - 1] : 10 + season(mirrored) + noise[t];
      all.series.labels[t] = true;
    }
    all.events.push_back({begin, end});
    all.kinds.push_back(kinds[kind]);
  }
  return all;
}

}  // namespace anomaly
