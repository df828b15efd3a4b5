#pragma once

#include <string>

#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/safetensors.hpp"
#include "nn/stack.hpp"

namespace char_lm {

using Lstm = rw::nn::Lstm<float>;
using Gru = rw::nn::Gru<float>;

constexpr std::size_t alphabet = 256;  // bytes: no text has another, whatever its language
constexpr char before = '\n';          // what a text is read after
constexpr std::size_t most_layers = 8;

struct Settings {
  std::size_t embedding = 64, hidden = 256, layers = 1;
  double dropout = 0;
};

/// A recurrent language model (Mikolov et al. 2010) of bytes: p(next byte | all before). C is a cell.
template <class C>
struct Model {
  using State = typename rw::nn::Stack<C>::State;

  Model(const Settings& settings, rw::Random& random);

  struct Read {
    rw::Variable<float> logits;  // [T, B, 256] of the bytes that follow
    State state;
  };

  /// Reads bytes [T, B] on from a state. `random` draws the dropout; nullptr: none.
  Read read(const rw::Indices& bytes, const State& state, rw::Random* random = nullptr) const;

  State initial_state(std::size_t batch) const { return rnn.initial_state(batch); }

  rw::nn::Parameters<float> parameters();

  double dropout;
  rw::nn::Embedding<float> embedding;
  rw::nn::Stack<C> rnn;
  rw::nn::Linear<float> output;
};

/// −log₂ p of a text, byte after byte from the zero state on.
template <class C>
double bits(const Model<C>& model, std::string_view text);

/// "lstm" or "gru".
template <class C>
constexpr const char* name_of = nullptr;
template <>
inline constexpr const char* name_of<Lstm> = "lstm";
template <>
inline constexpr const char* name_of<Gru> = "gru";

template <class C>
void save(const std::string& path, Model<C>& model);

/// A model file and the cell in it. Throws std::runtime_error where it is no model of this program.
struct File {
  explicit File(const std::string& path);

  /// Throws std::runtime_error where tensors are missing or do not go together.
  template <class C>
  Model<C> model() const;

  std::string path, cell;
  rw::nn::Safetensors contents;
};

extern template struct Model<Lstm>;
extern template struct Model<Gru>;

}  // namespace char_lm
