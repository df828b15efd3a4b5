#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/any_tensor.hpp"

// What the readers and writers of files of named tensors share. Not for users.

namespace rw::nn::files {

/// Throws std::runtime_error: `op: path: expected expectation; got got`.
[[noreturn]] void refuse(const char* op, const std::string& expectation, const std::string& path,
                         const std::string& got);

/// The same where there are faults, of which it shows the first four.
void refuse_faults(const char* op, const std::string& expectation, const std::string& path,
                   const std::vector<std::string>& faults);

/// Throws as refuse() does where `path` is there and is no file: reading a device may never end.
void check_is_file(const char* op, const std::string& path);

/// A name out of a file, which may be anything, as a short piece of one line of ASCII.
std::string printable(std::string_view name);

/// Whether a file may hold a tensor of that name. Slashes are common in names; but one that a program which writes a
/// file a tensor would follow out of its folder (a leading `/` or `\`, a drive `C:`, a step `..`), or would cut short
/// (a zero byte), is refused.
bool is_name(std::string_view name);

/// Names of the element types in the order of AnyTensor, and bytes of an element.
inline constexpr std::array<const char*, 4> dtypes = {"F32", "F64", "I64", "U8"};
inline constexpr std::array<std::size_t, 4> widths = {4, 8, 8, 1};

Shape shape_of(const AnyTensor& tensor);
std::span<const std::byte> bytes_of(const AnyTensor& tensor);
std::span<std::byte> bytes_of(AnyTensor& tensor);

/// A tensor of the type at `index` of AnyTensor, with unset elements.
AnyTensor empty_tensor(std::size_t index, const Shape& shape);

/// The bytes of a tensor of that shape; nothing where they, or a stride, are more than a number can count.
std::optional<std::uint64_t> byte_size(std::size_t width, const Shape& shape);

}  // namespace rw::nn::files
