#include "nn/convert/layout.hpp"

#include <stdexcept>

#include "autograd/ops/shape.hpp"

namespace rw::nn::detail {
namespace {

constexpr std::size_t simple = 0, gru = 1, lstm = 2;  // indices of Layout::gates

[[noreturn]] void broken(const std::string& op, const std::string& name, const std::string& expectation,
                         const std::string& got) {
  throw std::runtime_error(op + ": " + name + ": expected " + expectation + "; got " + got);
}
[[noreturn]] void unwanted(const std::string& op, const std::string& name) {
  broken(op, name, "no such tensor", "one");
}

/// x [G·H, ...] with its gates in another order.
Tensor<double> reordered(const Tensor<double>& x, const std::string& from, const std::string& to) {
  Tensor<double> y = rw::empty<double>(x.shape());
  const std::size_t block = x.size() / to.size();
  for (std::size_t g = 0; g < to.size(); ++g) {
    std::copy_n(x.data() + from.find(to[g]) * block, block, y.data() + g * block);
  }
  return y;
}

Tensor<double> transposed(const Tensor<double>& x) { return transpose(Variable<double>(x)).value(); }

/// `n` elements from `begin` on.
Tensor<double> part(const Tensor<double>& x, std::size_t begin, std::size_t n) {
  Tensor<double> y = rw::empty<double>({n});
  std::copy_n(x.data() + begin, n, y.data());
  return y;
}

Tensor<double> joined(const Tensor<double>& a, const Tensor<double>& b, const Shape& shape) {
  Tensor<double> both = rw::empty<double>(shape);
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), both.begin()));
  return both;
}

}  // namespace

Weights Reader::read(const Place& place) {
  const Layout& l = layout_;
  Weights w;
  if (has(place, l.projection)) w.projection = matrix(place, l.projection);
  w.hidden = read_hidden(place);
  const std::size_t rows = w.hidden.shape(0), width = w.hidden.shape(1);
  const std::size_t hidden = w.projection ? w.projection->shape(1) : width;
  const std::size_t gates = hidden == 0 || rows % hidden != 0 ? 0 : rows / hidden;
  if (gates != 1 && gates != 3 && gates != 4) {
    refuse(place, l.hidden, "1, 3 or 4 gates, " + shape("G·H", "H"), w.hidden);
  }
  w.kind = gates == 1 ? simple : gates == 3 ? gru : lstm;
  w.after = w.kind == gru && after_ && !has(place, l.hidden_n);
  if (w.projection && w.kind != lstm) {
    broken(op_, place.of(l.hidden), "4 gates with a projection", std::to_string(gates));
  }
  if (w.projection && w.projection->shape(0) != width) {
    refuse(place, l.projection, shape(std::to_string(width), "H"), *w.projection);
  }
  w.input = matrix(place, l.input);
  if (w.input.shape(0) != rows) refuse(place, l.input, shape(std::to_string(rows), "I"), w.input);

  w.input = reordered(w.input, l.gates[w.kind], ours.gates[w.kind]);
  w.hidden = reordered(w.hidden, l.gates[w.kind], ours.gates[w.kind]);
  if (w.kind == lstm && has(place, l.peephole)) {
    w.peephole = reordered(vector(place, l.peephole, {3 * hidden}), l.peepholes, ours.peepholes);
  }
  read_biases(place, hidden, w);
  return w;
}

Tensor<double> Reader::read_hidden(const Place& place) {
  Tensor<double> x = matrix(place, layout_.hidden);
  if (!has(place, layout_.hidden_n)) return x;
  const Tensor<double> n = matrix(place, layout_.hidden_n);
  const std::size_t width = x.shape(1);
  if (x.shape(0) != 2 * width) refuse(place, layout_.hidden, "2 gates, " + shape("2·H", "H"), x);
  if (n.shape() != Shape{width, width}) refuse(place, layout_.hidden_n, to_string(Shape{width, width}), n);
  return joined(x, n, {3 * width, width});
}

void Reader::read_biases(const Place& place, std::size_t hidden, Weights& w) {
  const Layout& l = layout_;
  if (!has(place, l.bias) && !has(place, l.second)) return;
  const std::size_t n = w.hidden.shape(0);
  Tensor<double> all;  // [n], or the second bias behind it
  if (l.biases == Biases::two) {
    all = joined(vector(place, l.bias, {n}), vector(place, l.second, {n}), {2 * n});
  } else if (l.biases == Biases::halves) {
    all = vector(place, l.bias, {2 * n});
  } else {
    all = vector(place, l.bias, l.biases == Biases::rows && w.after ? Shape{2, n} : Shape{n});
  }
  w.bias = reordered(part(all, 0, n), l.gates[w.kind], ours.gates[w.kind]);
  if (l.biases == Biases::one && w.after) w.bias_hn = vector(place, l.second, {hidden});
  if (all.size() == n) return;

  // The second one adds to the first, but inside a GRU's reset: that is our last gate.
  const Tensor<double> second = reordered(part(all, n, n), l.gates[w.kind], ours.gates[w.kind]);
  const std::size_t folded = w.after ? n - hidden : n;
  for (std::size_t i = 0; i < folded; ++i) w.bias->data()[i] += second.data()[i];
  if (folded < n) w.bias_hn = part(second, folded, hidden);
}

