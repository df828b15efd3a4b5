#include "nn/ctc.hpp"

#include <algorithm>
#include <limits>

#include "autograd/fuse.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/softmax.hpp"

namespace rw::nn {
namespace detail {

void check_blank(const char* op, std::int64_t blank, std::size_t classes) {
  if (blank < 0 || static_cast<std::size_t>(blank) >= classes) {
    fail(op, "a blank in [0, " + std::to_string(classes) + ")", "blank ", blank);
  }
}

std::vector<std::size_t> ctc_lengths(const char* op, const std::string& what, std::vector<std::size_t> lengths,
                                     std::size_t rows, std::size_t longest) {
  if (lengths.empty()) lengths.assign(rows, longest);
  if (lengths.size() != rows) fail(op, "one " + what + " length a row", lengths.size(), " lengths, ", rows, " rows");
  for (const std::size_t length : lengths) {
    if (length > longest) fail(op, what + " lengths of at most " + std::to_string(longest), length);
  }
  return lengths;
}

}  // namespace detail

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double never = -1e30;       // log 0, as a finite number: differences of it are numbers, and gradients too
constexpr double impossible = -1e29;  // what has a path is more likely than this

// log(eᵃ + eᵇ + eᶜ), on lanes and on variables.
constexpr auto log_sum = [](const auto& a, const auto& b, const auto& c) {
  const auto m = maximum(maximum(a, b), c);
  return m + log(exp(a - m) + exp(b - m) + exp(c - m));
};

// The states that paths go through, for all rows side by side: two pads that no path enters, then blank, label, blank,
// ..., label, blank, then again what is never entered where other rows have longer targets. A path stays, goes one
// state on, or two, from label to another label.
template <class T>
struct Lattice {
  Lattice(const Shape& logits, const Indices& targets, const CtcOptions& options) {
    const char* op = "ctc";
    if (logits.size() != 3 || targets.dimension() != 2 || targets.shape()[0] != logits[1]) {
      fail(op, "logits [T, B, V] and targets [B, L]", "logits ", logits, ", targets ", Shape(targets.shape()));
    }
    steps = logits[0], batch = logits[1], classes = logits[2];
    const std::size_t longest = targets.shape()[1];
    detail::check_blank(op, options.blank, classes);
    lengths = detail::ctc_lengths(op, "input", options.input_lengths, batch, steps);
    const auto labels = detail::ctc_lengths(op, "target", options.target_lengths, batch, longest);
    states = 2 * longest + 3;
    class_of = full<std::int64_t>({batch, states}, -1);
    skip = start = end = full<T>({batch, states}, T(never));
    for (std::size_t b = 0; b < batch; ++b) {
      const std::int64_t* target = targets.data() + b * longest;
      std::int64_t* state = class_of.data() + b * states + 2;
      std::size_t needed = labels[b];
      for (std::size_t i = 0; i < labels[b]; ++i) {
        if (target[i] < 0 || static_cast<std::size_t>(target[i]) >= classes || target[i] == options.blank) {
          fail(op,
               "labels in [0, " + std::to_string(classes) + ") other than the blank " + std::to_string(options.blank),
               "label ", target[i], " in row ", b);
        }
        state[2 * i] = options.blank;
        state[2 * i + 1] = target[i];
        if (i > 0 && target[i] == target[i - 1]) ++needed;
        if (i > 0 && target[i] != target[i - 1]) skip.data()[b * states + 2 * i + 3] = 0;
      }
      state[2 * labels[b]] = options.blank;
      last.push_back(2 * labels[b] + 2);
      for (std::size_t s = 2; s <= std::min<std::size_t>(3, last[b]); ++s) start.data()[b * states + s] = 0;
      for (const std::size_t s : {last[b], last[b] - 1}) end.data()[b * states + s] = 0;
      if (options.too_short == CtcOptions::TooShort::refuse && lengths[b] < needed) {
        fail(op, "at least " + std::to_string(needed) + " steps for the target of row " + std::to_string(b),
             lengths[b]);
      }
    }
    price = static_cast<T>(options.too_short == CtcOptions::TooShort::zero ? 0 : infinity);
  }

