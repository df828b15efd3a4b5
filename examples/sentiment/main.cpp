// Learns to classify texts, as praise or blame, with a recurrent network that reads them in both directions, beside
// logistic regression on their words.
//
//     sentiment                          verdicts of a grammar, ten seconds: 100 %, where words alone give 54 %
//     sentiment train --train reviews.tsv --test others.tsv        `label TAB text` a line
//     sentiment train --train sst/train.txt --test sst/dev.txt --phrases     trees of the Stanford Sentiment Treebank
//     echo 'not bad at all' | sentiment classify                   a label, its probability and the text a line

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "autograd/blas.hpp"
#include "examples/app/files.hpp"
#include "examples/app/picture.hpp"
#include "examples/app/program.hpp"
#include "examples/sentiment/train.hpp"

namespace {

using namespace sentiment;

struct Flags {
  app::Common common;
  std::string train, valid, test, cell = "lstm", pooling = "mean", model = "sentiment.safetensors",
                                  picture = "sentiment.svg";
  Columns columns;
  std::size_t least = 2;
  bool phrases = false;
  Settings settings;
  TrainSettings training;
};

/// Drops and counts texts of labels that are not learnt, where we held them out ourselves; refuses such a file.
std::size_t drop_unknown(std::vector<Example>& part, const std::string& path, const std::vector<Example>& train) {
  const std::vector<std::string> labels = labels_of(train);
  const auto unknown = [&](const Example& example) {
    return !std::binary_search(labels.begin(), labels.end(), example.label);
  };
  if (path.empty()) return std::erase_if(part, unknown);
  const auto found = std::find_if(part.begin(), part.end(), unknown);
  if (found == part.end()) return 0;
  std::string all;
  for (const std::string& label : labels) all += (all.empty() ? "" : ", ") + label;
  app::bad_file(path, "the labels of the training texts (" + app::shown(all) + ")", app::shown(found->label));
}

Parts parts_of(const Flags& flags) {
  if (flags.train.empty()) return flags.common.smoke ? verdicts(1500, 300) : verdicts(3000, 1000);
  Parts parts;
  const auto read = [&](const std::string& path) {
    std::vector<Example> examples = read_examples(path, flags.columns);
    if (drop_header(examples, labels_of(parts.train))) {
      app::say(flags.common, "%s: the first line is taken as a header\n", path.c_str());
    }
    return examples;
  };
  rw::Random random(flags.common.seed);
  parts.train = read(flags.train);
  const std::size_t count = parts.train.size();
  if (!flags.test.empty()) parts.test = read(flags.test);
  if (!flags.valid.empty()) parts.valid = read(flags.valid);
  if (flags.test.empty()) hold_out(parts.train, count / 5, parts.test, random);
  if (flags.valid.empty()) hold_out(parts.train, count / 10, parts.valid, random);
  if (flags.phrases) parts.train = with_phrases(parts.train);

  const std::size_t dropped =
      drop_unknown(parts.test, flags.test, parts.train) + drop_unknown(parts.valid, flags.valid, parts.train);
  if (dropped > 0) {
    app::say(flags.common, "%zu of the texts held out are dropped: no text to learn from has their label\n", dropped);
  }
  if (parts.train.empty() || parts.valid.empty() || parts.test.empty()) {
    throw std::runtime_error(
        "train: expected at least 10 texts, of labels that occur twice or more, or files for all parts; got " +
        std::to_string(count));
  }
  return parts;
}

void draw(const Flags& flags, const Curve& network, const Curve& words) {
  std::vector<plot::Curve> curves{{flags.cell, {}, network.accuracy}, {"bag of words", {}, words.accuracy}};
  for (plot::Curve& curve : curves) {
    for (std::size_t i = 0; i < curve.y.size(); ++i) curve.x.push_back(double(i + 1)), curve.y[i] *= 100;
  }
  const plot::Axes axes{.title = "Accuracy on the validation set", .x = "epoch", .y = "%"};
  app::draw(flags.common, flags.picture, {{axes, curves}});
}

std::string percent(const Scores& scores) {
  const Interval interval = wilson(scores.right, scores.all);
  char text[64];
  std::snprintf(text, sizeof text, "%.1f %% (%.1f to %.1f)", 100 * scores.accuracy(), 100 * interval.low,
                100 * interval.high);
  return text;
}

int run_train(const Flags& flags) {
  app::check_writable(flags.model, "the model");
  const Parts parts = parts_of(flags);
  const Vocabulary vocabulary(parts.train, flags.least);
  if (vocabulary.labels.size() < 2) {
    throw std::runtime_error("train: expected texts of at least two labels; got " + vocabulary.labels.front() +
                             " alone");
  }
  const Sets sets{encode(parts.train, vocabulary), encode(parts.valid, vocabulary), encode(parts.test, vocabulary)};
  Settings settings = flags.settings;
  settings.vocabulary = vocabulary.size();
  settings.classes = vocabulary.labels.size();
  settings.cell = flags.cell == "lstm" ? Cell::lstm : Cell::gru;
  settings.pooling = flags.pooling == "mean" ? Pooling::mean : Pooling::last;
  rw::Random random(flags.common.seed);
  const auto network = make_network(settings, random), words = make_bag_of_words(settings, random);
  app::say(flags.common,
           "%zu texts to learn from, %zu to validate on, %zu to test; %zu labels, %zu words; %zu parameters\n",
           sets.train.size(), sets.valid.size(), sets.test.size(), settings.classes, vocabulary.words.size(),
           network->parameters().elements());

  app::Log log(flags.common.log);
  TrainSettings of_words = flags.training;
  of_words.learning_rate = 1e-2;
  const Curve words_curve = fit(*words, sets, of_words, "bag of words", flags.common, log);
  if (!words_curve.finished) {
    app::say(flags.common, "stopped in the bag of words; no model yet\n");
    return app::stopped;
  }
  const Curve curve = fit(*network, sets, flags.training, flags.cell.c_str(), flags.common, log);
  save(flags.model, *network, settings, vocabulary);
  app::say(flags.common, "%s saved to %s\n", curve.finished ? "best model" : "stopped; the best model so far",
           flags.model.c_str());
  if (!curve.finished) return app::stopped;
  draw(flags, curve, words_curve);
  std::printf("test accuracy %s; bag of words %s; 95 %% intervals\n", percent(score(*network, sets.test)).c_str(),
              percent(score(*words, sets.test)).c_str());
  return 0;
}

int run_classify(const std::string& path) {
  const Loaded model = load(path);
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const rw::Tensor<float> p = probabilities(*model.network, {Item{numbers(words_of(line), model.vocabulary)}});
    const float* best = std::max_element(p.data(), p.data() + p.size());
    std::printf("%s\t%.3f\t%s\n", model.vocabulary.labels[std::size_t(best - p.data())].c_str(), *best, line.c_str());
    std::fflush(stdout);
  }
  return 0;
}

