#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "autograd/variable.hpp"

namespace rw {

/// How many rows of open products are multiplied at once: more gain no speed, but hold memory.
inline constexpr std::size_t stacked_rows_limit = 2048;

/// A derivative left unmultiplied, aᵀ·b with a [n, k] and b [n, m]: products of one weight over many time steps are
/// stacked and multiplied once.
template <class T>
struct Product {
  Variable<T> a, b;
};

/// A derivative that touches few rows of a [rows, ...] tensor: row ids[i] receives values[i]. Ids may repeat.
template <class T>
struct RowSparse {
  Indices ids;         // [n...]
  Variable<T> values;  // [n..., ...]
  std::size_t rows = 0;
};

/// What a derivative function may return.
template <class T>
using Term = std::variant<Variable<T>, Product<T>, RowSparse<T>>;

/// A sum of terms, each kept in its cheapest form until the sum is read.
template <class T>
class GradientSum {
 public:
  GradientSum() = default;
  GradientSum(const GradientSum& other)
      : dense_(other.dense_), lazy_(other.lazy_ ? make_lazy(*other.lazy_) : nullptr) {}
  GradientSum(GradientSum&&) noexcept = default;
  GradientSum& operator=(const GradientSum& other) { return *this = GradientSum(other); }
  GradientSum& operator=(GradientSum&&) noexcept = default;

  bool empty() const { return !dense_.defined() && !lazy_; }

  /// Adds a term. While a tape records, every one is turned into a recorded dense one.
  void add(Variable<T> term);
  void add(Product<T> term);
  void add(RowSparse<T> term);
  void add(Term<T> term) {
    std::visit([this](auto& t) { this->add(std::move(t)); }, term);
  }

  /// Multiplies out the products there are so far, which frees their factors.
  void multiply_out();

  /// Multiplies out the products and merges repeated rows; afterwards the sum is dense or row-sparse.
  void settle();

  /// The dense gradient of a settled sum; zeros of `shape` where it is empty.
  Variable<T> dense(const Shape& shape) const&;
  Variable<T> dense(const Shape& shape) && {
    return dense_.defined() ? std::move(dense_) : std::as_const(*this).dense(shape);
  }

  /// The rows of a settled sum that is not dense, else nullptr. Ids are sorted and distinct.
  const RowSparse<T>* rows() const { return lazy_ && !lazy_->rows.empty() ? &lazy_->rows.front() : nullptr; }

  /// Adds a settled sum and settles.
  void merge(GradientSum other);

  /// Multiplies every element; the sum must be settled.
  void scale(T factor);

  /// Σ x² over all elements of a settled sum, in double.
  double squared_norm() const;

 private:
  struct Lazy {
    List<Product<T>> products;
    List<RowSparse<T>> rows;
    std::size_t product_rows = 0;
  };

  using LazyPointer = std::unique_ptr<Lazy, Recycle>;

  static LazyPointer make_lazy(Lazy lazy = {}) {
    return LazyPointer(::new (acquire(sizeof(Lazy))) Lazy(std::move(lazy)));
  }
  Lazy& lazy() { return lazy_ ? *lazy_ : *(lazy_ = make_lazy()); }

  Variable<T> dense_;
  LazyPointer lazy_;
};

/// The gradients of one backward pass: a value, so gradients of shards add up and nothing has to be zeroed.
template <class T>
class Gradients {
 public:
  explicit Gradients(std::uint64_t tape = Place::nowhere) : tape_(tape) {}

  /// The gradient of x, a parameter or a variable watched or kept on the tape; zeros where the result does not depend
  /// on it. Throws std::invalid_argument where x is a constant or an intermediate that was not kept.
  Variable<T> operator[](const Variable<T>& x) const;

  /// The gradient of x where it is row-sparse (an embedding's), else nullptr.
  const RowSparse<T>* rows(const Variable<T>& x) const;

  /// Whether anything flowed to x.
  bool has(const Variable<T>& x) const;

  /// The gradient of x, which is taken out: norms and sums count it no more. Undefined where nothing flowed to x.
  Variable<T> take(const Variable<T>& x);

  /// Adds the gradients of another pass, e.g. of another shard of the batch.
  Gradients& operator+=(Gradients other);

  /// Multiplies every gradient by `factor`.
  void scale(T factor);

  /// The Euclidean norm of all gradients as one vector, summed in double.
  double norm() const;

  /// For the tape: the gradient at `place`.
  void insert(const Place& place, GradientSum<T> sum) { at(key(place)) = std::move(sum); }

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  static Key key(const Place& p) { return {p.tape, p.slot}; }
  const GradientSum<T>* find(const Variable<T>& x) const;
  auto position(const Key& key) const;
  GradientSum<T>& at(const Key& key);

  List<std::pair<Key, GradientSum<T>>> sums_;  // ordered, so that norms and sums are the same in every run
  std::uint64_t tape_;
};

extern template class GradientSum<float>;
extern template class GradientSum<double>;
extern template class Gradients<float>;
extern template class Gradients<double>;

}  // namespace rw
