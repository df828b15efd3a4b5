#include "autograd/call_stack.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

namespace rw {
namespace {

struct Line {
  std::string function, file, number;  // empty where unknown
};

// "my::Gate<double>::step" of "rw::Variable<double> my::Gate<double>::step(rw::Variable<double> const&) const".
std::string name_of(std::string function) {
  constexpr std::string_view anonymous = "(anonymous namespace)::";
  for (std::size_t at; (at = function.find(anonymous)) != std::string::npos;) function.erase(at, anonymous.size());
  std::size_t begin = 0, depth = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    const char c = function[i];
    const std::string_view name = std::string_view(function).substr(begin, i - begin);
    if (c == '(' && depth == 0 && !name.empty() && name != "decltype") return std::string(name);
    if (c == '<' || c == '(' || c == '{') ++depth;
    if ((c == '>' || c == ')' || c == '}') && depth > 0) --depth;
    if (c == ' ' && depth == 0) begin = i + 1;
  }
  return function.substr(begin);
}

bool is_library_function(const std::string& name) {
  constexpr std::array<std::string_view, 9> libraries = {
      "rw::", "std::", "__gnu_cxx::", "xt::", "xsimd::", "__libc_", "_start", "start_thread", "__interceptor_"};
  return std::any_of(libraries.begin(), libraries.end(), [&](std::string_view l) { return name.rfind(l, 0) == 0; });
}

// Whether it lies below the folder where our own lie, or where those of the system do: local functions, and templates
// of local types, are known by names without their namespace.
bool is_library_file(const std::string& file) {
  if (file.rfind("/usr/include/", 0) == 0) return true;
  std::filesystem::path root;
  for (const auto& part : std::filesystem::path(file)) {
    std::error_code error;
    const bool ours = part == "autograd" || part == "nn" || part == "optim";
    if (ours && std::filesystem::exists(root / "autograd" / "record.hpp", error)) return true;
    root /= part;
  }
  return false;
}

// Below the folder where the program runs as seen from there.
std::string as_seen_from_here(const std::string& file) {
  std::error_code error;
  const std::string relative = std::filesystem::path(file).lexically_relative(std::filesystem::current_path(error));
  return error || relative.empty() || relative.rfind("..", 0) == 0 ? file : relative;
}

// The lines of a call, several where functions were inlined there, innermost first.
std::vector<Line> lines_of(void* call) {
  // One byte back is still within the call; what it returns to may belong to another line.
  char* const within = static_cast<char*>(call) - 1;
  Dl_info info;
  link_map* loaded = nullptr;
  if (dladdr1(within, &info, reinterpret_cast<void**>(&loaded), RTLD_DL_LINKMAP) == 0) return {};
  std::error_code error;
  std::string file = loaded->l_name;
  if (file.empty()) file = std::filesystem::read_symlink("/proc/self/exe", error).string();
  for (std::size_t at = 0; (at = file.find('\'', at)) != std::string::npos; at += 4) file.replace(at, 1, "'\\''");
  std::ostringstream command;
  command << "addr2line -C -f -i -e '" << file << "' 0x" << std::hex
          << reinterpret_cast<std::uintptr_t>(within) - loaded->l_addr << " 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> answer(popen(command.str().c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> part;
  while (answer && std::fgets(part.data(), part.size(), answer.get()) != nullptr) text += part.data();

  std::vector<Line> lines;
  std::istringstream in(text);
  for (std::string function, line; std::getline(in, function) && std::getline(in, line);) {
    line = line.substr(0, line.find(" (discriminator"));
    const std::size_t colon = std::min(line.rfind(':'), line.size());
    std::string number = line.substr(colon);
    const bool known = line[0] != '?' && number != ":?" && number != ":0";
    lines.push_back({function == "??" ? "" : name_of(function),
                     known ? std::filesystem::path(line.substr(0, colon)).lexically_normal().string() : "",
                     known ? number : ""});
  }
  // Of a local function inlined in another it knows the line, but takes the other's name.
  if (lines.size() > 1) {
    const std::string &first = lines.front().function, &last = lines.back().function;
    const bool same = first.size() >= last.size() && first.compare(first.size() - last.size(), last.size(), last) == 0;
    if (same) lines.front().function.clear();
  }
  return lines;
}

// Calls, and where on the stack each address that one returns to lies.
struct Found {
  std::array<void*, CallStack::most_calls> calls{};
  std::array<void* const*, CallStack::most_calls> places{};
  std::size_t count = 0;
  void* innermost = nullptr;  // calls below this height of the stack are over when these are looked for again
  const CallStack* stack = nullptr;
  const Found* next = nullptr;           // of the same group
  mutable const Found* after = nullptr;  // what was looked for after these the last time

