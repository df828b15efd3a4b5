#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "nn/any_tensor.hpp"

// NumPy's files of named arrays (.npz: a zip archive of .npy files,
// numpy.org/doc/stable/reference/generated/numpy.lib.format.html), as numpy.savez and savez_compressed write and
// numpy.load opens them. With pack() and unpack() of nn/safetensors.hpp a model goes there and back:
// write_npz(path, pack(parameters).tensors). All errors are std::runtime_error of one line that names the file.

namespace rw::nn {

struct NpzLimits {
  std::size_t expansion = 100;  ///< how many times the size of the file its arrays may take, beyond 64 MiB
};

/// Reads all arrays: float32, float64, int64 and uint8, of either byte order, row-major or column-major; each becomes a
/// row-major tensor. A compressed file may hold a thousand times its size: one that would take more than
/// 64 MiB + expansion · size is refused before memory is taken for it. Throws where it is not there or breaks the
/// format anywhere, checksums included; Python objects are never loaded.
NamedTensors read_npz(const std::string& path, NpzLimits limits = {});

/// The same from memory; `name` is for the errors.
NamedTensors read_npz(std::span<const std::byte> bytes, const std::string& name, NpzLimits limits = {});

struct NpzOptions {
  bool compressed = false;  ///< as savez_compressed does
};

/// Writes `path` as write_safetensors does: at any moment it is the old file or the new one, whole. The same tensors
/// give the same bytes. The archive is made in memory first.
void write_npz(const std::string& path, const NamedTensors& tensors, NpzOptions options = {});

}  // namespace rw::nn
