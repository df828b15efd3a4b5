#define BOOST_TEST_MODULE user
#include <boost/test/unit_test.hpp>
