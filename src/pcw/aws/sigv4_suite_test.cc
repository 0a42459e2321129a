// AWS's own signing vectors, read from a folder beside the checkout; every intermediate is
// compared.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/sigv4.h"
#include "pcw/base/file.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

namespace fs = std::filesystem;

fs::path SuiteDirectory() {
  const char* shared = std::getenv("PCW_SHARED");
  return fs::path(shared != nullptr ? shared : PCW_SOURCE_DIR "/../shared") / "aws/sigv4-suite/v4";
}

std::string Read(const fs::path& path) {
  Result<std::string> text = ReadFile(path, 1U << 20U);
  EXPECT_TRUE(text) << path;
  return text ? *text : "";
}

struct Case {
  Credentials credentials;
  std::string region, service, method, path, query, body;
  WallTime time;
  std::chrono::seconds expires{0};
  net::Headers headers;
  SigningRequest request;
};

void ParseRequest(const std::string& text, Case& out) {
  const auto head_end = text.find("\n\n");
  const std::string head = text.substr(0, head_end);
  out.body = head_end == std::string::npos ? "" : text.substr(head_end + 2);
  std::size_t pos = head.find('\n');
  const std::string line = head.substr(0, pos);
  out.method = line.substr(0, line.find(' '));
  std::string target = line.substr(out.method.size() + 1);
  target = target.substr(0, target.rfind(" HTTP/"));
  out.path = target.substr(0, target.find('?'));
  if (target.find('?') != std::string::npos) out.query = target.substr(target.find('?') + 1);
  while (pos != std::string::npos) {
    const auto next = head.find('\n', pos + 1);
    const std::string header =
        head.substr(pos + 1, next == std::string::npos ? next : next - pos - 1);
    if (header.starts_with(' ') || header.starts_with('\t')) {
      out.headers.back().second += "\n" + header;  // a folded value
    } else if (const auto colon = header.find(':'); colon != std::string::npos) {
      out.headers.emplace_back(header.substr(0, colon), header.substr(colon + 1));
    }
    pos = next;
  }
}

std::unique_ptr<Case> Load(const fs::path& directory) {
  auto out = std::make_unique<Case>();
  const Json context = *ParseJson(Read(directory / "context.json"));
  const Json& keys = context["credentials"];
  out->credentials.access_key_id = keys["access_key_id"];
  out->credentials.secret_access_key = Secret(keys["secret_access_key"].get<std::string>());
  out->credentials.session_token = Secret(keys.value("token", ""));
  out->region = context["region"];
  out->service = context["service"];
  out->time = *ParseRfc3339(context["timestamp"].get<std::string>());
  out->expires = std::chrono::seconds(context["expiration_in_seconds"].get<int>());
  ParseRequest(Read(directory / "request.txt"), *out);
  out->request = {
      .method = out->method,
      .path = out->path,
      .query = out->query,
      .headers = out->headers,
      .body = out->body,
      .path_form = context["normalize"].get<bool>() ? PathForm::kNormalized : PathForm::kAsIs,
      .payload_header =
          context["sign_body"].get<bool>() ? PayloadHeader::kAdd : PayloadHeader::kOmit,
      .omits_session_token = context.value("omit_session_token", false)};
  return out;
}

TEST(SigV4SuiteTest, EveryVectorMatchesInEveryStep) {
  const fs::path suite = SuiteDirectory();
  if (!fs::is_directory(suite))
    GTEST_SKIP() << "AWS's signing vectors are not at " << suite
                 << " (PCW_SHARED names their folder)";
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(suite)) {
    SCOPED_TRACE(entry.path().filename().string());
    const auto vector = Load(entry.path());
    const SigningScope scope{vector->region, vector->service, vector->time};
    const Sha256Digest key = SigningKey(vector->credentials.secret_access_key.Reveal(), scope);

    const Signature header = SignHeaders(vector->request, vector->credentials, scope, key);
    EXPECT_EQ(header.canonical_request, Read(entry.path() / "header-canonical-request.txt"));
    EXPECT_EQ(header.string_to_sign, Read(entry.path() / "header-string-to-sign.txt"));
    EXPECT_EQ(header.signature, Read(entry.path() / "header-signature.txt"));
    const std::string signed_request = Read(entry.path() / "header-signed-request.txt");
    for (const auto& [name, value] : header.added)
      EXPECT_NE(signed_request.find(name + ":" + value), std::string::npos) << name << ":" << value;

    const Signature query =
        SignQuery(vector->request, vector->credentials, scope, vector->expires, key);
    EXPECT_EQ(query.canonical_request, Read(entry.path() / "query-canonical-request.txt"));
    EXPECT_EQ(query.string_to_sign, Read(entry.path() / "query-string-to-sign.txt"));
    EXPECT_EQ(query.signature, Read(entry.path() / "query-signature.txt"));
    ++cases;
  }
  EXPECT_EQ(cases, 38);
}

}  // namespace
}  // namespace pcw::aws
