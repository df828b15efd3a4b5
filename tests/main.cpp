#define BOOST_TEST_MODULE Rewind
#include <boost/test/unit_test.hpp>