  std::size_t steps, batch, classes, states;
  std::vector<std::size_t> lengths, last;  // [B]: valid steps, the last state
  Indices class_of;                        // [B, S], −1 where no path goes
  Tensor<T> skip, start, end;              // [B, S]: 0 where a path may come from two states before, begin, end
  T price;                                 // of a target that no path spells
};

/// What the way back needs of the way forth.
template <class T>
struct Forward {
  Tensor<T> alpha;       // [T, B, S], log p(the path is in state s at t, and so far right), the largest taken to 0
  Tensor<T> likelihood;  // [B], log p(target)
};

// Takes the largest element from all of them and returns it. Done at each step, it leaves a float all its digits
// however long the sequence is.
template <class T>
T centre(T* x, std::size_t n) {
  const T largest = *std::max_element(x, x + n);
  for (std::size_t i = 0; i < n; ++i) x[i] -= largest;
  return largest;
}

// to[i] = log_sum(a[i], b[i], c[i]).
template <class T>
void add_up(const T* a, const T* b, const T* c, T* to, std::size_t n) {
  rw::detail::map_row<T, 3, 1>({a, b, c}, {1, 1, 1}, {to}, n,
                               [](const auto& x) { return std::array{log_sum(x[0], x[1], x[2])}; });
}

// to[b, s] += log p(the class of s at t), or `never` where no path goes.
template <class T>
void emit(const Lattice<T>& lattice, const Tensor<T>& log_p, std::size_t t, T* to) {
  for (std::size_t b = 0; b < lattice.batch; ++b) {
    const T* p = log_p.data() + (t * lattice.batch + b) * lattice.classes;
    for (std::size_t i = b * lattice.states; i < (b + 1) * lattice.states; ++i) {
      const std::int64_t k = lattice.class_of.data()[i];
      to[i] = k < 0 ? T(never) : to[i] + std::max(p[k], T(never));
    }
  }
}

template <class T>
Forward<T> forward(const Lattice<T>& lattice, const Tensor<T>& logits) {
  const Tensor<T> log_p = rw::kernels::log_softmax<T>(logits, 2);
  const std::size_t n = lattice.batch * lattice.states;
  Forward<T> f{rw::empty<T>({lattice.steps, lattice.batch, lattice.states}), rw::empty<T>({lattice.batch})};
  std::vector<T> skipped(n);
  std::vector<double> taken(lattice.batch, 0);
  for (std::size_t t = 0; t < lattice.steps && n > 0; ++t) {
    T* alpha = f.alpha.data() + t * n;
    std::copy_n(lattice.start.data(), n, alpha);
    if (t > 0) {
      const T* before = alpha - n;
      for (std::size_t i = 2; i < n; ++i) skipped[i] = before[i - 2] + lattice.skip.data()[i];
      add_up(before + 2, before + 1, skipped.data() + 2, alpha + 2, n - 2);
    }
    emit(lattice, log_p, t, alpha);
    for (std::size_t b = 0; b < lattice.batch; ++b) {
      if (t < lattice.lengths[b]) taken[b] += centre(alpha + b * lattice.states, lattice.states);
    }
  }
  for (std::size_t b = 0; b < lattice.batch; ++b) {
    T& z = f.likelihood.data()[b];
    if (lattice.lengths[b] == 0) {
      z = lattice.last[b] == 2 ? T(0) : T(never);
    } else {
      const T* end = f.alpha.data() + (lattice.lengths[b] - 1) * n + b * lattice.states + lattice.last[b];
      const T low = T(never);
      add_up(end, end - 1, &low, &z, 1);
      z = static_cast<T>(z + taken[b]);
    }
  }
  return f;
}

template <class T>
Tensor<T> losses(const Lattice<T>& lattice, const Forward<T>& f) {
  Tensor<T> y = rw::empty<T>({lattice.batch});
  for (std::size_t b = 0; b < lattice.batch; ++b) {
    const T z = f.likelihood.data()[b];
    y.data()[b] = z < T(impossible) ? lattice.price : -z;
  }
  return y;
}

// Whether row b has something to learn at step t.
template <class T>
bool learns(const Lattice<T>& lattice, const Forward<T>& f, std::size_t t, std::size_t b) {
  return t < lattice.lengths[b] && !(f.likelihood.data()[b] < T(impossible));
}

// dy·(softmax(logits) − p(class at t | target)), with beta = log p(the rest of the target from t + 1 on), but centred:
// the posterior, alpha·beta over its sum over the states, does not feel it.
template <class T>
Tensor<T> gradient(const Lattice<T>& lattice, const Tensor<T>& logits, const Forward<T>& f, const Tensor<T>& dy) {
  const std::size_t states = lattice.states, n = lattice.batch * states;
  const Tensor<T> log_p = rw::kernels::log_softmax<T>(logits, 2);
  Tensor<T> dx = rw::kernels::softmax<T>(logits, 2);
  std::vector<T> beta(n + 2, T(never)), rest(n + 2, T(never)), skipped(n + 2, T(never)), posterior(n);
  for (std::size_t t = lattice.steps; t-- > 0;) {
    if (t + 1 < lattice.steps) {
      rest = beta;
      emit(lattice, log_p, t + 1, rest.data());
      for (std::size_t i = 0; i < n; ++i) skipped[i] = rest[i] + lattice.skip.data()[i];
      add_up(rest.data(), rest.data() + 1, skipped.data() + 2, beta.data(), n);
    }
    for (std::size_t b = 0; b < lattice.batch; ++b) {
      if (t + 1 == lattice.lengths[b]) std::copy_n(lattice.end.data() + b * states, states, beta.data() + b * states);
      if (t + 1 < lattice.lengths[b]) centre(beta.data() + b * states, states);
    }
    for (std::size_t i = 0; i < n; ++i) posterior[i] = f.alpha.data()[t * n + i] + beta[i];
    for (std::size_t b = 0; b < lattice.batch; ++b) centre(posterior.data() + b * states, states);
    rw::detail::map_row<T, 1, 1>({posterior.data()}, {1}, {posterior.data()}, n,
                                 [](const auto& x) { return std::array{exp(x[0])}; });
    for (std::size_t b = 0; b < lattice.batch; ++b) {
      T* to = dx.data() + (t * lattice.batch + b) * lattice.classes;
      if (!learns(lattice, f, t, b)) {
        std::fill_n(to, lattice.classes, T(0));
        continue;
      }
      const T* p = posterior.data() + b * states;
      const T scale = dy.data()[b], share = scale / rw::kernels::sum(p, states);
      for (std::size_t k = 0; k < lattice.classes; ++k) to[k] *= scale;
      for (std::size_t s = 2; s <= lattice.last[b]; ++s) to[lattice.class_of.data()[b * states + s]] -= share * p[s];
    }
  }
  return dx;
}

// The same of ops, for a backward pass that is recorded.
template <class T>
Variable<T> recorded_gradient(const Lattice<T>& lattice, const Variable<T>& logits, const Forward<T>& f,
                              const Variable<T>& dy) {
  const std::size_t n = lattice.batch * lattice.states;
  if (logits.size() == 0) return zeros<T>(logits.shape());
  Indices classes = rw::empty<std::int64_t>({lattice.steps, lattice.batch, lattice.states});
  Tensor<T> open = rw::empty<T>({lattice.batch, lattice.states});  // where paths go
  for (std::size_t i = 0; i < n; ++i) open.data()[i] = lattice.class_of.data()[i] >= 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes.data()[i] = std::max<std::int64_t>(lattice.class_of.data()[i % n], 0);
  }
  Tensor<T> learning = rw::empty<T>({lattice.steps, lattice.batch, 1});
  for (std::size_t i = 0; i < learning.size(); ++i) {
    learning.data()[i] = learns(lattice, f, i / lattice.batch, i % lattice.batch);
  }

