#include "nn/parameters.hpp"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "nn/safetensors.hpp"
#include "tests/errors.hpp"
#include "tests/folder.hpp"

namespace {

using rw::Parameter;
using rw::nn::Parameters;
using rw::nn::Safetensors;

// A model of two layers.
struct Model {
  Parameter<double> weight{"weight", rw::tensor<double>({2, 2}, {1, 2, 3, 4})};
  Parameter<double> bias{"bias", rw::tensor<double>({2}, {5, 1.0 / 3})};
  Parameters<double> layer() { return {weight, bias}; }
  Parameters<double> parameters() {
    Parameters<double> all;
    all.add("encoder.forward", layer());
    return all;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(parameters)

BOOST_AUTO_TEST_CASE(parameters_have_names) {
  Model model;
  const Parameters<double> all = model.parameters();
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all.elements() == 6u);
  BOOST_TEST(all.begin()->name == "encoder.forward.weight");
  BOOST_TEST(all.find("encoder.forward.bias") == &model.bias);
  BOOST_TEST(all.find("bias") == nullptr);
  BOOST_TEST(&all["encoder.forward.weight"] == &model.weight);
  BOOST_CHECK_EXCEPTION(all["bias"], std::invalid_argument,
                        mentions("parameters: expected the name of a parameter; got bias"));
  const std::vector<Parameter<double>*> list = all;
  BOOST_TEST((list == std::vector<Parameter<double>*>{&model.weight, &model.bias}));
}

BOOST_AUTO_TEST_CASE(parameters_are_there_once) {
  Model a, b;
  Parameters<double> all = a.layer();
  BOOST_CHECK_EXCEPTION(all.add(b.bias), std::invalid_argument,
                        mentions("parameters: expected distinct names; got bias twice"));
  BOOST_CHECK_EXCEPTION(all.add("tied", a.layer()), std::invalid_argument,
                        mentions("parameters: expected each parameter once; got weight and tied.weight"));
  BOOST_CHECK_THROW((Parameters<double>{a.bias, a.bias}), std::invalid_argument);
  BOOST_TEST(all.size() == 2u);
  all.add("other", b.layer());
  BOOST_TEST(all.size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_model_comes_back) {
  const Folder folder;
  const std::string path = folder.file("model");
  Model model, other;
  rw::nn::save(path, model.parameters(), {{"hidden", "2"}});
  BOOST_TEST(rw::nn::read_safetensors(path).metadata.at("hidden") == "2");
  other.weight.assign(rw::zeros<double>({2, 2}));
  other.bias.assign(rw::zeros<double>({2}));
  rw::nn::load(path, other.parameters());
  BOOST_TEST(bool(other.weight.value() == model.weight.value()));
  BOOST_TEST(bool(other.bias.value() == model.bias.value()));

  // A float model reads it too, and is read back.
  Parameter<float> weight("weight", rw::zeros<float>({2, 2})), bias("bias", rw::zeros<float>({2}));
  Parameters<float> rounded;
  rounded.add("encoder.forward", {weight, bias});
  rw::nn::load(path, rounded);
  BOOST_TEST(bias.value().data()[1] == 1.0f / 3);
  rw::nn::save(path, rounded);
  rw::nn::load(path, other.parameters());
  BOOST_TEST(other.bias.value().data()[1] == double(1.0f / 3));
}

BOOST_AUTO_TEST_CASE(a_file_of_another_model_changes_nothing) {
  Model model;
  const Safetensors good = rw::nn::pack(model.parameters());
  const auto refuses = [&](const Safetensors& file, const std::string& text) {
    BOOST_CHECK_EXCEPTION(rw::nn::unpack(file, model.parameters(), "m"), std::runtime_error,
                          mentions("load: m: expected the model's parameters; got " + text));
    BOOST_TEST(bool(model.weight.value() == good.get<double>("encoder.forward.weight")));
  };
  Safetensors file = good;
  file.tensors["encoder.forward.weight"] = rw::zeros<double>({2, 2});
  file.tensors["vocabulary"] = rw::nn::to_bytes("the\nof");
  file.tensors.erase("encoder.forward.bias");
  refuses(file, R"(no "encoder.forward.bias")");
  file.tensors["encoder.forward.bias"] = rw::zeros<double>({3});
  refuses(file, R"("encoder.forward.bias" [3] for [2])");
  file.tensors["encoder.forward.bias"] = rw::tensor<std::int64_t>({2}, {1, 2});
  refuses(file, R"("encoder.forward.bias" of dtype I64)");
  file.tensors["encoder.forward.bias"] = rw::zeros<double>({2});
  file.tensors["decoder.bias"] = rw::zeros<float>({2});
  refuses(file, R"(an unknown "decoder.bias")");
  for (const char* name : {"e", "f", "g", "h", "i"}) file.tensors[name] = rw::zeros<float>({2});
  refuses(file, R"(an unknown "decoder.bias", an unknown "e", an unknown "f", an unknown "g" and 2 more)");
  Safetensors fine = good;
  fine.tensors["vocabulary"] = rw::nn::to_bytes("the\nof");
  rw::nn::unpack(fine, model.parameters(), "m");
}

BOOST_AUTO_TEST_SUITE_END()
