#include "bench/child.hpp"

#include <cblas.h>
#include <malloc.h>
#include <omp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

struct Request {
  char what;  // 'r'esults, 's'teps, 'p'eak memory
  std::size_t n;
};

struct ReplyHead {
  bool good;
  std::size_t size;
};

bool send_all(int socket, const void* data, std::size_t size) {
  for (const char* from = static_cast<const char*>(data); size > 0;) {
    const ssize_t n = send(socket, from, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    from += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t size) {
  for (char* to = static_cast<char*>(data); size > 0;) {
    const ssize_t n = recv(socket, to, size, 0);
    if (n <= 0) return false;
    to += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

template <class T>
void append(std::string& bytes, const T* data, std::size_t n) {
  bytes.append(reinterpret_cast<const char*>(data), n * sizeof(T));
}

template <class T>
std::vector<T> take(const std::string& bytes, std::size_t& at, std::size_t n) {
  std::vector<T> out(n);
  std::memcpy(out.data(), bytes.data() + at, n * sizeof(T));
  at += n * sizeof(T);
  return out;
}

std::string packed(const Results& results) {
  std::string bytes;
  for (const auto& [name, numbers] : results) {
    const std::size_t sizes[] = {name.size(), numbers.size()};
    append(bytes, sizes, 2);
    append(bytes, name.data(), name.size());
    append(bytes, numbers.data(), numbers.size());
  }
  return bytes;
}

Results unpacked(const std::string& bytes) {
  Results results;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto sizes = take<std::size_t>(bytes, at, 2);
    const auto name = take<char>(bytes, at, sizes[0]);
    results[std::string(name.begin(), name.end())] = take<float>(bytes, at, sizes[1]);
  }
  return results;
}

double status_mb(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kb = 0;
    if (word == field && status >> kb) return kb / 1024;
  }
  throw std::runtime_error("bench: expected " + field + " in /proc/self/status; got none");
}

// What was held for the comparison is given back and does not count.
void restart_peak() {
  malloc_trim(0);
  std::ofstream peak("/proc/self/clear_refs");
  if (!(peak << "5" << std::flush))
    throw std::runtime_error("bench: expected to write /proc/self/clear_refs; got none");
}

std::string answer(const Request& request, Contender& contender, double mb_before) {
  std::string bytes;
  if (request.what == 'r') {
    bytes = packed(contender.results());
  } else if (request.what == 's') {
    for (std::size_t i = 0; i < request.n; ++i) {
      const auto start = std::chrono::steady_clock::now();
      contender.step();
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      append(bytes, &seconds, 1);
    }
  } else {
    const double mb = status_mb("VmHWM:") - mb_before;
    append(bytes, &mb, 1);
  }
  return bytes;
}

void serve(int socket, const MakeContender& make, const Task& task) {
  const double mb_before = status_mb("VmRSS:");
  omp_set_num_threads(task.threads);  // what oneDNN, libtorch and an OpenBLAS of its kind go by
  openblas_set_num_threads(task.threads);
  std::unique_ptr<Contender> contender;
  bool compared = false;
  for (Request request; receive_all(socket, &request, sizeof request);) {
    std::string bytes;
    bool good = true;
    try {
      if (!contender) contender = make(task);
      if (std::exchange(compared, request.what == 'r')) restart_peak();
      bytes = answer(request, *contender, mb_before);
    } catch (const std::exception& error) {
      bytes = error.what();
      good = false;
    }
    const ReplyHead head{good, bytes.size()};
    if (!send_all(socket, &head, sizeof head) || !send_all(socket, bytes.data(), bytes.size())) return;
  }
}

}  // namespace

Child::Child(std::string name, const MakeContender& make, const Task& task) : name_(std::move(name)) {
  std::fflush(nullptr);
  malloc_trim(0);  // free memory handed down would hide what the child needs
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw std::runtime_error("bench: expected a socket; got none");
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("bench: expected a new process; got none");
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    serve(ends[1], make, task);
    _exit(0);
  }
  close(ends[1]);
  socket_ = ends[0];
}

Child::~Child() {
  close(socket_);
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

std::string Child::ask(char what, std::size_t n) {
  const Request request{what, n};
  ReplyHead head{};
  std::string bytes;
  bool alive = send_all(socket_, &request, sizeof request) && receive_all(socket_, &head, sizeof head);
  if (alive) {
    bytes.resize(head.size);
    alive = receive_all(socket_, bytes.data(), bytes.size());
  }
  if (!alive) throw std::runtime_error(name_ + ": the process died");
  if (!head.good) throw std::runtime_error(name_ + ": " + bytes);
  return bytes;
}

Results Child::results() { return unpacked(ask('r')); }

std::vector<double> Child::steps(std::size_t n) {
  std::size_t at = 0;
  return take<double>(ask('s', n), at, n);
}

double Child::peak_mb() {
  std::size_t at = 0;
  return take<double>(ask('p'), at, 1)[0];
}

}  // namespace bench
