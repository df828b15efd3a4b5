#include "optim/clip.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/tape.hpp"

namespace rw::optim {
namespace {

void check_limit(const char* op, double limit) {
  if (!(limit > 0)) fail(op, "a limit above 0", limit);
}

// Changes the gradient of p by change(Tensor&, ids), ids nullptr where it is dense. Taken out meanwhile, it is changed
// in place.
template <class T, class Change>
void change_gradient(Gradients<T>& gradients, const Parameter<T>& p, const Change& change) {
  const Pause<T> pause;
  const auto changed = [&](Variable<T>& g, const Indices* ids) {
    gradients.insert(p.place(), {});
    Tensor<T> elements = std::move(g).value();
    change(elements, ids);
    g = Variable<T>(std::move(elements));
  };
  GradientSum<T> sum;
  if (const RowSparse<T>* rows = gradients.rows(p)) {
    RowSparse<T> own = *rows;
    changed(own.values, &own.ids);
    sum.add(std::move(own));
  } else {
    Variable<T> own = gradients[p];
    changed(own, nullptr);
    sum.add(std::move(own));
  }
  sum.settle();
  gradients.insert(p.place(), std::move(sum));
}

// change_gradient for all that something flowed to.
template <class T, class Change>
void change_each(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients, const Change& change) {
  for (const Parameter<T>* p : parameters) {
    if (!gradients.has(*p)) continue;
    change_gradient(gradients, *p, [&](Tensor<T>& g, const Indices* ids) { change(*p, g, ids); });
  }
}

// The same after checks, if everything is finite; returns the norm.
template <class T, class Change>
double change_all(const char* op, const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients,
                  const Change& change) {
  check_gradients(op, parameters, gradients);
  const double norm = gradients.norm();
  if (std::isfinite(norm)) change_each(parameters, gradients, change);
  return norm;
}

template <class T>
double square(T x) {
  return static_cast<double>(x) * static_cast<double>(x);
}

// ‖x‖² of every column of x [n, width].
template <class T>
std::vector<double> squares_of_columns(const T* x, std::size_t n, std::size_t width) {
  std::vector<double> sums(width);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < width; ++j) sums[j] += square(x[i * width + j]);
  }
  return sums;
}

template <class T>
double squares(const T* x, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += square(x[i]);
  return sum;
}

// ‖g‖² of the gradient of p.
template <class T>
double squares(const Gradients<T>& gradients, const Parameter<T>& p) {
  if (!gradients.has(p)) return 0;
  const Pause<T> pause;
  const RowSparse<T>* rows = gradients.rows(p);
  const Variable<T> g = rows != nullptr ? rows->values : gradients[p];
  return squares(g.view().data(), g.size());
}

template <class T>
using Groups = std::vector<std::vector<Parameter<T>*>>;

template <class T>
double clip_norms(const char* op, const Groups<T>& groups, Gradients<T>& gradients, double limit) {
  check_limit(op, limit);
  for (const auto& group : groups) check_gradients(op, group, gradients);
  const double norm = gradients.norm();
  if (!std::isfinite(norm)) return norm;
  for (const auto& group : groups) {
    double sum = 0;
    for (const Parameter<T>* p : group) sum += squares(gradients, *p);
    const double factor = limit / (std::sqrt(sum) + 1e-6);
    if (factor >= 1) continue;
    change_each(group, gradients, [&](const Parameter<T>&, Tensor<T>& g, const Indices*) {
      for (T& x : g) x *= static_cast<T>(factor);
    });
  }
  return norm;
}

}  // namespace

template <class T>
double clip_global_norm(Gradients<T>& gradients, double limit) {
  check_limit("clip_global_norm", limit);
  const double norm = gradients.norm();
  const double factor = limit / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) gradients.scale(static_cast<T>(factor));
  return norm;
}

template <class T>
double clip_each_norm(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients, double limit) {
  Groups<T> groups;
  for (Parameter<T>* p : parameters) groups.push_back({p});
  return clip_norms("clip_each_norm", groups, gradients, limit);
}

