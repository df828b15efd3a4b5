#include "autograd/dot.hpp"

#include <sstream>

namespace rw {

constexpr std::uint32_t most = 4;  // results of an op that are written out

template <class T>
class Drawing {
 public:
  Drawing(const Tape<T>& tape, const Names<T>& names) : tape_(tape), names_(names) {}

  std::string draw() {
    std::vector<std::string> from(tape_.slots_.size());  // what each slot is drawn as
    out_ << "digraph tape {\n";
    for (const auto& leaf : tape_.leaves_) {
      const char* kind = leaf.place.tape == Place::parameters ? "parameter" : "leaf";
      from[leaf.slot] = "leaf" + std::to_string(leaf.slot);
      const std::string name = name_of(leaf.place);
      out_ << "  " << from[leaf.slot] << " [shape=box, label=\"" << (name.empty() ? kind : name) << "\\n"
           << to_string(tape_.shape_of(leaf.slot)) << "\"];\n";
    }
    for (std::size_t n = 0; n < tape_.nodes_.size(); ++n) {
      const auto& node = tape_.nodes_[n];
      const std::string id = "op" + std::to_string(n);
      out_ << "  " << id << " [label=\"" << escaped(node.op);
      for (std::uint32_t i = 0; i < node.outputs; ++i) {
        const std::uint32_t slot = node.first_output + i;
        from[slot] = id;
        if (i >= most) continue;
        const std::string name = name_of({tape_.run_, slot});
        out_ << "\\n" << (name.empty() ? "" : name + " ") << to_string(tape_.shape_of(slot));
      }
      out_ << (node.outputs > most ? "\\n... " + std::to_string(node.outputs) + " in all" : "") << "\"];\n";
      for (std::uint32_t e = node.first_edge; e < node.first_edge + node.edges; ++e) {
        const auto& edge = tape_.edges_[e];
        for (std::uint32_t i = edge.first_input; i < edge.first_input + edge.inputs; ++i) {
          const std::uint32_t slot = tape_.input_slots_[i];
          if (slot != Tape<T>::none) out_ << "  " << from[slot] << " -> " << id << ";\n";
        }
      }
    }
    out_ << "}\n";
    return out_.str();
  }

 private:
  static std::string escaped(const std::string& text) {
    std::string label;
    for (const char c : text) {
      if (c == '"' || c == '\\') label += '\\';
      label += c == '\n' ? ' ' : c;
    }
    return label;
  }

  std::string name_of(const Place& place) const {
    for (const auto& [name, x] : names_) {
      if (x.place() == place) return escaped(name);
    }
    return "";
  }

  const Tape<T>& tape_;
  const Names<T>& names_;
  std::ostringstream out_;
};

template <class T>
std::string dot(const Tape<T>& tape, const Names<T>& names) {
  return Drawing<T>(tape, names).draw();
}

template std::string dot(const Tape<float>&, const Names<float>&);
template std::string dot(const Tape<double>&, const Names<double>&);

}  // namespace rw
