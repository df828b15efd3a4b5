#include "examples/char_lm/model.hpp"

#include <cmath>

#include "examples/app/files.hpp"
#include "nn/loss.hpp"

namespace char_lm {
namespace {

constexpr const char* format_name = "rewind-char-lm-1";

}  // namespace

template <class C>
Model<C>::Model(const Settings& s, rw::Random& random)
    : dropout(s.dropout),
      embedding({.vocabulary = alphabet, .dimension = s.embedding}, random),
      output({.input = s.hidden, .output = alphabet}, random) {
  rnn.options.dropout = s.dropout;
  for (std::size_t k = 0; k < s.layers; ++k) {
    rnn.layers.emplace_back(typename C::Options{.input = k == 0 ? s.embedding : s.hidden, .hidden = s.hidden}, random);
  }
}

template <class C>
typename Model<C>::Read Model<C>::read(const rw::Indices& bytes, const State& state, rw::Random* random) const {
  auto run = rw::nn::unroll(rnn, embedding(bytes), {.initial = state, .random = random});
  return {output(rw::nn::dropout(run.outputs, dropout, random)), std::move(run.state)};
}

template <class C>
rw::nn::Parameters<float> Model<C>::parameters() {
  rw::nn::Parameters<float> all;
  all.add("embedding", embedding.parameters());
  all.add("rnn", rnn.parameters());
  all.add("output", output.parameters());
  return all;
}

template <class C>
double bits(const Model<C>& model, std::string_view text) {
  constexpr std::size_t window = 256;
  auto state = model.initial_state(1);
  double nats = 0;
  for (std::size_t begin = 0; begin < text.size(); begin += window) {
    const std::size_t steps = std::min(window, text.size() - begin);
    rw::Indices in = rw::empty<std::int64_t>({steps, 1}), out = rw::empty<std::int64_t>({steps, 1});
    for (std::size_t t = 0; t < steps; ++t) {
      in.data()[t] = static_cast<unsigned char>(begin + t == 0 ? before : text[begin + t - 1]);
      out.data()[t] = static_cast<unsigned char>(text[begin + t]);
    }
    auto run = model.read(in, state);
    nats += rw::nn::cross_entropy_sum(run.logits, out).item();
    state = std::move(run.state);
  }
  return nats / std::log(2.0);
}

template <class C>
void save(const std::string& path, Model<C>& model) {
  rw::nn::save(path, model.parameters(), {{"format", format_name}, {"cell", name_of<C>}});
}

File::File(const std::string& p) : path(p), contents(app::read_model(p, format_name, "char_lm train")) {
  cell = contents.metadata["cell"];
  if (cell != name_of<Lstm> && cell != name_of<Gru>) app::bad_file(path, "cell lstm or gru", app::shown(cell));
}

// The sizes are those of the tensors, so that a file makes us take no more memory than it has.
template <class C>
Model<C> File::model() const {
  const rw::Shape& table = contents.get<float>("embedding.weight").shape();
  const rw::Shape& input = contents.get<float>("rnn.0.weight_ih").shape();
  const rw::Shape& recurrent = contents.get<float>("rnn.0.weight_hh").shape();
  const std::size_t gates = cell == name_of<Lstm> ? 4 : 3;
  if (table.size() != 2 || table[0] != alphabet || table[1] == 0 || recurrent.size() != 2 || recurrent[0] == 0 ||
      recurrent[1] != gates * recurrent[0] || input != rw::Shape{table[1], recurrent[1]}) {
    app::bad_file(path, "the tensors of one model", "shapes that do not go together");
  }
  Settings settings{.embedding = table[1], .hidden = recurrent[0], .layers = 1};
  while (settings.layers < most_layers &&
         contents.tensors.contains("rnn." + std::to_string(settings.layers) + ".weight_hh"))
    ++settings.layers;
  rw::Random random(0);
  Model<C> model(settings, random);
  rw::nn::unpack(contents, model.parameters(), path);
  return model;
}

template struct Model<Lstm>;
template struct Model<Gru>;
template double bits(const Model<Lstm>&, std::string_view);
template double bits(const Model<Gru>&, std::string_view);
template void save(const std::string&, Model<Lstm>&);
template void save(const std::string&, Model<Gru>&);
template Model<Lstm> File::model() const;
template Model<Gru> File::model() const;

}  // namespace char_lm
