#include "examples/char_lm/train.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "autograd/shards.hpp"
#include "examples/app/files.hpp"
#include "examples/app/log.hpp"
#include "examples/app/progress.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"
#include "nn/snapshot.hpp"
#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/schedule.hpp"

namespace char_lm {
namespace {

/// The stretches of a text and the windows over them.
struct Stretches {
  std::string_view text;
  std::size_t batch, window;

  std::size_t length() const { return text.size() / batch; }  // of a stretch; what is left over is not read
  std::size_t windows() const { return (length() + window - 1) / window; }
  std::size_t steps(std::size_t w) const { return std::min(window, length() - w * window); }

  /// Bytes [T, rows] of window w, moved by so many bytes.
  rw::Indices bytes(std::size_t w, const rw::Shard& rows, std::size_t moved) const {
    rw::Indices ids = rw::empty<std::int64_t>({steps(w), rows.end - rows.begin});
    auto* id = ids.data();
    for (std::size_t t = 0; t < steps(w); ++t) {
      for (std::size_t row = rows.begin; row < rows.end; ++row) {
        const std::size_t at = row * length() + w * window + t + moved;
        *id++ = static_cast<unsigned char>(at == 0 ? before : text[at - 1]);
      }
    }
    return ids;
  }
};

/// All that a run remembers.
template <class C>
struct Run {
  Run(const Settings& settings, const Stretches& text, std::uint64_t seed, std::size_t shards)
      : random(seed), model(settings, random) {
    const std::size_t rows = text.batch;
    for (std::size_t s = 0; s < shards; ++s) {
      states.push_back(model.initial_state(rows * (s + 1) / shards - rows * s / shards));
    }
  }

  void forget() {
    for (auto& state : states) {
      state = rw::nn::map_state([](const auto& v) { return rw::Variable<float>(rw::zeros<float>(v.shape())); }, state);
    }
  }

  /// In the order of the list, so that a name says what a file holds.
  rw::nn::Snapshot snapshot() {
    rw::nn::Snapshot all;
    all.add("flags", flags);
    all.add("model", model.parameters());
    all.add("adam", adam, model.parameters());
    all.add("finite", finite);
    all.add("random", random);
    all.add("done", done);
    all.add("nats", nats);
    all.add("read", read);
    all.add("best", best);
    all.add("train_bits", curves.train_bits);
    all.add("valid_bits", curves.valid_bits);
    for (std::size_t s = 0; s < states.size(); ++s) all.add("state" + std::to_string(s), states[s]);
    return all;
  }

