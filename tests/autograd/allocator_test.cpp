#include "autograd/allocator.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "autograd/workers.hpp"

BOOST_AUTO_TEST_SUITE(allocator)

using namespace rw;

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_whole) {
  // Every byte of every block can be written, and blocks do not overlap.
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (std::size_t bytes = 1; bytes < 100000; bytes = bytes * 5 / 4 + 1) {
    auto* block = static_cast<unsigned char*>(acquire(bytes));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(block) % 64 == 0u);
    std::memset(block, static_cast<int>(blocks.size()), bytes);
    blocks.emplace_back(block, bytes);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, bytes] = blocks[i];
    std::size_t kept = 0;
    for (std::size_t k = 0; k < bytes; ++k) kept += block[k] == static_cast<unsigned char>(i);
    BOOST_TEST(kept == bytes);
  }
  for (const auto& [block, bytes] : blocks) release(block, bytes);
}

BOOST_AUTO_TEST_CASE(blocks_of_any_sizes_come_and_go) {
  // A random walk over sizes around those where a size class ends; each block holds its number while it lives.
  std::vector<std::pair<std::uint32_t*, std::size_t>> live;
  std::uint32_t state = 1;
  const auto random = [&state](std::uint32_t n) { return (state = state * 1664525u + 1013904223u) / 65536u % n; };
  bool intact = true;
  for (std::uint32_t step = 0; step < 20000; ++step) {
    if (live.size() < 50 || random(2) == 0) {
      const std::size_t bytes = (std::size_t{64} << random(8)) + random(3) * 16 + 4 * random(20) + 4;
      auto* block = static_cast<std::uint32_t*>(acquire(bytes));
      block[0] = block[bytes / 4 - 1] = step;
      live.emplace_back(block, bytes);
    } else {
      const std::size_t i = random(static_cast<std::uint32_t>(live.size()));
      const auto [block, bytes] = live[i];
      intact = intact && block[0] == block[bytes / 4 - 1];
      release(block, bytes);
      live[i] = live.back();
      live.pop_back();
    }
  }
  BOOST_TEST(intact);
  for (const auto& [block, bytes] : live) release(block, bytes);
}

BOOST_AUTO_TEST_CASE(a_block_given_back_is_handed_out_again, *boost::unit_test::enable_if<recycles>()) {
  void* block = acquire(5000);
  release(block, 5000);
  void* again = acquire(5001);  // of the same size class
  BOOST_TEST(again == block);
  release(again, 5001);
}

BOOST_AUTO_TEST_CASE(what_is_in_use_is_counted, *boost::unit_test::enable_if<recycles>()) {
  for (const std::size_t bytes : {64, 5000, 100'000, 5 << 20}) {  // in lists and in the heap
    release(acquire(bytes), bytes);
    const std::size_t before = bytes_in_use();
    void* block = acquire(bytes);
    BOOST_TEST(bytes_in_use() >= before + bytes);
    BOOST_TEST(bytes_in_use() <= before + bytes * 5 / 4 + 4096);
    release(block, bytes);
    BOOST_TEST(bytes_in_use() == before);
  }
}

BOOST_AUTO_TEST_CASE(neighbours_given_back_grow_together, *boost::unit_test::enable_if<recycles>()) {
  constexpr std::size_t one = std::size_t{5} << 20;
  for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}}) {
    char* whole = static_cast<char*>(acquire(3 * one));
    release(whole, 3 * one);
    std::vector<char*> parts;
    for (int i = 0; i < 3; ++i) parts.push_back(static_cast<char*>(acquire(one)));
    BOOST_TEST((parts[1] == parts[0] + one && parts[2] == parts[1] + one));
    for (const std::size_t i : order) release(parts[i], one);
    void* again = acquire(3 * one);
    BOOST_TEST(again == whole);
    release(again, 3 * one);
  }
}

BOOST_AUTO_TEST_CASE(another_thread_may_give_back) {
  for (const std::size_t bytes : {1 << 12, 1 << 20}) {
    for (int round = 0; round < 100; ++round) {
      void* block = acquire(bytes);
      std::thread([block, bytes] {
        release(block, bytes);
        void* own = acquire(bytes);
        std::memset(own, 1, bytes);
        release(own, bytes);
      }).join();
    }
    void* block = acquire(bytes);
    std::memset(block, 2, bytes);
    release(block, bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_large_block_goes_back_to_the_thread_that_made_it, *boost::unit_test::enable_if<recycles>()) {
  constexpr std::size_t bytes = 1 << 20;
  const std::size_t before = bytes_in_use();
  void *made = nullptr, *again = nullptr, *by_the_next_thread = nullptr;
  {
    Workers team(2);
    const auto other_acquires = [&](void*& block) {
      team.run([&](std::size_t worker) {
        if (worker == 1) block = acquire(bytes);
      });
    };
    other_acquires(made);
    release(made, bytes);
    void* own = acquire(bytes);
    BOOST_TEST(own != made);
    release(own, bytes);
    other_acquires(again);
    BOOST_TEST(again == made);
    release(again, bytes);
  }
  std::thread([&] { by_the_next_thread = acquire(bytes); }).join();
  BOOST_TEST(by_the_next_thread == made);
  release(by_the_next_thread, bytes);
  BOOST_TEST(bytes_in_use() == before);
}

BOOST_AUTO_TEST_CASE(nothing_and_too_much) {
  void* block = acquire(0);
  BOOST_TEST(block != nullptr);
  release(block, 0);
  release(nullptr, 64);
  BOOST_CHECK_THROW(acquire(~std::size_t{0}), std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
