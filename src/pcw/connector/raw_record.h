// Reads just enough of a list page to know what it lists; the rest of it is nobody's business here.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// An id or key that is longer (in bytes) is not taken: PostgreSQL indexes keys of at most 2,704
/// bytes, and AWS's longest identifier, an ARN, has 1,011.
inline constexpr std::size_t kLongestId = 1024;

/// One listed record.
struct PageItem {
  std::string id;
  std::string key;          ///< what the detail call takes
  std::string version;      ///< verbatim, or "sha256:<hex>" of the item's bytes if it names none
  int index = 0;            ///< position in the page, from 0
  bool has_detail = false;  ///< its details are to be fetched; else the item is the record
  std::string bytes;        ///< of an item that is the record: exactly as AWS sent it
  /// Why this one cannot be taken; kSchemaMismatch with context `pointer`, `index` and `member` or
  /// `malformed`. Then `bytes` are the item's, and `id` is what to call it: AWS's id where it can
  /// be read, else a name that no record of AWS has and that everything stores.
  std::optional<Error> problem;
  bool has_id = true;  ///< `id` is AWS's
};

struct Page {
  std::vector<PageItem> items;
  std::string next_token;  ///< empty = last page
};

/// Parses a list answer. Items are told apart by structure alone and read one by one: one that
/// cannot be read is a PageItem with a problem and costs no other. kUnavailable for an answer that
/// was cut off or is not a JSON object; kSchemaMismatch for one without the items array (unless AWS
/// does not promise one: then the page is empty), with two of them, or whose NextToken is not a
/// text: it would pass for the last page. Ids, versions and tokens are taken as they are: responses
/// are never validated against modelled patterns (docs/aws-facts.md 5). Thread-safe.
Result<Page> ReadListPage(std::string_view body, const SourceDef& source);

}  // namespace pcw::connector
