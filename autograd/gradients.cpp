#include "autograd/gradients.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/blas.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/tape.hpp"

namespace rw {
namespace {

template <class T>
void add_in_place(T* to, View<T> x) {
  const T* from = x.data();
  for (std::size_t i = 0, n = x.size(); i < n; ++i) to[i] += from[i];
}

// One factor of the products, all rows under one another, in the order of the products or backwards.
template <class T>
class Stacked {
 public:
  Stacked(const List<Product<T>>& products, Variable<T> Product<T>::*factor, std::size_t rows, bool backwards)
      : data_(place(products, factor, backwards)) {
    if (data_ != nullptr) return;
    copy_ = rw::empty<T>({rows, (products.front().*factor).shape().back()});
    T* to = copy_.data();
    for (std::size_t i = 0; i < products.size(); ++i) {
      const View<T> x = (products[backwards ? products.size() - 1 - i : i].*factor).view();
      to = std::copy(x.data(), x.data() + x.size(), to);
    }
    data_ = copy_.data();
  }

  const T* data() const { return data_; }

  // The first element, where the rows lie so in memory already, else nullptr.
  static const T* place(const List<Product<T>>& products, Variable<T> Product<T>::*factor, bool backwards) {
    const auto at = [&](std::size_t i) { return (products[backwards ? products.size() - 1 - i : i].*factor).view(); };
    for (std::size_t i = 1; i < products.size(); ++i) {
      if (at(i).data() != at(i - 1).data() + at(i - 1).size()) return nullptr;
    }
    return at(0).data();
  }

