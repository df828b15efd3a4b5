#include "autograd/workers.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "autograd/ops/reduce.hpp"

using rw::Workers;

BOOST_AUTO_TEST_SUITE(workers)

BOOST_AUTO_TEST_CASE(each_task_runs_once_on_a_thread_of_its_own) {
  for (const std::size_t count : {1, 2, 3, 8}) {
    Workers team(count);
    BOOST_TEST(team.count() == count);
    std::vector<int> runs(count);
    std::vector<std::thread::id> threads(count);
    team.run([&](std::size_t i) {
      ++runs[i];
      threads[i] = std::this_thread::get_id();
    });
    BOOST_TEST(runs == std::vector<int>(count, 1), boost::test_tools::per_element());
    BOOST_TEST((threads[0] == std::this_thread::get_id()));
    BOOST_TEST(std::set<std::thread::id>(threads.begin(), threads.end()).size() == count);
  }
}

BOOST_AUTO_TEST_CASE(threads_stay_over_many_rounds) {
  constexpr std::size_t count = 3, rounds = 5000;
  Workers team(count);
  std::vector<std::size_t> runs(count);
  std::vector<std::set<std::thread::id>> threads(count);
  for (std::size_t round = 0; round < rounds; ++round) {
    team.run([&](std::size_t i) {
      ++runs[i];
      threads[i].insert(std::this_thread::get_id());
    });
    for (const std::size_t n : runs) BOOST_REQUIRE(n == round + 1);  // run() waits for all
  }
  for (const auto& ids : threads) BOOST_TEST(ids.size() == 1u);
}

// The cores that the calling thread may use.
cpu_set_t cores_here() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  pthread_getaffinity_np(pthread_self(), sizeof cores, &cores);
  return cores;
}

boost::test_tools::assertion_result has_two_cores(boost::unit_test::test_unit_id) {
  const cpu_set_t cores = cores_here();
  return CPU_COUNT(&cores) > 1;
}

BOOST_AUTO_TEST_CASE(threads_keep_off_the_core_of_the_caller, *boost::unit_test::precondition(has_two_cores)) {
  Workers team(2);
  const cpu_set_t callers = cores_here();
  cpu_set_t workers, both;
  team.run([&](std::size_t i) {
    if (i == 1) workers = cores_here();
  });
  CPU_AND(&both, &callers, &workers);
  BOOST_TEST(CPU_EQUAL(&both, &workers));
  BOOST_TEST(CPU_COUNT(&workers) == CPU_COUNT(&callers) - 1);

  // A caller with one core leaves the threads where they may be.
  const int here = sched_getcpu();
  cpu_set_t one, after;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(here), &one);
  BOOST_REQUIRE(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
  Workers inherits(2);
  inherits.run([&](std::size_t i) {
    if (i == 1) after = cores_here();
  });
  BOOST_TEST(CPU_EQUAL(&after, &one));
  BOOST_REQUIRE(pthread_setaffinity_np(pthread_self(), sizeof callers, &callers) == 0);
}

BOOST_AUTO_TEST_CASE(the_error_of_the_lowest_task_is_thrown_after_all_have_ended) {
  Workers team(4);
  for (const std::size_t lowest : {0, 1, 2, 3}) {
    std::atomic<int> ended = 0;
    const auto task = [&](std::size_t i) {
      ++ended;
      if (i >= lowest) throw std::runtime_error(std::to_string(i));
    };
    BOOST_CHECK_EXCEPTION(team.run(task), std::runtime_error,
                          [&](const std::runtime_error& e) { return e.what() == std::to_string(lowest); });
    BOOST_TEST(ended == 4);
  }
  std::atomic<int> fine = 0;  // and the team goes on
  team.run([&](std::size_t) { ++fine; });
  BOOST_TEST(fine == 4);
}

BOOST_AUTO_TEST_CASE(a_team_without_work_ends) {
  for (int i = 0; i < 100; ++i) Workers team(3);
  BOOST_CHECK_EXCEPTION(Workers(0), std::invalid_argument, [](const std::exception& e) {
    return e.what() == std::string("workers: expected at least one worker; got 0");
  });
}

// What they are for: a shard each, on a tape each, and the gradients add up.
BOOST_AUTO_TEST_CASE(gradients_of_shards_add_up) {
  constexpr std::size_t count = 3;
  rw::Parameter<double> w("w", rw::tensor<double>({2}, {0.5, -2}));
  Workers team(count);
  std::vector<rw::Gradients<double>> shards(count);
  std::vector<char> outside(count, 1);  // no thread is left on a tape
  const auto loss = [&](std::size_t shard) { return sum(square(w) * double(shard + 1)); };
  for (int round = 0; round < 50; ++round) {
    team.run([&](std::size_t i) {
      outside[i] = outside[i] && rw::Tape<double>::current() == nullptr;
      rw::Tape<double> tape;
      shards[i] = tape.backward(loss(i));
    });
    for (std::size_t i = 1; i < count; ++i) shards[0] += std::move(shards[i]);
    const auto& g = shards[0][w].value();
    BOOST_TEST(g.data()[0] == 2 * 0.5 * 6);
    BOOST_TEST(g.data()[1] == 2 * -2.0 * 6);
  }
  BOOST_TEST(outside == std::vector<char>(count, 1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
