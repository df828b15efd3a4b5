#include "examples/translate/run.hpp"

#include <cmath>
#include <cstdio>

#include "examples/translate/evaluate.hpp"
#include "examples/translate/run_settings.hpp"

namespace translate {
namespace {

// Warm over the first steps, then down along half a cosine to a twentieth (Loshchilov & Hutter 2017).
double scheduled(double rate, double done) {
  constexpr double warm_up = 0.02, last = 0.05;
  if (done < warm_up) return rate * (0.1 + 0.9 * done / warm_up);
  return rate * (last + (1 - last) * 0.5 * (1 + std::cos(3.141592653589793 * done)));
}

// Weights of no meaning yet.
Translator blank(const Material& material, const ModelSettings& settings) {
  rw::Random random(0);
  return {material.source, material.target, Model<float>(settings, random)};
}

}  // namespace

template <class T>
Run<T>::Run(const Material& material, const ModelSettings& model, const TrainSettings& settings,
            const TrainFiles& files, rw::optim::Ranks& ranks)
    : material_(material),
      settings_(settings),
      files_(files),
      ranks_(ranks),
      model_(model, at_.order = rw::Random(settings.seed)),
      trainer_(model_, settings, ranks),
      translator_(blank(material, model)),
      facts_(run_settings(model, settings, material, ranks.count(), sizeof(T) == 4 ? "float" : "double").dump()) {
  state_.add("settings", facts_);
  at_.add_to(state_);
  trainer_.add_to(state_);
  if (files.resume) resume();
  if (ranks.first()) log_ = app::Log(files.log, files.resume);
}

template <class T>
void Run<T>::resume() {
  check_same_run(files_.snapshot(), nlohmann::ordered_json::parse(facts_));
  state_.load(files_.snapshot());
  // What was logged after the state was saved will come again.
  if (ranks_.first() && std::filesystem::exists(files_.log) && std::filesystem::file_size(files_.log) > at_.logged) {
    std::filesystem::resize_file(files_.log, at_.logged);
  }
  ranks_.barrier();  // the others may still read what the first will write
}

template <class T>
bool Run<T>::go(const volatile std::sig_atomic_t& stop) {
  const std::size_t all = material_.tokens * settings_.epochs;
  before_ = learnt();
  progress_ = app::Progress(all - before_, "tokens", files_.quiet);
  while (at_.epoch <= settings_.epochs) {
    rw::Random order = at_.order;
    const auto batches = bucketed(material_.pairs, settings_.batch, order);
    while (at_.batch < batches.size()) {
      learn(batches[at_.batch]);
      if (ranks_.sum(stop != 0 ? 1 : 0) == 0) continue;
      if (ranks_.first()) stopped();
      return false;
    }
    if (ranks_.first()) score();
    at_ = {.epoch = at_.epoch + 1, .step = at_.step, .done = learnt(), .best = at_.best, .order = order};
    if (ranks_.first() && at_.epoch <= settings_.epochs) save_state();
  }
  if (ranks_.first()) std::filesystem::remove(files_.snapshot());
  return true;
}

template <class T>
void Run<T>::learn(std::span<const std::size_t> chosen) {
  const double all = double(material_.tokens) * double(settings_.epochs);
  const double rate = scheduled(settings_.learning_rate, double(learnt()) / all);
  const double loss = trainer_.step(material_.pairs, chosen, rate);
  std::size_t tokens = 0;
  for (const std::size_t i : chosen) tokens += material_.pairs[i].target.size();
  at_.loss += loss;
  at_.tokens += tokens;
  ++at_.batch;
  ++at_.step;
  if (!ranks_.first()) return;
  log_.write({{"step", at_.step}, {"epoch", at_.epoch}, {"loss", loss / double(tokens)}, {"learning_rate", rate}});
  progress_.show("epoch " + std::to_string(at_.epoch) + "/" + std::to_string(settings_.epochs),
                 at_.loss / double(at_.tokens), learnt() - before_);
}

template <class T>
Translator& Run<T>::translator() {
  rw::nn::unpack(rw::nn::pack(model_.parameters()), translator_.model.parameters(), "model");
  return translator_;
}

template <class T>
void Run<T>::score() {
  progress_.pause();
  const Evaluation scores = evaluate(translator(), material_.held_out, {.size = 1}, {});
  progress_.clear();
  const bool better = scores.bleu >= at_.best;
  if (better) {
    at_.best = scores.bleu;
    save(files_.model, translator());
  }
  progress_.resume();
  const double loss = at_.loss / double(at_.tokens);
  log_.write(
      app::with_skipped({{"epoch", at_.epoch}, {"loss", loss}, {"bleu", scores.bleu}, {"seconds", progress_.seconds()}},
                        trainer_.skipped()));
  if (files_.quiet) return;
  std::printf("epoch %2zu  loss %.3f  BLEU %5.1f  %6.0f tokens/s  %s%s%s\n", at_.epoch, loss, scores.bleu,
              progress_.rate(learnt() - before_), app::clock_text(progress_.seconds()).c_str(),
              better ? "" : "  (not the best, not saved)", app::skipped_text(trainer_.skipped()).c_str());
  std::fflush(stdout);
}

template <class T>
void Run<T>::save_state() {
  if (!files_.log.empty()) at_.logged = std::filesystem::file_size(files_.log);
  state_.save(files_.snapshot());
}

// Of a run without an epoch there is no best model yet.
template <class T>
void Run<T>::stopped() {
  progress_.clear();
  if (at_.best < 0) save(files_.model, translator());
  save_state();
  std::printf("stopped in epoch %zu; model saved to %s; --resume goes on\n", at_.epoch, files_.model.c_str());
}

template class Run<float>;
template class Run<double>;

}  // namespace translate
