#include <boost/test/unit_test.hpp>
#include <fstream>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/folder.hpp"

// The code of docs/files.md.

using namespace rw;

namespace {

template <class T>
nn::Gru<T> gru(std::uint64_t seed) {
  Random random(seed);
  return nn::Gru<T>({.input = 2, .hidden = 3}, random);
}

template <class A, class B>
bool same(const A& a, const B& b) {
  const auto& x = a.weight_hh.value();
  const auto& y = b.weight_hh.value();
  return x.shape() == y.shape() && std::equal(x.begin(), x.end(), y.begin(), [](float p, float q) { return p == q; });
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(files_page, Folder)

BOOST_AUTO_TEST_CASE(a_model) {
  const std::string path = file("model.safetensors");
  auto trained = gru<double>(1);
  auto other = gru<float>(2);
  BOOST_TEST(!same(trained, other));
  // [model]
  nn::save(path, trained.parameters(), {{"steps", "12000"}});
  nn::load(path, other.parameters());  // names and shapes must be the same; double becomes float, or back
  // [end]
  BOOST_TEST(same(trained, other));
}

BOOST_AUTO_TEST_CASE(a_model_with_more_than_weights) {
  const std::string path = Folder::file("model.safetensors");
  auto trained = gru<double>(1);
  auto other = gru<float>(2);
  // [parts]
  nn::Safetensors file = nn::pack(trained.parameters());
  file.metadata = {{"format", "tagger-1"}};
  file.tensors["vocabulary"] = nn::to_bytes("the cat sat");
  nn::write_safetensors(path, file);

  const nn::Safetensors read = nn::read_safetensors(path);
  nn::unpack(read, other.parameters(), path);  // the path is for its errors
  const std::string words = nn::to_text(read.get<std::uint8_t>("vocabulary"));
  // [end]
  BOOST_TEST(same(trained, other));
  BOOST_TEST(words == "the cat sat");
  BOOST_TEST(read.metadata.at("format") == "tagger-1");
}

BOOST_AUTO_TEST_CASE(arrays_for_numpy) {
  const std::string path = file("run.npz");
  const Tensor<double> losses = tensor<double>({3}, {2.5, 1.5, 1.25});
  const Indices steps = tensor<std::int64_t>({3}, {100, 200, 300});
  // [arrays]
  nn::write_npz(path, {{"loss", losses}, {"steps", steps}}, {.compressed = true});
  const nn::NamedTensors arrays = nn::read_npz(path);
  const Tensor<double>& loss = nn::get<double>(arrays, "loss");
  // [end]
  BOOST_TEST((loss == losses));
  BOOST_TEST((nn::get<std::int64_t>(arrays, "steps") == steps));
}

BOOST_AUTO_TEST_CASE(a_file_that_lies) {
  const std::string path = file("x");
  const std::string header = R"({"x":{"dtype":"F32","shape":[100],"data_offsets":[0,400]}})";
  std::ofstream(path, std::ios::binary) << char(header.size()) << std::string(7, '\0') << header << "four";
  std::string text;
  // [refused]
  try {
    nn::read_safetensors(path);
  } catch (const std::runtime_error& error) {
    text = error.what();  // read_safetensors: PATH: expected data_offsets within 4 bytes of data; got "x" at [0, 400)
  }
  // [end]
  BOOST_TEST(text ==
             "read_safetensors: " + path + ": expected data_offsets within 4 bytes of data; got \"x\" at [0, 400)");
}

BOOST_AUTO_TEST_SUITE_END()
