#include "pcw/sim/s3/control.h"

#include <algorithm>
#include <string>

#include "pcw/sim/json_text.h"
#include "pcw/sim/s3/state.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

using net::server::Request;
using net::server::Response;

constexpr std::string_view kDeletePath = "/_sim/s3/delete-bucket";

Response JsonAnswer(int status, std::string_view name, std::string_view text) {
  std::string body;
  JsonText(body).Open('{').Member(name, text).Close('}');
  return {status, {{"Content-Type", "application/json"}}, body + "\n"};
}

Response Failure(int status, std::string_view what) { return JsonAnswer(status, "error", what); }

}  // namespace

bool IsS3Control(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path == kS3ControlPath || path == kDeletePath;
}

Response AnswerS3Control(S3Service& s3, const Request& request) {
  // As AnswerControl: a web page in the user's browser may not steer the simulator.
  if (request.Header("Origin")) return Failure(403, "not for browsers");
  const std::string_view target = request.target;
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view query = target.substr(std::min(mark + 1, target.size()));
  constexpr std::string_view kName = "bucket=";
  if (!query.empty() && !query.starts_with(kName)) return Failure(400, "known member: bucket");
  const std::string_view bucket = query.empty() ? kFirstBucket : query.substr(kName.size());
  const bool removes = target.substr(0, mark) == kDeletePath;
  if (request.method != (removes ? "POST" : "GET")) {
    return Failure(405, removes ? "use POST" : "use GET");
  }
  if (removes) {
    if (!s3.RemoveBucket(bucket)) return Failure(404, "no such bucket");
    return JsonAnswer(200, "deleted", bucket);
  }
  auto lines = s3.Describe(bucket);
  if (!lines) return Failure(404, "no such bucket");
  return {200, {{"Content-Type", "application/x-ndjson"}}, std::move(*lines)};
}

}  // namespace pcw::sim
