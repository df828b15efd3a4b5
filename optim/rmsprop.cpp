#include "optim/rmsprop.hpp"

#include <cmath>

#include "optim/lanes.hpp"

namespace rw::optim {
namespace {

template <class Options>
std::vector<std::string> state_names(const Options& options) {
  std::vector<std::string> names;
  if (options.momentum != 0) names.emplace_back("velocity");
  names.emplace_back("square_mean");
  if (options.centered) names.emplace_back("mean");
  return names;
}

}  // namespace

template <class T>
RmsProp<T>::RmsProp(const Options& options)
    : Optimizer<T>(options.learning_rate, state_names(options), options.weight_decay), options_(options) {
  check_option("rmsprop", "alpha", options.alpha, 0, 1);
  check_option("rmsprop", "epsilon", options.epsilon, 0);
  check_option("rmsprop", "momentum", options.momentum, 0, 1);
}

template <class T>
void RmsProp<T>::update(const Stretch<T>& stretch) {
  const auto rate = static_cast<T>(this->learning_rate()), momentum = static_cast<T>(options_.momentum);
  const auto inside = static_cast<T>(options_.epsilon_inside ? options_.epsilon : 0);
  const auto outside = static_cast<T>(options_.epsilon_inside ? 0 : options_.epsilon);
  const auto mean = running_mean<T>(options_.alpha);
  const auto direction = [=](const auto& g, auto& s, auto&... a) {  // a only where centred
    using std::max;
    using std::sqrt;
    mean(s, g * g);
    auto variance = s;
    ((mean(a, g), variance = max(s - a * a, decltype(variance)(T(0)))), ...);  // rounding may leave less than 0
    return g / (sqrt(variance + inside) + outside);
  };

  if (options_.momentum != 0) {
    const auto rule = [=](auto& x, const auto& g, auto& v, auto&... state) {
      v = momentum * v + direction(g, state...);
      x -= rate * v;
    };
    options_.centered ? for_each_lane<3>(stretch, rule) : for_each_lane<2>(stretch, rule);
  } else {
    const auto rule = [=](auto& x, const auto& g, auto&... state) { x -= rate * direction(g, state...); };
    options_.centered ? for_each_lane<2>(stretch, rule) : for_each_lane<1>(stretch, rule);
  }
}

template class RmsProp<float>;
template class RmsProp<double>;

}  // namespace rw::optim
