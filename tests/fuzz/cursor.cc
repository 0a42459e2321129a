// Cursors of pages, which come back from clients: one that is taken is one that was given.
#include "fuzz/target.h"
#include "pcw/api/page_cursor.h"
#include "pcw/base/assert.h"

PCW_FUZZ_TARGET(cursor) {
  using namespace pcw;
  constexpr std::string_view kKey = "the key of the fuzz target";
  const api::CursorScope scope{.tenant_id = "00000000-0000-4000-8000-000000000001",
                               .list = "runs",
                               .filters = "status=failed"};
  if (const auto id = api::ReadCursor(kKey, scope, input))
    PCW_ASSERT(api::MakeCursor(kKey, scope, *id) == input);
}
