#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "examples/translate/material.hpp"
#include "examples/translate/trainer.hpp"

namespace translate {

/// What makes a run the same run, under the names of the flags.
nlohmann::ordered_json run_settings(const ModelSettings& model, const TrainSettings& settings, const Material& material,
                                    std::size_t processes, const char* precision);

/// Throws std::runtime_error, in one line that names the first difference, where the snapshot is not one of this run or
/// not there.
void check_same_run(const std::filesystem::path& snapshot, const nlohmann::ordered_json& settings);

}  // namespace translate
