#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/folder.hpp"

// The code of docs/weights.md but for ONNX.

using namespace rw;

namespace {

/// A tagger of words.
struct Tagger {
  explicit Tagger(Random& random)
      : embedding({.vocabulary = 9, .dimension = 4}, random), head({.input = 6, .output = 2}, random) {
    for (const std::size_t input : {4, 6}) {
      using Lstm = nn::Lstm<float>;
      encoder.layers.push_back(
          {Lstm({.input = input, .hidden = 3}, random), Lstm({.input = input, .hidden = 3}, random)});
    }
  }

  nn::Embedding<float> embedding;
  nn::Stack<nn::Bidirectional<nn::Lstm<float>>> encoder;
  Parameter<float> gain{"gain", full<float>({6}, 1)}, shift{"shift", zeros<float>({6})};
  nn::Linear<float> head;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(weights_page, Folder)

BOOST_AUTO_TEST_CASE(a_model_of_pytorch) {
  const std::string path = file("tagger.safetensors");
  Random random(1);
  Tagger model(random), other(random);
  // [torch]
  nn::TorchNames<float> names;
  names.add("embedding", model.embedding)
      .add("encoder.rnn", model.encoder)  // torch.nn.LSTM(4, 3, num_layers=2, bidirectional=True)
      .add("norm", {{"weight", model.gain}, {"bias", model.shift}})
      .add("head", model.head);
  nn::export_torch(path, names);
  nn::import_torch(path, names);
  // [end]
  // [part]
  nn::import_torch(path, "encoder.rnn", other.encoder);  // what else is in the file does not matter
  // [end]
  BOOST_TEST((nn::pack(model.encoder.parameters()).tensors == nn::pack(other.encoder.parameters()).tensors));
  std::string text;
  nn::TorchNames<float> wrong;
  wrong.add("encoder.lstm", model.encoder.layers[0].forward);
  try {
    nn::import_torch(path, wrong);
  } catch (const std::runtime_error& error) {
    text = error.what();
  }
  BOOST_TEST(text.find("got no \"encoder.lstm.bias_hh_l0\", no \"encoder.lstm.bias_ih_l0\", ") != std::string::npos);
  BOOST_TEST(text.find(", an unknown \"embedding.weight\", ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_layer_of_keras) {
  Random random(1);
  const std::string path = file("keras.safetensors");
  nn::Gru<float> trained({.input = 3, .hidden = 4}, random), gru({.input = 3, .hidden = 4}, random);
  nn::write_safetensors(path, nn::to_keras(nn::pack(trained.parameters()), {"gru/gru_cell/"}));
  // [keras]
  const nn::Safetensors file = nn::read_safetensors(path);
  nn::unpack(nn::from_keras(file, {"gru/gru_cell/"}), gru.parameters(), path);
  // [end]
  BOOST_TEST((nn::pack(trained.parameters()).tensors == nn::pack(gru.parameters()).tensors));
}

BOOST_AUTO_TEST_SUITE_END()
