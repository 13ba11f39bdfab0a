// HTTP responses, whole and cut.

#include "dump/http_response.h"

#include <gtest/gtest.h>

namespace leash::tools {
namespace {

std::string Error(std::string_view bytes) {
  return std::string(ParseHttpResponse(bytes).status().message());
}

TEST(HttpResponseTest, BodyEndsWithItsLength) {
  const auto r = ParseHttpResponse("HTTP/1.1 200 OK\r\nCONTENT-length: 3\r\n\r\nabcdef");
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->status, 200);
  EXPECT_EQ(r->body, "abc");
}

TEST(HttpResponseTest, BodyEndsWithTheConnection) {
  const auto r = ParseHttpResponse("HTTP/1.0 404 Not Found\n\nabc");
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->status, 404);
  EXPECT_EQ(r->reason, "Not Found");
  EXPECT_EQ(r->body, "abc");
}

TEST(HttpResponseTest, ChunksAreJoined) {
  const auto r = ParseHttpResponse(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n");
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->body, "abc0123456789");
}

TEST(HttpResponseTest, LessThanAnnouncedIsAnError) {
  EXPECT_EQ(Error("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
            "want a body of 9 bytes, have 3");
  EXPECT_EQ(Error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            "want a body of 5 bytes, have 2");
  EXPECT_EQ(Error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"),
            "want the next chunk, have the end of the connection after 2 bytes");
  EXPECT_EQ(Error("HTTP/1.1 200 OK\r\nContent-"), "want HTTP headers, have only some");
  EXPECT_EQ(Error("SSH-2.0-OpenSSH\r\n"), "want an HTTP response, have something else");
}

}  // namespace
}  // namespace leash::tools