 private:
  Tensor<T> copy_;
  const T* data_;
};

// Repeated rows added up, ids ascending.
template <class T>
RowSparse<T> merged(const List<RowSparse<T>>& parts) {
  List<std::int64_t> ids;
  for (const RowSparse<T>& part : parts) ids.insert(ids.end(), part.ids.begin(), part.ids.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const Shape& values_shape = parts.front().values.shape();
  Shape shape{ids.size()};
  shape.insert(shape.end(), values_shape.begin() + static_cast<std::ptrdiff_t>(parts.front().ids.dimension()),
               values_shape.end());
  Tensor<T> values = zeros<T>(shape);
  for (const RowSparse<T>& part : parts) {
    Indices place = part.ids;
    for (std::int64_t& id : place) id = std::lower_bound(ids.begin(), ids.end(), id) - ids.begin();
    kernels::add_rows(values, part.values.view(), place);
  }
  Indices distinct = rw::empty<std::int64_t>({ids.size()});
  std::copy(ids.begin(), ids.end(), distinct.data());
  return {std::move(distinct), Variable<T>(std::move(values)), parts.front().rows};
}

}  // namespace

template <class T>
void GradientSum<T>::add(Variable<T> x) {
  if (!dense_.defined()) {
    dense_ = std::move(x);
  } else if (Tape<T>::current() != nullptr) {
    dense_ = dense_ + x;
  } else if (T* sum = dense_.sole_owner()) {
    add_in_place(sum, x.view());
  } else if (T* other = x.sole_owner()) {
    add_in_place(other, dense_.view());
    dense_ = std::move(x);
  } else {
    dense_ = dense_ + x;
  }
}

template <class T>
void GradientSum<T>::add(Product<T> product) {
  if (Tape<T>::current() != nullptr) return add(multiplied(product));
  Lazy& kept = lazy();
  kept.product_rows += rows_of(product.a.shape());
  kept.products.push_back(std::move(product));
  if (kept.product_rows >= stacked_rows_limit) multiply_out();
}

template <class T>
void GradientSum<T>::add(RowSparse<T> rows) {
  if (Tape<T>::current() != nullptr) return add(scatter_add_rows(rows.values, rows.ids, rows.rows));
  lazy().rows.push_back(std::move(rows));
}

template <class T>
void GradientSum<T>::multiply_out() {
  if (!lazy_ || lazy_->products.empty()) return;
  List<Product<T>>& products = lazy_->products;
  const std::size_t k = products.front().a.shape().back(), n = products.front().b.shape().back();
  T* sum = dense_.defined() ? dense_.sole_owner() : nullptr;
  Tensor<T> fresh;
  if (sum == nullptr) fresh = rw::empty<T>({k, n});
  T* out = sum != nullptr ? sum : fresh.data();
  // A pass back through time leaves the last step's product first; gradients of steps often lie side by side.
  const bool backwards = Stacked<T>::place(products, &Product<T>::b, true) != nullptr;
  const std::size_t rows = lazy_->product_rows;
  const Stacked<T> a(products, &Product<T>::a, rows, backwards), b(products, &Product<T>::b, rows, backwards);
  gemm<T>(k, n, rows, {a.data(), k, true}, {b.data(), n}, sum != nullptr ? T(1) : T(0), out, n);
  products.clear();
  lazy_->product_rows = 0;
  if (sum == nullptr) add(Variable<T>(std::move(fresh)));
}

template <class T>
void GradientSum<T>::settle() {
  if (!lazy_) return;
  multiply_out();
  List<RowSparse<T>>& rows = lazy_->rows;
  if (!rows.empty()) {
    RowSparse<T> all = merged(rows);
    rows.clear();
    if (!dense_.defined()) {
      rows.push_back(std::move(all));
      return;
    }
    Tensor<T> sum = std::move(dense_).value();
    kernels::add_rows(sum, all.values.view(), all.ids);
    dense_ = Variable<T>(std::move(sum));
  }
  lazy_.reset();
}

template <class T>
Variable<T> GradientSum<T>::dense(const Shape& shape) const& {
  if (dense_.defined()) return dense_;
  Tensor<T> sum = zeros<T>(shape);
  if (const RowSparse<T>* sparse = rows()) kernels::add_rows(sum, sparse->values.view(), sparse->ids);
  return Variable<T>(std::move(sum));
}

template <class T>
void GradientSum<T>::scale(T factor) {
  const auto scaled = [factor](Variable<T>& x) {
    T* own = x.sole_owner();
    if (own == nullptr) {
      x = x * factor;
      return;
    }
    for (std::size_t i = 0, n = x.size(); i < n; ++i) own[i] *= factor;
  };
  if (dense_.defined()) scaled(dense_);
  if (lazy_ && !lazy_->rows.empty()) scaled(lazy_->rows.front().values);
}

template <class T>
double GradientSum<T>::squared_norm() const {
  const Variable<T>* x = dense_.defined() ? &dense_ : nullptr;
  if (const RowSparse<T>* sparse = rows()) x = &sparse->values;
  if (x == nullptr) return 0;
  const T* data = x->view().data();
  constexpr std::size_t width = 16;  // sums side by side, for the processor to add at once
  double sums[width] = {};
  std::size_t i = 0;
  for (const std::size_t n = x->size(); i + width <= n; i += width) {
    for (std::size_t j = 0; j < width; ++j) sums[j] += double(data[i + j]) * double(data[i + j]);
  }
  for (std::size_t j = 0; i < x->size(); ++i, ++j) sums[j] += double(data[i]) * double(data[i]);
  return std::accumulate(sums, sums + width, 0.0);
}

template <class T>
auto Gradients<T>::position(const Key& key) const {
  const auto place = std::lower_bound(sums_.begin(), sums_.end(), key,
                                      [](const auto& entry, const Key& k) { return entry.first < k; });
  return std::pair(place - sums_.begin(), place != sums_.end() && place->first == key);
}

template <class T>
GradientSum<T>& Gradients<T>::at(const Key& key) {
  const auto [place, found] = position(key);
  if (!found) sums_.emplace(sums_.begin() + place, key, GradientSum<T>());
  return sums_[static_cast<std::size_t>(place)].second;
}

template <class T>
const GradientSum<T>* Gradients<T>::find(const Variable<T>& x) const {
  const auto [place, found] = position(key(x.place()));
  if (found) return &sums_[static_cast<std::size_t>(place)].second;
  if (x.place().tape == Place::parameters) return nullptr;
  fail("gradients", "a parameter, or a variable watched or kept on the tape",
       x.place().tape == tape_ ? "an intermediate" : "a constant or a variable of another tape");
}

template <class T>
Variable<T> Gradients<T>::operator[](const Variable<T>& x) const {
  const GradientSum<T>* sum = find(x);
  return sum != nullptr ? sum->dense(x.shape()) : Variable<T>(zeros<T>(x.shape()));
}

template <class T>
const RowSparse<T>* Gradients<T>::rows(const Variable<T>& x) const {
  const GradientSum<T>* sum = find(x);
  return sum != nullptr ? sum->rows() : nullptr;
}

template <class T>
bool Gradients<T>::has(const Variable<T>& x) const {
  const auto [place, found] = position(key(x.place()));
  return found && !sums_[static_cast<std::size_t>(place)].second.empty();
}

template <class T>
Variable<T> Gradients<T>::take(const Variable<T>& x) {
  const auto [place, found] = position(key(x.place()));
  if (!found) return {};
  GradientSum<T> sum = std::move(sums_[static_cast<std::size_t>(place)].second);
  sums_.erase(sums_.begin() + place);
  return sum.empty() ? Variable<T>() : std::move(sum).dense(x.shape());
}

template <class T>
Gradients<T>& Gradients<T>::operator+=(Gradients other) {
  for (auto& [place, sum] : other.sums_) at(place).merge(std::move(sum));
  return *this;
}

template <class T>
void GradientSum<T>::merge(GradientSum other) {
  // Only what was itself recorded is added up on a tape; else sparse sums would become dense.
  const Tape<T>* tape = Tape<T>::current();
  const Pause<T> pause(tape == nullptr || !(tape->holds(dense_) || tape->holds(other.dense_)));
  if (other.dense_.defined()) add(std::move(other.dense_));
  if (other.lazy_) {
    for (RowSparse<T>& rows : other.lazy_->rows) add(std::move(rows));
  }
  settle();
}

template <class T>
void Gradients<T>::scale(T factor) {
  for (auto& entry : sums_) entry.second.scale(factor);
}

template <class T>
double Gradients<T>::norm() const {
  double sum = 0;
  for (const auto& entry : sums_) sum += entry.second.squared_norm();
  return std::sqrt(sum);
}

template class GradientSum<float>;
template class GradientSum<double>;
template class Gradients<float>;
template class Gradients<double>;

}  // namespace rw
