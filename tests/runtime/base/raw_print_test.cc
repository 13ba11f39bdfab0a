#include "base/raw_print.h"

#include <unistd.h>

#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

template <class F>
std::string Printed(F fn) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  {
    RawPrinter out(fds[1]);
    fn(out);
  }
  close(fds[1]);
  std::string text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fds[0], buffer, sizeof(buffer))) > 0)
    text.append(buffer, static_cast<size_t>(n));
  close(fds[0]);
  return text;
}

TEST(RawPrinterTest, ABufferOfTheCallersHoldsAsMuchAsItHasRoom) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  char buffer[2000];
  RawPrinter out(fds[1], buffer, sizeof(buffer));
  const std::string half(1000, 'x');
  out << half << half;
  EXPECT_EQ(out.Room(), 0u);
  out << "y";  // now the others are written, in one piece
  EXPECT_EQ(out.Room(), sizeof(buffer) - 1);
  char text[4000];
  EXPECT_EQ(read(fds[0], text, sizeof(text)), 2000);
  out.Flush();
  EXPECT_EQ(read(fds[0], text, sizeof(text)), 1);
  EXPECT_EQ(text[0], 'y');
  close(fds[0]);
  close(fds[1]);
}

TEST(RawPrinterTest, PrintsNumbers) {
  EXPECT_EQ(Printed([](RawPrinter& out) {
              out << 0 << " " << std::numeric_limits<int64_t>::min() << " "
                  << std::numeric_limits<uint64_t>::max() << " ";
              out.Hex(0) << " ";
              out.Hex(0xdeadbeef);
            }),
            "0 -9223372036854775808 18446744073709551615 0x0 0xdeadbeef");
}

TEST(RawPrinterTest, PrintsMoreThanItsBuffer) {
  const std::string text(5000, 'x');
  EXPECT_EQ(Printed([&](RawPrinter& out) { out << text << "end"; }), text + "end");
}

}  // namespace
}  // namespace leash::rt
