#include "pcw/events/event_replay.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/dlq/replay_letters.h"

namespace pcw::events {
namespace {

// What the queue of dead letters files messages of others under: events may be among them, when it
// is also where SQS moves what the queue of events could not get rid of.
constexpr std::string_view kForeignEntity = "messages";

// The message as it came, with what a person corrected in it.
Result<std::string> BodyOf(pg::Connection& connection, const std::string& letter_id,
                           std::stop_token stop) {
  PCW_TRY(dlq::LetterMessage letter, dlq::LoadLetterMessage(connection, letter_id, stop));
  if (letter.patch_json.empty()) return std::move(letter.body);
  PCW_TRY(const Json patch, ParseJson(letter.patch_json));
  const Result<Json> message = ParseJson(letter.body);
  // A patch may be the whole message where what came was not JSON at all (RFC 7396).
  Json patched = message ? *message : Json::object();
  patched.merge_patch(patch);
  return DumpJson(patched);
}

std::string NoteOf(const PartnerEvent& event, const Meaning& meaning) {
  if (meaning.records.empty())
    return fmt::format("{}, {}", event.detail_type, NameOf(meaning.disposition));
  return fmt::format("{}, fetches {} {}", event.detail_type, meaning.records.front().entity->name,
                     meaning.records.front().record_key);
}

}  // namespace

bool EventReplay::Handles(dlq::Stage stage, std::string_view entity) const {
  return stage == dlq::Stage::kEvent && (entity == kLetterEntity || entity == kForeignEntity);
}

Result<int> EventReplay::VersionOf(std::string_view) const { return 0; }

std::string EventReplay::Refuses(const dlq::ReplayTarget& target, dlq::Stage) const {
  if (target.catalog == deps_.scope.catalog) return "";
  return fmt::format("it came while the catalog was {}", target.catalog);
}

Status EventReplay::ReplayOne(pg::Connection& connection, const dlq::ReplayJob& job,
                              const dlq::ReplayTarget& target, dlq::ReplayResult& result,
                              std::stop_token stop) {
  PCW_TRY(const std::string body, BodyOf(connection, target.letter_id, stop));
  const Result<PartnerEvent> event = ReadEvent(body);
  const auto fail = [&](const Error& error) -> Status {
    if (job.is_dry_run) {
      result.fates.push_back({.record_key = target.record_key,
                              .outcome = dlq::ReplayOutcome::kFails,
                              .error = error.message()});
      return Ok{};
    }
    return dlq::NoteMessageFailedAgain(connection, target.letter_id, error, stop);
  };
  if (!event) return fail(event.error());
  const Result<Meaning> meaning = Interpret(*event, deps_.scope.catalog, deps_.scope.entities);
  if (!meaning) return fail(meaning.error());
  if (job.is_dry_run) {
    result.fates.push_back({.record_key = target.record_key,
                            .outcome = dlq::ReplayOutcome::kIsRecorded,
                            .note = NoteOf(*event, *meaning)});
    return Ok{};
  }
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "replay event", stop));
  PCW_TRY_OK(RecordEvent(connection, deps_.scope, body, stop));
  PCW_TRY_OK(dlq::SettleDeadLetters(connection, deps_.scope.tenant_id, deps_.scope.connector_id,
                                    job.entity, deps_.scope.catalog, {target.record_key}, stop));
  return transaction.Commit();
}

Result<dlq::ReplayResult> EventReplay::Replay(const dlq::ReplayJob& job, std::stop_token stop) {
  dlq::ReplayResult result;
  PCW_TRY(pg::Connection connection, deps_.open(stop));
  for (const dlq::ReplayTarget& target : job.targets) {
    if (stop.stop_requested()) {
      result.error = Error(ErrorCode::kCancelled, "stopped; run it again to go on");
      break;
    }
    PCW_TRY_OK(ReplayOne(connection, job, target, result, stop));
  }
  result.status = result.error ? "cancelled" : "succeeded";
  return result;
}

}  // namespace pcw::events
