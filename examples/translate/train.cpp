#include "examples/translate/train.hpp"

#include <cmath>
#include <cstdio>
#include <system_error>

#include "autograd/shards.hpp"
#include "examples/translate/evaluate.hpp"
#include "examples/translate/progress.hpp"
#include "nn/replacement.hpp"
#include "optim/clip.hpp"

namespace translate {
namespace {

std::vector<std::string> side(const std::vector<Pair>& pairs, std::string Pair::*which) {
  std::vector<std::string> texts;
  for (const Pair& pair : pairs) texts.push_back(pair.*which);
  return texts;
}

std::size_t target_tokens(const std::vector<Encoded>& pairs) {
  std::size_t n = 0;
  for (const Encoded& pair : pairs) n += pair.target.size();
  return n;
}

// Tells before the work, not after it, that the model could not be kept.
void check_writable(const std::filesystem::path& path) {
  try {
    rw::nn::Replacement unused(path.string());
  } catch (const std::system_error& error) {
    throw std::runtime_error("train: expected a place for the model; got " + path.string() + ": " +
                             error.code().message());
  }
}

// Warm over the first steps, then down along half a cosine to a twentieth (Loshchilov & Hutter 2017).
double scheduled(double rate, double done) {
  constexpr double warm_up = 0.02, last = 0.05;
  if (done < warm_up) return rate * (0.1 + 0.9 * done / warm_up);
  return rate * (last + (1 - last) * 0.5 * (1 + std::cos(3.141592653589793 * done)));
}

}  // namespace

Trainer::Trainer(Model<float>& model, const TrainSettings& settings)
    : model_(model),
      settings_(settings),
      random_(settings.seed + 1),
      workers_(settings.threads),
      adam_({.learning_rate = settings.learning_rate}) {}

double Trainer::step(const std::vector<Encoded>& pairs, std::span<const std::size_t> chosen, double learning_rate) {
  if (chosen.empty()) rw::fail("Trainer::step", "at least one pair", chosen.size());
  const std::size_t shards = rw::shards_of(chosen.size(), workers_.count());
  std::vector<rw::Random> randoms;
  std::size_t tokens = 0;
  for (std::size_t s = 0; s < shards; ++s) randoms.push_back(random_.split());
  for (const std::size_t i : chosen) tokens += pairs[i].target.size();
  const double share = 1 / static_cast<double>(tokens);
  rw::Learned<float> learned = rw::learn<float>(workers_, chosen.size(), [&](const rw::Shard& s) {
    const Batch batch = make_batch(pairs, chosen.subspan(s.begin, s.end - s.begin));
    return model_.loss(batch, settings_.smoothing, &randoms[s.index]) * share;
  });
  rw::optim::clip_global_norm(learned.gradients, settings_.clip);
  adam_.set_learning_rate(learning_rate);
  adam_.step(model_.parameters(), learned.gradients, &workers_);
  return learned.loss * static_cast<double>(tokens);
}

bool train(const std::vector<Pair>& train, const std::vector<Pair>& valid, const ModelSettings& model_settings,
           const TrainSettings& settings, const std::filesystem::path& path, const volatile std::sig_atomic_t& stop) {
  check_writable(path);
  const Subwords source = Subwords::train(side(train, &Pair::source), {.vocabulary = settings.vocabulary});
  const Subwords target = Subwords::train(side(train, &Pair::target), {.vocabulary = settings.vocabulary});
  const std::vector<Encoded> pairs = encode_pairs(train, source, target);
  if (pairs.empty()) throw std::runtime_error("train: every sentence pair is too long to learn from");
  if (pairs.size() < train.size()) {
    std::fprintf(stderr, "left out, being of %zu or more pieces: %zu of %zu pairs\n", longest_sentence,
                 train.size() - pairs.size(), train.size());
  }
  std::vector<Sentence> held_out = group_by_source(valid);
  std::erase_if(held_out, [&](const Sentence& s) { return source.encode(s.source).size() >= longest_sentence; });
  if (held_out.empty()) throw std::runtime_error("train: every sentence to validate on is too long to translate");

  ModelSettings sized = model_settings;
  sized.source_vocabulary = static_cast<std::size_t>(source.size());
  sized.target_vocabulary = static_cast<std::size_t>(target.size());
  rw::Random random(settings.seed);
  Translator translator{source, target, Model<float>(sized, random)};
  std::printf("%zu pairs  vocabulary %zu and %zu pieces  %zu parameters  %zu threads\n", pairs.size(),
              sized.source_vocabulary, sized.target_vocabulary, translator.model.parameters().elements(),
              settings.threads);
  std::fflush(stdout);

  Trainer trainer(translator.model, settings);
  const std::size_t tokens_an_epoch = target_tokens(pairs), all_tokens = tokens_an_epoch * settings.epochs;
  Progress progress(all_tokens);
  double best = -1;
  std::size_t done = 0;
  for (std::size_t epoch = 1; epoch <= settings.epochs; ++epoch) {
    const std::string label = "epoch " + std::to_string(epoch) + "/" + std::to_string(settings.epochs);
    double loss = 0;
    std::size_t tokens = 0;
    for (const auto& chosen : bucketed(pairs, settings.batch, random)) {
      loss +=
          trainer.step(pairs, chosen, scheduled(settings.learning_rate, double(done + tokens) / double(all_tokens)));
      for (const std::size_t i : chosen) tokens += pairs[i].target.size();
      progress.show(label, loss / double(tokens), done + tokens);
      if (stop) {
        progress.clear();
        save(path, translator);
        std::printf("stopped in epoch %zu; model saved to %s\n", epoch, path.c_str());
        return false;
      }
    }
    done += tokens;
    progress.pause();
    const Evaluation scores = evaluate(translator, held_out, {.size = 1}, {});
    progress.clear();
    const bool better = scores.bleu >= best;
    if (better) {
      best = scores.bleu;
      save(path, translator);
    }
    progress.resume();
    std::printf("epoch %2zu  loss %.3f  BLEU %5.1f  %6.0f tokens/s  %s%s\n", epoch, loss / double(tokens), scores.bleu,
                progress.rate(done), clock_text(progress.seconds()).c_str(),
                better ? "" : "  (not the best, not saved)");
    std::fflush(stdout);
  }
  std::printf("best model saved to %s\n", path.c_str());
  return true;
}

}  // namespace translate
