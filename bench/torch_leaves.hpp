#pragma once

#include <torch/torch.h>

#include <algorithm>

#include "bench/contender.hpp"

// What the files that include libtorch share. None of ours is included with it.

namespace bench {

using torch::Tensor;

using View = std::function<Tensor(const Tensor&)>;
inline Tensor as_it_is(const Tensor& x) { return x; }
inline Tensor transposed(const Tensor& x) { return x.t(); }
inline Tensor last_third(const Tensor& x) { return x.narrow(0, x.size(0) / 3 * 2, x.size(0) / 3); }

inline long extent(std::size_t n) { return static_cast<long>(n); }

inline Tensor filled(const std::string& role, at::IntArrayRef shape, std::size_t hidden) {
  const Tensor out = torch::empty(shape);
  const std::vector<float> numbers = values(role, static_cast<std::size_t>(out.numel()), hidden);
  std::copy(numbers.begin(), numbers.end(), out.data_ptr<float>());
  return out;
}

inline std::vector<float> numbers_of(const Tensor& x) {
  const Tensor flat = x.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

// The tensors that gradients are wanted of, and where ours of a role lies in them.
class Leaves {
 public:
  explicit Leaves(std::size_t hidden) : hidden_(hidden) {}

  /// Fills the part of a tensor that `view` shows as ours. Without a role it stays zero, as a second bias of a gate.
  void add(const std::string& role, const Tensor& tensor, const View& view = as_it_is) {
    torch::NoGradGuard off;
    if (!role.empty()) {
      const Tensor ours = view(tensor);
      ours.copy_(filled(role, ours.sizes(), hidden_));
    }
    tensor.requires_grad_();
    leaves_.push_back({role, tensor, view});
  }

  Tensor create(const std::string& role, const std::vector<std::size_t>& shape, const View& view = as_it_is) {
    const Tensor tensor = torch::zeros(std::vector<long>(shape.begin(), shape.end()));
    add(role, tensor, view);
    return tensor;
  }

  std::vector<Tensor> tensors() const {
    std::vector<Tensor> all;
    for (const Leaf& leaf : leaves_) {
      if (std::none_of(all.begin(), all.end(), [&](const Tensor& t) { return t.is_same(leaf.tensor); })) {
        all.push_back(leaf.tensor);
      }
    }
    return all;
  }

  void forget_gradients() {
    for (Leaf& leaf : leaves_) leaf.tensor.mutable_grad() = Tensor();
  }

  Results gradients() const {
    Results results;
    for (const Leaf& leaf : leaves_) {
      if (!leaf.role.empty()) results[leaf.role] = numbers_of(leaf.view(leaf.tensor.grad()));
    }
    return results;
  }

 private:
  struct Leaf {
    std::string role;
    Tensor tensor;
    View view;
  };

  std::size_t hidden_;
  std::vector<Leaf> leaves_;
};

}  // namespace bench
