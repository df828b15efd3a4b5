#include "autograd/gradcheck.hpp"

#include <cmath>
#include <sstream>

#include "autograd/ops/arithmetic.hpp"
#include "autograd/random.hpp"

namespace rw {
namespace {

using Value = Tensor<double>;
using Values = std::vector<Value>;
using detail::Results;

// Elements of ±[0.5, 1.5): all different, the same in every run.
Values seeds_like(const Results& xs, std::uint64_t stream) {
  Random random(stream);
  Values seeds;
  for (const Variable<double>& x : xs) {
    Value seed = rw::empty<double>(x.shape());
    for (double& s : seed) {
      const double unit = random.uniform(-1, 1);
      s = unit + std::copysign(0.5, unit);
    }
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

// ⟨v, y⟩, and the same sum over sizes, which says how large the rounding errors of the first may be.
struct Dot {
  double value = 0, size = 0;
};

Dot dot(const Values& v, const Results& y) {
  Dot sum;
  for (std::size_t k = 0; k < v.size(); ++k) {
    for (std::size_t i = 0; i < v[k].size(); ++i) {
      const double term = v[k].data()[i] * y[k].value().data()[i];
      sum.value += term;
      sum.size += std::abs(term);
    }
  }
  return sum;
}

// ⟨v, y⟩ for the tape.
Variable<double> recorded_dot(const Results& v, const Results& y) {
  Variable<double> sum = scalar(0.0);
  for (std::size_t k = 0; k < v.size(); ++k) sum = sum + sum_to(v[k] * y[k], {});
  return sum;
}

// The gradients of y by each leaf: zeros where y is a constant.
Results gradients_of(Tape<double>& tape, const Variable<double>& y, const Results& leaves, bool record) {
  Results gradients;
  if (!tape.holds(y)) {
    for (const auto& x : leaves) gradients.emplace_back(zeros<double>(x.shape()));
    return gradients;
  }
  const Gradients<double> g = tape.backward(y, {.record = record});
  for (const auto& x : leaves) gradients.push_back(g[x]);
  return gradients;
}

// The function under the check, and what it is differentiated by: inputs, parameters and, in the second order, seeds.
struct Check {
  const std::string& name;
  const std::function<Results(const Results&)>& f;
  const GradcheckOptions& options;
  Values inputs;
  Values v = {}, u = {};  // seeds of the results and of the gradients
  bool second = false;
  double size = 0;  // of the objectives so far, for what rounding leaves of their differences

  std::size_t leaf_count() const { return inputs.size() + options.parameters.size() + (second ? v.size() : 0); }

  Parameter<double>* parameter(std::size_t leaf) const {
    const std::size_t k = leaf - inputs.size();
    return leaf >= inputs.size() && k < options.parameters.size() ? options.parameters[k] : nullptr;
  }

  Value& own(std::size_t leaf) {
    return leaf < inputs.size() ? inputs[leaf] : v[leaf - inputs.size() - options.parameters.size()];
  }

  const Value& value(std::size_t leaf) { return parameter(leaf) ? parameter(leaf)->value() : own(leaf); }

  void set(std::size_t leaf, std::size_t i, double x) {
    if (Parameter<double>* p = parameter(leaf)) {
      p->update([&](Value& value) { value.data()[i] = x; });
    } else {
      own(leaf).data()[i] = x;
    }
  }

  std::string describe(std::size_t leaf) {
    std::string text = "the result's seed";
    if (Parameter<double>* p = parameter(leaf)) {
      text = p->name();
    } else if (leaf < inputs.size()) {
      text = "input " + std::to_string(leaf);
    } else if (v.size() > 1) {
      text = "the seed of result " + std::to_string(leaf - inputs.size() - options.parameters.size());
    }
    return text + " " + to_string(value(leaf).shape());
  }

  // A tape with the leaves on it, and on demand the first gradients.
  struct Run {
    Tape<double> tape = {};
    Results x = {}, leaves = {}, y = {}, first = {};
  };

  void run(Run& r) {
    for (const Value& x : inputs) r.x.push_back(r.tape.watch(x));
    r.leaves = r.x;
    for (const Parameter<double>* p : options.parameters) r.leaves.push_back(*p);
    r.y = f(r.x);
  }

  void run_first(Run& r, bool record) {
    run(r);
    Results seeds;
    for (const Value& s : v) seeds.push_back(record ? r.tape.watch(s) : Variable<double>(s));
    r.first = gradients_of(r.tape, recorded_dot(seeds, r.y), r.leaves, record);
    if (record) r.leaves.insert(r.leaves.end(), seeds.begin(), seeds.end());
  }

  // What is differentiated: ⟨v, f⟩, or ⟨u, its gradient⟩.
  Dot objective() {
    if (!second) {
      Pause<double> pause;
      return dot(v, f(Results(inputs.begin(), inputs.end())));
    }
    Run r;
    run_first(r, false);
    return dot(u, r.first);
  }

  Results analytic() {
    Run r;
    run_first(r, second);
    if (!second) return r.first;
    Results seeds(u.begin(), u.end());
    return gradients_of(r.tape, recorded_dot(seeds, r.first), r.leaves, false);
  }

  double numeric(std::size_t leaf, std::size_t i) {
    const double at = value(leaf).data()[i], above = at + options.step, below = at - options.step;
    try {
      set(leaf, i, above);
      const double up = objective().value;
      set(leaf, i, below);
      const double down = objective().value;
      set(leaf, i, at);
      return (up - down) / (above - below);
    } catch (...) {
      set(leaf, i, at);
      throw;
    }
  }
};

std::string index_text(const Shape& shape, std::size_t i) {
  Shape index = shape;
  for (std::size_t a = shape.size(); a-- > 0; i /= shape[a]) index[a] = i % shape[a];
  return to_string(index);
}

// Compares all elements of all leaves; returns the largest error and appends to the report's message.
double compare(Check& check, GradcheckReport& report) {
  const double tolerance = check.second ? check.options.second_tolerance : check.options.first_tolerance;
  const Results analytic = check.analytic();
  check.size = std::max(check.size, check.objective().size);
  const double rounding = 1e-15 * check.size / check.options.step / tolerance;
  double worst = 0;
  for (std::size_t leaf = 0; leaf < check.leaf_count(); ++leaf) {
    const Value& a = analytic[leaf].value();
    std::vector<double> n(a.size());
    double largest = 0;
    for (std::size_t i = 0; i < n.size(); ++i) {
      n[i] = check.numeric(leaf, i);
      largest = std::max(largest, std::abs(n[i]));
    }
    std::size_t wrong = 0, where = 0;
    double leaf_worst = 0;
    for (std::size_t i = 0; i < n.size(); ++i) {
      const double x = a.data()[i], gap = std::abs(x - n[i]);
      const double scale = std::max({(std::abs(x) + std::abs(n[i])) / 2, 0.01 * largest, rounding});
      const double error = gap == 0 ? 0 : std::isfinite(gap) ? gap / scale : INFINITY;
      wrong += error > tolerance;
      if (error > leaf_worst) leaf_worst = error, where = i;
    }
    if (wrong > 0 && leaf_worst > worst) {
      std::ostringstream text;
      text.precision(9);
      text << check.name << ": expected " << (check.second ? "second" : "first") << " gradient " << n[where] << " of "
           << check.describe(leaf) << " at " << index_text(a.shape(), where) << "; got " << a.data()[where]
           << " (relative error " << leaf_worst << "; " << wrong << " of " << n.size() << " elements wrong)";
      report.message = text.str();
      report.ok = false;
    }
    worst = std::max(worst, leaf_worst);
  }
  return worst;
}

}  // namespace

GradcheckReport detail::check_gradients(const std::string& name, const std::function<Results(const Results&)>& f,
                                        std::vector<Tensor<double>> inputs, const GradcheckOptions& options) {
  Check check{.name = name, .f = f, .options = options, .inputs = std::move(inputs)};
  {
    Check::Run once;
    check.run(once);
    check.v = seeds_like(once.y, 1);
    check.u = seeds_like(once.leaves, 2);
  }
  GradcheckReport report;
  report.first_error = compare(check, report);
  if (!report.ok || !options.second_order) return report;
  check.second = true;
  report.second_error = compare(check, report);
  return report;
}

}  // namespace rw
