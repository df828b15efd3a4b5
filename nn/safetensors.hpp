#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <string_view>

#include "nn/any_tensor.hpp"
#include "nn/parameters.hpp"

// Files of named tensors in the safetensors format (github.com/huggingface/safetensors), which Python's `safetensors`
// opens without us. All errors are std::runtime_error of one line that names the file.

namespace rw::nn {

/// What a file holds: text by name, and tensors by name of the dtypes F32, F64, I64 and U8.
struct Safetensors {
  std::map<std::string, std::string> metadata;
  NamedTensors tensors;

  /// The tensor of that name and element type. Throws where there is none.
  template <class T>
  const Tensor<T>& get(const std::string& name) const {
    return nn::get<T>(tensors, name);
  }
};

/// Reads a whole file. Every claim of the header is checked before memory is taken for it, so no file makes us take
/// more than thirty times its own size. Throws where it is not there or breaks the format anywhere. Names may hold
/// slashes, but do not begin with one or a drive `C:`, and hold no step `..` and no zero byte.
Safetensors read_safetensors(const std::string& path);

/// The same from a stream that can seek; `name` is for the errors.
Safetensors read_safetensors(std::istream& in, const std::string& name);

/// Writes `path`.part beside `path`, syncs it and renames it: at any moment `path` is the old file or the new one,
/// whole. The same contents give the same bytes. Throws where it cannot be written, and leaves the old file.
void write_safetensors(const std::string& path, const Safetensors& file);

/// The parameters' values under their names.
template <class T>
Safetensors pack(const Parameters<T>& parameters);

/// Gives the parameters the values in `file`, float to double or back where they differ. `name` is for the errors.
/// Names and shapes of the parameters and of the file's floating tensors must be the same, else throws and changes
/// nothing; I64 and U8 tensors (a vocabulary) are the caller's.
template <class T>
void unpack(const Safetensors& file, const Parameters<T>& parameters, const std::string& name);

/// Writes a model: pack and write_safetensors.
template <class T>
void save(const std::string& path, const Parameters<T>& parameters, std::map<std::string, std::string> metadata = {});

/// Reads a model: read_safetensors and unpack.
template <class T>
void load(const std::string& path, const Parameters<T>& parameters);

/// Text as a tensor of its bytes [n], and back.
Tensor<std::uint8_t> to_bytes(std::string_view text);
std::string to_text(const Tensor<std::uint8_t>& bytes);

}  // namespace rw::nn
