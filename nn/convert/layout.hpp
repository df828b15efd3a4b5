#pragma once

#include <array>
#include <optional>
#include <set>
#include <vector>

#include "nn/convert.hpp"

// What the conversions of weights share: how each library lays them out, and reading and writing one by that. Internal.

namespace rw::nn::detail {

enum class Biases {
  one,     // [G·H], and [H] for the n of a GRU that resets after the product
  two,     // two tensors [G·H]
  rows,    // [2, G·H] for a GRU that resets after the product, else [G·H]
  halves,  // [2·G·H]
};

/// How a library lays out the weights of a layer. It has no tensor whose name is empty. `hidden_n` is the part for the
/// n of a GRU that resets before the product, where that is apart.
struct Layout {
  std::string input, hidden, hidden_n, bias, second, peephole, projection;
  bool gates_first;                  // matrices are [G·H, I], else [I, G·H]
  std::array<std::string, 3> gates;  // their order in a simple RNN, GRU and LSTM
  std::string peepholes;             // and in an LSTM's peephole
  Biases biases;
};

// clang-format off
inline const Layout
    ours{"weight_ih", "weight_hh", "weight_hn", "bias", "bias_hn", "peephole", "weight_hr",
         false, {"h", "rzn", "ifgo"}, "ifo", Biases::one},
    torch{"weight_ih", "weight_hh", "", "bias_ih", "bias_hh", "", "weight_hr",
          true, {"h", "rzn", "ifgo"}, "", Biases::two},
    keras{"kernel", "recurrent_kernel", "", "bias", "", "", "",
          false, {"h", "zrn", "ifgo"}, "", Biases::rows},
    onnx{"W", "R", "", "B", "", "P", "",
         true, {"h", "zrn", "iofg"}, "iof", Biases::halves};
// clang-format on

/// Where the tensors of one direction of a layer are: `before` + name + `after`.
struct Place {
  std::string before, after = {};
  std::size_t directions = 0, index = 0;  // where directions share a tensor: how many along its first axis, and which

  std::string of(const std::string& name) const { return before + name + after; }
};
using Layer = std::vector<Place>;  // a place a direction

/// One direction of a layer. Matrices are [out, in], gates in our order, biases as ours.
struct Weights {
  std::size_t kind;   // the index of Layout::gates
  bool after = true;  // whether a GRU resets after the product
  Tensor<double> input, hidden;
  std::optional<Tensor<double>> bias, bias_hn, peephole, projection;
};

/// Reads weights of a layout. Throws std::runtime_error where they do not fit it.
class Reader {
 public:
  /// `after`: whether a GRU resets after the product, where the names do not tell.
  Reader(std::string op, const Layout& layout, const Safetensors& file, bool after = true)
      : op_(std::move(op)), layout_(layout), file_(file), after_(after) {}

  bool has(const Place& place) const { return file_.tensors.contains(place.of(layout_.hidden)); }

  Weights read(const Place& place);

  /// Throws where the file has a tensor that was not read.
  void check_all_read() const;

  /// Whether all that was read is F32.
  bool single() const { return single_; }

 private:
  Tensor<double> tensor(const Place& place, const std::string& name);
  Tensor<double> matrix(const Place& place, const std::string& name);
  Tensor<double> vector(const Place& place, const std::string& name, const Shape& shape);
  Tensor<double> read_hidden(const Place& place);
  void read_biases(const Place& place, std::size_t hidden, Weights& w);
  bool has(const Place& place, const std::string& name) const;
  std::string shape(const std::string& out, const std::string& in) const;
  [[noreturn]] void refuse(const Place& place, const std::string& name, const std::string& expectation,
                           const Tensor<double>& got) const;

  const std::string op_;
  const Layout& layout_;
  const Safetensors& file_;
  const bool after_;
  std::set<std::string> read_;
  bool single_ = true;
};

/// Collects weights in a layout.
class Writer {
 public:
  Writer(std::string op, const Layout& layout) : op_(std::move(op)), layout_(layout) {}

  /// Throws std::runtime_error where the layout has no place for something.
  void write(const Weights& w, const Place& place);

  /// All that was written, as F32 or F64.
  Safetensors result(bool single) const;

 private:
  void write_biases(const Weights& w, const Place& place);
  void put(const Place& place, const std::string& name, const Tensor<double>& x);

  const std::string op_;
  const Layout& layout_;
  std::map<std::string, Tensor<double>> tensors_;
};

}  // namespace rw::nn::detail
