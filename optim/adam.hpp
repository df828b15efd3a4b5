#pragma once

#include <cmath>

#include "optim/optimizer.hpp"

namespace rw::optim {

/// What Adam and its kin share: the checks of β₁, β₂ and ε, and the corrections of means that began at zero.
template <class T, class O>
class AdamKin : public Optimizer<T> {
 public:
  using Options = O;

 protected:
  AdamKin(const char* op, const Options& options, std::vector<std::string> state_names)
      : Optimizer<T>(options.learning_rate, std::move(state_names), options.weight_decay), options_(options) {
    check_option(op, "beta1", options.beta1, 0, 1);
    check_option(op, "beta2", options.beta2, 0, 1);
    check_option(op, "epsilon", options.epsilon, 0);
  }

  void begin_step() override {
    const auto t = static_cast<double>(this->steps());
    correction1_ = 1 - std::pow(options_.beta1, t);
    correction2_ = 1 - std::pow(options_.beta2, t);
  }

  Options options_;
  double correction1_ = 1, correction2_ = 1;  // 1 − βᵗ
};

struct AdamOptions {
  double learning_rate = 1e-3;  // η
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  // λ
  bool amsgrad = false;
};

/// Adam (Kingma & Ba 2015, algorithm 1), at step t:
///     m ← β₁·m + (1 − β₁)·g
///     v ← β₂·v + (1 − β₂)·g²
///     x ← x − η·m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
/// With weight decay it is AdamW (Loshchilov & Hutter 2019, algorithm 2; their η is 1). With amsgrad (Reddi, Kale &
/// Kumar 2018) the largest v so far takes v's place in v̂.
/// Rows that a row-sparse gradient does not name keep their m, v and x, where dense Adam would decay m and v and move x
/// on; t counts all steps, for them too.
///
/// All of the kin throw std::invalid_argument where the learning rate, ε or λ is negative or not finite, or a β not in
/// [0, 1).
template <class T>
class Adam : public AdamKin<T, AdamOptions> {
 public:
  explicit Adam(const AdamOptions& options = {});

 protected:
  void update(const Stretch<T>& stretch) override;
};

struct AdamaxOptions {
  double learning_rate = 2e-3;  // η
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// Adamax (Kingma & Ba 2015, algorithm 2), Adam with the maximum norm:
///     m ← β₁·m + (1 − β₁)·g
///     u ← max(β₂·u, |g| + ε)
///     x ← x − η / (1 − β₁ᵗ)·m / u
/// The paper has no ε, without which an element whose gradient is 0 from the first step on becomes 0/0.
template <class T>
class Adamax : public AdamKin<T, AdamaxOptions> {
 public:
  explicit Adamax(const AdamaxOptions& options = {});

 protected:
  void update(const Stretch<T>& stretch) override;
};

struct NadamOptions {
  double learning_rate = 2e-3;  // η
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum_decay = 4e-3;  // ψ
  double weight_decay = 0;
  bool pytorch_1 = false;  // as PyTorch before 2.0, where μₜ stands twice in μ₁···μₜ₊₁
};

/// Nadam, Adam with Nesterov's momentum (Dozat 2016), which grows with the steps; m, v and v̂ as Adam's, and
///     μₜ = β₁·(1 − ½·0.96^(t·ψ))
///     m̂ = μₜ₊₁·m / (1 − μ₁···μₜ₊₁) + (1 − μₜ)·g / (1 − μ₁···μₜ)
///     x ← x − η·m̂ / (√v̂ + ε)
/// Also throws where ψ is negative or not finite.
template <class T>
class Nadam : public AdamKin<T, NadamOptions> {
 public:
  explicit Nadam(const NadamOptions& options = {});

 protected:
  void begin_step() override;
  void update(const Stretch<T>& stretch) override;

 private:
  double momentum(std::uint64_t t) const;  // μₜ

  std::uint64_t multiplied_ = 0;
  double product_ = 1;  // of μ₁ to the last that was multiplied
};

struct RadamOptions {
  double learning_rate = 1e-3;  // η
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// RAdam (Liu et al. 2020, algorithm 2): plain momentum until v is worth something, then Adam with a rate that rises as
/// the variance of 1/√v falls; m, v and m̂ as Adam's, and
///     ρ∞ = 2 / (1 − β₂) − 1,   ρ = ρ∞ − 2t·β₂ᵗ / (1 − β₂ᵗ)
///     x ← x − η·m̂,                                       ρ ≤ 5
///     x ← x − η·m̂·r·√(1 − β₂ᵗ) / (√v + ε),               ρ > 5
///     r = √((ρ − 4)(ρ − 2)·ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)·ρ))
/// 5 is the bound of the authors' program; the paper has 4.
template <class T>
class Radam : public AdamKin<T, RadamOptions> {
 public:
  explicit Radam(const RadamOptions& options = {});

 protected:
  void begin_step() override;
  void update(const Stretch<T>& stretch) override;

 private:
  double rectification_ = 0;  // r·√(1 − β₂ᵗ), 0 until v counts
};

extern template class Adam<float>;
extern template class Adam<double>;
extern template class Adamax<float>;
extern template class Adamax<double>;
extern template class Nadam<float>;
extern template class Nadam<double>;
extern template class Radam<float>;
extern template class Radam<double>;

}  // namespace rw::optim
