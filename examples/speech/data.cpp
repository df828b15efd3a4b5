#include "examples/speech/data.hpp"

#include <algorithm>
#include <filesystem>
#include <regex>

#include "examples/app/files.hpp"

namespace speech {
namespace {

Recordings read_folder(const std::string& folder) {
  static const std::regex form("([0-9])_([A-Za-z]+)_[0-9]+\\.wav");
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  Recordings all;
  for (const std::string& name : names) {
    std::smatch parts;
    if (!std::regex_match(name, parts, form)) continue;
    all.push_back({read_sound(std::filesystem::path(folder) / name), {std::stoi(parts[1])}, parts[2]});
  }
  if (all.empty()) app::bad_file(folder, "files DIGIT_SPEAKER_INDEX.wav", "none");
  return all;
}

void append(Recordings& to, const Recordings& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

Corpus read_corpus(const std::string& folder, const std::vector<std::string>& tests) {
  Corpus corpus{folder, read_folder(folder + "/train"), read_folder(folder + "/valid"), {}};
  for (const std::string& test : tests) append(corpus.test, read_folder(test));
  if (tests.empty()) corpus.test = read_folder(folder + "/test");
  const std::size_t rate = corpus.train[0].sound.rate;
  for (const Recordings* part : {&corpus.train, &corpus.valid, &corpus.test}) {
    for (const Recording& r : *part) {
      if (r.sound.rate == rate) continue;
      app::bad_file(folder, std::to_string(rate) + " samples a second everywhere", std::to_string(r.sound.rate));
    }
  }
  return corpus;
}

void hold_out(Corpus& corpus, const std::string& speaker) {
  const auto others = [&](const Recording& r) { return r.speaker != speaker; };
  const std::size_t before = corpus.train.size();
  for (Recordings* part : {&corpus.train, &corpus.valid}) {
    const auto middle = std::stable_partition(part->begin(), part->end(), others);
    corpus.test.insert(corpus.test.end(), middle, part->end());
    part->erase(middle, part->end());
  }
  if (corpus.train.size() == before || corpus.train.empty() || corpus.valid.empty()) {
    app::bad_file(corpus.name, "one speaker of several to hold out", speaker + " (--unseen none learns of all)");
  }
}

std::map<std::string, std::vector<std::size_t>> by_speaker(const Recordings& recordings) {
  std::map<std::string, std::vector<std::size_t>> all;
  for (std::size_t i = 0; i < recordings.size(); ++i) all[recordings[i].speaker].push_back(i);
  return all;
}

Recording joined(const Recordings& all, std::span<const std::size_t> chosen, rw::Random& random) {
  Recording whole = all[chosen[0]];
  std::vector<float>& samples = whole.sound.samples;
  for (const std::size_t i : chosen.subspan(1)) {
    samples.resize(samples.size() + static_cast<std::size_t>(random.uniform(0, 0.08) * double(whole.sound.rate)), 0);
    samples.insert(samples.end(), all[i].sound.samples.begin(), all[i].sound.samples.end());
    whole.digits.insert(whole.digits.end(), all[i].digits.begin(), all[i].digits.end());
  }
  return whole;
}

Recordings strings(const Recordings& all, std::size_t digits, rw::Random& random) {
  Recordings result;
  for (auto& entry : by_speaker(all)) {
    std::vector<std::size_t> order = entry.second;
    random.shuffle(order);
    for (std::size_t begin = 0; begin < order.size(); begin += digits) {
      const std::size_t count = std::min(digits, order.size() - begin);
      result.push_back(joined(all, std::span<const std::size_t>(order).subspan(begin, count), random));
    }
  }
  return result;
}

Batch make_batch(std::span<const Recording> recordings, const LogMel& features) {
  constexpr std::size_t width = 2 * LogMel::bands;
  const std::size_t batch = recordings.size();
  Batch result;
  std::vector<rw::Tensor<float>> rows;
  std::size_t steps = 1, digits = 0;
  for (const Recording& r : recordings) {
    rows.push_back(features(r.sound.samples));
    result.lengths.push_back(rows.back().shape()[0] / 2);
    result.counts.push_back(r.digits.size());
    steps = std::max(steps, result.lengths.back());
    digits = std::max(digits, r.digits.size());
  }
  rw::Tensor<float> xs = rw::zeros<float>({steps, batch, width});
  result.targets = rw::full<std::int64_t>({batch, digits}, 0);
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t t = 0; t < result.lengths[b]; ++t) {
      std::copy_n(rows[b].data() + t * width, width, xs.data() + (t * batch + b) * width);
    }
    for (std::size_t k = 0; k < result.counts[b]; ++k) {
      result.targets.data()[b * digits + k] = recordings[b].digits[k] + 1;
    }
  }
  result.xs = std::move(xs);
  return result;
}

void mask_bands(Batch& batch, std::size_t most, rw::Random& random) {
  constexpr std::size_t bands = LogMel::bands;
  rw::Tensor<float> xs = batch.xs.value();
  const std::size_t steps = xs.shape()[0], rows = xs.shape()[1];
  for (std::size_t b = 0; b < rows; ++b) {
    const std::size_t width = random.below(most + 1), first = random.below(bands - width + 1);
    for (std::size_t t = 0; t < steps; ++t) {
      float* step = xs.data() + (t * rows + b) * 2 * bands;
      std::fill_n(step + first, width, 0.0f);
      std::fill_n(step + bands + first, width, 0.0f);
    }
  }
  batch.xs = std::move(xs);
}

}  // namespace speech
