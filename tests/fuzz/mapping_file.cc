// Mapping files, which operators write; those that are taken map a record.
#include "fuzz/target.h"
#include "pcw/base/assert.h"
#include "pcw/connector/mapping.h"

PCW_FUZZ_TARGET(mapping_file) {
  using namespace pcw;
  const auto mapping = connector::ParseMapping(input, "fuzz.yaml");
  if (!mapping) {
    PCW_ASSERT(mapping.error().code() == ErrorCode::kConfig);
    return;
  }
  connector::Mapper mapper(*mapping);
  const auto row = mapper.MapRecord({
      .payload =
          R"({"Id":"S-1","Arn":"arn:aws:x","Name":null,"Amount":"1.50","Many":[{"Type":"Lead",)"
          R"("At":"2026-11-20T08:00:00Z"}],"Flag":true,"Number":7})",
      .id = "S-1",
      .version = "2026-11-20T08:00:00Z",
      .served_at = "2026-11-20T08:00:01Z",
  });
  PCW_ASSERT(!row || row->values.size() == mapping->columns.size());
}
