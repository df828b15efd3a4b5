#include "examples/translate/train.hpp"

#include <cstdio>
#include <system_error>

#include "examples/app/files.hpp"

namespace translate {
namespace {

ModelSettings sized(ModelSettings settings, const Material& material) {
  settings.source_vocabulary = static_cast<std::size_t>(material.source.size());
  settings.target_vocabulary = static_cast<std::size_t>(material.target.size());
  return settings;
}

}  // namespace

template <class T>
bool train(const std::vector<Pair>& train, const std::vector<Pair>& valid, const ModelSettings& model,
           const TrainSettings& settings, const TrainFiles& files, rw::optim::Ranks& ranks,
           const volatile std::sig_atomic_t& stop) {
  if (ranks.first()) app::check_writable(files.model.string(), "the model");
  const Material material = prepare(train, valid, settings.vocabulary);
  if (ranks.first() && material.too_long > 0) {
    std::fprintf(stderr, "left out, being of %zu or more pieces: %zu of %zu pairs\n", longest_sentence,
                 material.too_long, train.size());
  }
  const ModelSettings size = sized(model, material);
  Run<T> run(material, size, settings, files, ranks);
  if (ranks.first() && !files.quiet) {
    const std::string processes =
        ranks.count() > 1 ? " in each of " + std::to_string(ranks.count()) + " processes" : "";
    std::printf("%zu pairs  vocabulary %zu and %zu pieces  %zu parameters  %zu threads%s\n", material.pairs.size(),
                size.source_vocabulary, size.target_vocabulary, run.parameters(), settings.threads, processes.c_str());
    std::fflush(stdout);
  }
  const bool whole = run.go(stop);
  if (ranks.first() && whole) std::printf("best model saved to %s\n", files.model.c_str());
  return whole;
}

template bool train<float>(const std::vector<Pair>&, const std::vector<Pair>&, const ModelSettings&,
                           const TrainSettings&, const TrainFiles&, rw::optim::Ranks&,
                           const volatile std::sig_atomic_t&);
template bool train<double>(const std::vector<Pair>&, const std::vector<Pair>&, const ModelSettings&,
                            const TrainSettings&, const TrainFiles&, rw::optim::Ranks&,
                            const volatile std::sig_atomic_t&);

}  // namespace translate
