// Runbook 3.2: the bronze layer.
#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string_view CodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "PCW3202";
    case ErrorCode::kPermissionDenied:
      return "PCW3203";
    case ErrorCode::kConfig:
      return "PCW3204";
    default:
      return "PCW3201";
  }
}

std::vector<std::string> StepsFor(std::string_view code, const std::string& lake) {
  if (code == "PCW3202")
    return {"pcw config show --origin   # lake.url", fmt::format("aws s3 ls {}/", lake)};
  if (code == "PCW3203")
    return {"aws sts get-caller-identity",
            "let the policy allow s3:ListBucket on the bucket and s3:PutObject, s3:GetObject, "
            "s3:AbortMultipartUpload on its objects; with a KMS key also kms:GenerateDataKey and "
            "kms:Decrypt"};
  if (code == "PCW3204") return {"ls -ld the directory and its parents; df -h; id"};
  return {"pcw doctor connectivity", "pcw config show --origin   # lake.url, AWS_ENDPOINT_URL_S3"};
}

void NameSome(Finding& finding, std::string_view what, const std::vector<std::string>& keys) {
  for (std::size_t i = 0; i < std::min(keys.size(), kMostNamed); ++i)
    finding.evidence.emplace_back(what, keys[i]);
  if (keys.size() > kMostNamed)
    finding.evidence.emplace_back(what, fmt::format("and {} more", keys.size() - kMostNamed));
}

}  // namespace

std::vector<Finding> JudgeBronze(const Facts& facts) {
  const BronzeFacts& bronze = facts.bronze;
  std::vector<Finding> findings;
  if (!bronze.was_looked_at) return findings;
  if (bronze.error) {
    // Without good credentials S3 cannot answer, and that is said already.
    const bool is_said = bronze.lake.starts_with("s3://") &&
                         (!facts.credentials || facts.identity_error.has_value() ||
                          bronze.error->code() == ErrorCode::kUnauthenticated);
    if (is_said) return findings;
    const std::string_view code = CodeOf(bronze.error->code());
    findings.push_back({.def = &DefOf(code),
                        .resource = bronze.lake,
                        .message = bronze.error->message(),
                        .evidence = {},
                        .next_steps = StepsFor(code, bronze.lake)});
    return findings;
  }
  if (bronze.refused_write) {
    findings.push_back({.def = &DefOf("PCW3207"),
                        .resource = bronze.lake,
                        .message = "the newest run failed because it could not store what it read",
                        .evidence = {{"error", *bronze.refused_write}},
                        .next_steps = {"pcw runs list --status failed",
                                       "pcw sync run partner-central <entity> --resume   # once "
                                       "it is fixed; nothing was lost"}});
  }
  if (!bronze.missing.empty()) {
    Finding finding{
        .def = &DefOf("PCW3205"),
        .resource = bronze.lake,
        .message =
            fmt::format("{} of the newest objects are not in the lake", bronze.missing.size()),
        .evidence = {},
        .next_steps = {"pcw config show --origin   # is lake.url the lake of this "
                       "database?",
                       "pcw bronze verify",
                       "restore the objects from a version or a replica of the bucket"}};
    NameSome(finding, "missing", bronze.missing);
    findings.push_back(std::move(finding));
  }
  if (!bronze.orphans.empty()) {
    Finding finding{.def = &DefOf("PCW3206"),
                    .resource = bronze.lake,
                    .message = fmt::format("{} run folders of the last two days belong to no run "
                                           "of this database",
                                           bronze.orphans.size()),
                    .evidence = {},
                    .next_steps = {"pcw bronze verify   # names all of them",
                                   "pcw bronze reingest --entity <entity> --dry-run   # what they "
                                   "would change"}};
    NameSome(finding, "folder", bronze.orphans);
    findings.push_back(std::move(finding));
  }
  for (const NewestObject& newest : bronze.newest) {
    findings.push_back(
        {.def = &DefOf("PCW3200"),
         .resource = newest.entity,
         .message = fmt::format("newest object stored {}", newest.modified_at),
         .evidence = {{"object", newest.key}},
         .next_steps = {fmt::format("pcw bronze ls --entity {} --tail 20", newest.entity)}});
  }
  return findings;
}

}  // namespace pcw::diagnose
