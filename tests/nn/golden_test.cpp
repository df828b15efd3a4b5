#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/nn/golden_case.hpp"
#include "tests/nn/golden_losses.hpp"
#include "tests/optim/golden_optimizers.hpp"

// Reference values of PyTorch, Keras and ONNX: a folder of safetensors files, one case each, which says in its metadata
// what it is. The test reads tests/golden, or the folder that REWIND_GOLDEN or the arguments `-- --golden DIR` name.
// A case of a kind that it does not know is a failure.

namespace {

namespace fs = std::filesystem;
using golden::Case;
using golden::Unknown;
using rw::Gradients;
using rw::Indices;
using rw::Parameter;
using rw::Tape;
using rw::Tensor;
using rw::nn::Safetensors;
using V = rw::Variable<double>;

void check_embedding(Case& c) {
  const auto padding = static_cast<std::int64_t>(c.number("padding_idx"));
  c.refuse_other_options();
  rw::Random random(1);
  rw::nn::Embedding<double> embedding(
      {.vocabulary = c["weight"].shape(0), .dimension = c["weight"].shape(1), .padding = padding}, random);
  embedding.weight.assign(c["weight"]);
  Tape<double> tape;
  const V value = embedding(c.indices("ids"));
  c.compare("value", value);
  c.compare("grad.weight", tape.backward(sum(V(c["cotangent"]) * value))[embedding.weight]);
  c.finish({"value"});
}

Gradients<double> gradients(const Parameter<double>& p, const V& value) {
  Gradients<double> g;
  rw::GradientSum<double> sum;
  sum.add(value);
  sum.settle();
  g.insert(p.place(), std::move(sum));
  return g;
}

void check_clip(Case& c) {
  const double limit = c.number("max");
  c.refuse_other_options();
  std::vector<Parameter<double>> parameters;
  Gradients<double> all;
  for (std::size_t i = 0; c.has("g" + std::to_string(i)); ++i) {
    const Tensor<double>& g = c["g" + std::to_string(i)];
    all += gradients(parameters.emplace_back("p", g), V(g));
  }
  c.compare("norm", V(rw::scalar(rw::optim::clip_global_norm(all, limit))));
  std::set<std::string> results{"norm"};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string out = "out" + std::to_string(i);
    c.compare(out, all[parameters[i]]);
    results.insert(out);
  }
  c.finish(results);
}

void check_layer_norm(Case& c) {
  const double epsilon = c.number("eps");
  c.refuse_other_options();
  Tape<double> tape;
  const V x = tape.watch(c["input"]), gain = tape.watch(c["weight"]), shift = tape.watch(c["bias"]);
  const V value = layer_norm(x, gain, shift, epsilon);
  c.compare("value", value);
  const auto g = tape.backward(sum(V(c["cotangent"]) * value));
  c.compare("grad.input", g[x]);
  c.compare("grad.weight", g[gain]);
  c.compare("grad.bias", g[shift]);
  c.finish({"value"});
}

void check(Case& c) {
  const std::string& kind = c.kind();
  if (kind.rfind("layer ", 0) == 0) return golden::check_layer(c);
  if (kind.rfind("foreign ", 0) == 0) return golden::check_foreign(c);
  if (kind.rfind("state ", 0) == 0) return golden::check_state(c);
  if (kind == "loss layer_norm") return check_layer_norm(c);
  if (kind == "loss embedding") return check_embedding(c);
  if (kind.rfind("loss ", 0) == 0) return golden::check_loss(c);
  if (kind.rfind("optimiser ", 0) == 0) return golden::check_optimizer(c);
  if (kind == "clip norm") return check_clip(c);
  throw Unknown{kind};
}

const fs::path own = fs::path(TESTS_DIR) / "golden";

fs::path folder() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  for (int i = 1; i + 1 < suite.argc; ++i) {
    if (std::string(suite.argv[i]) == "--golden") return suite.argv[i + 1];
  }
  const char* named = std::getenv("REWIND_GOLDEN");
  return named != nullptr ? fs::path(named) : own;
}

Case load(const fs::path& path) { return {path.stem(), rw::nn::read_safetensors(path)}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(golden)

BOOST_AUTO_TEST_CASE(equals_the_reference) {
  BOOST_REQUIRE_MESSAGE(fs::is_directory(folder()), "expected a folder of golden files; got " << folder());
  std::set<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder())) paths.insert(entry.path());
  std::size_t cases = 0;
  double worst = 0;
  for (const fs::path& path : paths) {
    const std::string name = path.filename();
    if (path.extension() == ".py") continue;  // how the others were made
    try {
      if (path.extension() != ".safetensors") throw Unknown{"another kind of file"};
      Case c = load(path);
      check(c);
      for (const std::string& fault : c.faults()) BOOST_ERROR(name + ": " + fault);
      worst = std::max(worst, c.worst());
      ++cases;
    } catch (const Unknown& e) {
      BOOST_ERROR(name + ": not known: " + e.what);
    } catch (const std::exception& e) {
      BOOST_ERROR(name + ": " + e.what());
    }
  }
  BOOST_TEST(cases > 0u, "no case in " << folder());
  std::cout << cases << " cases, worst relative error " << worst << std::endl;
}

// What the test would say of a file that is slightly wrong, incomplete or of another kind.
BOOST_AUTO_TEST_CASE(sees_what_is_wrong) {
  const auto faults = [](Safetensors file) {
    Case c("case", std::move(file));
    check(c);
    return c.faults();
  };
  const Safetensors good = rw::nn::read_safetensors(own / "gru_bidirectional.safetensors");
  BOOST_TEST(faults(good).empty());
  for (const auto& [name, value] : good.tensors) {
    if (name.rfind("cotangent.", 0) == 0) continue;
    Safetensors bad = good;
    Tensor<double>& tensor = std::get<Tensor<double>>(bad.tensors[name]);
    tensor.data()[tensor.size() - 1] += 1e-7;
    BOOST_TEST(!faults(bad).empty(), name);
  }
  Safetensors more = good;
  more.tensors["grad.weight_hr_l0"] = rw::zeros<double>({1});
  BOOST_TEST(faults(more) == std::vector<std::string>{"grad.weight_hr_l0 was not compared"},
             boost::test_tools::per_element());

  const auto refused = [&](const std::string& key, const std::string& value, const std::string& what) {
    Safetensors other = good;
    other.metadata[key] = value;
    BOOST_CHECK_EXCEPTION(faults(other), Unknown, [&](const Unknown& e) { return e.what == what; });
  };
  refused("kind", "ran", "layer ran");
  refused("case", "tree", "tree gru");
  refused("layers", "2", "layer gru: layers 2");
  refused("bias", "0", "layer gru: bias 0");
  refused("nonlinearity", "relu", "layer gru: nonlinearity relu");
  refused("peephole", "1", "layer gru: peephole");
}

BOOST_AUTO_TEST_SUITE_END()
