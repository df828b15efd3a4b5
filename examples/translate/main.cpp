// Learns to translate from sentence pairs, and translates.
//
//     translate train                              the bundled English-French corpus, a minute or two
//     translate train --corpus pairs.tsv           one `source TAB target` a line
//     mpirun -n 2 translate train --threads 1      shared out among processes
//     translate evaluate --model M --test F        ends with BLEU, chrF and exact matches
//     translate --model M                          a prompt, or one sentence a line from standard input

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>

#include "autograd/blas.hpp"
#include "examples/app/program.hpp"
#include "examples/translate/corpus.hpp"
#include "examples/translate/evaluate.hpp"
#include "examples/translate/grammar.hpp"
#include "examples/translate/train.hpp"
#include "examples/translate/unicode.hpp"

namespace {

using namespace translate;

constexpr std::uint64_t bundled_seed = 1;

volatile std::sig_atomic_t interrupted = 0;

struct TrainFlags {
  app::Common common;
  std::string corpus, valid, model = "translator.safetensors", precision = "float";
  bool resume = false;
  std::size_t pairs = 20000;
  std::optional<std::size_t> epochs, hidden;  // the bundled corpus wants fewer of both
  ModelSettings settings;
  TrainSettings training;
};

struct EvaluateFlags {
  std::string model = "translator.safetensors", test;
  BeamOptions beam;
  bool lowercase = false;
  std::size_t show = 0;
};

std::vector<Pair> read_corpus(const std::string& path, bool tell = true) {
  Corpus corpus = read_pairs(path);
  if (tell && !corpus.problems.empty())
    std::fprintf(stderr, "%s: %s\n", path.c_str(), corpus.problems.describe().c_str());
  return std::move(corpus.pairs);
}

// Every fortieth source, at most 500, with all its translations.
void hold_out(std::vector<Pair>& pairs, std::vector<Pair>& valid) {
  std::vector<Pair> rest;
  std::size_t n = 0;
  for (const Sentence& sentence : group_by_source(pairs)) {
    std::vector<Pair>& to = n++ % 40 == 39 && valid.size() < 500 ? valid : rest;
    for (const std::string& reference : sentence.references) to.push_back({sentence.source, reference});
  }
  if (valid.empty()) valid.push_back(rest.back());
  pairs = std::move(rest);
}

int run_train(TrainFlags& flags, rw::optim::Ranks& ranks) {
  std::vector<Pair> pairs, valid;
  const bool bundled = flags.corpus.empty();
  flags.training.seed = flags.common.seed;
  flags.training.threads = flags.common.threads;
  flags.training.epochs = flags.epochs.value_or(flags.common.smoke ? 1 : bundled ? 4 : 10);
  flags.settings.hidden = flags.hidden.value_or(flags.common.smoke ? 32 : bundled ? 128 : 256);
  if (bundled) {
    Bundle bundle = bundled_corpus(bundled_seed, {.train = flags.pairs});
    pairs = std::move(bundle.train);
    valid = std::move(bundle.valid);
  } else {
    pairs = read_corpus(flags.corpus, ranks.first());
  }
  if (!flags.valid.empty()) valid = read_corpus(flags.valid, ranks.first());
  if (valid.empty()) hold_out(pairs, valid);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });  // mpirun sends SIGTERM
  const TrainFiles files{
      .model = flags.model, .log = flags.common.log, .resume = flags.resume, .quiet = flags.common.quiet};
  const auto& train_in = flags.precision == "double" ? train<double> : train<float>;
  return train_in(pairs, valid, flags.settings, flags.training, files, ranks, interrupted) ? 0 : app::stopped;
}

void run_corpus(const std::string& folder) {
  std::filesystem::create_directories(folder);
  const Bundle bundle = bundled_corpus(bundled_seed);
  write_pairs(std::filesystem::path(folder) / "train.tsv", bundle.train);
  write_pairs(std::filesystem::path(folder) / "valid.tsv", bundle.valid);
  write_pairs(std::filesystem::path(folder) / "test.tsv", bundle.test);
}

void run_evaluate(const EvaluateFlags& flags) {
  const Translator translator = load_translator(flags.model);
  const std::vector<Sentence> sentences =
      group_by_source(flags.test.empty() ? bundled_corpus(bundled_seed).test : read_corpus(flags.test));
  const Evaluation result = evaluate(translator, sentences, flags.beam, {.lowercase = flags.lowercase});
  for (std::size_t i = 0; i < std::min(flags.show, sentences.size()); ++i) {
    const auto& right = sentences[i].references;
    const bool is_right = std::find(right.begin(), right.end(), result.hypotheses[i]) != right.end();
    std::printf("%s %s\n  %s\n", is_right ? "=" : " ", sentences[i].source.c_str(), result.hypotheses[i].c_str());
  }
  std::printf("%s\n", summary(result, flags.beam).c_str());
}

