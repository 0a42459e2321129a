// An HTTP client that plays back a script and remembers what was sent.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "pcw/net/http.h"

namespace pcw::net {

/// A response for scripts.
inline HttpResponse Reply(int status, std::string body = "", Headers headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  response.elapsed = std::chrono::milliseconds(10);
  return response;
}

/// Plays `script` in order; the last entry repeats. Not thread-safe.
class FakeHttpClient final : public HttpClient {
 public:
  Result<HttpResponse> Send(const HttpRequest& request, const HttpLimits& /*limits*/,
                            std::stop_token stop) override {
    sent.push_back(request);
    sent.back().body = std::string(request.payload());
    sent.back().borrowed_body = {};
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    Result<HttpResponse> answer = script.front();
    if (script.size() > 1) script.pop_front();
    return answer;
  }

  std::deque<Result<HttpResponse>> script;
  std::vector<HttpRequest> sent;
};

}  // namespace pcw::net
