#include "nn/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace rw::nn {
namespace {

using Line = std::vector<std::string>;

// 1234567 as 1,234,567.
std::string grouped(std::size_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string rounded(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", x);
  return text.data();
}

// The columns as wide as they must be, two spaces apart: two of words, the others of numbers.
std::string aligned(const std::vector<Line>& lines) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const Line& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (std::size_t c = 0; c < line.size(); ++c) {
      const std::string space(widths[c] - line[c].size(), ' ');
      row += (c > 0 ? "  " : "") + (c < 2 ? line[c] + space : space + line[c]);
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

template <class T>
Line moments(const Tensor<T>& x) {
  double sum = 0, squares = 0;
  const auto n = static_cast<double>(x.size());
  for (const T v : x) sum += static_cast<double>(v);
  for (const T v : x) squares += std::pow(static_cast<double>(v) - sum / n, 2);
  return {rounded(sum / n), rounded(std::sqrt(squares / n))};
}

}  // namespace

template <class T>
std::string summary(const Parameters<T>& parameters, const SummaryOptions& options) {
  std::vector<Line> lines{{"name", "shape", "elements", "bytes"}};
  const auto add = [&](const std::string& name, const std::string& shape, std::size_t elements) -> Line& {
    return lines.emplace_back(Line{name, shape, grouped(elements), grouped(elements * sizeof(T))});
  };
  if (options.statistics) lines.front().insert(lines.front().end(), {"mean", "deviation"});
  for (const auto& [name, parameter] : parameters) {
    Line& line = add(name, to_string(parameter->shape()), parameter->size());
    if (!options.statistics) continue;
    const Line two = moments(parameter->value());
    line.insert(line.end(), two.begin(), two.end());
  }
  add(grouped(parameters.size()) + (parameters.size() == 1 ? " parameter" : " parameters"), "", parameters.elements());
  return aligned(lines);
}

template std::string summary(const Parameters<float>&, const SummaryOptions&);
template std::string summary(const Parameters<double>&, const SummaryOptions&);

}  // namespace rw::nn