  const auto shifted = [](const Variable<T>& x, std::ptrdiff_t by) {
    const auto states = static_cast<std::ptrdiff_t>(x.shape()[1]);
    return by > 0 ? pad(slice(x, 1, 0, states - by), {{}, {by, 0}}, T(never))
                  : pad(slice(x, 1, -by), {{}, {0, -by}}, T(never));
  };
  const auto centred = [](const Variable<T>& x) { return x - max(x.detached(), {.axes = {-1}, .keep = true}); };
  const Variable<T> skip = lattice.skip, start = lattice.start, end = lattice.end, valid = std::move(learning);
  const Variable<T> x = where(valid, logits, 0);  // padding may be NaN
  const auto emission = unstack(where(Variable<T>(open), maximum(gather(log_softmax(x), 2, classes), never), never));
  std::vector<Variable<T>> alpha{start + emission[0]}, beta(lattice.steps, end);
  for (std::size_t t = 1; t < lattice.steps; ++t) {
    const Variable<T>& a = alpha.back();
    alpha.push_back(centred(fuse(log_sum, a, shifted(a, 1), shifted(a, 2) + skip) + emission[t]));
  }
  for (std::size_t t = lattice.steps - 1; t-- > 0;) {
    const Variable<T> rest = beta[t + 1] + emission[t + 1];
    Tensor<T> goes_on = rw::empty<T>({lattice.batch, 1});
    for (std::size_t b = 0; b < lattice.batch; ++b) goes_on.data()[b] = t + 1 < lattice.lengths[b];
    const Variable<T> before = fuse(log_sum, rest, shifted(rest, -1), shifted(rest + skip, -2));
    beta[t] = where(Variable<T>(goes_on), centred(before), end);
  }
  const Variable<T> posterior = softmax(stack(alpha) + stack(beta));
  return reshape(dy, {lattice.batch, 1}) *
         where(valid, softmax(x) - scatter_add(posterior, 2, classes, lattice.classes), 0);
}

}  // namespace

template <class T>
Variable<T> ctc_rows(const Variable<T>& logits, const Indices& targets, const CtcOptions& options) {
  const Lattice<T> lattice(logits.shape(), targets, options);
  Forward<T> forth = forward(lattice, logits.value());
  Tensor<T> y = losses(lattice, forth);
  return record("ctc", std::move(y), wrt(logits, [=, f = std::move(forth)](const Variable<T>& dy) -> Variable<T> {
                  if (Tape<T>::current() != nullptr) return recorded_gradient(lattice, logits, f, dy);
                  return gradient(lattice, logits.value(), f, dy.value());
                }));
}

template Variable<float> ctc_rows(const Variable<float>&, const Indices&, const CtcOptions&);
template Variable<double> ctc_rows(const Variable<double>&, const Indices&, const CtcOptions&);

}  // namespace rw::nn