template <class T>
double clip_group_norms(const std::vector<std::vector<Parameter<T>*>>& groups, Gradients<T>& gradients, double limit) {
  std::set<const Parameter<T>*> seen;
  for (const auto& group : groups) {
    check_parameters("clip_group_norms", group);
    for (const Parameter<T>* p : group) {
      if (!seen.insert(p).second) fail("clip_group_norms", "each parameter once", p->name(), " twice");
    }
  }
  return clip_norms("clip_group_norms", groups, gradients, limit);
}

template <class T>
double clip_values(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients, double limit) {
  check_limit("clip_values", limit);
  const T high = static_cast<T>(limit);
  return change_all("clip_values", parameters, gradients, [&](const Parameter<T>&, Tensor<T>& g, const Indices*) {
    for (T& x : g) x = std::min(std::max(x, -high), high);
  });
}

template <class T>
double clip_adaptive(const std::vector<Parameter<T>*>& parameters, Gradients<T>& gradients,
                     const AdaptiveClipOptions& options) {
  check_limit("clip_adaptive", options.limit);
  check_option("clip_adaptive", "epsilon", options.epsilon, 0);
  const auto factor = [&](double gradient, double weights) {  // of squared norms
    const double limit = options.limit * std::max(std::sqrt(weights), options.epsilon), norm = std::sqrt(gradient);
    return static_cast<T>(norm > limit ? limit / norm : 1);
  };
  return change_all(
      "clip_adaptive", parameters, gradients, [&](const Parameter<T>& p, Tensor<T>& g, const Indices* ids) {
        if (g.size() == 0) return;
        const T* const w = p.value().data();
        if (ids == nullptr && p.rank() > 1) {
          const std::size_t width = p.shape().back(), n = p.size() / width;
          const auto of_g = squares_of_columns(g.data(), n, width), of_w = squares_of_columns(w, n, width);
          std::vector<T> factors(width);
          for (std::size_t j = 0; j < width; ++j) factors[j] = factor(of_g[j], of_w[j]);
          for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < width; ++j) g.data()[i * width + j] *= factors[j];
          }
          return;
        }
        const std::size_t rows = ids != nullptr ? ids->size() : 1, width = g.size() / rows;
        for (std::size_t i = 0; i < rows; ++i) {
          const std::size_t place = ids != nullptr ? static_cast<std::size_t>(ids->data()[i]) * width : 0;
          T* const row = g.data() + i * width;
          const T by = factor(squares(row, width), squares(w + place, width));
          for (std::size_t j = 0; j < width; ++j) row[j] *= by;
        }
      });
}

bool FiniteSteps::operator()(double norm) {
  if (std::isfinite(norm)) {
    in_a_row_ = 0;
    return true;
  }
  ++skipped_;
  if (++in_a_row_ > options_.patience) {
    std::ostringstream text;
    text << "finite_steps: expected a finite norm within " << in_a_row_ << " steps; got " << norm;
    throw std::runtime_error(text.str());
  }
  return false;
}

Numbers FiniteSteps::numbers() const {
  return {{"skipped", static_cast<double>(skipped_)}, {"in_a_row", static_cast<double>(in_a_row_)}};
}

void FiniteSteps::restore(const Numbers& numbers) {
  const std::uint64_t skipped = count("finite_steps", numbers, "skipped");
  in_a_row_ = count("finite_steps", numbers, "in_a_row");
  skipped_ = skipped;
}

template double clip_global_norm(Gradients<float>&, double);
template double clip_global_norm(Gradients<double>&, double);
template double clip_each_norm(const std::vector<Parameter<float>*>&, Gradients<float>&, double);
template double clip_each_norm(const std::vector<Parameter<double>*>&, Gradients<double>&, double);
template double clip_group_norms(const Groups<float>&, Gradients<float>&, double);
template double clip_group_norms(const Groups<double>&, Gradients<double>&, double);
template double clip_values(const std::vector<Parameter<float>*>&, Gradients<float>&, double);
template double clip_values(const std::vector<Parameter<double>*>&, Gradients<double>&, double);
template double clip_adaptive(const std::vector<Parameter<float>*>&, Gradients<float>&, const AdaptiveClipOptions&);
template double clip_adaptive(const std::vector<Parameter<double>*>&, Gradients<double>&, const AdaptiveClipOptions&);

}  // namespace rw::optim
