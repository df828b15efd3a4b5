#include "nn/convert.hpp"

#include <stdexcept>

#include "autograd/ops/shape.hpp"

namespace rw::nn {
namespace {

// One direction of a layer, e.g. with the suffix _l0_reverse.
class Direction {
 public:
  Direction(const Safetensors& file, std::string prefix, std::string suffix)
      : file_(file), prefix_(std::move(prefix)), suffix_(std::move(suffix)) {}

  bool has(const char* name) const { return file_.tensors.contains(prefix_ + name + suffix_); }

  // Our tensors, with `to` before their names.
  void convert(const std::string& to, Safetensors& result) const {
    if (has("weight_hr")) broken("weight_hr", "no projection", "one");
    const Tensor<double> hh = read("weight_hh", 2);
    const std::size_t hidden = hh.shape(1), gates = hidden == 0 ? 0 : hh.shape(0) / hidden;
    if (hh.shape(0) != gates * hidden || (gates != 3 && gates != 4)) {
      broken("weight_hh", "3 or 4 gates: [3·H, H] or [4·H, H]", to_string(hh.shape()));
    }
    const Tensor<double> ih = read("weight_ih", 2);
    if (ih.shape(0) != gates * hidden) {
      broken("weight_ih", "[" + std::to_string(gates * hidden) + ", I]", to_string(ih.shape()));
    }
    Tensor<double> bias, bias_hn;
    const bool biased = has("bias_ih") || has("bias_hh");
    if (biased) {
      bias = bias_of("bias_ih", gates * hidden);
      const Tensor<double> second = bias_of("bias_hh", gates * hidden);
      const std::size_t folded = gates == 3 ? 2 * hidden : 4 * hidden;
      for (std::size_t i = 0; i < folded; ++i) bias.data()[i] += second.data()[i];
      bias_hn = rw::empty<double>({gates * hidden - folded});
      std::copy_n(second.data() + folded, bias_hn.size(), bias_hn.data());
    }
    result.tensors[to + "weight_ih"] = transpose(Variable<double>(ih)).value();
    result.tensors[to + "weight_hh"] = transpose(Variable<double>(hh)).value();
    if (biased) result.tensors[to + "bias"] = std::move(bias);
    if (biased && gates == 3) result.tensors[to + "bias_hn"] = std::move(bias_hn);
  }

 private:
  [[noreturn]] void broken(const char* name, const std::string& expectation, const std::string& got) const {
    throw std::runtime_error("from_torch: " + prefix_ + name + suffix_ + ": expected " + expectation + "; got " + got);
  }

  Tensor<double> read(const char* name, std::size_t rank) const {
    const auto it = file_.tensors.find(prefix_ + name + suffix_);
    if (it == file_.tensors.end()) broken(name, "a tensor of that name", "none");
    return std::visit(
        [&]<class From>(const From& from) -> Tensor<double> {
          if (!std::is_floating_point_v<typename From::value_type>) broken(name, "dtype F32 or F64", "another");
          if (from.dimension() != rank) broken(name, std::to_string(rank) + " axes", to_string(from.shape()));
          Tensor<double> to = rw::empty<double>(from.shape());
          std::copy_n(from.data(), from.size(), to.data());
          return to;
        },
        it->second);
  }

  Tensor<double> bias_of(const char* name, std::size_t size) const {
    Tensor<double> bias = read(name, 1);
    if (bias.size() != size) broken(name, "[" + std::to_string(size) + "]", to_string(bias.shape()));
    return bias;
  }

  const Safetensors& file_;
  const std::string prefix_, suffix_;
};

}  // namespace

Safetensors from_torch(const Safetensors& file, const std::string& prefix, std::size_t layer) {
  const std::string suffix = "_l" + std::to_string(layer);
  const Direction forward(file, prefix, suffix), backward(file, prefix, suffix + "_reverse");
  const bool both = backward.has("weight_ih");
  Safetensors result;
  forward.convert(both ? "forward." : "", result);
  if (both) backward.convert("backward.", result);
  return result;
}

}  // namespace rw::nn
