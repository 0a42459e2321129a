#include "pcw/sim/s3/buckets.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kMaxPage = 1'000;
constexpr std::size_t kCheckDigits = 16;

S3Answer InvalidArgument(std::string_view message, std::string_view name, std::string_view value) {
  return S3Error(400, "InvalidArgument", message,
                 {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}});
}

/// A token says after what the next page begins; nobody else can make one.
std::string MakeToken(const S3State& state, std::string_view last) {
  const std::string check =
      Hex(HmacSha256(fmt::format("s3-token-{}", state.seed), last)).substr(0, kCheckDigits);
  return Base64(check + std::string(last));
}

std::optional<std::string> ReadToken(const S3State& state, std::string_view token) {
  const auto content = FromBase64(token);
  if (!content || content->size() < kCheckDigits) return std::nullopt;
  std::string last = content->substr(kCheckDigits);
  if (MakeToken(state, last) != token) return std::nullopt;
  return last;
}

/// The first key that does not begin with `prefix` and is not less than any that does; nothing if
/// there can be none.
std::optional<std::string> EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

/// What ListObjectsV2 was asked for.
struct ObjectQuery {
  std::string prefix;
  std::string delimiter;
  std::string after;  ///< the page begins behind it
  std::optional<std::string_view> start_after;
  std::optional<std::string_view> token;
  std::size_t max_keys = kMaxPage;
  bool is_url = false;
  bool with_owner = false;
};

std::optional<S3Answer> ReadListQuery(const S3State& state, const S3Request& target,
                                      ObjectQuery& out) {
  if (target.Query("list-type") != "2") {
    return InvalidArgument("Invalid List Type specified in Request", "list-type",
                           target.Query("list-type").value_or(""));
  }
  if (auto refused = ReadPageSize(target, "max-keys", out.max_keys)) return refused;
  if (auto refused = ReadEncoding(target, out.is_url)) return refused;
  out.prefix = std::string(target.Query("prefix").value_or(""));
  out.delimiter = std::string(target.Query("delimiter").value_or(""));
  out.with_owner = target.Query("fetch-owner") == "true";
  out.start_after = target.Query("start-after");
  out.token = target.Query("continuation-token");
  if (!out.token) {
    out.after = std::string(out.start_after.value_or(""));
    return std::nullopt;
  }
  auto last = ReadToken(state, *out.token);
  if (!last) {
    return InvalidArgument("The continuation token provided is incorrect", "continuation-token",
                           *out.token);
  }
  out.after = std::move(*last);
  return std::nullopt;
}

/// One page under way.
struct Page {
  std::string contents;
  std::string prefixes;
  std::size_t count = 0;
  std::optional<std::string> next;  ///< the token's content, if there is more
};

void AppendObject(Page& page, const ObjectQuery& query, const std::string& key,
                  const S3Object& object, std::string_view owner) {
  page.contents += "<Contents>" + Element("Key", query.is_url ? ListingEncode(key) : key) +
                   Element("LastModified", S3Time(object.modified)) +
                   Element("ETag", Quoted(object.etag)) +
                   Element("ChecksumAlgorithm", NameOf(object.checksum.algorithm)) +
                   Element("ChecksumType", object.checksum.Type()) +
                   Element("Size", std::to_string(object.bytes.size()));
  if (query.with_owner) page.contents += "<Owner>" + Element("ID", owner) + "</Owner>";
  page.contents += Element("StorageClass", object.attributes.storage_class) + "</Contents>";
}

/// Keys that share what comes between the prefix and the next delimiter are one entry; the listing
/// goes on behind all of them, as S3 does, also if `after` lies among them.
Page MakePage(const S3Bucket& bucket, const ObjectQuery& query) {
  Page page;
  const auto& objects = bucket.objects;
  auto it = query.after < query.prefix ? objects.lower_bound(query.prefix)
                                       : objects.upper_bound(query.after);
  std::string last;
  while (it != objects.end() && it->first.starts_with(query.prefix)) {
    const std::string& key = it->first;
    const std::size_t at = query.delimiter.empty() ? std::string::npos
                                                   : key.find(query.delimiter, query.prefix.size());
    const bool grouped = at != std::string::npos;
    const std::string group = grouped ? key.substr(0, at + query.delimiter.size()) : "";
    // The page before ended with this group: its keys were told already.
    const bool told = grouped && query.token && query.after == group;
    if (!told && page.count == query.max_keys) {
      page.next = last;
      return page;
    }
    if (!grouped) {
      AppendObject(page, query, key, *it->second, bucket.owner);
    } else if (!told) {
      page.prefixes += "<CommonPrefixes>" +
                       Element("Prefix", query.is_url ? ListingEncode(group) : group) +
                       "</CommonPrefixes>";
    }
    page.count += told ? 0 : 1;
    last = grouped ? group : key;
    if (!grouped) {
      ++it;
      continue;
    }
    const auto end = EndOfPrefix(group);
    it = end ? objects.lower_bound(*end) : objects.end();
  }
  return page;
}

}  // namespace

