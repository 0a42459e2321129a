#include "pcw/events/change_recorder.h"

#include "pcw/events/coverage.h"
#include "pcw/events/outbox.h"

namespace pcw::events {

Status ChangeRecorder::OnChanges(pg::Connection& connection, const tables::ChangeScope& scope,
                                 std::span<const tables::LandedChange> changes,
                                 std::stop_token stop) {
  if (options_.is_measuring) PCW_TRY_OK(NoteChanges(connection, scope, changes, stop));
  if (options_.is_publishing)
    PCW_TRY_OK(PutChanges(connection, options_.teller, scope, changes, stop));
  return Ok{};
}

}  // namespace pcw::events
