#include "examples/translate/run_settings.hpp"

#include <stdexcept>

#include "nn/safetensors.hpp"

namespace translate {
namespace {

nlohmann::ordered_json read_settings(const std::filesystem::path& snapshot) {
  try {
    const auto file = rw::nn::read_safetensors(snapshot);
    return nlohmann::ordered_json::parse(rw::nn::to_text(file.get<std::uint8_t>("settings")));
  } catch (const std::exception& error) {
    throw std::runtime_error(snapshot.string() + ": not the state of a run: " + error.what());
  }
}

}  // namespace

nlohmann::ordered_json run_settings(const ModelSettings& model, const TrainSettings& settings, const Material& material,
                                    std::size_t processes, const char* precision) {
  return {{"--corpus", material.fingerprint},
          {"--vocabulary", settings.vocabulary},
          {"--embedding", model.embedding},
          {"--hidden", model.hidden},
          {"--dropout", model.dropout},
          {"--epochs", settings.epochs},
          {"--batch", settings.batch},
          {"--seed", settings.seed},
          {"--learning-rate", settings.learning_rate},
          {"--smoothing", settings.smoothing},
          {"--precision", precision},
          {"--threads of all processes", settings.threads * processes}};
}

void check_same_run(const std::filesystem::path& snapshot, const nlohmann::ordered_json& settings) {
  if (!std::filesystem::exists(snapshot)) {
    throw std::runtime_error("train: expected a run to resume at " + snapshot.string() +
                             "; got none (it is there from the first epoch, or Ctrl-C, to the end of a run)");
  }
  const nlohmann::ordered_json kept = read_settings(snapshot);
  for (const auto& setting : settings.items()) {
    const auto began = kept.find(setting.key());
    if (began == kept.end() || *began != setting.value()) {
      throw std::runtime_error("train: expected " + setting.key() + " " + (began == kept.end() ? "?" : began->dump()) +
                               ", as " + snapshot.string() + " began; got " + setting.value().dump());
    }
  }
}

}  // namespace translate
