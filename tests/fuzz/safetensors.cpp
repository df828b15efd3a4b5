// libFuzzer target: any bytes as a safetensors file. The reader is compiled in, so that it is watched.
#include <sstream>

#include "autograd/allocator.cpp"
#include "autograd/check.cpp"
#include "nn/files.cpp"
#include "nn/safetensors.cpp"
#include "tests/fuzz/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in{std::string(text_of(data, size))};
  rw::nn::Safetensors file;
  if (!reads("read_safetensors: m: ", [&] { file = rw::nn::read_safetensors(in, "m"); })) return 0;
  std::size_t bytes = 8;
  for (const auto& [name, tensor] : file.tensors) {
    require(rw::nn::files::is_name(name), "a name", name);
    bytes += rw::nn::files::bytes_of(tensor).size() + name.size();
  }
  require(bytes <= size, "no more than the file holds");
  return 0;
}