void Reader::check_all_read() const {
  for (const auto& [name, tensor] : file_.tensors) {
    if (!read_.contains(name)) unwanted(op_, name);
  }
}

bool Reader::has(const Place& place, const std::string& name) const {
  return !name.empty() && file_.tensors.contains(place.of(name));
}

Tensor<double> Reader::tensor(const Place& place, const std::string& name) {
  const std::string full = place.of(name);
  const auto it = file_.tensors.find(full);
  if (it == file_.tensors.end()) broken(op_, full, "a tensor of that name", "none");
  read_.insert(full);
  return std::visit(
      [&]<class From>(const From& from) {
        using T = typename From::value_type;
        if (!std::is_floating_point_v<T>) broken(op_, full, "dtype F32 or F64", "another");
        single_ = single_ && std::is_same_v<T, float>;
        Shape shape = from.shape();
        if (place.directions > 0) {
          if (shape.empty() || shape[0] != place.directions) {
            broken(op_, full, std::to_string(place.directions) + " directions", to_string(shape));
          }
          shape.erase(shape.begin());
        }
        Tensor<double> to = rw::empty<double>(shape);
        std::copy_n(from.data() + place.index * to.size(), to.size(), to.data());
        return to;
      },
      it->second);
}

Tensor<double> Reader::matrix(const Place& place, const std::string& name) {
  const Tensor<double> x = tensor(place, name);
  if (x.dimension() != 2) broken(op_, place.of(name), shape("G·H", "H"), to_string(x.shape()));
  return layout_.gates_first ? x : transposed(x);
}

Tensor<double> Reader::vector(const Place& place, const std::string& name, const Shape& shape) {
  Tensor<double> x = tensor(place, name);
  if (x.shape() != shape) broken(op_, place.of(name), to_string(shape), to_string(x.shape()));
  return x;
}

std::string Reader::shape(const std::string& out, const std::string& in) const {
  return layout_.gates_first ? "[" + out + ", " + in + "]" : "[" + in + ", " + out + "]";
}

void Reader::refuse(const Place& place, const std::string& name, const std::string& expectation,
                    const Tensor<double>& got) const {
  broken(op_, place.of(name), expectation, shape(std::to_string(got.shape(0)), std::to_string(got.shape(1))));
}

void Writer::write(const Weights& w, const Place& place) {
  const Layout& l = layout_;
  const auto matrix = [&](const std::string& name, const Tensor<double>& x) {
    put(place, name, l.gates_first ? x : transposed(x));
  };
  if (w.kind == gru && !w.after && l.biases == Biases::two) unwanted(op_, ours.hidden_n);
  if (w.projection && l.projection.empty()) unwanted(op_, ours.projection);
  if (w.peephole && l.peephole.empty()) unwanted(op_, ours.peephole);
  matrix(l.input, reordered(w.input, ours.gates[w.kind], l.gates[w.kind]));
  const Tensor<double> hidden = reordered(w.hidden, ours.gates[w.kind], l.gates[w.kind]);
  if (w.kind == gru && !w.after && !l.hidden_n.empty()) {
    const std::size_t h = hidden.shape(1);
    matrix(l.hidden, reshaped(part(hidden, 0, 2 * h * h), {2 * h, h}));
    matrix(l.hidden_n, reshaped(part(hidden, 2 * h * h, h * h), {h, h}));
  } else {
    matrix(l.hidden, hidden);
  }
  if (w.projection) matrix(l.projection, *w.projection);
  if (w.peephole) put(place, l.peephole, reordered(*w.peephole, ours.peepholes, l.peepholes));
  if (w.bias) write_biases(w, place);
}

void Writer::write_biases(const Weights& w, const Place& place) {
  const Layout& l = layout_;
  const std::size_t n = w.bias->size();
  Tensor<double> second = zeros<double>({n});
  if (w.bias_hn) std::copy_n(w.bias_hn->data(), w.bias_hn->size(), second.data() + n - w.bias_hn->size());
  second = reordered(second, ours.gates[w.kind], l.gates[w.kind]);
  const Tensor<double> first = reordered(*w.bias, ours.gates[w.kind], l.gates[w.kind]);
  if (l.biases == Biases::halves) return put(place, l.bias, joined(first, second, {2 * n}));
  if (l.biases == Biases::rows && w.after) return put(place, l.bias, joined(first, second, {2, n}));
  put(place, l.bias, first);
  if (l.biases == Biases::one && w.after) put(place, l.second, *w.bias_hn);
  if (l.biases == Biases::two) put(place, l.second, second);
}

void Writer::put(const Place& place, const std::string& name, const Tensor<double>& x) {
  Shape shape = x.shape();
  if (place.directions > 0) shape.insert(shape.begin(), place.directions);
  Tensor<double>& all = tensors_.try_emplace(place.of(name), zeros<double>(shape)).first->second;
  if (all.shape() != shape) broken(op_, place.of(name), "directions of one shape", to_string(x.shape()));
  std::copy_n(x.data(), x.size(), all.data() + place.index * x.size());
}

Safetensors Writer::result(bool single) const {
  Safetensors file;
  for (const auto& [name, x] : tensors_) {
    if (single) {
      Tensor<float> rounded = rw::empty<float>(x.shape());
      std::copy(x.begin(), x.end(), rounded.begin());
      file.tensors[name] = std::move(rounded);
    } else {
      file.tensors[name] = x;
    }
  }
  return file;
}

}  // namespace rw::nn::detail
