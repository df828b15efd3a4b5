// libFuzzer target: any bytes as a .npz file. The reader is compiled in, so that it is watched.
#include "nn/npz.cpp"

#include "autograd/allocator.cpp"
#include "autograd/check.cpp"
#include "nn/files.cpp"
#include "tests/fuzz/check.hpp"

namespace {

// The header alone, which no checksum guards here.
void header(std::string_view text) {
  const auto header = rw::nn::HeaderParser(text).parse();
  if (header) require(header->shape.size() <= rw::Shape::capacity, "a shape");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  header(text_of(data, size));
  rw::nn::NamedTensors tensors;
  const auto read = [&] { tensors = rw::nn::read_npz(std::as_bytes(std::span(data, size)), "m"); };
  if (!reads("read_npz: m: ", read)) return 0;
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    require(rw::nn::files::is_name(name), "a name", name);
    bytes += rw::nn::files::bytes_of(tensor).size();
  }
  require(bytes <= rw::nn::always_allowed + 100 * size, "no more than is allowed");
  return 0;
}
