#include "examples/char_lm/sample.hpp"

#include <algorithm>
#include <cmath>

namespace char_lm {

std::size_t draw(std::span<const float> logits, const Printable& next, const SampleOptions& options,
                 rw::Random& random) {
  struct Choice {
    std::size_t byte;
    double weight;  // first the logit, then what is proportional to the probability
  };
  std::vector<Choice> choices;
  for (std::size_t byte = 0; byte < logits.size(); ++byte) {
    if (next.allows(static_cast<unsigned>(byte))) choices.push_back({byte, logits[byte]});
  }
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Choice& a, const Choice& b) { return a.weight > b.weight; });
  if (options.temperature == 0) return choices.front().byte;
  if (options.top_k > 0 && options.top_k < choices.size()) choices.resize(options.top_k);

  double all = 0, kept = 0;
  const double highest = choices.front().weight;
  for (Choice& c : choices) all += c.weight = std::exp((c.weight - highest) / options.temperature);
  std::size_t count = 0;
  while (count < choices.size() && (count == 0 || kept < options.top_p * all)) kept += choices[count++].weight;

  double left = random.uniform() * kept;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    left -= choices[i].weight;
    if (left < 0) return choices[i].byte;
  }
  return choices[count - 1].byte;
}

template <class C>
std::string sample(const Model<C>& model, const SampleOptions& options, rw::Random& random) {
  auto state = model.initial_state(1);
  rw::Tensor<float> logits;
  const auto read = [&](unsigned char byte) {
    auto run = model.read(rw::full<std::int64_t>({1, 1}, byte), state);
    logits = run.logits.value();
    state = std::move(run.state);
  };
  read(before);
  for (const char c : options.prompt) read(static_cast<unsigned char>(c));

  std::string text;
  Printable next;
  for (std::size_t written = 0; written < options.length;) {
    const std::size_t byte = draw({logits.data(), logits.size()}, next, options, random);
    text += static_cast<char>(byte);
    next.take(static_cast<unsigned>(byte));
    written += next.whole();
    read(static_cast<unsigned char>(byte));
  }
  return text;
}

template std::string sample(const Model<Lstm>&, const SampleOptions&, rw::Random&);
template std::string sample(const Model<Gru>&, const SampleOptions&, rw::Random&);

}  // namespace char_lm
