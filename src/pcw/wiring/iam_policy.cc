#include "pcw/wiring/iam_policy.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/connector/entity_def.h"
#include "pcw/lake/s3_store.h"

namespace pcw::wiring {
namespace {

OrderedJson Statement(std::string_view sid, const std::set<std::string>& actions,
                      const OrderedJson& resource) {
  return OrderedJson{
      {"Sid", sid}, {"Effect", "Allow"}, {"Action", actions}, {"Resource", resource}};
}

// "aws-cn" in China, "aws-us-gov" in GovCloud: the first segment of every ARN there.
std::string PartitionOf(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  return region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

std::set<std::string> EntityActions(const config::Config& config) {
  std::set<std::string> actions;
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    const auto& wanted = config.partner_central.entities;
    if (std::find(wanted.begin(), wanted.end(), entity->name) == wanted.end()) continue;
    for (const connector::SourceDef& source : entity->sources) {
      for (const aws::Operation* operation : {source.list, source.detail, source.companion})
        if (operation != nullptr) actions.insert(fmt::format("partnercentral:{}", operation->name));
    }
  }
  return actions;
}

Status AddLake(const config::Config& config, const std::string& partition,
               OrderedJson& statements) {
  if (!config.lake.url.starts_with("s3://")) return Ok{};
  PCW_TRY(const lake::S3Location at, lake::ParseS3Location(config.lake.url));
  const std::string bucket = fmt::format("arn:{}:s3:::{}", partition, at.bucket);
  // Without ListBucket a key that is not there is answered 403 instead of 404.
  statements.push_back(Statement("FindBronze", {"s3:ListBucket"}, bucket));
  statements.push_back(Statement("ReadAndAddBronze",
                                 {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
                                 fmt::format("{}/{}bronze/*", bucket, at.prefix)));
  const std::string& key = config.lake.sse_kms_key_id;
  if (key.empty()) return Ok{};
  const bool is_alias = key.starts_with("alias/");
  const std::string any_key = fmt::format("arn:{}:kms:{}:*:key/", partition, config.aws.region);
  OrderedJson encrypt = Statement("EncryptBronze", {"kms:Decrypt", "kms:GenerateDataKey"},
                                  key.starts_with("arn:") ? key : any_key + (is_alias ? "*" : key));
  // An alias is not a resource of a key's use; a condition names it.
  if (is_alias)
    encrypt["Condition"] = {{"ForAnyValue:StringEquals", {{"kms:ResourceAliases", key}}}};
  statements.push_back(std::move(encrypt));
  return Ok{};
}

// https://sqs.<region>.amazonaws.com/<account>/<name>
Status AddQueue(const config::Config& config, std::string_view key, const std::string& url,
                std::string_view sid, const std::set<std::string>& actions,
                const std::string& partition, OrderedJson& statements) {
  if (url.empty()) return Ok{};
  const std::size_t scheme = url.find("://");
  const std::size_t name = url.rfind('/');
  const std::size_t account = name == std::string::npos ? name : url.rfind('/', name - 1);
  const bool is_queue = scheme != std::string::npos && account != std::string::npos &&
                        account > scheme + 3 && name + 1 < url.size() && name > account + 1;
  if (!is_queue) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} names no queue; expected "
                             "https://sqs.<region>.amazonaws.com/<account>/<queue>",
                             key));
  }
  const std::string host = url.substr(scheme + 3, account - scheme - 3);
  const std::string region =
      host.starts_with("sqs.") ? host.substr(4, host.find('.', 4) - 4) : config.aws.region;
  statements.push_back(
      Statement(sid, actions,
                fmt::format("arn:{}:sqs:{}:{}:{}", partition, region,
                            url.substr(account + 1, name - account - 1), url.substr(name + 1))));
  return Ok{};
}

// A bus by name is one of this account, which the policy need not name.
void AddBus(const config::Config& config, const std::string& partition, OrderedJson& statements) {
  constexpr std::string_view kBus = "eventbridge:";
  if (!config.events.out.url.starts_with(kBus)) return;
  const std::string bus = config.events.out.url.substr(kBus.size());
  statements.push_back(Statement(
      "TellChanges", {"events:PutEvents"},
      bus.starts_with("arn:")
          ? bus
          : fmt::format("arn:{}:events:{}:*:event-bus/{}", partition, config.aws.region, bus)));
}

}  // namespace

Result<OrderedJson> MakeIamPolicy(const config::Config& config) {
  const std::string partition = PartitionOf(config.aws.region);
  OrderedJson statements = OrderedJson::array();
  if (config.partner_central.is_enabled && !config.partner_central.entities.empty()) {
    OrderedJson read = Statement("ReadPartnerCentral", EntityActions(config), "*");
    read["Condition"] = {
        {"StringEquals", {{"partnercentral:Catalog", config.partner_central.catalog}}}};
    statements.push_back(std::move(read));
  }
  if (!config.aws.role_arn.empty())
    statements.push_back(Statement("BecomeTheRole", {"sts:AssumeRole"}, config.aws.role_arn));
  PCW_TRY_OK(AddLake(config, partition, statements));
  PCW_TRY_OK(AddQueue(config, "dlq.url", config.dlq.url, "DeadLetters",
                      {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
                       "sqs:ReceiveMessage", "sqs:SendMessage"},
                      partition, statements));
  PCW_TRY_OK(AddQueue(config, "events.url", config.events.url, "ReceiveEvents",
                      {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
                      partition, statements));
  AddBus(config, partition, statements);
  return OrderedJson{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}};
}

}  // namespace pcw::wiring
