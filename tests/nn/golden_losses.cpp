#include "tests/nn/golden_losses.hpp"

#include "nn/ctc.hpp"
#include "nn/loss.hpp"

namespace golden {
namespace {

using rw::Tape;

void check_cross_entropy(Case& c) {
  const std::string reduction = c.option("reduction");
  const rw::nn::CrossEntropyOptions options{.ignore = static_cast<std::int64_t>(c.number("ignore_index")),
                                            .smoothing = c.number("label_smoothing")};
  c.refuse_other_options();
  const Indices& target = c.indices("target");
  Tape<double> tape;
  const V logits = tape.watch(c["logits"]);
  const V value = reduction == "mean"  ? rw::nn::cross_entropy(logits, target, options)
                  : reduction == "sum" ? rw::nn::cross_entropy_sum(logits, target, options)
                                       : rw::nn::cross_entropy_rows(logits, target, options);
  c.compare("value", value);
  c.compare("grad.logits", tape.backward(sum(V(c["cotangent"]) * value))[logits]);
  c.finish({"value"});
}

/// The mean of loss(x, target) over elements; all its options have been asked for.
template <class Loss>
void check_elements(Case& c, const std::string& x, const Loss& loss) {
  c.require("reduction", "mean");
  c.refuse_other_options();
  Tape<double> tape;
  const V input = tape.watch(c[x]), target = tape.watch(c["target"]);
  const V value = loss(input, target);
  const auto g = tape.backward(sum(V(c["cotangent"]) * value));
  c.compare("value", value);
  c.compare("grad." + x, g[input]);
  if (c.has("grad.target")) c.compare("grad.target", g[target]);
  c.finish({"value"});
}

void check_ctc(Case& c) {
  c.require("reduction", "none");
  const auto blank = static_cast<std::int64_t>(c.number("blank"));
  c.refuse_other_options();
  const auto lengths = [&](const std::string& of) {
    const Indices& n = c.indices(of + "_lengths");
    return std::vector<std::size_t>(n.begin(), n.end());
  };
  Tape<double> tape;
  const V logits = tape.watch(c["logits"]);
  const V value =
      rw::nn::ctc_rows(logits, c.indices("targets"),
                       {.input_lengths = lengths("input"), .target_lengths = lengths("target"), .blank = blank});
  c.compare("value", value);
  c.compare("grad.logits", tape.backward(sum(V(c["cotangent"]) * value))[logits]);
  c.finish({"value"});
}

}  // namespace

void check_loss(Case& c) {
  const std::string kind = c.option("kind");
  if (kind == "cross_entropy") return check_cross_entropy(c);
  if (kind == "ctc") return check_ctc(c);
  if (kind == "mse") return check_elements(c, "input", rw::nn::squared_error<double>);
  if (kind == "huber") {
    const double delta = c.number("delta");
    return check_elements(c, "input", [&](const V& x, const V& y) { return rw::nn::huber(x, y, {.delta = delta}); });
  }
  if (kind == "bce_with_logits") {
    return check_elements(c, "logits", [](const V& x, const V& y) { return rw::nn::binary_cross_entropy(x, y); });
  }
  throw Unknown{c.kind()};
}

}  // namespace golden
