// The body of CompleteMultipartUpload: the parts that make the object.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pcw::sim {

/// One listed part; elements by name beside PartNumber and ETag: the checksums.
struct ListedPart {
  std::uint64_t number = 0;
  std::string etag;  ///< without quotes
  std::map<std::string, std::string, std::less<>> checksums;
};

/// Reads the document; nothing if it is not of that form. Takes exactly what S3's schema has: no
/// comments, no other elements.
std::optional<std::vector<ListedPart>> ReadPartList(std::string_view xml);

}  // namespace pcw::sim