  rw::Random random;
  Model<C> model;
  rw::optim::Adam<float> adam;
  rw::optim::FiniteSteps finite;
  std::vector<typename Model<C>::State> states;  // of each shard of the batch, carried from window to window
  std::string flags;                             // those that must be the same to go on, one a line
  std::size_t done = 0;                          // windows, of all epochs
  double nats = 0, read = 0;                     // of this tenth of an epoch, and its bytes
  double best = std::numeric_limits<double>::infinity();
  Trained curves;
};

template <class C>
void step(Run<C>& run, const Stretches& text, rw::Workers& workers, double clip, double rate) {
  const std::size_t w = run.done % text.windows(), steps = text.steps(w);
  if (w == 0) run.forget();
  std::vector<rw::Random> randoms;
  for (std::size_t s = 0; s < run.states.size(); ++s) randoms.push_back(run.random.split());
  const auto bytes = static_cast<double>(steps * text.batch);
  rw::Learned<float> learned = rw::learn<float>(workers, text.batch, [&](const rw::Shard& s) {
    auto& state = run.states[s.index];
    const auto next = run.model.read(text.bytes(w, s, 0), state, &randoms[s.index]);
    state = rw::nn::detached(next.state);
    return rw::nn::cross_entropy_sum(next.logits, text.bytes(w, s, 1)) / bytes;
  });
  run.adam.set_learning_rate(rate);
  if (run.finite(rw::optim::clip_global_norm(learned.gradients, clip))) {
    run.adam.step(run.model.parameters(), learned.gradients, &workers);
  } else {
    run.forget();  // or the next window begins with what is not finite
  }
  run.nats += learned.loss * bytes;
  run.read += bytes;
  ++run.done;
}

std::string flags_of(const char* cell, const Parts& parts, const Settings& s, const TrainSettings& t,
                     const app::Common& common) {
  std::ostringstream out;
  out << "--seed " << common.seed << "\n--threads " << common.threads << "\n--cell " << cell << "\n--embedding "
      << s.embedding << "\n--hidden " << s.hidden << "\n--layers " << s.layers << "\n--dropout " << s.dropout
      << "\n--epochs " << t.epochs << "\n--batch " << t.batch << "\n--window " << t.window << "\n--learning-rate "
      << t.learning_rate << "\n--clip " << t.clip << "\ntexts of " << parts.train.size() << " and "
      << parts.valid.size() << " bytes\n";
  return out.str();
}

/// Before the tensors are loaded, whose shapes would tell less.
void check_flags(const std::string& path, const std::string& flags) {
  std::istringstream then(rw::nn::to_text(rw::nn::read_safetensors(path).get<std::uint8_t>("flags"))), now(flags);
  std::string expected, got;
  for (std::string a, b; std::getline(then, a) && std::getline(now, b);) {
    if (a != b) expected += ", " + app::shown(a), got += ", " + app::shown(b);
  }
  if (expected.empty()) return;
  throw std::runtime_error("--resume: expected the flags of that run" + expected + "; got" + got.substr(1));
}

}  // namespace

std::string run_path(const std::string& model) { return model + ".run"; }

template <class C>
Trained train(const Parts& parts, const Settings& settings, const TrainSettings& training, const app::Common& common) {
  app::check_writable(training.path, "the model");
  const Stretches text{parts.train, training.batch, training.window};
  if (text.length() == 0) {
    throw std::runtime_error("train: expected a text of at least as many bytes as the batch has stretches, " +
                             std::to_string(training.batch) + "; got " + std::to_string(parts.train.size()));
  }
  const std::size_t learnt = characters(parts.train), validated = characters(parts.valid),
                    tested = characters(parts.test);
  rw::Workers workers(common.threads);
  Run<C> run(settings, text, common.seed, rw::shards_of(training.batch, common.threads));
  run.flags = flags_of(name_of<C>, parts, settings, training, common);
  if (training.resume) {
    check_flags(run_path(training.path), run.flags);
    run.snapshot().load(run_path(training.path));
  } else {
    run.snapshot().save(run_path(training.path));  // tells before the work, not after it, that there is no place
  }
  app::Log log(common.log, training.resume);

  const std::size_t in_all = training.epochs * text.windows();
  const double bits_a_nat = 1 / std::log(2.0);
  const double wide = double(parts.train.size()) / double(learnt);  // bytes a character
  app::say(common, "%zu characters to learn from, %zu to validate on, %zu to test; %s of %zu parameters\n", learnt,
           validated, tested, name_of<C>, run.model.parameters().elements());
  const std::size_t begun = run.done;
  app::Progress progress((in_all - begun) * text.batch * text.window, "characters", common.quiet);
  while (run.done < in_all) {
    const double rate = rw::optim::cosine(
        run.done, {.rate = training.learning_rate, .last = training.learning_rate / 20, .steps = in_all});
    step(run, text, workers, training.clip, rate);
    const std::size_t of_epoch = (run.done - 1) % text.windows() + 1, epoch = (run.done - 1) / text.windows() + 1;
    const std::size_t read = (run.done - begun) * text.batch * text.window;
    const double now = run.nats / run.read * bits_a_nat * wide;
    progress.show("epoch " + std::to_string(epoch) + "/" + std::to_string(training.epochs), now, read);
    if (of_epoch * 10 / text.windows() > (of_epoch - 1) * 10 / text.windows()) {  // another tenth
      run.curves.train_bits.push_back(now);
      run.nats = run.read = 0;
    }
    if (of_epoch == text.windows()) {
      progress.pause();
      const double valid = bits(run.model, parts.valid) / double(validated);
      run.curves.valid_bits.push_back(valid);
      const bool better = valid < run.best;
      if (better) run.best = valid, save(training.path, run.model);
      run.snapshot().save(run_path(training.path));
      progress.resume();
      progress.clear();
      app::say(common, "epoch %2zu  train %.3f  valid %.3f bits per character  %6.0f characters/s  %s%s%s\n", epoch,
               now, valid, progress.rate(read), app::clock_text(progress.seconds()).c_str(),
               better ? "" : "  (not the best, not saved)", app::skipped_text(run.finite.skipped()).c_str());
      log.write(app::with_skipped({{"epoch", epoch},
                                   {"train_bits", now},
                                   {"valid_bits", valid},
                                   {"learning_rate", rate},
                                   {"seconds", progress.seconds()}},
                                  run.finite.skipped()));
    }
    if (app::interrupted() && run.done < in_all) {
      progress.clear();
      run.snapshot().save(run_path(training.path));
      run.curves.finished = false;
      app::say(common, "stopped in epoch %zu; train --resume with the same flags goes on\n",
               run.done / text.windows() + 1);
      break;
    }
  }
  return run.curves;
}

template Trained train<Lstm>(const Parts&, const Settings&, const TrainSettings&, const app::Common&);
template Trained train<Gru>(const Parts&, const Settings&, const TrainSettings&, const app::Common&);

}  // namespace char_lm
