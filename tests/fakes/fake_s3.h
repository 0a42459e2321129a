// A bucket in memory behind the HTTP port: conditional writes, checksums, listings in pages,
// uploads in parts. Says what the S3 documentation says; shares no code with the client.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "fakes/fake_http.h"
#include "pcw/base/digest.h"
#include "pcw/net/http.h"

namespace pcw::net {

/// Path style, bucket "lake". Not thread-safe.
class FakeS3 final : public HttpClient {
 public:
  struct Object {
    std::string bytes;
    std::string sha256;  ///< what the store keeps; empty = nothing
  };
  /// What goes wrong with one exchange: it never arrives, or it is done and the answer is lost.
  enum class Trouble { kNone, kNotReached, kAnswerLost };

  std::map<std::string, Object> objects;
  std::map<std::string, std::map<int, Object>> uploads;
  std::vector<std::string> log;       ///< "PUT key", "POST key?uploads"
  std::deque<HttpResponse> refusals;  ///< said before anything is done, one an exchange
  std::deque<Trouble> troubles;
  std::size_t page_size = 1000;
  bool keeps_checksums = true;

  Result<HttpResponse> Send(const HttpRequest& request, const HttpLimits& /*limits*/,
                            std::stop_token stop) override {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    const std::string target = request.url.substr(request.url.find("/lake"));
    const auto question = std::min(target.find('?'), target.size());
    key_ = Decode(target.substr(0, question).substr(5));
    if (!key_.empty()) key_.erase(0, 1);
    ReadQuery(target.substr(std::min(question + 1, target.size())));
    log.push_back(request.method + " " + key_ +
                  (question == target.size() || key_.empty() ? "" : target.substr(question)));
    if (!refusals.empty()) {
      HttpResponse said = refusals.front();
      refusals.pop_front();
      return said;
    }
    Trouble trouble = Trouble::kNone;
    if (!troubles.empty()) {
      trouble = troubles.front();
      troubles.pop_front();
    }
    const Error broken = Error(ErrorCode::kUnavailable, "reset").At(NetStep::kReceive);
    if (trouble == Trouble::kNotReached) return broken;
    HttpResponse answer = Answer(request);
    if (trouble == Trouble::kAnswerLost) return broken;
    answer.headers.emplace_back("x-amz-request-id", "R1");
    return answer;
  }

  static HttpResponse Refusal(int status, const std::string& code) {
    return Reply(status, "<?xml version=\"1.0\"?>\n<Error><Code>" + code +
                             "</Code><Message>no</Message></Error>");
  }

 private:
  static std::string Decode(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  // As encoding-type=url has it: a space is "+".
  static std::string Encode(const std::string& text) {
    std::string out;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == ' ') {
        out += '+';
      } else if (std::isalnum(byte) != 0 || c == '/' || c == '-' || c == '.' || c == '_') {
        out += c;
      } else {
        out += fmt::format("%{:02X}", byte);
      }
    }
    return out;
  }
  void ReadQuery(const std::string& query) {
    query_.clear();
    for (std::size_t at = 0; at < query.size();) {
      const auto end = std::min(query.find('&', at), query.size());
      const std::string pair = query.substr(at, end - at);
      const auto equals = std::min(pair.find('='), pair.size());
      query_[pair.substr(0, equals)] = Decode(pair.substr(std::min(equals + 1, pair.size())));
      at = end + 1;
    }
  }

