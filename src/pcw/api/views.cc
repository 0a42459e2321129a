#include "pcw/api/views.h"

#include <array>

#include <nlohmann/json.hpp>

#include "pcw/connector/entity_def.h"

namespace pcw::api {
namespace {

using enum FieldType;

// URLs and the command line spell a connector with a hyphen (docs/rest-api.md).
std::string UrlNameOf(const std::string& kind) {
  const connector::ConnectorDef* def = connector::FindConnector(kind);
  return def == nullptr ? kind : std::string(def->url_name);
}

// Stored by ourselves; if it were damaged the rest is still worth showing.
OrderedJson StoredJson(const std::string& text) {
  OrderedJson parsed = OrderedJson::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? OrderedJson(nullptr) : parsed;
}

OrderedJson WholeOrNull(std::int64_t number) {
  return number > 0 ? OrderedJson(number) : OrderedJson(nullptr);
}

// Member by member: a list of pairs would be copied twice, and a page of runs is mostly this.
template <typename T>
OrderedJson JsonOf(std::span<const Field<T>> fields, const T& stored) {
  OrderedJson json = OrderedJson::object();
  for (const Field<T>& field : fields) json[std::string(field.name)] = field.value(stored);
  return json;
}

// The member of a T that a field shows as it stands.
template <auto kMember, typename T>
OrderedJson Plain(const T& stored) {
  return stored.*kMember;
}

// The same for a text that is empty where there is none.
template <auto kMember, typename T>
OrderedJson Nullable(const T& stored) {
  return TextOrNull(stored.*kMember);
}

}  // namespace

std::span<const Field<runs::StoredRun>> RunFields() {
  using R = runs::StoredRun;
  static constexpr std::array kFields{
      Field<R>{"id", kText, Plain<&R::id>},
      Field<R>{"connector", kText, [](const R& r) { return OrderedJson(UrlNameOf(r.connector)); }},
      Field<R>{"entity", kText, Plain<&R::entity>},
      Field<R>{"mode", kText, Plain<&R::mode>},
      Field<R>{"status", kText, Plain<&R::status>},
      Field<R>{"catalog", kText, Plain<&R::catalog>},
      Field<R>{"started_at", kText, Plain<&R::started_at>},
      Field<R>{"ended_at", kTextOrNull, Nullable<&R::ended_at>},
      Field<R>{"requested_by", kText, Plain<&R::requested_by>},
      Field<R>{"trigger", kText, Plain<&R::trigger>},
      Field<R>{"resumed_from", kTextOrNull, Nullable<&R::resumed_from>},
      Field<R>{"error_code", kTextOrNull, Nullable<&R::error_code>},
      Field<R>{"error", kTextOrNull, Nullable<&R::error>},
      Field<R>{"bronze", kTextOrNull, Nullable<&R::bronze_prefix>},
      Field<R>{"stats", kObjectOrNull, [](const R& r) { return StoredJson(r.stats_json); }},
      // RunJson takes it from the counters once they are parsed.
      Field<R>{"records", kWholeOrNull, [](const R&) { return OrderedJson(nullptr); }},
  };
  return kFields;
}

std::span<const Field<dlq::DeadLetter>> DeadLetterFields() {
  using L = dlq::DeadLetter;
  static constexpr std::array kFields{
      Field<L>{"id", kText, Plain<&L::id>},
      Field<L>{"state", kText, Plain<&L::state>},
      Field<L>{"connector", kText, [](const L& l) { return OrderedJson(UrlNameOf(l.connector)); }},
      Field<L>{"entity", kText, Plain<&L::entity>},
      Field<L>{"catalog", kText, Plain<&L::catalog>},
      Field<L>{"record_key", kText, Plain<&L::record_key>},
      Field<L>{"stage", kText, [](const L& l) { return OrderedJson(NameOf(l.stage)); }},
      Field<L>{"group", kText, Plain<&L::fingerprint>},
      Field<L>{"error_code", kText, Plain<&L::error_code>},
      Field<L>{"error", kText, Plain<&L::error>},
      Field<L>{"error_context", kObjectOrNull,
               [](const L& l) { return StoredJson(l.error_context_json); }},
      Field<L>{"attempts", kWhole, Plain<&L::attempts>},
      Field<L>{"failed_replays", kWhole, Plain<&L::failed_replays>},
      Field<L>{"run_id", kText, Plain<&L::run_id>},
      Field<L>{"bronze_key", kTextOrNull, Nullable<&L::bronze_key>},
      Field<L>{"bronze_line", kWholeOrNull, [](const L& l) { return WholeOrNull(l.bronze_line); }},
      Field<L>{"mapping_version", kWholeOrNull,
               [](const L& l) { return WholeOrNull(l.mapping_version); }},
      Field<L>{"patched", kBool, [](const L& l) { return OrderedJson(!l.patch_json.empty()); }},
      Field<L>{"first_seen_at", kText, Plain<&L::first_seen_at>},
      Field<L>{"last_seen_at", kText, Plain<&L::last_seen_at>},
      Field<L>{"delivered_at", kTextOrNull, Nullable<&L::delivered_at>},
      Field<L>{"message_id", kTextOrNull, Nullable<&L::message_id>},
      Field<L>{"expires_at", kTextOrNull, Nullable<&L::expires_at>},
      Field<L>{"reason", kTextOrNull, Nullable<&L::note>},
      Field<L>{"delivery_error", kTextOrNull, Nullable<&L::delivery_error>},
  };
  return kFields;
}

std::span<const Field<dlq::DeadLetterGroup>> DeadLetterGroupFields() {
  using G = dlq::DeadLetterGroup;
  static constexpr std::array kFields{
      Field<G>{"group", kText, Plain<&G::fingerprint>},
      Field<G>{"entity", kText, Plain<&G::entity>},
      Field<G>{"stage", kText, Plain<&G::stage>},
      Field<G>{"error_code", kText, Plain<&G::error_code>},
      Field<G>{"error", kText, Plain<&G::error>},
      Field<G>{"pointer", kTextOrNull, Nullable<&G::pointer>},
      Field<G>{"letters", kWhole, Plain<&G::letters>},
      Field<G>{"guarded", kWhole, Plain<&G::guarded>},
      Field<G>{"first_seen_at", kText, Plain<&G::first_seen_at>},
      Field<G>{"last_seen_at", kText, Plain<&G::last_seen_at>},
      Field<G>{"sample_id", kText, Plain<&G::sample_id>},
  };
  return kFields;
}

std::span<const Field<tables::StoredFinding>> DriftFields() {
  using F = tables::StoredFinding;
  static constexpr std::array kFields{
      Field<F>{"id", kWhole, Plain<&F::id>},
      Field<F>{"status", kText, Plain<&F::status>},
      Field<F>{"entity", kText, Plain<&F::entity>},
      Field<F>{"kind", kText, Plain<&F::kind>},
      Field<F>{"operation", kTextOrNull, Nullable<&F::operation>},
      Field<F>{"pointer", kTextOrNull, Nullable<&F::pointer>},
      Field<F>{"column", kTextOrNull, Nullable<&F::column>},
      Field<F>{"found", kText, Plain<&F::found>},
      Field<F>{"expected", kTextOrNull, Nullable<&F::expected>},
      Field<F>{"records", kWhole, Plain<&F::records>},
      Field<F>{"baseline_rate", kTextOrNull, Nullable<&F::baseline_rate>},
      Field<F>{"observed_rate", kTextOrNull, Nullable<&F::observed_rate>},
      Field<F>{"sample_record", kTextOrNull, Nullable<&F::sample_record>},
      Field<F>{"bronze_key", kTextOrNull, Nullable<&F::bronze_key>},
      Field<F>{"bronze_line", kWholeOrNull, [](const F& f) { return WholeOrNull(f.bronze_line); }},
      Field<F>{"first_seen_run", kTextOrNull, Nullable<&F::first_seen_run>},
      Field<F>{"last_seen_run", kTextOrNull, Nullable<&F::last_seen_run>},
      Field<F>{"first_seen_at", kText, Plain<&F::first_seen_at>},
      Field<F>{"last_seen_at", kText, Plain<&F::last_seen_at>},
      Field<F>{"note", kTextOrNull, Nullable<&F::note>},
      Field<F>{"accepted_at", kTextOrNull, Nullable<&F::accepted_at>},
  };
  return kFields;
}

OrderedJson RunJson(const runs::StoredRun& run) {
  OrderedJson json = JsonOf(RunFields(), run);
  if (const OrderedJson& stats = json["stats"]; stats.is_object())
    json["records"] = stats.value("records_processed", 0);
  return json;
}

OrderedJson DeadLetterJson(const dlq::DeadLetter& letter) {
  return JsonOf(DeadLetterFields(), letter);
}

OrderedJson DeadLetterGroupJson(const dlq::DeadLetterGroup& group) {
  return JsonOf(DeadLetterGroupFields(), group);
}

OrderedJson DriftJson(const tables::StoredFinding& finding) {
  return JsonOf(DriftFields(), finding);
}

}  // namespace pcw::api
