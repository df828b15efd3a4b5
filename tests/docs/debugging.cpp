#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

// The code of docs/debugging.md.

using namespace rw;

BOOST_AUTO_TEST_SUITE(debugging_page)

BOOST_AUTO_TEST_CASE(anomalies) {
  const Variable<float> x = zeros<float>({2, 3});
  Parameter<float> w("w", full<float>({3}, 1));
  std::string told;
  // [anomaly]
  const DetectAnomalies detect;
  try {
    Tape<float> tape;
    const auto loss = mean(log(x * w));
    tape.backward(loss);
  } catch (const std::runtime_error& error) {
    told = error.what();  // log: made -inf (forward, [2, 3]), recorded at ...
  }
  // [end]
  BOOST_TEST(told.find("log: made -inf (forward, [2, 3]), recorded ") == 0, told);
}

BOOST_AUTO_TEST_CASE(hooks) {
  Random random(1);
  const nn::Gru<float> cell({.input = 2, .hidden = 3}, random);
  const Variable<float> xs = nn::normal<float>({4, 1, 2}, 1, random);
  std::size_t saturated = 0;
  float largest = 0;
  // [hooks]
  const OnRecord<float> hook([&](const char* op, const Variable<float>& value) {
    if (std::string(op) == "affine") saturated += max(abs(value)).item() > 5 ? 1 : 0;
  });
  Tape<float> tape;
  auto h = nn::unroll(cell, xs).outputs;
  h = on_gradient(h, [&](const Variable<float>& dh) { largest = max(abs(dh)).item(); });
  const auto gradients = tape.backward(mean(square(h)));
  // [end]
  BOOST_TEST(saturated == 0u);
  BOOST_TEST(largest > 0);
}

BOOST_AUTO_TEST_CASE(time_and_memory) {
  const std::string path = (std::filesystem::temp_directory_path() / "rewind_page_trace.json").string();
  Random random(1);
  nn::Lstm<float> lstm({.input = 2, .hidden = 8}, random);
  const Variable<float> xs = nn::normal<float>({10, 4, 2}, 1, random);
  const auto train = [&] {
    Tape<float> tape;
    tape.backward(mean(square(nn::unroll(lstm, xs).outputs)));
  };
  // [profile]
  Profile profile;
  for (int step = 0; step < 3; ++step) train();
  const std::string table = profile.table();  // an op a line: calls, ms forward and backward, MB, share
  profile.write_chrome_trace(path);           // for chrome://tracing or ui.perfetto.dev
  // [end]
  BOOST_TEST(table.find("affine") != std::string::npos, table);
  BOOST_TEST(std::filesystem::file_size(path) > 1000u);
  std::filesystem::remove(path);
  // [summary]
  const std::string text = nn::summary(lstm);
  // [end]
  BOOST_TEST(text.find("weight_hh") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(graph) {
  std::ostringstream file;
  Parameter<float> w("w", full<float>({3}, 1));
  // [dot]
  Tape<float> tape;
  const auto x = tape.watch(full<float>({2, 3}, 1));
  const auto y = tanh(x * w);
  file << dot(tape, {{"x", x}, {w.name(), w}, {"y", y}});  // dot -Tsvg graph.dot > graph.svg
  // [end]
  BOOST_TEST(file.str().find("tanh") != std::string::npos, file.str());
}

BOOST_AUTO_TEST_SUITE_END()