// Returns false where a sentence could not be translated.
bool run_translate(const EvaluateFlags& flags) {
  const Translator translator = load_translator(flags.model);
  const bool prompt = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  bool all = true;
  std::string line;
  for (std::size_t number = 1;; ++number) {
    if (prompt) std::fputs("> ", stdout), std::fflush(stdout);
    if (!std::getline(std::cin, line)) break;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    try {
      std::printf("%s\n", translator.translate({line}, flags.beam).front().c_str());
    } catch (const std::invalid_argument& error) {
      std::printf("\n");
      std::fprintf(stderr, "line %zu: %s\n", number, error.what());
      all = false;
    }
    std::fflush(stdout);
  }
  if (prompt) std::fputs("\n", stdout);
  return all;
}

void add_decoding_flags(CLI::App& command, EvaluateFlags& flags) {
  command.add_option("--model", flags.model, "model file")->capture_default_str();
  command.add_option("--beam", flags.beam.size, "width of the beam; 1 is greedy")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App flags{
      "Learns to translate from sentence pairs, and translates.\n\n"
      "  translate train                          the bundled English-French corpus\n"
      "  translate train --corpus pairs.tsv       one `source TAB target` a line\n"
      "  translate train --resume                 goes on with a run that was stopped\n"
      "  translate evaluate --test pairs.tsv      BLEU, chrF and exact matches\n"
      "  echo 'I see a cat.' | translate          one sentence a line"};
  flags.name("translate");
  TrainFlags train_flags;
  EvaluateFlags evaluate_flags, translate_flags;
  std::string corpus_folder;
  translate_flags.beam.size = evaluate_flags.beam.size = 5;
  add_decoding_flags(flags, translate_flags);

  CLI::App* train_command = flags.add_subcommand("train", "train a model");
  train_command->add_option("--corpus", train_flags.corpus, "sentence pairs; without it the bundled corpus");
  train_command->add_option("--valid", train_flags.valid,
                            "pairs to score after each epoch; without it some are held out");
  train_command->add_option("--model", train_flags.model, "where the model goes")->capture_default_str();
  train_command->add_option("--epochs", train_flags.epochs, "passes over the corpus; 10, or 4 over the bundled one")
      ->check(CLI::Range(1, 100000));
  app::add_count(*train_command, "--batch", train_flags.training.batch, "pairs a step", 4096);
  app::add_count(*train_command, "--vocabulary", train_flags.training.vocabulary, "word pieces of each language",
                 100000, 300);
  app::add_count(*train_command, "--embedding", train_flags.settings.embedding, "width of a word piece", 8192);
  train_command
      ->add_option("--hidden", train_flags.hidden, "width of the recurrent layers; 256, or 128 for the bundled corpus")
      ->check(CLI::Range(1, 8192));
  app::add_number(*train_command, "--dropout", train_flags.settings.dropout, "share of units left out of a step", 0,
                  0.95);
  app::add_number(*train_command, "--learning-rate", train_flags.training.learning_rate, "Adam's, at its highest", 0,
                  10);
  app::add_number(*train_command, "--smoothing", train_flags.training.smoothing, "label smoothing", 0, 0.9);
  train_command
      ->add_option("--precision", train_flags.precision, "of the numbers while training; model files are float")
      ->check(CLI::IsMember({"float", "double"}))
      ->capture_default_str();
  train_command->add_flag("--resume", train_flags.resume, "go on where the run of this model was stopped or killed");
  app::add_count(*train_command, "--pairs", train_flags.pairs, "size of the bundled corpus", 60000, 100);

  app::add_common(*train_command, train_flags.common, "an epoch of a tiny model over 1000 pairs, to see that it runs");

  CLI::App* evaluate_command = flags.add_subcommand("evaluate", "score a model");
  add_decoding_flags(*evaluate_command, evaluate_flags);
  evaluate_command->add_option("--test", evaluate_flags.test, "sentence pairs; without it the bundled test set");
  evaluate_command->add_flag("--lowercase", evaluate_flags.lowercase, "compare in lower case");
  evaluate_command->add_option("--show", evaluate_flags.show, "translations to print first, = marks the right ones")
      ->check(app::natural);

  CLI::App* corpus_command =
      flags.add_subcommand("corpus", "write the bundled corpus as train.tsv, valid.tsv and test.tsv");
  corpus_command->add_option("--out", corpus_folder, "folder")->required();
  flags.require_subcommand(0, 1);

  return app::run(flags, argc, argv, [&] {
    if (*train_command) {
      if (train_flags.common.smoke) {
        app::smaller(*train_command, "--vocabulary", train_flags.training.vocabulary, 500);
        app::smaller(*train_command, "--embedding", train_flags.settings.embedding, 32);
        app::smaller(*train_command, "--pairs", train_flags.pairs, 1000);
      }
      rw::optim::Ranks ranks;
      return ranks.run([&] { return run_train(train_flags, ranks); });
    }
    if (*evaluate_command) {
      run_evaluate(evaluate_flags);
    } else if (*corpus_command) {
      run_corpus(corpus_folder);
    } else if (!run_translate(translate_flags)) {
      return app::failure;
    }
    return 0;
  });
}