  HttpResponse Answer(const HttpRequest& request) {
    const std::string body(request.payload());
    const auto header = [&](const char* name) {
      return std::string(FindHeader(request.headers, name).value_or(""));
    };
    const std::string promised = header("x-amz-checksum-sha256");
    const std::string actual = Base64(BytesOf(Sha256(body)));
    if (!promised.empty() && promised != actual) return Refusal(400, "BadDigest");
    if (header("x-amz-content-sha256") != Sha256Hex(body))
      return Refusal(400, "XAmzContentSHA256Mismatch");
    if (request.method == "PUT" && query_.contains("partNumber")) {
      const auto upload = uploads.find(query_["uploadId"]);
      if (upload == uploads.end()) return Refusal(404, "NoSuchUpload");
      upload->second[std::stoi(query_["partNumber"])] = {body, actual};
      return Reply(200, "", {{"ETag", "\"" + Sha256Hex(body).substr(0, 32) + "\""}});
    }
    if (request.method == "PUT") {
      if (header("if-none-match") == "*" && objects.contains(key_))
        return Refusal(412, "PreconditionFailed");
      objects[key_] = {body, keeps_checksums ? promised : ""};
      return Reply(200);
    }
    if (request.method == "POST" && query_.contains("uploads")) {
      const std::string id = fmt::format("u+{}/=", ++serial_);
      uploads[id];
      return Reply(200, "<InitiateMultipartUploadResult><UploadId>" + id +
                            "</UploadId></InitiateMultipartUploadResult>");
    }
    if (request.method == "POST") return Complete(header("if-none-match") == "*");
    if (request.method == "DELETE")
      return uploads.erase(query_["uploadId"]) == 1 ? Reply(204) : Refusal(404, "NoSuchUpload");
    if (key_.empty()) return request.method == "HEAD" ? Reply(200) : List();
    const auto found = objects.find(key_);
    if (found == objects.end())
      return request.method == "HEAD" ? Reply(404) : Refusal(404, "NoSuchKey");
    Headers headers{{"Content-Length", std::to_string(found->second.bytes.size())},
                    {"ETag", "\"e\""}};
    if (!found->second.sha256.empty() && header("x-amz-checksum-mode") == "ENABLED")
      headers.emplace_back("x-amz-checksum-sha256", found->second.sha256);
    return Reply(200, request.method == "HEAD" ? "" : found->second.bytes, headers);
  }

  HttpResponse Complete(bool is_conditional) {
    const auto upload = uploads.find(query_["uploadId"]);
    if (upload == uploads.end()) return Refusal(404, "NoSuchUpload");
    if (is_conditional && objects.contains(key_)) return Refusal(412, "PreconditionFailed");
    Object whole;
    std::string digests;
    for (const auto& [number, part] : upload->second) {
      whole.bytes += part.bytes;
      digests += BytesOf(Sha256(part.bytes));
    }
    if (keeps_checksums)
      whole.sha256 = fmt::format("{}-{}", Base64(BytesOf(Sha256(digests))), upload->second.size());
    objects[key_] = whole;
    uploads.erase(upload);
    // S3 begins its answer before it knows, and keeps the connection alive with white space.
    return Reply(200,
                 "   <?xml version=\"1.0\"?><CompleteMultipartUploadResult><ETag>\"e\"</ETag>"
                 "</CompleteMultipartUploadResult>");
  }

  HttpResponse List() {
    const std::string prefix = query_["prefix"];
    const std::string after = query_.contains("continuation-token")
                                  ? query_["continuation-token"].substr(1)
                                  : query_["start-after"];
    std::string contents;
    std::string last;
    std::size_t count = 0;
    bool is_truncated = false;
    for (const auto& [key, object] : objects) {
      if (!key.starts_with(prefix) || key <= after) continue;
      if (count == page_size) {
        is_truncated = true;
        break;
      }
      contents += fmt::format(
          "<Contents><Key>{}</Key><LastModified>2026-11-24T08:00:00.000Z</LastModified>"
          "<Size>{}</Size></Contents>",
          Encode(key), object.bytes.size());
      last = key;
      ++count;
    }
    return Reply(200, fmt::format("<ListBucketResult><EncodingType>url</EncodingType>"
                                  "<IsTruncated>{}</IsTruncated>{}{}</ListBucketResult>",
                                  is_truncated, contents,
                                  is_truncated ? "<NextContinuationToken>=" + last +
                                                     "</NextContinuationToken>"
                                               : ""));
  }

  std::string key_;
  std::map<std::string, std::string> query_;
  int serial_ = 0;
};

}  // namespace pcw::net
