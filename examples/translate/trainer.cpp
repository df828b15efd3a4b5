#include "examples/translate/trainer.hpp"

#include "autograd/shards.hpp"

namespace translate {

template <class T>
Trainer<T>::Trainer(Model<T>& model, const TrainSettings& settings, rw::optim::Ranks& ranks)
    : model_(model),
      settings_(settings),
      ranks_(ranks),
      random_(settings.seed + 1),
      workers_(settings.threads),
      adam_({.learning_rate = settings.learning_rate}) {
  ranks_.broadcast<T>(model_.parameters());  // drawn alike, but for the rounding of other machines
}

template <class T>
double Trainer<T>::step(const std::vector<Encoded>& pairs, std::span<const std::size_t> chosen, double learning_rate) {
  if (chosen.empty()) rw::fail("Trainer::step", "at least one pair", chosen.size());
  const std::size_t shards = rw::shards_of(chosen.size(), ranks_.count() * workers_.count());
  std::vector<rw::Random> randoms;
  std::size_t tokens = 0;
  for (std::size_t s = 0; s < shards; ++s) randoms.push_back(random_.split());
  for (const std::size_t i : chosen) tokens += pairs[i].target.size();
  const double share = 1 / static_cast<double>(tokens);
  const auto loss = [&](const rw::Shard& s) {
    const Batch batch = make_batch(pairs, chosen.subspan(s.begin, s.end - s.begin));
    return model_.loss(batch, settings_.smoothing, &randoms[s.index]) * share;
  };
  rw::Learned<T> learned = rw::learn<T>(workers_, chosen.size(), loss, ranks_.share());
  rw::Gradients<T> gradients = ranks_.sum<T>(model_.parameters(), std::move(learned.gradients));
  adam_.set_learning_rate(learning_rate);
  // All processes decide alike, for the sum has the same bits in all of them.
  if (finite_(rw::optim::clip_global_norm(gradients, settings_.clip))) {
    adam_.step(model_.parameters(), gradients, &workers_);
  }
  return ranks_.sum(learned.loss) * static_cast<double>(tokens);
}

template <class T>
void Trainer<T>::add_to(rw::nn::Snapshot& snapshot) {
  snapshot.add("model", model_.parameters());
  snapshot.add("adam", adam_, model_.parameters());
  snapshot.add("finite", finite_);
  snapshot.add("dropout", random_);
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace translate
