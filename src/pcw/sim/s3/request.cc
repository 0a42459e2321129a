#include "pcw/sim/s3/request.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "pcw/sim/s3/text.h"
#include "pcw/sim/sigv4_form.h"

namespace pcw::sim {
namespace {

using net::server::Request;

constexpr std::size_t kMaxKeyBytes = 1'024;

enum class Level : std::uint8_t { kService, kBucket, kObject };

/// One operation: how it is addressed. `selector` is the query member that tells it from others of
/// the same method; `known` are the members it understands beside that, with blanks around each.
struct OperationRow {
  Operation operation;
  std::string_view method;
  Level level;
  std::string_view selector;
  std::string_view known;
  std::string_view action;
};

// Rows with a selector come before those without.
constexpr std::array kRows{
    OperationRow{Operation::kListBuckets, "GET", Level::kService, "",
                 " bucket-region continuation-token max-buckets prefix ", "s3:ListAllMyBuckets"},
    OperationRow{Operation::kCreateBucket, "PUT", Level::kBucket, "", "", "s3:CreateBucket"},
    OperationRow{Operation::kDeleteBucket, "DELETE", Level::kBucket, "", "", "s3:DeleteBucket"},
    OperationRow{Operation::kHeadBucket, "HEAD", Level::kBucket, "", "", "s3:ListBucket"},
    OperationRow{Operation::kListObjectsV2, "GET", Level::kBucket, "list-type",
                 " continuation-token delimiter encoding-type fetch-owner max-keys prefix "
                 "start-after ",
                 "s3:ListBucket"},
    OperationRow{Operation::kListMultipartUploads, "GET", Level::kBucket, "uploads",
                 " encoding-type key-marker max-uploads prefix upload-id-marker ",
                 "s3:ListBucketMultipartUploads"},
    OperationRow{Operation::kCreateMultipartUpload, "POST", Level::kObject, "uploads", "",
                 "s3:PutObject"},
    OperationRow{Operation::kCompleteMultipartUpload, "POST", Level::kObject, "uploadId", "",
                 "s3:PutObject"},
    OperationRow{Operation::kUploadPart, "PUT", Level::kObject, "partNumber", " uploadId ",
                 "s3:PutObject"},
    OperationRow{Operation::kPutObject, "PUT", Level::kObject, "", "", "s3:PutObject"},
    OperationRow{Operation::kListParts, "GET", Level::kObject, "uploadId",
                 " max-parts part-number-marker ", "s3:ListMultipartUploadParts"},
    OperationRow{Operation::kGetObject, "GET", Level::kObject, "", "", "s3:GetObject"},
    OperationRow{Operation::kHeadObject, "HEAD", Level::kObject, "", "", "s3:GetObject"},
    OperationRow{Operation::kAbortMultipartUpload, "DELETE", Level::kObject, "uploadId", "",
                 "s3:AbortMultipartUpload"},
    OperationRow{Operation::kDeleteObject, "DELETE", Level::kObject, "", "", "s3:DeleteObject"},
};

/// Members that say nothing about the operation: SDKs name it once more, and presigned URLs.
bool IsNeutral(std::string_view name) {
  return name == "x-id" || name.starts_with("X-Amz-") || name.empty();
}

std::string_view PathOf(const Request& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

std::string_view QueryOf(const Request& request) {
  const std::string_view target = request.target;
  return target.substr(std::min(target.find('?'), target.size() - 1) + 1);
}

/// The bucket that the host names, empty in path style; nothing if the host is not S3's.
std::optional<std::string> BucketOfHost(const Request& request) {
  std::string_view host = request.Header("Host").value_or("");
  host = host.substr(0, host.rfind(':'));
  constexpr std::string_view kLocal = ".localhost";
  constexpr std::string_view kAws = ".amazonaws.com";
  if (host.ends_with(kLocal)) return std::string(host.substr(0, host.size() - kLocal.size()));
  if (!host.ends_with(kAws)) return std::nullopt;
  host.remove_suffix(kAws.size());
  if (host == "s3" || host.starts_with("s3.")) return "";
  // A bucket's name may hold ".s3." itself: the last one counts.
  const std::size_t at = host.ends_with(".s3") ? host.size() - 3 : host.rfind(".s3.");
  if (at == std::string_view::npos) return std::nullopt;
  return std::string(host.substr(0, at));
}

bool ReadQuery(std::string_view text, S3Request& out) {
  for (const std::string& pair : SplitText(text, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = PercentDecode(std::string_view(pair).substr(0, equals), Plus::kBlank);
    auto value = PercentDecode(std::string_view(pair).substr(std::min(equals + 1, pair.size())),
                               Plus::kBlank);
    if (!name || !value) return false;
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

std::optional<S3Answer> CheckNames(const S3Request& request) {
  if (!request.bucket.empty() && !IsBucketName(request.bucket)) {
    return S3Error(400, "InvalidBucketName", "The specified bucket is not valid.",
                   {{"BucketName", request.bucket}});
  }
  if (request.key.size() > kMaxKeyBytes) {
    return S3Error(400, "KeyTooLongError", "Your key is too long",
                   {{"Size", std::to_string(request.key.size())},
                    {"MaxSizeAllowed", std::to_string(kMaxKeyBytes)}});
  }
  if (!IsUtf8(request.key) || request.key.find('\0') != std::string::npos) {
    return S3Error(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
  return std::nullopt;
}

std::optional<S3Answer> Select(std::string_view method, S3Request& request) {
  const Level level = request.bucket.empty() ? Level::kService
                      : request.key.empty()  ? Level::kBucket
                                             : Level::kObject;
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const OperationRow& candidate) {
    return candidate.method == method && candidate.level == level &&
           (candidate.selector.empty() || request.Query(candidate.selector).has_value());
  });
  if (row == kRows.end()) {
    if (method == "GET" || method == "POST") {
      return S3Error(501, "NotImplemented",
                     "The simulator's S3 has no such operation (of the listings: ListBuckets, "
                     "ListObjectsV2 with list-type=2, ListMultipartUploads, ListParts).");
    }
    return S3Error(405, "MethodNotAllowed",
                   "The specified method is not allowed against this resource.",
                   {{"Method", std::string(method)}});
  }
  for (const auto& [name, value] : request.query) {
    const bool known = name == row->selector || IsNeutral(name) ||
                       row->known.find(" " + name + " ") != std::string_view::npos;
    if (!known) {
      return S3Error(501, "NotImplemented",
                     fmt::format("The simulator's {} does not know the query member {}.",
                                 NameOf(row->operation), name));
    }
  }
  request.operation = row->operation;
  request.action = row->action;
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> S3Request::Query(std::string_view name) const {
  for (const auto& [member, value] : query) {
    if (member == name) return value;
  }
  return std::nullopt;
}

std::string S3Request::Arn() const {
  return key.empty() ? fmt::format("arn:aws:s3:::{}", bucket)
                     : fmt::format("arn:aws:s3:::{}/{}", bucket, key);
}

bool IsS3(const Request& request) {
  const auto header = request.Header("Authorization");
  if (const auto auth = ParseAuthorization(header.value_or(""))) return auth->service == "s3";
  const std::string_view path = PathOf(request);
  const std::string_view query = QueryOf(request);
  const std::string& method = request.method;
  if (!header && method == "GET" && request.target == "/") return false;  // "is it up?"
  if (method == "PUT" || method == "HEAD" || method == "DELETE") return true;
  if (method == "GET") return path != "/" || !query.empty();
  if (method != "POST") return false;
  S3Request parts;
  return ReadQuery(query, parts) &&
         (parts.Query("uploads") || parts.Query("uploadId") || parts.Query("X-Amz-Signature"));
}

S3Request ReadS3Request(const Request& request) {
  S3Request out;
  out.path = std::string(PathOf(request));
  const auto path = PercentDecode(out.path, Plus::kPlus);
  if (!path || !ReadQuery(QueryOf(request), out)) {
    out.unusable =
        S3Error(400, "InvalidURI", "Couldn't parse the specified URI.", {{"URI", request.target}});
    return out;
  }
  std::string_view rest = std::string_view(*path).substr(1);
  if (auto host = BucketOfHost(request); host && !host->empty()) {
    out.bucket = std::move(*host);
    out.key = std::string(rest);
  } else {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    out.bucket = std::string(rest.substr(0, slash));
    out.key = std::string(rest.substr(std::min(slash + 1, rest.size())));
    if (out.bucket.empty() && !rest.empty()) {
      out.unusable = S3Error(400, "InvalidBucketName", "The specified bucket is not valid.",
                             {{"BucketName", ""}});
      return out;
    }
  }
  out.unusable = CheckNames(out);
  if (!out.unusable) out.unusable = Select(request.method, out);
  return out;
}

std::vector<std::string> S3Actions() {
  std::set<std::string> actions;
  for (const OperationRow& row : kRows) actions.emplace(row.action);
  actions.emplace("kms:Decrypt");  // S3 asks KMS in the caller's name
  return {actions.begin(), actions.end()};
}

bool IsBucketName(std::string_view name) {
  const auto is_end = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() < 3 || name.size() > 63 || !is_end(name.front()) || !is_end(name.back())) {
    return false;
  }
  const bool letters = std::all_of(name.begin(), name.end(),
                                   [&](char c) { return is_end(c) || c == '-' || c == '.'; });
  const bool address = std::all_of(name.begin(), name.end(),
                                   [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
                       std::count(name.begin(), name.end(), '.') == 3;
  return letters && !address && name.find("..") == std::string_view::npos &&
         !name.starts_with("xn--") && !name.ends_with("-s3alias") && !name.ends_with("--ol-s3");
}

}  // namespace pcw::sim
