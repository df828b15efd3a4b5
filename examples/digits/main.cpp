// Reads images of digits pixel by pixel, as a sequence of 64 or 784 steps, and says which digit it was at the end.
//
//     digits                                    4000 drawn digits of 8x8 pixels
//     REWIND_DATA=DIR digits                    DIR/optdigits: 8x8 handwriting of other writers than in training
//     REWIND_DATA=DIR digits --data mnist10k --by-row
//     digits --images train.idx --labels labels.idx --cell lstm --model digits.safetensors
//
// Right on two cores, in brackets by the nearest mean: drawn digits 98 % (73 %) in 4 s; optdigits 95 % (90 %), with
// --epochs 100 97 %; mnist10k by row 98 % (82 %), pixel by pixel with --epochs 36 91 % in two to four minutes.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <numeric>

#include "autograd/blas.hpp"
#include "examples/app/files.hpp"
#include "examples/app/fit.hpp"
#include "examples/app/nearest_mean.hpp"
#include "examples/app/picture.hpp"
#include "examples/digits/data.hpp"
#include "examples/digits/model.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"

namespace {

using namespace digits;

struct Flags {
  app::Common common;
  Sources sources;
  ModelSettings model;
  app::FitOptions fit{.epochs = 30, .batch = 32, .learning_rate = 4e-3};
  std::string picture = "digits.svg";
  bool by_row = false, test_only = false;
};

std::vector<std::size_t> range(std::size_t begin, std::size_t end) {
  std::vector<std::size_t> all(end - begin);
  std::iota(all.begin(), all.end(), begin);
  return all;
}

/// The share of images that the model takes for another digit.
double error(const Classifier& model, const Images& images, bool by_row) {
  constexpr std::size_t at_once = 200;
  std::size_t wrong = 0;
  for (std::size_t begin = 0; begin < images.size(); begin += at_once) {
    const auto chosen = range(begin, std::min(images.size(), begin + at_once));
    const rw::Tensor<float> scores = model.logits(sequences(images, chosen, by_row)).value();
    const std::size_t classes = scores.shape()[1];
    for (std::size_t b = 0; b < chosen.size(); ++b) {
      const float* row = scores.data() + b * classes;
      wrong += std::max_element(row, row + classes) - row != images.labels[chosen[b]];
    }
  }
  return static_cast<double>(wrong) / static_cast<double>(images.size());
}

double baseline_error(const Data& data) {
  const app::NearestMean nearest(data.train.pixels, data.train.labels);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < data.test.size(); ++i) wrong += nearest(data.test.pixels[i]) != data.test.labels[i];
  return static_cast<double>(wrong) / static_cast<double>(data.test.size());
}

app::Task task_of(const Data& data, const Classifier& model, bool by_row) {
  const auto loss = [&data, &model, by_row](std::span<const std::size_t> chosen, rw::Random&) {
    rw::Indices targets = rw::empty<std::int64_t>({chosen.size()});
    for (std::size_t b = 0; b < chosen.size(); ++b) targets.data()[b] = data.train.labels[chosen[b]];
    return sum(rw::nn::cross_entropy_rows(model.logits(sequences(data.train, chosen, by_row)), targets));
  };
  return {.rows = data.train.size(),
          .loss = loss,
          .error = [&data, &model, by_row] { return error(model, data.valid, by_row); },
          .after_step = model.after_step};
}

void draw(const std::vector<app::Epoch>& curve, const Flags& flags, const std::string& data) {
  plot::Curve errors{"images held out", {}, {}};
  for (std::size_t e = 0; e < curve.size(); ++e) {
    errors.x.push_back(static_cast<double>(e + 1));
    errors.y.push_back(100 * curve[e].error);
  }
  const plot::Axes axes{
      .title = flags.model.cell + " reads " + data + (flags.by_row ? " row by row" : " pixel by pixel"),
      .x = "epoch",
      .y = "wrong, %"};
  app::draw(flags.common, flags.picture, {{axes, {errors}}});
}

