#include "pcw/events/cloud_event.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/digest.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::events {
namespace {

// "opportunities" -> "opportunity"; only that entity is told of so far.
std::string_view SingularOf(std::string_view entity) {
  return entity == "opportunities" ? "opportunity" : entity;
}

}  // namespace

CloudEvent MakeCloudEvent(const CloudEventScope& scope, const tables::ChangeScope& run,
                          const tables::LandedChange& change) {
  CloudEvent event;
  event.id = Sha256Hex(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", scope.tenant_id, run.catalog,
                                   run.entity, change.id, change.version, change.payload_sha256))
                 .substr(0, 32);
  event.type =
      fmt::format("com.pcw.{}.{}", SingularOf(run.entity), change.is_new ? "created" : "updated");
  event.source = fmt::format("/pcw/{}/partner-central/{}", scope.tenant_name, run.catalog);
  event.subject = fmt::format("{}/{}", run.entity, change.id);
  event.time = change.modified_at;
  OrderedJson data{{"id", change.id}, {"catalog", run.catalog}, {"version", change.version}};
  if (!change.is_new) data["changed"] = change.columns;
  event.body = DumpJson(OrderedJson{{"specversion", "1.0"},
                                    {"id", event.id},
                                    {"source", event.source},
                                    {"type", event.type},
                                    {"subject", event.subject},
                                    {"time", FormatRfc3339(event.time)},
                                    {"datacontenttype", "application/json"},
                                    {"data", std::move(data)}});
  return event;
}

}  // namespace pcw::events
