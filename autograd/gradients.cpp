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

constexpr std::size_t stacked_rows_limit = 4096;  // more rows gain no speed, but hold memory

template <class T>
void add_in_place(Tensor<T>& sum, const Tensor<T>& x) {
  T* to = sum.data();
  const T* from = x.data();
  for (std::size_t i = 0, n = x.size(); i < n; ++i) to[i] += from[i];
}

template <class T>
std::size_t row_count(const Variable<T>& x) {
  return x.shape().back() == 0 ? 0 : x.size() / x.shape().back();
}

// All rows of one factor of the products under one another.
template <class T>
Tensor<T> stacked(const std::vector<Product<T>>& products, Variable<T> Product<T>::*factor, std::size_t rows) {
  Tensor<T> all = rw::empty<T>({rows, (products.front().*factor).shape().back()});
  T* to = all.data();
  for (const Product<T>& product : products) {
    const Tensor<T>& x = (product.*factor).value();
    to = std::copy(x.data(), x.data() + x.size(), to);
  }
  return all;
}

// Repeated rows added up, ids ascending.
template <class T>
RowSparse<T> merged(const std::vector<RowSparse<T>>& parts) {
  std::vector<std::int64_t> ids;
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
    kernels::add_rows(values, part.values.value(), place);
  }
  Indices distinct = rw::empty<std::int64_t>({ids.size()});
  std::copy(ids.begin(), ids.end(), distinct.data());
  return {std::move(distinct), Variable<T>(std::move(values)), parts.front().rows};
}

}  // namespace

template <class T>
void GradientSum<T>::add_dense(Variable<T> x) {
  if (!dense_.defined()) {
    dense_ = std::move(x);
  } else if (Tape<T>::current() != nullptr) {
    dense_ = dense_ + x;
  } else if (Tensor<T>* sum = dense_.sole_owner()) {
    add_in_place(*sum, x.value());
  } else if (Tensor<T>* other = x.sole_owner()) {
    add_in_place(*other, dense_.value());
    dense_ = std::move(x);
  } else {
    dense_ = dense_ + x;
  }
}

template <class T>
void GradientSum<T>::add(Term<T> term) {
  if (auto* dense = std::get_if<Variable<T>>(&term)) return add_dense(std::move(*dense));
  if (auto* product = std::get_if<Product<T>>(&term)) {
    if (Tape<T>::current() != nullptr) return add_dense(multiplied(*product));
    if (!lazy_) lazy_ = std::make_unique<Lazy>();
    lazy_->product_rows += row_count(product->a);
    lazy_->products.push_back(std::move(*product));
    if (lazy_->product_rows >= stacked_rows_limit) multiply_out();
    return;
  }
  auto& rows = std::get<RowSparse<T>>(term);
  if (Tape<T>::current() != nullptr) return add_dense(scatter_add_rows(rows.values, rows.ids, rows.rows));
  if (!lazy_) lazy_ = std::make_unique<Lazy>();
  lazy_->rows.push_back(std::move(rows));
}

template <class T>
void GradientSum<T>::multiply_out() {
  std::vector<Product<T>>& products = lazy_->products;
  if (products.empty()) return;
  const std::size_t k = products.front().a.shape().back(), n = products.front().b.shape().back();
  Tensor<T>* sum = dense_.defined() ? dense_.sole_owner() : nullptr;
  Tensor<T> fresh;
  if (sum == nullptr) fresh = rw::empty<T>({k, n});
  Tensor<T>& out = sum != nullptr ? *sum : fresh;
  const T beta = sum != nullptr ? T(1) : T(0);
  if (products.size() == 1) {
    const Product<T>& p = products.front();
    gemm<T>(k, n, row_count(p.a), {p.a.value().data(), k, true}, {p.b.value().data(), n}, beta, out.data(), n);
  } else {
    const Tensor<T> a = stacked(products, &Product<T>::a, lazy_->product_rows);
    const Tensor<T> b = stacked(products, &Product<T>::b, lazy_->product_rows);
    gemm<T>(k, n, lazy_->product_rows, {a.data(), k, true}, {b.data(), n}, beta, out.data(), n);
  }
  products.clear();
  lazy_->product_rows = 0;
  if (sum == nullptr) add_dense(Variable<T>(std::move(fresh)));
}

template <class T>
void GradientSum<T>::settle() {
  if (!lazy_) return;
  multiply_out();
  std::vector<RowSparse<T>>& rows = lazy_->rows;
  if (!rows.empty()) {
    RowSparse<T> all = merged(rows);
    rows.clear();
    if (!dense_.defined()) {
      rows.push_back(std::move(all));
      return;
    }
    Tensor<T> sum = dense_.value();
    kernels::add_rows(sum, all.values.value(), all.ids);
    dense_ = Variable<T>(std::move(sum));
  }
  lazy_.reset();
}

template <class T>
Variable<T> GradientSum<T>::dense(const Shape& shape) const {
  if (dense_.defined()) return dense_;
  Tensor<T> sum = zeros<T>(shape);
  if (const RowSparse<T>* sparse = rows()) kernels::add_rows(sum, sparse->values.value(), sparse->ids);
  return Variable<T>(std::move(sum));
}

template <class T>
void GradientSum<T>::scale(T factor) {
  const auto scaled = [factor](Variable<T>& x) {
    Tensor<T>* own = x.sole_owner();
    if (own == nullptr) {
      x = x * factor;
      return;
    }
    for (T& element : *own) element *= factor;
  };
  if (dense_.defined()) scaled(dense_);
  if (lazy_ && !lazy_->rows.empty()) scaled(lazy_->rows.front().values);
}

template <class T>
double GradientSum<T>::squared_norm() const {
  const Variable<T>* x = dense_.defined() ? &dense_ : nullptr;
  if (const RowSparse<T>* sparse = rows()) x = &sparse->values;
  if (x == nullptr) return 0;
  const T* data = x->value().data();
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
const GradientSum<T>* Gradients<T>::find(const Variable<T>& x) const {
  const auto it = sums_.find(key(x.place()));
  if (it != sums_.end()) return &it->second;
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
  const auto it = sums_.find(key(x.place()));
  return it != sums_.end() && !it->second.empty();
}

template <class T>
Gradients<T>& Gradients<T>::operator+=(Gradients other) {
  for (auto& [place, sum] : other.sums_) sums_[place].merge(std::move(sum));
  return *this;
}

template <class T>
void GradientSum<T>::merge(GradientSum other) {
  if (other.dense_.defined()) add_dense(std::move(other.dense_));
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
