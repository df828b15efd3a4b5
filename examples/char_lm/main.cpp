// Learns to write from a text file, byte by byte, and says how well: in bits per character of a part that was held out,
// beside the best n-gram model.
//
//     char_lm                                    stories of a grammar, 20 to 90 s: 0.31 bits per character, where
//                                                the best n-gram needs 0.39 and the grammar itself 0.21
//     char_lm train --text play.txt              the last tenth is held out; after Ctrl-C --resume goes on
//     char_lm sample --prompt 'ROMEO:' --temperature 0.8
//     char_lm evaluate --text other.txt
//
// Texts are read as bytes, so that every text in UTF-8 will do and no character is unknown; bits are those of all bytes
// divided by the number of code points.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "autograd/blas.hpp"
#include "examples/app/files.hpp"
#include "examples/app/picture.hpp"
#include "examples/app/program.hpp"
#include "examples/char_lm/ngram.hpp"
#include "examples/char_lm/sample.hpp"
#include "examples/char_lm/train.hpp"

namespace {

using namespace char_lm;

constexpr std::size_t bundled = 4000, smoke = 600;  // stories to learn from
constexpr std::size_t counted = 8 << 20;  // the last bytes of a text, for n-grams take many times their memory

struct Flags {
  app::Common common;
  std::string text, valid, test, cell = "lstm", model = "char_lm.safetensors", picture = "char_lm.svg";
  std::size_t order = 7;  // n-grams up to this
  Settings settings;
  TrainSettings training;
  SampleOptions sample{.length = 300, .temperature = 0.8};
};

void shrink(Flags& flags, const CLI::App& train) {
  app::smaller(train, "--embedding", flags.settings.embedding, 16);
  app::smaller(train, "--hidden", flags.settings.hidden, 64);
  app::smaller(train, "--window", flags.training.window, 32);
  app::smaller(train, "--learning-rate", flags.training.learning_rate, 1e-2);
  flags.order = 3;
}

Parts parts_of(const Flags& flags) {
  if (flags.text.empty()) return stories(flags.common.smoke ? smoke : bundled);
  return read_parts(flags.text, flags.valid, flags.test);
}

void draw(const Flags& flags, const Trained& trained, double ngram, double source) {
  plot::Curve train{"learning", {}, trained.train_bits}, valid{"validation", {}, trained.valid_bits};
  const auto end = double(valid.y.size());
  for (plot::Curve* curve : {&train, &valid}) {
    const auto points = double(curve->y.size());
    for (double i = 1; i <= points; ++i) curve->x.push_back(i * end / points);
  }
  std::vector<plot::Curve> curves{train, valid, {"n-gram", {0, end}, {ngram, ngram}}};
  if (source > 0) curves.push_back({"the source", {0, end}, {source, source}});
  const plot::Axes axes{.title = "What a character costs", .x = "epoch", .y = "bits per character"};
  app::draw(flags.common, flags.picture, {{axes, curves}});
}

template <class C>
int run_train(const Flags& flags) {
  const Parts parts = parts_of(flags);
  const Trained trained = train<C>(parts, flags.settings, flags.training, flags.common);
  if (!trained.finished) return app::stopped;

  const Model<C> best = File(flags.model).model<C>();
  const auto test_characters = static_cast<double>(characters(parts.test));
  const double network = bits(best, parts.test) / test_characters;  // first, for n-grams need the most memory
  const bool cut = parts.train.size() > counted;
  const NGram ngrams(cut ? parts.train.substr(parts.train.size() - counted) : parts.train, flags.order);
  const std::size_t order = ngrams.best_order(parts.valid);
  const double ngram = ngrams.bits(parts.test, order) / test_characters;
  const double source = parts.source_bits / test_characters;
  if (flags.sample.length > 0) {
    rw::Random random(flags.common.seed);
    app::say(flags.common, "\n%s\n\n", sample(best, flags.sample, random).c_str());
  }
  draw(flags, trained, ngram, source);
  app::say(flags.common, "best model saved to %s\n", flags.model.c_str());
  std::printf("test %.3f bits per character; %zu-gram%s %.3f", network, order, cut ? " of the last 8 MiB" : "", ngram);
  if (source > 0) std::printf("; the source %.3f", source);
  std::printf("\n");
  return 0;
}

template <class C>
int run_sample(const Flags& flags, const File& file) {
  rw::Random random(flags.common.seed);
  std::printf("%s%s\n", flags.sample.prompt.c_str(), sample(file.model<C>(), flags.sample, random).c_str());
  return 0;
}

template <class C>
int run_evaluate(const Flags& flags, const File& file) {
  const std::string text = flags.text.empty() ? parts_of(flags).test : app::read_data(flags.text);
  const std::size_t count = characters(text);
  std::printf("%.3f bits per character, %zu characters\n", bits(file.model<C>(), text) / double(count), count);
  return 0;
}

void add_sample_flags(CLI::App& command, SampleOptions& options, const char* length) {
  app::add_count(command, length, options.length, "characters to write", 1000000, 0);
  app::add_number(command, "--temperature", options.temperature, "below 1 likelier, above 1 wilder; 0: the most likely",
                  0, 100);
  app::add_count(command, "--top-k", options.top_k, "only the k most likely bytes; 0: all", 256, 0);
  app::add_number(command, "--top-p", options.top_p, "only the most likely bytes of this probability together", 0, 1);
  command.add_option("--prompt", options.prompt, "what to go on from");
}

CLI::App* add_train(CLI::App& app, Flags& flags) {
  CLI::App* command = app.add_subcommand("train", "train a model; what is done without a command");
  command->add_option("--text", flags.text, "file to learn from, here or in $REWIND_DATA; without it stories");
  command->add_option("--valid", flags.valid, "file that chooses the best model; without it a twentieth of the text")
      ->needs("--text");
  command->add_option("--test", flags.test, "file for the result; without it the last twentieth of the text")
      ->needs("--text");
  command->add_option("--model", flags.model, "where the model goes; the run goes beside it")->capture_default_str();
  command->add_flag("--resume", flags.training.resume, "go on with a run that was stopped");
  command->add_option("--cell", flags.cell, "recurrent cell")
      ->check(CLI::IsMember({"lstm", "gru"}))
      ->capture_default_str();
  Settings& settings = flags.settings;
  TrainSettings& training = flags.training;
  app::add_count(*command, "--embedding", settings.embedding, "width of a byte", 4096);
  app::add_count(*command, "--hidden", settings.hidden, "width of a layer; of the stories 128", 8192);
  app::add_count(*command, "--layers", settings.layers, "layers over one another", most_layers);
  app::add_count(*command, "--epochs", training.epochs, "passes over the text", 100000);
  app::add_count(*command, "--batch", training.batch, "stretches of the text read side by side", 4096);
  app::add_count(*command, "--window", training.window, "steps that a gradient goes back", 10000);
  app::add_number(*command, "--dropout", settings.dropout, "share of units left out of a step", 0, 0.95);
  app::add_number(*command, "--learning-rate", training.learning_rate, "Adam's, at first", 0, 10);
  app::add_number(*command, "--clip", training.clip, "largest norm of the gradients", 1e-6, 1e6);
  app::add_picture(*command, flags.picture, "bits per character after each epoch");
  add_sample_flags(*command, flags.sample, "--sample");
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Learns to write from a text file, byte by byte, and says how many bits a character costs.\n\n"
      "  char_lm                                   stories of a grammar, 20 to 90 s\n"
      "  char_lm train --text play.txt             the last tenth is held out\n"
      "  char_lm train --text play.txt --resume    go on after Ctrl-C\n"
      "  char_lm sample --prompt 'ROMEO:'          write\n"
      "  char_lm evaluate --text other.txt         bits per character of another text"};
  app.name("char_lm");
  app.fallthrough();
  app.require_subcommand(0, 1);
  Flags flags;
  app::add_common(app, flags.common, "a small model of few stories, in seconds");
  CLI::App* train_command = add_train(app, flags);
  CLI::App* sample_command = app.add_subcommand("sample", "write with a model");
  sample_command->add_option("--model", flags.model, "model file")->capture_default_str();
  add_sample_flags(*sample_command, flags.sample, "--length");
  CLI::App* evaluate_command = app.add_subcommand("evaluate", "bits per character of a text");
  evaluate_command->add_option("--model", flags.model, "model file")->capture_default_str();
  evaluate_command->add_option("--text", flags.text, "file; without it stories that were not learnt");
  app.footer("char_lm COMMAND --help tells the flags of a command.");

  return app::run(app, argc, argv, [&]() -> int {
    rw::set_gemm_threads(1);
    if (*sample_command || *evaluate_command) {
      const File file(flags.model);
      const bool lstm = file.cell == name_of<Lstm>;
      if (*sample_command) return lstm ? run_sample<Lstm>(flags, file) : run_sample<Gru>(flags, file);
      return lstm ? run_evaluate<Lstm>(flags, file) : run_evaluate<Gru>(flags, file);
    }
    if (flags.text.empty()) app::smaller(*train_command, "--hidden", flags.settings.hidden, 128);
    if (flags.common.smoke) shrink(flags, *train_command);
    flags.training.path = flags.model;
    return flags.cell == name_of<Lstm> ? run_train<Lstm>(flags) : run_train<Gru>(flags);
  });
}