int digits_main(Flags flags) {
  rw::set_gemm_threads(1);
  flags.sources.smoke = flags.common.smoke;
  if (flags.common.smoke) flags.by_row = true;
  rw::Random random(flags.common.seed);
  const Data data = load(flags.sources, random.split());
  ModelSettings& settings = flags.model;
  rw::nn::Safetensors trained;
  if (flags.test_only) {
    trained = app::read_model(flags.fit.model, format_name, "digits --model");
    settings = settings_of(trained, flags.fit.model);
    flags.by_row = settings.input > 1;
  }
  settings.classes = data.classes;
  settings.input = flags.by_row ? data.train.columns : 1;
  settings.steps = data.train.rows * data.train.columns / settings.input;
  if (settings.layers == 0) settings.layers = settings.cell == "indrnn" ? 3 : 1;
  const Classifier model = make_classifier(settings, random);
  app::say(flags.common, "%s: %zu to learn from, %zu held out, %zu to test; %zu steps, %s of %zu numbers\n",
           data.name.c_str(), data.train.size(), data.valid.size(), data.test.size(), settings.steps,
           settings.cell.c_str(), model.parameters.elements());
  if (flags.test_only) {
    rw::nn::unpack(trained, model.parameters, flags.fit.model);
  } else {
    flags.fit.metadata = {{"format", format_name}, {"cell", settings.cell}};
    const auto curve = app::fit(flags.common, flags.fit, model.parameters, task_of(data, model, flags.by_row));
    if (curve.empty()) return app::stopped;  // in the first epoch
    draw(curve, flags, data.name);
  }
  std::printf("right %.1f %% of %zu test images (nearest mean %.1f %%)\n",
              100 - 100 * error(model, data.test, flags.by_row), data.test.size(), 100 - 100 * baseline_error(data));
  return app::interrupted() ? app::stopped : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App flags{
      "Classifies images of digits by a recurrent network that reads them pixel by pixel.\n"
      "  digits                          drawn digits of 8x8 pixels\n"
      "  REWIND_DATA=DIR digits          DIR/optdigits, or DIR/mnist10k with --data mnist10k\n"
      "  digits --images a.csv           lines of pixels and a class\n"
      "  digits --images a.idx --labels b.idx --cell lstm"};
  flags.name("digits");
  Flags f;
  app::add_common(flags, f.common, "1600 drawn digits row by row, to see that it runs");
  auto* images = flags.add_option("--images", f.sources.images,
                                  "IDX, plain or .gz, with --labels; else CSV: pixels, then the class");
  flags.add_option("--labels", f.sources.labels, "IDX")->needs(images);
  auto* test =
      flags.add_option("--test-images", f.sources.test_images, "default: a fifth of the images")->needs(images);
  flags.add_option("--test-labels", f.sources.test_labels, "IDX")->needs(test);
  flags.add_option("--data", f.sources.data, "data set; default: optdigits where REWIND_DATA is set, else drawn")
      ->check(CLI::IsMember({"drawn", "optdigits", "mnist10k"}))
      ->excludes(images);
  app::add_count(flags, "--limit", f.sources.limit, "learn from so many images; 0: all", 1000000000, 0);
  auto* cell = flags.add_option("--cell", f.model.cell, "recurrent cell")
                   ->check(CLI::IsMember({"irnn", "indrnn", "gru", "lstm"}))
                   ->capture_default_str();
  auto* hidden = app::add_count(flags, "--hidden", f.model.hidden, "units of a layer", most_hidden);
  f.model.layers = 0;
  auto* layers =
      flags.add_option("--layers", f.model.layers, "default: 3 for indrnn, else 1")->check(CLI::Range(1, 16));
  auto* by_row = flags.add_flag("--by-row", f.by_row, "a row of pixels a step, not a pixel");
  app::add_count(flags, "--epochs", f.fit.epochs, "over the images", 100000);
  app::add_count(flags, "--batch", f.fit.batch, "images a step", 65536);
  app::add_number(flags, "--learning-rate", f.fit.learning_rate, "the highest", 0, 1);
  app::add_number(flags, "--clip", f.fit.clip, "gradients longer than this are shortened", 1e-6, 1e6);
  auto* model = flags.add_option("--model", f.fit.model, "file for the weights of the best epoch");
  flags.add_flag("--test-only", f.test_only, "learn nothing: test the model in --model, whose settings it has")
      ->needs(model)
      ->excludes(cell, hidden, layers, by_row);
  app::add_picture(flags, f.picture, "learning curve");
  return app::run(flags, argc, argv, [&] { return digits_main(f); });
}
