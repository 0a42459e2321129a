// The CloudEvents that pcw makes of changes (CloudEvents 1.0, structured JSON). No I/O.
#pragma once

#include <string>
#include <string_view>

#include "pcw/tables/change_listener.h"

namespace pcw::events {

/// Who tells of the change.
struct CloudEventScope {
  std::string tenant_id, tenant_name;
};

/// One event as it goes out. `body` is the whole of it; the rest is what targets need beside it.
struct CloudEvent {
  std::string id, type, source, subject, body;
  WallTime time{};
};

/// The id is a digest of tenant, catalog, record and version (LastModifiedDate and the bytes'
/// hash): the same change makes the same event, byte for byte, however often it is made. The data
/// holds ids, the version and names of columns; no value of a record, so no personal data.
CloudEvent MakeCloudEvent(const CloudEventScope& scope, const tables::ChangeScope& run,
                          const tables::LandedChange& change);

}  // namespace pcw::events