std::optional<S3Answer> ReadPageSize(const S3Request& target, std::string_view name,
                                     std::size_t& out) {
  const auto text = target.Query(name);
  if (!text) return std::nullopt;
  const auto value = ParseDigits(*text);
  if (!value || *value > 2'147'483'647) {
    return InvalidArgument(
        fmt::format("Argument {} must be an integer between 0 and 2147483647", name), name, *text);
  }
  out = std::min<std::size_t>(*value, kMaxPage);
  return std::nullopt;
}

std::optional<S3Answer> ReadEncoding(const S3Request& target, bool& is_url) {
  const auto type = target.Query("encoding-type");
  if (type && *type != "url") {
    return InvalidArgument("Invalid Encoding Method specified in Request", "encoding-type", *type);
  }
  is_url = type.has_value();
  return std::nullopt;
}

S3Answer ListBuckets(const S3State& state, const S3Call& call) {
  const S3Request& target = call.target;
  std::size_t most = 10'000;
  if (const auto text = target.Query("max-buckets")) {
    const auto value = ParseDigits(*text);
    if (!value || *value == 0 || *value > 10'000) {
      return InvalidArgument("Argument max-buckets must be an integer between 1 and 10000",
                             "max-buckets", *text);
    }
    most = *value;
  }
  std::string after;
  if (const auto token = target.Query("continuation-token")) {
    auto last = ReadToken(state, *token);
    if (!last) {
      return InvalidArgument("The continuation token provided is incorrect", "continuation-token",
                             *token);
    }
    after = std::move(*last);
  }
  const std::string_view prefix = target.Query("prefix").value_or("");
  const bool here = target.Query("bucket-region").value_or(kS3Region) == kS3Region;
  std::string buckets;
  std::string last;
  std::string next;
  std::size_t count = 0;
  for (auto it = state.buckets.upper_bound(after); here && it != state.buckets.end(); ++it) {
    if (it->second.owner != call.account || !it->first.starts_with(prefix)) continue;
    if (count++ == most) {
      next = Element("ContinuationToken", MakeToken(state, last));
      break;
    }
    last = it->first;
    buckets += "<Bucket>" + Element("Name", it->first) +
               Element("CreationDate", S3Time(it->second.created)) +
               Element("BucketRegion", kS3Region) + "</Bucket>";
  }
  return S3Document("ListAllMyBucketsResult",
                    fmt::format("<Owner>{}</Owner><Buckets>{}</Buckets>{}",
                                Element("ID", call.account), buckets, next));
}

S3Answer CreateBucket(S3State& state, const S3Call& call) {
  const std::string& name = call.target.bucket;
  if (call.body.find("LocationConstraint") != std::string::npos) {
    return S3Error(400, "InvalidLocationConstraint",
                   "The specified location-constraint is not valid");
  }
  const auto found = state.buckets.find(name);
  if (found != state.buckets.end() && found->second.owner != call.account) {
    return S3Error(409, "BucketAlreadyExists",
                   "The requested bucket name is not available. The bucket namespace is shared by "
                   "all users of the system. Please select a different name and try again.",
                   {{"BucketName", name}});
  }
  // Making one's own bucket again is not an error in us-east-1.
  state.buckets.emplace(name, S3Bucket{.owner = call.account, .created = call.now, .objects = {}});
  return {.status = 200, .headers = {{"Location", "/" + name}}, .body = {}, .error = {}};
}

S3Answer DeleteBucket(S3State& state, const S3Call& call) {
  const auto found = state.buckets.find(call.target.bucket);
  if (!found->second.objects.empty()) {
    return S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty",
                   {{"BucketName", call.target.bucket}});
  }
  for (auto it = state.uploads.begin(); it != state.uploads.end();) {
    const auto upload = it++;
    if (upload->second.bucket == call.target.bucket) state.ForgetUpload(upload->first);
  }
  state.buckets.erase(found);
  return {.status = 204, .headers = {}, .body = {}, .error = {}};
}

S3Answer HeadBucket() {
  return {.status = 200,
          .headers = {{"x-amz-bucket-region", std::string(kS3Region)},
                      {"Content-Type", "application/xml"}},
          .body = {},
          .error = {}};
}

S3Answer ListObjectsV2(const S3State& state, const S3Bucket& bucket, const S3Call& call) {
  ObjectQuery query;
  if (auto refused = ReadListQuery(state, call.target, query)) return std::move(*refused);
  // A page of no keys is complete, whatever the bucket holds.
  const Page page = query.max_keys == 0 ? Page{} : MakePage(bucket, query);
  const auto spelled = [&](std::string_view text) {
    return query.is_url ? ListingEncode(text) : std::string(text);
  };
  std::string out = Element("Name", call.target.bucket) + Element("Prefix", spelled(query.prefix));
  if (query.token) out += Element("ContinuationToken", *query.token);
  if (page.next) out += Element("NextContinuationToken", MakeToken(state, *page.next));
  if (query.start_after) out += Element("StartAfter", spelled(*query.start_after));
  out += Element("KeyCount", std::to_string(page.count)) +
         Element("MaxKeys", std::to_string(query.max_keys));
  if (!query.delimiter.empty()) out += Element("Delimiter", spelled(query.delimiter));
  if (query.is_url) out += Element("EncodingType", "url");
  out += Element("IsTruncated", page.next ? "true" : "false");
  return S3Document("ListBucketResult", out + page.contents + page.prefixes);
}

}  // namespace pcw::sim