  // Whether the addresses still lie there: then these are the calls that led here once more. Read from the innermost
  // outwards, so what is read belongs to the stack as it is now.
  [[gnu::no_sanitize_address]] bool again(void* height) const {
    if (innermost != height) return false;
#pragma GCC unroll 4  // most of what here() takes
    for (std::size_t i = 0; i < count; ++i) {
      if (*places[i] != calls[i]) return false;
    }
    return count > 0;
  }
};

_Unwind_Reason_Code add_call(_Unwind_Context* context, void* to) {
  Found& found = *static_cast<Found*>(to);
  void* const call = std::bit_cast<void*>(_Unwind_GetIP(context));
  void* const* const place = std::bit_cast<void* const*>(_Unwind_GetCFA(context)) - 1;
  if (call == nullptr || found.count == found.calls.size()) return _URC_END_OF_STACK;
  if (place < found.innermost) return _URC_NO_REASON;
  found.places[found.count] = place;
  found.calls[found.count++] = call;
  return _URC_NO_REASON;
}

}  // namespace

// What was found on a thread, in groups by height.
class CallStack::Memory {
 public:
  // To unwind takes some 0.2 µs a call. Loops come here by the same calls time after time, at the same height of the
  // stack, and in the same order: what came next the last time is looked at first, then all that was found at a height.
  // nullptr: none of it.
  const CallStack* find(void* height) {
    const Found* found = last_->after;
    if (found == nullptr || !found->again(height)) {
      found = group(height);
      while (found != nullptr && !found->again(height)) found = found->next;
      if (found == nullptr) return nullptr;
      last_->after = found;
    }
    last_ = found;
    return found->stack;
  }

  [[gnu::cold, gnu::noinline]] const CallStack* add(void* height) {
    Found found;
    found.innermost = height;
    _Unwind_Backtrace(add_call, &found);
    CallStack stack;
    stack.calls_ = found.calls;
    static std::mutex mutex;
    static auto& known = *new std::set<CallStack>;  // never destroyed: other threads may still look
    {
      const std::lock_guard lock(mutex);
      found.stack = &*known.insert(stack).first;
    }
    if (!found.again(height)) return found.stack;  // addresses lie elsewhere than on this processor
    if (all_.size() == most) forget();
    found.next = group(height);
    all_.push_back(found);
    last_ = last_->after = group(height) = &all_.back();
    return found.stack;
  }

 private:
  const Found*& group(void* height) { return groups_[std::bit_cast<std::uintptr_t>(height) / 16 % groups_.size()]; }

  void forget() {
    all_.resize(1);
    all_.front().after = nullptr;
    groups_.fill(nullptr);
    last_ = &all_.front();
  }

  static constexpr std::size_t most = 1 << 14;  // 7 MB

  std::deque<Found> all_ = std::deque<Found>(1);  // the first is before all others
  std::array<const Found*, 256> groups_{};
  const Found* last_ = &all_.front();
};

const CallStack* CallStack::here() {
  thread_local Memory memory;
  void* const height = __builtin_frame_address(0);
  const CallStack* const stack = memory.find(height);
  return stack != nullptr ? stack : memory.add(height);
}

std::string CallStack::place() const {
  for (void* call : calls_) {
    if (call == nullptr) break;
    for (const Line& line : lines_of(call)) {
      const std::string in = line.function.empty() || line.function == "operator()" ? "" : " in " + line.function;
      if (is_library_function(line.function) || is_library_file(line.file)) continue;
      if (!line.file.empty()) return "at " + as_seen_from_here(line.file) + line.number + in;
      if (!in.empty()) return in.substr(1) + " (-g1 tells the line)";
    }
  }
  return "in a program without symbols, or without addr2line to read them";
}

}  // namespace rw