CLI::App* add_train(CLI::App& app, Flags& flags) {
  CLI::App& command = *app.add_subcommand("train", "train a model; what is done without a command");
  command.add_option("--train", flags.train, "file to learn from, here or in $REWIND_DATA; without it verdicts");
  command.add_option("--valid", flags.valid, "file that chooses the best model; without it a tenth of the texts")
      ->needs("--train");
  command.add_option("--test", flags.test, "file for the result; without it a fifth of the texts")->needs("--train");
  app::add_count(command, "--label-column", flags.columns.label, "where the labels stand", 1000);
  app::add_count(command, "--text-column", flags.columns.text, "where the texts stand", 1000);
  command.add_flag("--phrases", flags.phrases, "learn from the labelled phrases of trees as well");
  command.add_option("--model", flags.model, "where the model goes")->capture_default_str();
  command.add_option("--cell", flags.cell, "recurrent cell")
      ->check(CLI::IsMember({"lstm", "gru"}))
      ->capture_default_str();
  command.add_option("--pooling", flags.pooling, "of the outputs of all words")
      ->check(CLI::IsMember({"mean", "last"}))
      ->capture_default_str();
  Settings& settings = flags.settings;
  TrainSettings& training = flags.training;
  app::add_count(command, "--least", flags.least, "words seen less often count as unknown", 1000000);
  app::add_count(command, "--embedding", settings.embedding, "width of a word", 4096);
  app::add_count(command, "--hidden", settings.hidden, "width of each direction", 4096);
  app::add_number(command, "--dropout", settings.dropout, "share of units left out of a step", 0, 0.95);
  app::add_count(command, "--epochs", training.epochs, "passes over the texts, at most", 100000);
  app::add_count(command, "--patience", training.patience, "stop after so many epochs without progress", 100000);
  app::add_count(command, "--batch", training.batch, "texts a step", 4096);
  app::add_number(command, "--learning-rate", training.learning_rate, "Adam's", 0, 10);
  app::add_picture(command, flags.picture, "accuracy after each epoch");
  return &command;
}

void shrink(Flags& flags, const CLI::App& train) {
  app::smaller(train, "--embedding", flags.settings.embedding, 24);
  app::smaller(train, "--hidden", flags.settings.hidden, 24);
  app::smaller(train, "--batch", flags.training.batch, 16);
  app::smaller(train, "--learning-rate", flags.training.learning_rate, 1e-2);
  app::smaller(train, "--dropout", flags.settings.dropout, 0.1);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Learns to classify texts with a recurrent network, beside logistic regression on their words.\n\n"
      "  sentiment                                          verdicts of a grammar, ten seconds\n"
      "  sentiment train --train reviews.tsv                `label TAB text` a line\n"
      "  echo 'not bad at all' | sentiment classify         a label, its probability and the text a line"};
  app.name("sentiment");
  app.fallthrough();
  app.require_subcommand(0, 1);
  Flags flags;
  app::add_common(app, flags.common, "a small network and fewer verdicts, in seconds");
  CLI::App* train = add_train(app, flags);
  CLI::App* classify = app.add_subcommand("classify", "classify lines of standard input");
  classify->add_option("--model", flags.model, "model file")->capture_default_str();
  app.footer("sentiment COMMAND --help tells the flags of a command.");

  return app::run(app, argc, argv, [&]() -> int {
    rw::set_gemm_threads(1);
    if (*classify) return run_classify(flags.model);
    if (flags.common.smoke) shrink(flags, *train);
    return run_train(flags);
  });
}
