#include "http/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace http {

absl::StatusOr<ResponseHead> Client::Get(const leash::Context& ctx, const Url& url,
                                         const BodySink& sink) {
  if (conn_ != nullptr && address_ != url.address) conn_ = nullptr;
  const bool kept = conn_ != nullptr;
  absl::StatusOr<ResponseHead> head = GetOn(ctx, url, sink);
  if (!head.ok() && kept && !reader_->has_read() && ctx.Err().ok()) {
    conn_ = nullptr;
    head = GetOn(ctx, url, sink);
  }
  // What is left of a failed response would be read as the next one.
  if (!head.ok() || !head->keep_alive) conn_ = nullptr;
  if (!head.ok() && !ctx.Err().ok()) return ctx.Err();
  return head;
}

absl::StatusOr<ResponseHead> Client::GetOn(const leash::Context& ctx, const Url& url,
                                           const BodySink& sink) {
  if (conn_ == nullptr) {
    absl::StatusOr<leash::net::Conn> conn = leash::net::Dial(ctx, "tcp", url.address);
    if (!conn.ok()) return conn.status();
    conn_ = std::make_shared<leash::net::Conn>(*std::move(conn));
    address_ = url.address;
  }
  reader_ = std::make_unique<Reader>(conn_.get());
  // A connection knows deadlines only, so the end of the context becomes one. The function may
  // still run when this has returned: it holds the connection too.
  const leash::StopFunc stop =
      leash::AfterFunc(ctx, [conn = conn_] { conn->SetDeadline(absl::InfinitePast()); });
  absl::StatusOr<ResponseHead> head = [&]() -> absl::StatusOr<ResponseHead> {
    const absl::StatusOr<size_t> sent =
        conn_->Write(absl::StrCat("GET ", url.target, " HTTP/1.1\r\nHost: ", url.address,
                                  "\r\nUser-Agent: leash-downloader\r\nAccept: */*\r\n\r\n"));
    if (!sent.ok()) return sent.status();
    absl::StatusOr<ResponseHead> received = reader_->ReadResponseHead();
    if (!received.ok()) return received;
    const absl::Status body = reader_->ReadResponseBody(*received, sink);
    if (!body.ok()) return body;
    return received;
  }();
  // Too late to stop it: the connection has that deadline now, or will have.
  if (!stop()) conn_ = nullptr;
  return head;
}

}  // namespace http
