#include "optim/optimizer.hpp"

namespace rw::optim {
namespace {

constexpr std::size_t worth_sharing = 1 << 15;  // elements; below it threads cost more than they give

}  // namespace

void check_option(const char* op, const char* name, double value, double low, double high) {
  if (value >= low && value < high) return;
  std::ostringstream expectation;
  expectation << name << " in [" << low << ", " << high << ")";
  fail(op, expectation.str(), value);
}

template <class T>
Optimizer<T>::Optimizer(double learning_rate, std::vector<std::string> state_names, double weight_decay)
    : weight_decay_(weight_decay), state_names_(std::move(state_names)) {
  check_option("optimizer", "weight_decay", weight_decay, 0);
  set_learning_rate(learning_rate);
}

template <class T>
void Optimizer<T>::set_learning_rate(double rate) {
  check_option("optimizer", "learning_rate", rate, 0);
  learning_rate_ = rate;
}

template <class T>
std::vector<Tensor<T>>& Optimizer<T>::state(const Parameter<T>& parameter) {
  std::vector<Tensor<T>>& tensors = states_[parameter.place().slot];
  while (tensors.size() < state_names_.size()) tensors.push_back(zeros<T>(parameter.shape()));
  return tensors;
}

template <class T>
void Optimizer<T>::step(const std::vector<Parameter<T>*>& parameters, const Gradients<T>& gradients, Workers* workers) {
  check_gradients("step", parameters, gradients);
  for (const Parameter<T>* p : parameters) {
    if (!gradients.has(*p)) continue;
    for (const Tensor<T>& x : state(*p)) check_same_shape("step", p->shape(), x.shape());
  }

  ++steps_;
  begin_step();
  const T keep = static_cast<T>(1 - learning_rate_ * weight_decay_);
  for (Parameter<T>* p : parameters) {
    if (!gradients.has(*p) || p->size() == 0) continue;
    std::vector<Tensor<T>>& kept = state(*p);
    const auto update_from = [&](T* x, std::size_t begin, std::size_t size, const T* gradient) {
      Stretch<T> stretch{size, x + begin, gradient, keep, {}};
      stretch.state.reserve(kept.size());
      for (Tensor<T>& tensor : kept) stretch.state.push_back(tensor.data() + begin);
      update(stretch);
    };
    p->update([&](Tensor<T>& x) {
      if (const RowSparse<T>* sparse = gradients.rows(*p)) {
        const std::size_t width = x.size() / sparse->rows;
        const T* row = sparse->values.view().data();
        for (const std::int64_t id : sparse->ids) {
          update_from(x.data(), static_cast<std::size_t>(id) * width, width, row);
          row += width;
        }
        return;
      }
      const Variable<T> gradient = gradients[*p];
      const T* g = gradient.view().data();
      if (workers == nullptr || x.size() < worth_sharing) return update_from(x.data(), 0, x.size(), g);
      const auto share = [&](std::size_t i) {
        const std::size_t begin = x.size() * i / workers->count(), end = x.size() * (i + 1) / workers->count();
        update_from(x.data(), begin, end - begin, g + begin);
      };
      workers->run(std::ref(share));  // a reference: a copy would be allocated
    });
  }
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace rw::optim
