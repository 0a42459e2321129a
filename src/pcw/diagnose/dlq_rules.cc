// Runbook 3.3: dead letters and their queue.
#include <fmt/format.h>

#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

Finding QueueFinding(const DlqFacts& dlq) {
  const Error& error = *dlq.queue_error;
  std::string_view code = "PCW3305";
  std::vector<std::string> steps{"pcw doctor connectivity",
                                 "pcw config show --origin   # dlq.url, AWS_ENDPOINT_URL_SQS"};
  if (error.code() == ErrorCode::kNotFound) {
    code = "PCW3303";
    steps = {"pcw config show --origin   # dlq.url",
             fmt::format("aws sqs get-queue-url --queue-name {}",
                         dlq.queue_url.substr(dlq.queue_url.rfind('/') + 1))};
  } else if (error.code() == ErrorCode::kPermissionDenied) {
    code = "PCW3304";
    steps = {"aws sts get-caller-identity",
             "let the policy allow sqs:SendMessage, sqs:ReceiveMessage, sqs:DeleteMessage, "
             "sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue"};
  }
  return {.def = &DefOf(code),
          .resource = dlq.queue_url,
          .message = error.message(),
          .evidence = {},
          .next_steps = std::move(steps)};
}

Finding GroupFinding(const dlq::DeadLetterGroup& group) {
  return {.def = &DefOf(group.stage == "map" ? "PCW3301" : "PCW3302"),
          .resource = group.entity,
          .message = fmt::format("{} dead letters of one cause: {}", group.letters, group.error),
          .evidence = {{"group", group.fingerprint},
                       {"code", group.error_code},
                       {"first seen", group.first_seen_at},
                       {"last seen", group.last_seen_at},
                       {"sample", group.sample_id}},
          .next_steps = {fmt::format("pcw dlq show {}", group.sample_id),
                         fmt::format("pcw dlq replay --group {} --dry-run{}", group.fingerprint,
                                     group.stage == "fetch" ? " --refetch" : "")}};
}

}  // namespace

std::vector<Finding> JudgeDlq(const Facts& facts) {
  std::vector<Finding> findings;
  if (!facts.dlq) return findings;
  const DlqFacts& dlq = *facts.dlq;
  if (dlq.queue_error) {
    // Without good credentials SQS cannot answer, and that is said already.
    const bool is_said = !facts.credentials || facts.identity_error.has_value() ||
                         dlq.queue_error->code() == ErrorCode::kUnauthenticated;
    if (!is_said) findings.push_back(QueueFinding(dlq));
  }
  if (dlq.past_half_life > 0) {
    findings.push_back(
        {.def = &DefOf("PCW3306"),
         .resource = dlq.queue_url.empty() ? "dead letters" : dlq.queue_url,
         .message = fmt::format("{} messages are past half of their retention; the nearest ends {}",
                                dlq.past_half_life, dlq.nearest_expiry_at),
         .evidence = {{"kept anyway",
                       "the dead letter and its record stay in PostgreSQL and bronze"}},
         .next_steps = {"pcw dlq groups", "pcw dlq replay --auto"}});
  }
  if (!dlq.queue_url.empty() && dlq.undelivered > 0) {
    Finding finding{.def = &DefOf("PCW3307"),
                    .resource = dlq.queue_url,
                    .message = fmt::format("{} dead letters are not delivered, the oldest since {}",
                                           dlq.undelivered, dlq.oldest_undelivered_at),
                    .evidence = {},
                    .next_steps = {"pcw dlq deliver"}};
    if (!dlq.delivery_error.empty()) finding.evidence.emplace_back("error", dlq.delivery_error);
    findings.push_back(std::move(finding));
  }
  if (dlq.guarded > 0) {
    findings.push_back(
        {.def = &DefOf("PCW3308"),
         .resource = "dead letters",
         .message = fmt::format(
             "{} dead letters ended several replays in a row with the same error", dlq.guarded),
         .evidence = {},
         .next_steps = {"pcw dlq groups", "pcw dlq replay --id ID --patch FILE",
                        "pcw dlq drop --id ID --reason TEXT"}});
  }
  if (dlq.last_day * 2 > dlq.open && dlq.last_day >= 10) {
    findings.push_back(
        {.def = &DefOf("PCW3309"),
         .resource = "dead letters",
         .message = fmt::format("{} of {} open dead letters are of the last 24 hours", dlq.last_day,
                                dlq.open),
         .evidence = {},
         .next_steps = {"pcw dlq groups", "pcw drift list"}});
  }
  for (const dlq::DeadLetterGroup& group : dlq.groups) findings.push_back(GroupFinding(group));
  return findings;
}

}  // namespace pcw::diagnose
