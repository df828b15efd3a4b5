#include "examples/translate/model.hpp"

#include "examples/translate/subwords.hpp"
#include "nn/loss.hpp"

namespace translate {

using rw::Variable;

template <class T>
Model<T>::Model(const ModelSettings& s, rw::Random& random)
    : settings(s),
      source_embedding({.vocabulary = s.source_vocabulary, .dimension = s.embedding}, random),
      target_embedding({.vocabulary = s.target_vocabulary, .dimension = s.embedding}, random),
      encoder{rw::nn::Gru<T>({.input = s.embedding, .hidden = s.hidden}, random),
              rw::nn::Gru<T>({.input = s.embedding, .hidden = s.hidden}, random)},
      bridge({.input = s.hidden, .output = s.hidden}, random),
      attention({.query = s.hidden, .memory = 2 * s.hidden, .hidden = s.hidden}, random),
      decoder({.input = s.embedding, .hidden = s.hidden}, random),
      context({.input = 2 * s.hidden, .output = 3 * s.hidden, .bias = false}, random),
      readout({.input = 3 * s.hidden + s.embedding, .output = s.hidden}, random),
      output({.input = s.hidden, .output = s.target_vocabulary}, random) {}

template <class T>
typename Model<T>::Encoded Model<T>::encode(const rw::Indices& source, const std::vector<std::size_t>& lengths,
                                            rw::Random* random) const {
  const Variable<T> words = rw::nn::dropout(source_embedding(source), settings.dropout, random);
  const auto read = rw::nn::unroll(encoder, words, {.lengths = lengths});
  return {attention.prepare(read.outputs, rw::nn::mask_of<T>(lengths, source.shape(0))),
          tanh(bridge(read.state.backward.h))};
}

template <class T>
typename Model<T>::Written Model<T>::write(const Variable<T>& projected_word, const Variable<T>& state,
                                           const rw::nn::Memory<T>& memory) const {
  const auto [c, alignment] = attention(state, memory);
  return {decoder.step(rw::affine(c, context.weight, projected_word), {state}).output, c, alignment};
}

template <class T>
Variable<T> Model<T>::scores(const Variable<T>& state, const Variable<T>& c, const Variable<T>& word,
                             rw::Random* random) const {
  const Variable<T> seen = rw::concatenate(std::vector<Variable<T>>{state, c, word}, -1);
  return output(rw::nn::dropout(tanh(readout(seen)), settings.dropout, random));
}

template <class T>
Variable<T> Model<T>::loss(const Batch& batch, double smoothing, rw::Random* random) const {
  const Encoded encoded = encode(batch.source, batch.source_lengths, random);
  const Variable<T> words = rw::nn::dropout(target_embedding(batch.target_in), settings.dropout, random);
  std::vector<Variable<T>> states, contexts;
  Variable<T> state = encoded.state;
  for (const Variable<T>& word : rw::unstack(decoder.project(words))) {
    Written written = write(word, state, encoded.memory);
    state = written.state;
    states.push_back(std::move(written.state));
    contexts.push_back(std::move(written.context));
  }
  const Variable<T> logits = scores(rw::stack(states), rw::stack(contexts), words, random);
  return rw::nn::cross_entropy_sum(logits, batch.target_out, {.ignore = Subwords::pad, .smoothing = smoothing});
}

template <class T>
typename Model<T>::Next Model<T>::next(const rw::Indices& words, const Variable<T>& state,
                                       const rw::nn::Memory<T>& memory) const {
  const Variable<T> word = target_embedding(words);
  Written written = write(decoder.project(word), state, memory);
  return {scores(written.state, written.context, word, nullptr), written.state, written.alignment};
}

template <class T>
rw::nn::Parameters<T> Model<T>::parameters() {
  rw::nn::Parameters<T> all;
  all.add("source_embedding", source_embedding.parameters());
  all.add("target_embedding", target_embedding.parameters());
  all.add("encoder", encoder.parameters());
  all.add("bridge", bridge.parameters());
  all.add("attention", attention.parameters());
  all.add("decoder", decoder.parameters());
  all.add("context", context.parameters());
  all.add("readout", readout.parameters());
  all.add("output", output.parameters());
  return all;
}

template struct Model<float>;
template struct Model<double>;

}  // namespace translate
