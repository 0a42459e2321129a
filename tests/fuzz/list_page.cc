// Pages of every list call: whatever stands in one, an item has a name and a place.
#include "fuzz/target.h"
#include "pcw/base/assert.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/raw_record.h"

PCW_FUZZ_TARGET(list_page) {
  using namespace pcw;
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    for (const connector::SourceDef& source : entity->sources) {
      const Result<connector::Page> page = connector::ReadListPage(input, source);
      if (!page) continue;
      int index = 0;
      for (const connector::PageItem& item : page->items) {
        PCW_ASSERT(item.index == index++);
        PCW_ASSERT(!item.id.empty());
        PCW_ASSERT(item.problem || item.id.size() <= connector::kLongestId);
      }
    }
  }
}
