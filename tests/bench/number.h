// How figures are written.

#ifndef LEASH_TESTS_BENCH_NUMBER_H_
#define LEASH_TESTS_BENCH_NUMBER_H_

#include <string>

namespace leash::bench {

// Three digits that count, and thousands apart: "9.31", "251.3", "12,345".
std::string Number(double value);

// As many digits as tell a small one from nothing: "1.31", "0.024", "0.0012".
std::string RatioNumber(double ratio);

}  // namespace leash::bench

#endif  // LEASH_TESTS_BENCH_NUMBER_H_
