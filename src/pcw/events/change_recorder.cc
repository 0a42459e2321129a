#include "pcw/events/change_recorder.h"

#include "pcw/events/coverage.h"

namespace pcw::events {

Status ChangeRecorder::OnChanges(pg::Connection& connection, const sync::ChangeScope& scope,
                                 std::span<const sync::LandedChange> changes,
                                 std::stop_token stop) {
  if (options_.is_measuring) PCW_TRY_OK(NoteChanges(connection, scope, changes, stop));
  return Ok{};
}

}  // namespace pcw::events
