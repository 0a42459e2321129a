#include "pcw/connector/pii_mask.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/connector/response_shape.h"

namespace pcw::connector {
namespace {

constexpr std::string_view kMasked = "***";
constexpr std::array<std::string_view, 8> kSecretMembers{
    "SecretAccessKey",    "SessionToken",  "WebIdentityToken", "RegistrationToken",
    "AuthorizationToken", "Authorization", "Password",         "ClientSecret"};

// AWS explains a refused signature with the canonical request, session token and all.
bool HoldsCanonicalRequest(std::string_view text) {
  return text.find("The Canonical String") != std::string_view::npos ||
         text.find("x-amz-security-token") != std::string_view::npos;
}

bool LooksLikeAddress(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.find('.', at) != std::string_view::npos;
}

class Walk {
 public:
  Walk(const std::vector<std::vector<std::string>>& patterns, Masking masking)
      : patterns_(patterns), masking_(masking) {}

  void Visit(Json& value, bool is_masked) {
    if (value.is_object()) {
      for (auto& [name, member] : value.items()) VisitMember(name, member, is_masked);
    } else if (value.is_array()) {
      for (Json& element : value) VisitMember("*", element, is_masked);
    } else if (is_masked ||
               (value.is_string() && HoldsCanonicalRequest(value.get_ref<const std::string&>())) ||
               (masking_ == Masking::kPii && value.is_string() &&
                LooksLikeAddress(value.get_ref<const std::string&>()))) {
      if (!value.is_null()) value = kMasked;
    }
  }

 private:
  void VisitMember(const std::string& name, Json& value, bool is_masked) {
    path_.push_back(name);
    const bool is_secret =
        std::find(kSecretMembers.begin(), kSecretMembers.end(), name) != kSecretMembers.end();
    Visit(value, is_masked || is_secret || (masking_ == Masking::kPii && IsPii()));
    path_.pop_back();
  }

  bool IsPii() const {
    return std::any_of(patterns_.begin(), patterns_.end(), [this](const auto& pattern) {
      return pattern.size() <= path_.size() &&
             std::equal(pattern.rbegin(), pattern.rend(), path_.rbegin());
    });
  }

  const std::vector<std::vector<std::string>>& patterns_;
  const Masking masking_;
  std::vector<std::string> path_;
};

}  // namespace

PiiMask::PiiMask(std::span<const Mapping> mappings) {
  for (const Mapping& mapping : mappings) {
    for (const ColumnMapping& column : mapping.columns) {
      if (column.pii == Pii::kNone) continue;
      for (const std::string& pointer : column.pointers)
        patterns_.push_back(PointerSegments(pointer));
    }
    for (const PiiMember& member : mapping.pii) {
      if (member.pii != Pii::kNone) patterns_.push_back(PointerSegments(member.pointer));
    }
  }
}

std::string PiiMask::Apply(std::string_view json, Masking masking) const {
  Result<Json> document = ParseJson(json);
  if (!document) return fmt::format("({} bytes that are not JSON)", json.size());
  Walk(patterns_, masking).Visit(*document, false);
  return DumpJson(*document);
}

}  // namespace pcw::connector
