#include "optim/average.hpp"

#include "optim/lanes.hpp"

namespace rw::optim {

template <class T>
WeightAverage<T>::WeightAverage(const Options& options) : decay_(options.decay) {
  check_option("weight_average", "decay", options.decay, 0, 1);
}

template <class T>
void WeightAverage<T>::update(const std::vector<Parameter<T>*>& parameters) {
  check_parameters("weight_average", parameters);
  for (const Parameter<T>* p : parameters) {
    const auto kept = averages_.find(p->place().slot);
    if (kept != averages_.end()) check_same_shape("weight_average", p->shape(), kept->second.shape());
  }
  const auto mean = running_mean<T>(decay_);
  for (const Parameter<T>* p : parameters) {
    const auto [kept, fresh] = averages_.try_emplace(p->place().slot, p->value());
    if (fresh) continue;
    const T* const x = p->value().data();
    T* const a = kept->second.data();
    for (std::size_t i = 0; i < p->size(); ++i) mean(a[i], x[i]);
  }
}

template <class T>
void WeightAverage<T>::check(const std::vector<Parameter<T>*>& parameters) const {
  check_parameters("weight_average", parameters);
  for (const Parameter<T>* p : parameters) {
    const auto kept = averages_.find(p->place().slot);
    if (kept == averages_.end()) fail("weight_average", "parameters that were averaged", p->name());
    check_same_shape("weight_average", p->shape(), kept->second.shape());
  }
}

template class WeightAverage<float>;
template class WeightAverage<double>;

}  // namespace rw::optim
