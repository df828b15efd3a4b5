#include "examples/digits/data.hpp"

#include <algorithm>
#include <stdexcept>

#include "examples/app/files.hpp"

namespace digits {
namespace {

Images read(const std::string& images, const std::string& labels) {
  return labels.empty() ? read_csv(images) : read_idx(images, labels);
}

void scale(Images& images, float largest) {
  for (std::vector<float>& image : images.pixels) {
    for (float& pixel : image) pixel /= largest;
  }
}

Data files(const Sources& s) {
  Data data{s.images, read(s.images, s.labels), {}, {}, 0};
  rw::Random same = rw::Random(1).split();  // for every --seed: what one run learns from is no test of another
  shuffle(data.train, same);
  data.test = s.test_images.empty() ? take_last(data.train, data.train.size() / 5) : read(s.test_images, s.test_labels);
  return data;
}

/// A data set of the folder, by name.
Data stored(const std::string& name, const std::string& folder) {
  const std::string in = folder + "/" + name + "/";
  const auto idx = [&](const std::string& part, const std::string& what) {
    return in + part + "-" + what + "-ubyte.gz";
  };
  Sources s{.images = in + "train.csv", .test_images = in + "test.csv"};
  if (name == "mnist10k") {
    s = {.images = idx("train", "images-idx3"),
         .labels = idx("train", "labels-idx1"),
         .test_images = idx("test", "images-idx3"),
         .test_labels = idx("test", "labels-idx1")};
  }
  Data data = files(s);
  data.name = name;
  return data;
}

Data choose(const Sources& s, rw::Random& random) {
  if (!s.images.empty()) return files(s);
  const std::string folder = app::data_folder();
  const bool set = !folder.empty();
  const std::string name = !s.data.empty() ? s.data : set && !s.smoke ? "optdigits" : "drawn";
  if (name == "drawn")
    return {"drawn digits", drawn(s.smoke ? 1600 : 4000, random), {}, drawn(s.smoke ? 400 : 1000, random), 0};
  if (!set) throw std::invalid_argument("expected REWIND_DATA, the folder that holds " + name + "/; got none");
  return stored(name, folder);
}

}  // namespace

Data load(const Sources& sources, rw::Random random) {
  Data data = choose(sources, random);
  if (sources.limit > 0 && data.train.size() > sources.limit) {
    take_last(data.train, data.train.size() - sources.limit);
  }
  data.valid = take_last(data.train, data.train.size() / 10);
  if (data.valid.size() == 0 || data.test.size() == 0) {
    throw std::invalid_argument("expected at least 10 images to learn from and 1 to test on; got " +
                                std::to_string(data.train.size()) + " and " + std::to_string(data.test.size()));
  }
  if (data.test.rows != data.train.rows || data.test.columns != data.train.columns) {
    throw std::invalid_argument("expected test images of " + std::to_string(data.train.rows) + "x" +
                                std::to_string(data.train.columns) + "; got " + std::to_string(data.test.rows) + "x" +
                                std::to_string(data.test.columns));
  }
  const std::vector<std::int64_t>& labels = data.train.labels;
  if (std::equal(labels.begin() + 1, labels.end(), labels.begin())) {  // a CSV file may have its class elsewhere
    const std::string where = sources.labels.empty() ? ", the class in the last column" : "";
    app::bad_file(data.name, "at least two classes" + where, std::to_string(labels[0]) + " alone");
  }
  float largest = 0;
  for (const std::vector<float>& image : data.train.pixels) {
    largest = std::max(largest, *std::max_element(image.begin(), image.end()));
  }
  std::int64_t last = 0;
  for (Images* part : {&data.train, &data.valid, &data.test}) {
    scale(*part, largest > 0 ? largest : 1);
    last = std::max(last, *std::max_element(part->labels.begin(), part->labels.end()));
  }
  data.classes = static_cast<std::size_t>(last) + 1;
  return data;
}

}  // namespace digits
