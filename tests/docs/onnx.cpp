#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/folder.hpp"

// The code of docs/weights.md for ONNX.

using namespace rw;

BOOST_FIXTURE_TEST_SUITE(weights_page_onnx, Folder)

BOOST_AUTO_TEST_CASE(a_model_for_onnx) {
  Random random(1);
  nn::Embedding<float> embedding({.vocabulary = 9, .dimension = 4}, random);
  nn::Stack<nn::Bidirectional<nn::Gru<float>>> encoder;
  using Gru = nn::Gru<float>;
  encoder.layers.push_back({Gru({.input = 4, .hidden = 3}, random), Gru({.input = 4, .hidden = 3}, random)});
  nn::Linear<float> head({.input = 6, .output = 2}, random);
  const std::string path = file("tagger.onnx");
  // [tagger]
  nn::OnnxModel tagger;  // ids [T, B], lengths [B] -> y [T, B, 2]
  tagger.add(embedding).add(encoder).add(head).softmax();
  tagger.write(path);
  // [end]
  BOOST_TEST(std::filesystem::file_size(path) > 1000u);

  nn::Stack<Gru> layers;
  layers.layers.push_back(Gru({.input = 4, .hidden = 3}, random));
  nn::Linear<float> scores({.input = 3, .output = 2}, random);
  // [others]
  nn::OnnxModel classifier;  // x [T, B, 4], lengths [B] -> y [B, 2]
  classifier.add(layers).last_state().add(scores).softmax();

  nn::OnnxModel streaming({.lengths = false, .states = true});  // x, h0.0 -> y, h.0
  streaming.add(layers).add(scores);
  // [end]
  classifier.write(file("classifier.onnx"));
  streaming.write(file("streaming.onnx"));
  BOOST_TEST(files() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
