#include "optim/adam.hpp"

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
Adam<T>::Adam(const AdamOptions& options)
    : AdamKin<T, AdamOptions>("adam", options,
                              options.amsgrad
                                  ? std::vector<std::string>{"first_moment", "second_moment", "largest_second_moment"}
                                  : std::vector<std::string>{"first_moment", "second_moment"}) {}

template <class T>
void Adam<T>::update(const Stretch<T>& stretch) {
  const auto first = running_mean<T>(this->options_.beta1), second = running_mean<T>(this->options_.beta2);
  const auto rate = static_cast<T>(this->learning_rate() / this->correction1_);
  const auto scale = static_cast<T>(1 / std::sqrt(this->correction2_));
  const auto epsilon = static_cast<T>(this->options_.epsilon);
  const auto rule = [=](auto& x, const auto& g, auto& m, auto& v, auto&... largest) {
    using std::max;
    using std::sqrt;
    first(m, g);
    second(v, g * g);
    auto bound = v;
    ((bound = largest = max(largest, v)), ...);
    x -= rate * m / (sqrt(bound) * scale + epsilon);
  };
  this->options_.amsgrad ? for_each_lane<3>(stretch, rule) : for_each_lane<2>(stretch, rule);
}

template <class T>
Adamax<T>::Adamax(const AdamaxOptions& options)
    : AdamKin<T, AdamaxOptions>("adamax", options, {"first_moment", "largest_gradient"}) {}

template <class T>
void Adamax<T>::update(const Stretch<T>& stretch) {
  const auto first = running_mean<T>(this->options_.beta1);
  const auto beta2 = static_cast<T>(this->options_.beta2), epsilon = static_cast<T>(this->options_.epsilon);
  const auto rate = static_cast<T>(this->learning_rate() / this->correction1_);
  for_each_lane<2>(stretch, [=](auto& x, const auto& g, auto& m, auto& u) {
    using std::abs;
    using std::max;
    first(m, g);
    u = max(beta2 * u, abs(g) + epsilon);
    x -= rate * m / u;
  });
}

template <class T>
Nadam<T>::Nadam(const NadamOptions& options)
    : AdamKin<T, NadamOptions>("nadam", options, {"first_moment", "second_moment"}) {
  check_option("nadam", "momentum_decay", options.momentum_decay, 0);
}

template <class T>
double Nadam<T>::momentum(std::uint64_t t) const {
  return this->options_.beta1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * this->options_.momentum_decay));
}

template <class T>
void Nadam<T>::begin_step() {
  AdamKin<T, NadamOptions>::begin_step();
  if (multiplied_ >= this->steps()) {  // the steps were set back
    multiplied_ = 0;
    product_ = 1;
  }
  while (multiplied_ < this->steps()) product_ *= momentum(++multiplied_);
}

template <class T>
void Nadam<T>::update(const Stretch<T>& stretch) {
  const auto first = running_mean<T>(this->options_.beta1), second = running_mean<T>(this->options_.beta2);
  const double now = momentum(this->steps()), next = momentum(this->steps() + 1);
  const double product = product_ * next * (this->options_.pytorch_1 ? now : 1);
  const auto of_gradient = static_cast<T>(this->learning_rate() * (1 - now) / (1 - product_));
  const auto of_moment = static_cast<T>(this->learning_rate() * next / (1 - product));
  const auto scale = static_cast<T>(1 / std::sqrt(this->correction2_));
  const auto epsilon = static_cast<T>(this->options_.epsilon);
  for_each_lane<2>(stretch, [=](auto& x, const auto& g, auto& m, auto& v) {
    using std::sqrt;
    first(m, g);
    second(v, g * g);
    x -= (of_moment * m + of_gradient * g) / (sqrt(v) * scale + epsilon);
  });
}

template <class T>
Radam<T>::Radam(const RadamOptions& options)
    : AdamKin<T, RadamOptions>("radam", options, {"first_moment", "second_moment"}) {}

template <class T>
void Radam<T>::begin_step() {
  AdamKin<T, RadamOptions>::begin_step();
  const auto t = static_cast<double>(this->steps());
  const double end = 2 / (1 - this->options_.beta2) - 1;
  const double rho = end - 2 * t * (1 - this->correction2_) / this->correction2_;
  const double r2 = (rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho);
  rectification_ = rho > 5 ? std::sqrt(r2 * this->correction2_) : 0;
}

template <class T>
void Radam<T>::update(const Stretch<T>& stretch) {
  const auto first = running_mean<T>(this->options_.beta1), second = running_mean<T>(this->options_.beta2);
  const double rate = this->learning_rate() / this->correction1_;
  const bool adapts = rectification_ != 0;
  const auto factor = static_cast<T>(adapts ? rate * rectification_ : rate);
  const auto epsilon = static_cast<T>(this->options_.epsilon);
  for_each_lane<2>(stretch, [=](auto& x, const auto& g, auto& m, auto& v) {
    using std::sqrt;
    first(m, g);
    second(v, g * g);
    auto step = m;
    step *= factor;
    if (adapts) step /= sqrt(v) + epsilon;
    x -= step;
  });
}

template class Adam<float>;
template class Adam<double>;
template class Adamax<float>;
template class Adamax<double>;
template class Nadam<float>;
template class Nadam<double>;
template class Radam<float>;
template class Radam<double>;

}  // namespace rw::optim
