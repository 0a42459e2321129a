// Parts of bronze: as they lie in a lake that somebody else may have written to, and one that holds
// any payload at all.
#include <string>

#include "fuzz/target.h"
#include "pcw/base/assert.h"
#include "pcw/base/digest.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/lake/part.h"
#include "pcw/lake/part_reader.h"

PCW_FUZZ_TARGET(bronze_line) {
  using namespace pcw;
  static const connector::Mapping mapping =
      *connector::BuiltinMapping(connector::Opportunities().name);
  static connector::Mapper mapper(mapping);

  if (const auto vouched = lake::ScanPart(input, lake::LineDigests::kVouched)) {
    const auto checked = lake::ScanPart(input, lake::LineDigests::kCheck);
    PCW_ASSERT(checked.has_value());
    PCW_ASSERT(checked->size() == vouched->size());
    PCW_ASSERT(checked->lines.size() <= vouched->lines.size());
    for (const lake::ScannedLine& line : vouched->lines)
      static_cast<void>(mapper.MapRecord({.payload = line.payload, .id = line.id}));
  }

  lake::PartBuilder part;
  lake::RecordMeta meta;
  meta.id = "O1";
  meta.operation = "GetOpportunity";
  meta.source = "get";
  part.Append(meta, input);
  const auto written = lake::ScanPart(part.text(), lake::LineDigests::kCheck);
  PCW_ASSERT(written.has_value());
  PCW_ASSERT(written->lines.size() == 1 && written->unreadable.empty());
  const lake::ScannedLine& line = written->lines.front();
  PCW_ASSERT(line.sha256 == Sha256(input));
  PCW_ASSERT(line.is_respaced || line.payload == input);
}
