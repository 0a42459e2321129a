#include "pcw/events/inbox.h"

#include "pcw/base/failpoint.h"
#include "pcw/base/log.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/events/inbox_rules.h"
#include "pcw/runs/fetch_requests.h"

namespace pcw::events {
namespace {

std::string Storable(std::string_view body) {
  return StorableText(body, kUnlimited, LineBreaks::kKeep);
}

Status PutLetter(pg::Connection& connection, const InboxScope& scope,
                 const aws::sqs::Message& message, const Error& error, std::stop_token stop) {
  dlq::DeadLetter letter = dlq::MakeDeadLetter(error, dlq::Stage::kEvent, message.message_id);
  letter.tenant_id = scope.tenant_id;
  letter.connector_id = scope.connector_id;
  letter.entity = kLetterEntity;
  letter.catalog = scope.catalog;
  letter.original = Storable(message.body);
  return dlq::PutDeadLetters(connection, {letter}, stop);
}

Result<InboxReport> Record(pg::Connection& connection, const InboxScope& scope,
                           const std::vector<aws::sqs::Message>& messages, std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "record events", stop));
  InboxReport report;
  for (const aws::sqs::Message& message : messages) {
    const Result<RecordedEvent> recorded = RecordEvent(connection, scope, message.body, stop);
    const MessageOutcome outcome = OutcomeOf(recorded);
    if (outcome == MessageOutcome::kFailed) return recorded.error();
    if (outcome == MessageOutcome::kDeadLetter)
      PCW_TRY_OK(PutLetter(connection, scope, message, recorded.error(), stop));
    Count(report, outcome, recorded ? recorded->fetches : 0);
  }
  PCW_TRY_OK(connection.Exec({"event_inbox_received",
                              "UPDATE event_inbox SET received_at = now() WHERE tenant_id = "
                              "pcw_tenant()"},
                             {}, stop));
  PCW_TRY_OK(transaction.Commit());
  return report;
}

}  // namespace

Status NoteListening(pg::Connection& connection, const InboxScope& scope, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"event_inbox_note",
       "INSERT INTO event_inbox AS i (tenant_id, queue_url) VALUES (pcw_tenant(), $1) ON CONFLICT "
       "(tenant_id) DO UPDATE SET listening_since = CASE WHEN i.queue_url = excluded.queue_url "
       "THEN i.listening_since ELSE now() END, queue_url = excluded.queue_url, polled_at = now()"},
      {scope.queue_url}, stop));
  return Ok{};
}

Result<RecordedEvent> RecordEvent(pg::Connection& connection, const InboxScope& scope,
                                  std::string_view body, std::stop_token stop) {
  PCW_TRY(const PartnerEvent event, ReadEvent(body));
  PCW_TRY(const Meaning meaning, Interpret(event, scope.catalog, scope.entities));
  RecordedEvent recorded{.is_new = false,
                         .disposition = meaning.disposition,
                         .fetches = 0,
                         .entity = "",
                         .record_key = ""};
  if (!meaning.records.empty()) {
    recorded.entity = meaning.records.front().entity->name;
    recorded.record_key = meaning.records.front().record_key;
  }
  const auto or_null = [](const std::string& text) {
    return text.empty() ? pg::Param() : pg::Param(text);
  };
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"event_record",
           "INSERT INTO partner_events AS e (tenant_id, event_id, connector_id, source, "
           "detail_type, catalog, event_time, entity, record_key, disposition, body) VALUES "
           "(pcw_tenant(), $1, $2::bigint, $3, $4, $5, $6::timestamptz, $7, $8, $9, $10) ON "
           "CONFLICT (tenant_id, event_id) DO UPDATE SET deliveries = e.deliveries + 1 RETURNING "
           "e.deliveries = 1"},
          {event.id, std::to_string(scope.connector_id), event.source, event.detail_type,
           event.catalog, FormatRfc3339(event.time), or_null(recorded.entity),
           or_null(recorded.record_key), std::string(NameOf(meaning.disposition)),
           meaning.disposition == Disposition::kUnknown ? pg::Param(Storable(body)) : pg::Param()},
          stop));
  recorded.is_new = rows.Bool(0, 0);
  if (!recorded.is_new) return recorded;
  for (const NamedRecord& record : meaning.records) {
    PCW_TRY_OK(runs::AddFetchRequest(
        connection,
        {.connector_id = scope.connector_id,
         .entity = std::string(record.entity->name),
         .catalog = scope.catalog},
        {.record_key = record.record_key, .detail_key = record.detail_key, .source = record.source},
        stop));
    ++recorded.fetches;
  }
  return recorded;
}

Result<InboxReport> TakeMessages(pg::Connection& connection, const InboxScope& scope,
                                 aws::sqs::Queue& queue,
                                 const std::vector<aws::sqs::Message>& messages,
                                 std::stop_token stop) {
  if (messages.empty()) return InboxReport{};
  PCW_FAILPOINT("events.record.before");
  Result<InboxReport> report =
      RecordAgainAfterConflicts([&] { return Record(connection, scope, messages, stop); });
  if (!report) return report;
  PCW_FAILPOINT("events.record.after");
  for (const std::vector<std::string>& handles : HandleBatches(messages)) {
    const Result<aws::sqs::BatchOutcome> deleted = queue.Delete(handles, stop);
    if (!deleted && deleted.error().code() != ErrorCode::kCancelled)
      LogError(
          "recorded events could not be deleted from the queue; they come again and do no harm",
          deleted.error());
  }
  PCW_FAILPOINT("events.delete.after");
  return report;
}

Status PruneEvents(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"events_prune",
       "DELETE FROM partner_events WHERE tenant_id = pcw_tenant() AND event_id IN (SELECT event_id "
       "FROM partner_events WHERE tenant_id = pcw_tenant() AND received_at < now() - interval '22 "
       "days' LIMIT 5000)"},
      {}, stop));
  PCW_TRY_OK(runs::PruneFetchRequests(connection, stop));
  PCW_TRY_OK(connection.Exec({"event_coverage_prune",
                              "DELETE FROM event_coverage WHERE tenant_id = pcw_tenant() AND hour "
                              "< now() - interval '90 days'"},
                             {}, stop));
  return Ok{};
}

}  // namespace pcw::events
