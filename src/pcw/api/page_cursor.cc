#include "pcw/api/page_cursor.h"

#include <fmt/format.h>

#include "pcw/api/problem.h"
#include "pcw/base/digest.h"
#include "pcw/base/uuid.h"
#include "pcw/identity/token.h"

namespace pcw::api {
namespace {

constexpr std::size_t kSignatureLength = 32;

bool IsId(std::string_view text) {
  const bool is_number = !text.empty() && text.size() < 19 &&
                         text.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number || IsUuid(text);
}

std::string CursorSignature(std::string_view key, const CursorScope& scope,
                            std::string_view last_id) {
  // Lengths first, so that no two scopes spell the same text.
  const std::string text =
      fmt::format("cursor 1\n{}:{}\n{}:{}\n{}:{}\n{}", scope.tenant_id.size(), scope.tenant_id,
                  scope.list.size(), scope.list, scope.filters.size(), scope.filters, last_id);
  return Hex(HmacSha256(key, text)).substr(0, kSignatureLength);
}

}  // namespace

std::string MakeCursor(std::string_view key, const CursorScope& scope, std::string_view last_id) {
  return fmt::format("{}.{}", last_id, CursorSignature(key, scope, last_id));
}

Result<std::string> ReadCursor(std::string_view key, const CursorScope& scope,
                               std::string_view cursor) {
  const std::string_view id = cursor.substr(0, cursor.find('.'));
  const bool is_formed = cursor.size() == id.size() + 1 + kSignatureLength && IsId(id);
  // Compared by their hashes, in a time that tells nothing.
  if (is_formed && identity::IsSameDigest(Sha256(cursor.substr(id.size() + 1)),
                                          Sha256(CursorSignature(key, scope, id))))
    return std::string(id);
  return ApiError(400, "invalid_cursor",
                  "the cursor is not one that this list gave with these filters; start without one",
                  "cursor");
}

}  // namespace pcw::api
