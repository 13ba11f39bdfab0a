// Quoting, as Go and as JSON.

#include "model/text.h"

#include <gtest/gtest.h>

namespace leash::internal {
namespace {

std::string Go(std::string_view text) {
  std::string out;
  AppendGoQuoted(text, &out);
  return out;
}
std::string Json(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(TextTest, GoQuotesAsStrconv) {
  EXPECT_EQ(Go("plain ä 世"), "\"plain ä 世\"");
  EXPECT_EQ(Go("\"\\"), R"("\"\\")");
  EXPECT_EQ(Go("\a\b\t\n\v\f\r"), R"("\a\b\t\n\v\f\r")");
  EXPECT_EQ(Go(std::string_view("\0\x1f\x7f", 3)), R"("\x00\x1f\x7f")");
  EXPECT_EQ(Go("\xff\xc3"), R"("\xff\xc3")");
  EXPECT_EQ(Go("\u00a0\u200b\u2028\ufeff"), R"("\u00a0\u200b\u2028\ufeff")");
  EXPECT_EQ(Go("\U000e0001"), R"("\U000e0001")");
  EXPECT_EQ(Go("\xed\xa0\x80"), R"("\xed\xa0\x80")");  // a surrogate is no UTF-8
}

TEST(TextTest, JsonEscapesControlsAndWhatIsNoUtf8) {
  EXPECT_EQ(Json("plain ä"), "\"plain ä\"");
  EXPECT_EQ(Json("\"\\/\n\t\r\x01\x7f"), R"("\"\\/\n\t\u000d\u0001\u007f")");
  EXPECT_EQ(Json("a\xff\xc3z"), R"("a\udcff\udcc3z")");
}

TEST(TextTest, NumbersAtTheirEnds) {
  std::string out;
  AppendInt(INT64_MIN, &out);
  out += ' ';
  AppendInt(UINT64_MAX, &out);
  out += ' ';
  AppendHex(UINT64_MAX, &out);
  AppendHex(0, &out);
  EXPECT_EQ(out, "-9223372036854775808 18446744073709551615 0xffffffffffffffff0x0");
}

TEST(TextTest, Utf8GoesBothWays) {
  for (uint32_t c : {0x24u, 0xa2u, 0x7ffu, 0x800u, 0xffffu, 0x10000u, 0x10ffffu}) {
    std::string text;
    AppendUtf8(c, &text);
    EXPECT_EQ(DecodeUtf8(text).value, c);
    EXPECT_EQ(static_cast<size_t>(DecodeUtf8(text).bytes), text.size());
    EXPECT_EQ(DecodeUtf8(text.substr(0, text.size() - 1)).bytes, 0);
  }
  EXPECT_EQ(DecodeUtf8("\xc0\x80").bytes, 0);  // longer than it need be
}

}  // namespace
}  // namespace leash::internal
