#include "nn/convert.hpp"

#include <functional>

#include "nn/convert/layout.hpp"

namespace rw::nn {
namespace {

using namespace detail;

Layer our_layer(const std::string& prefix, std::size_t directions) {
  return directions == 1 ? Layer{{prefix}} : Layer{{prefix + "forward."}, {prefix + "backward."}};
}

Layer torch_layer(const std::string& prefix, std::size_t number, std::size_t directions) {
  const std::string suffix = "_l" + std::to_string(number);
  Layer layer{{prefix, suffix}};
  if (directions == 2) layer.push_back({prefix, suffix + "_reverse"});
  return layer;
}

Layer keras_layer(const std::string& path, std::size_t directions) {
  const std::string forward = "forward_";
  const std::size_t at = path.rfind(forward);
  if (directions == 1) return {{path}};
  if (at == std::string::npos) fail("to_keras", "a path with forward_ where there are two directions", path);
  return {{path}, {std::string(path).replace(at, forward.size(), "backward_")}};
}

Layer onnx_layer(const std::string& prefix, std::size_t directions) {
  Layer layer;
  for (std::size_t d = 0; d < directions; ++d) layer.push_back({prefix, "", directions, d});
  return layer;
}

Safetensors from(const std::string& op, Reader reader, const std::vector<Layer>& layers) {
  if (layers.empty()) fail(op.c_str(), "at least one layer", "none");
  Writer writer(op, ours);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const Layer to = our_layer(layers.size() == 1 ? "" : std::to_string(k) + ".", layers[k].size());
    for (std::size_t d = 0; d < to.size(); ++d) writer.write(reader.read(layers[k][d]), to[d]);
  }
  return writer.result(reader.single());
}

/// `count`: how many layers the caller has named; `place` gives where one goes, of so many directions.
Safetensors to(const std::string& op, const Layout& layout, const Safetensors& file, std::optional<std::size_t> count,
               const std::function<Layer(std::size_t k, std::size_t directions)>& place) {
  Reader reader(op, ours, file);
  const auto layer = [&](const std::string& prefix) {
    return our_layer(prefix, reader.has({prefix + "forward."}) ? 2 : 1);
  };
  std::vector<Layer> layers;
  for (Layer next; reader.has((next = layer(std::to_string(layers.size()) + "."))[0]);) layers.push_back(next);
  if (layers.empty()) layers = {layer("")};
  if (count && *count != layers.size()) {
    fail(op.c_str(), "a name for each of " + std::to_string(layers.size()) + " layers", *count);
  }
  Writer writer(op, layout);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const Layer target = place(k, layers[k].size());
    for (std::size_t d = 0; d < target.size(); ++d) writer.write(reader.read(layers[k][d]), target[d]);
  }
  reader.check_all_read();
  return writer.result(reader.single());
}

}  // namespace

Safetensors from_torch(const Safetensors& file, const std::string& prefix, std::optional<std::size_t> layer) {
  const Reader reader("from_torch", torch, file);
  const auto place = [&](std::size_t k) {
    return torch_layer(prefix, k, reader.has(torch_layer(prefix, k, 2)[1]) ? 2 : 1);
  };
  std::vector<Layer> layers{place(layer.value_or(0))};
  while (!layer && reader.has(place(layers.size())[0])) layers.push_back(place(layers.size()));
  return from("from_torch", reader, layers);
}

Safetensors from_keras(const Safetensors& file, const std::vector<std::string>& layers, const ConvertOptions& options) {
  const Reader reader("from_keras", keras, file, options.reset_after);
  std::vector<Layer> places;
  for (const std::string& path : layers) {
    const bool both = path.find("forward_") != std::string::npos && reader.has(keras_layer(path, 2)[1]);
    places.push_back(keras_layer(path, both ? 2 : 1));
  }
  return from("from_keras", reader, places);
}

Safetensors from_onnx(const Safetensors& file, const std::vector<std::string>& layers, const ConvertOptions& options) {
  std::vector<Layer> places;
  for (const std::string& prefix : layers) {
    const auto it = file.tensors.find(prefix + onnx.hidden);
    const bool both = it != file.tensors.end() &&
                      std::visit([](const auto& x) { return x.dimension() == 3 && x.shape(0) == 2; }, it->second);
    places.push_back(onnx_layer(prefix, both ? 2 : 1));
  }
  return from("from_onnx", Reader("from_onnx", onnx, file, options.reset_after), places);
}

Safetensors to_torch(const Safetensors& file, const std::string& prefix) {
  return to("to_torch", torch, file, {},
            [&](std::size_t k, std::size_t directions) { return torch_layer(prefix, k, directions); });
}

Safetensors to_keras(const Safetensors& file, const std::vector<std::string>& layers) {
  return to("to_keras", keras, file, layers.size(),
            [&](std::size_t k, std::size_t directions) { return keras_layer(layers[k], directions); });
}

Safetensors to_onnx(const Safetensors& file, const std::vector<std::string>& layers) {
  return to("to_onnx", onnx, file, layers.size(),
            [&](std::size_t k, std::size_t directions) { return onnx_layer(layers[k], directions); });
}

}  // namespace rw::nn
