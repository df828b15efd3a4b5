#pragma once

#include <string>

#include "nn/safetensors.hpp"

namespace app {

/// The folder $REWIND_DATA, where data sets are looked for; empty where it is not set.
std::string data_folder();

/// `path`, or where it is not there but below data_folder(), that.
std::string find_data(const std::string& path);

/// All bytes of the file find_data(path). Throws std::runtime_error where it is not there, cannot be read or is empty.
std::string read_data(const std::string& path);

/// Puts a file of that text in the place of another, or of none. Throws std::runtime_error that names `what`, and
/// leaves the old one, where it cannot be written.
void write_file(const std::string& path, const std::string& text, const std::string& what);

/// A model file that says it is of that format. Throws std::runtime_error where there is none at `path` (the command
/// `maker` makes one) or another file.
rw::nn::Safetensors read_model(const std::string& path, const std::string& format, const std::string& maker);

/// Throws std::runtime_error: "path: expected ...; got ...".
[[noreturn]] void bad_file(const std::string& path, const std::string& expected, const std::string& got);

/// Text of a file as an error shows it: in quotes, at most 40 bytes, printable.
std::string shown(const std::string& text);

/// Tells before the work, not after it, that `what` could not be kept: throws std::runtime_error where no file can be
/// written at `path`, or in place of the one there.
void check_writable(const std::string& path, const std::string& what);

}  // namespace app
