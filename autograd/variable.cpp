#include "autograd/variable.hpp"

#include <mutex>

#include "autograd/packed.hpp"

namespace rw {
namespace {

std::uint64_t next_parameter() {
  static std::atomic<std::uint64_t> count{0};
  return count++;
}

}  // namespace

namespace detail {

namespace {

// What `kept` points to; made with the first call, of whatever thread.
template <class X, class Make>
X& made_once(std::atomic<X*>& kept, const Make& make) {
  if (X* x = kept.load(std::memory_order_acquire)) return *x;
  X* mine = make(acquire(sizeof(X)));
  X* first = nullptr;
  if (kept.compare_exchange_strong(first, mine, std::memory_order_acq_rel)) return *mine;
  Recycle()(mine);  // another thread was first
  return *first;
}

}  // namespace

template <class T>
Value<T>::Made::~Made() {
  if (tensor != nullptr) Recycle()(tensor.load());
  free_packed();
}

template <class T>
void Value<T>::Made::free_packed() {
  for (std::atomic<Packed<T>*>& kept : packed) {
    if (Packed<T>* matrix = kept.exchange(nullptr, std::memory_order_acq_rel)) Recycle()(matrix);
  }
}

template <class T>
void Value<T>::free_packed() {
  made.load()->free_packed();
}

template <class T>
void Value<T>::take_back(Tensor<T> t) {
  forget_packed();
  shape = t.shape();
  data = t.storage().give();
  // Who has a reference to the tensor goes on reading this value.
  Tensor<T>* shown = made != nullptr ? made.load()->tensor.load() : nullptr;
  if (shown != nullptr) *shown = tensor_of(Storage<T>::borrowed(data, size_of(shape)), shape);
}

template <class T>
auto Value<T>::all_made() const -> Made& {
  return made_once(made, [](void* place) { return ::new (place) Made; });
}

template <class T>
const Tensor<T>& Value<T>::tensor() const {
  return made_once(all_made().tensor, [this](void* place) {
    return ::new (place) Tensor<T>(tensor_of(Storage<T>::borrowed(data, size_of(shape)), shape));
  });
}

template <class T>
const Packed<T>& Value<T>::packed(bool transposed) const {
  std::atomic<Packed<T>*>& kept = all_made().packed[transposed ? 1 : 0];
  if (const Packed<T>* made = kept.load(std::memory_order_acquire)) return *made;
  static std::mutex packing;  // shards want the same at the same time: doing it twice would take the memory twice
  const std::lock_guard lock(packing);
  return made_once(kept, [&](void* place) { return ::new (place) Packed<T>(View<T>(data, shape), transposed); });
}

template struct Value<float>;
template struct Value<double>;

}  // namespace detail

template <class T>
Variable<T> Variable<T>::whole_of(std::span<const Variable> parts) {
  Variable whole;
  if (parts.empty() || !parts[0].defined() || parts[0].value_->whole.get() == nullptr) return whole;
  const T* next = parts[0].value_->whole->data;
  for (const Variable& part : parts) {
    if (!part.defined() || part.value_->whole.get() != parts[0].value_->whole.get()) return whole;
    if (part.value_->data != next) return whole;
    next += part.size();
  }
  const detail::Value<T>& all = *parts[0].value_->whole;
  if (next != all.data + size_of(all.shape)) return whole;
  for (const Variable& part : parts) {  // from here on the whole shows their elements too
    if (part.value_->writable) part.value_->writable = false;
  }
  whole.value_ = parts[0].value_->whole;
  return whole;
}

template <class T>
Parameter<T>::Parameter(std::string name, Tensor<T> value)
    : Variable<T>(std::move(value), Place{Place::parameters, next_parameter()}), name_(std::move(name)) {}

template <class T>
void Parameter<T>::assign(Tensor<T> value) {
  if (value.shape() != this->shape())
    fail("assign", "the shape of " + name_ + ", " + to_string(this->shape()), value.shape());
  static_cast<Variable<T>&>(*this) = Variable<T>(std::move(value), this->place());
}

template class Variable<float>;
template class Variable<double>;
template class Parameter<float>;
template class Parameter<double>;

}  // namespace rw
