#include "pcw/aws/credentials/credentials_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace pcw::aws {

bool IsSame(const Credentials& left, const Credentials& right) {
  return left.access_key_id == right.access_key_id &&
         left.secret_access_key.Reveal() == right.secret_access_key.Reveal() &&
         left.session_token.Reveal() == right.session_token.Reveal();
}

Status CheckFitToSend(const Credentials& credentials) {
  const std::array<std::pair<std::string_view, std::string_view>, 3> parts{{
      {"access key id", credentials.access_key_id},
      {"secret access key", credentials.secret_access_key.Reveal()},
      {"session token", credentials.session_token.Reveal()},
  }};
  for (const auto& [name, value] : parts) {
    const auto bad = std::find_if(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (bad == value.end()) continue;
    return Error(
        ErrorCode::kConfig,
        fmt::format("{}: the {} holds a {} at byte {} of {}; nothing was sent with it; give it "
                    "again in one line, as AWS issued it",
                    credentials.source.empty() ? "credentials" : credentials.source, name,
                    *bad == '\r' || *bad == '\n' ? "line break"
                    : *bad == '\0'               ? "NUL"
                                                 : "control character",
                    bad - value.begin() + 1, value.size()));
  }
  return Ok{};
}

}  // namespace pcw::aws
