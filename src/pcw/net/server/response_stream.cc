// Answers in pieces: what a handler writes on any thread comes to the connection's own.
#include <utility>

#include "pcw/net/server/connection.h"

namespace pcw::net::server {

StreamState::~StreamState() {
  if (!has_ended.exchange(true)) connection->EndStream(false);
}

bool ResponseStream::Write(std::string_view bytes) const {
  if (!is_open()) return false;
  if (bytes.empty()) return true;
  if (state_->queued.fetch_add(bytes.size()) + bytes.size() > kMaxStreamBytes) {
    // A reader this slow is cut off: what waits for it must stay bounded.
    state_->is_open = false;
    if (!state_->has_ended.exchange(true)) state_->connection->EndStream(true);
    return false;
  }
  state_->connection->StreamPiece(std::string(bytes));
  return true;
}

void ResponseStream::End() const {
  state_->is_open = false;
  if (!state_->has_ended.exchange(true)) state_->connection->EndStream(false);
}

bool ResponseStream::is_open() const { return state_->is_open; }

void Connection::BeginStream(const std::shared_ptr<StreamState>& stream, Response head) {
  worker_->Post([self = shared_from_this(), weak = std::weak_ptr<StreamState>(stream),
                 head = std::move(head)] {
    if (self->phase_ != Phase::kHandling) {
      if (const auto state = weak.lock()) state->is_open = false;
      return;
    }
    self->phase_ = Phase::kWriting;
    // The connection ends with the stream: while it lasts, what is read from the client is only
    // watched for its end.
    self->keep_alive_ = false;
    self->stream_ = weak;
    self->is_streaming_ = true;
    self->is_stream_over_ = self->with_body_ == WithBody::kNo;
    self->stream_pending_ =
        RenderStreamHead(head, self->keep_alive_ ? KeepAlive::kYes : KeepAlive::kNo,
                         self->worker_->Date(), self->framing_);
    self->PumpStream();
    if (self->is_streaming_) self->WatchClient();
  });
}

void Connection::StreamPiece(std::string bytes) {
  worker_->Post([self = shared_from_this(), bytes = std::move(bytes)] {
    if (!self->is_streaming_ || self->is_stream_over_) return;
    self->stream_pending_ += RenderStreamPiece(bytes, self->framing_);
    self->PumpStream();
  });
}

void Connection::EndStream(bool is_cut) {
  worker_->Post([self = shared_from_this(), is_cut] {
    if (!self->is_streaming_) return;
    if (is_cut) {
      self->Close();
      return;
    }
    if (!std::exchange(self->is_stream_over_, true)) {
      self->stream_pending_ += StreamEnd(self->framing_);
      self->PumpStream();
    }
  });
}

void Connection::DropStream() {
  if (const auto state = stream_.lock()) state->is_open = false;
  stream_.reset();
  stream_pending_.clear();
  is_streaming_ = is_stream_over_ = false;
}

}  // namespace pcw::net::server
