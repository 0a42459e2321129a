#include "pcw/sim/account_state.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/sim/keys.h"
#include "pcw/sim/unknown_name.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kMaxKeys = 100;

bool IsUpperOrDigit(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsPrintable(char c) { return c > ' ' && c <= '~'; }
bool IsUserLetter(char c) {
  return IsUpperOrDigit(c) || (c >= 'a' && c <= 'z') ||
         std::string_view("_+=,.@-").find(c) != std::string_view::npos;
}

/// The form of a text: what its letters are, how many, and how to say so.
struct Form {
  bool (*is_letter)(char);
  std::size_t min;
  std::size_t max;
  std::span<const std::string_view> prefixes;  ///< empty = any
  std::string_view expected;

  bool Fits(std::string_view text) const {
    const auto begins = [&](std::string_view prefix) { return text.starts_with(prefix); };
    return text.size() >= min && text.size() <= max &&
           std::all_of(text.begin(), text.end(), is_letter) &&
           (prefixes.empty() || std::any_of(prefixes.begin(), prefixes.end(), begins));
  }
};

constexpr std::array kKeyPrefixes{std::string_view("AKIA")};
constexpr std::array kRevocablePrefixes{std::string_view("AKIA"), std::string_view("ASIA")};

constexpr Form kKeyId{IsUpperOrDigit, 16, 128, kKeyPrefixes,
                      "AKIA and 12 to 124 more capital letters and digits"};
constexpr Form kRevocable{IsUpperOrDigit, 16, 128, kRevocablePrefixes,
                          "AKIA or ASIA and 12 to 124 more capital letters and digits"};
constexpr Form kSecret{IsPrintable, 1, 128, {}, "1 to 128 printable characters without blanks"};
constexpr Form kUserName{IsUserLetter, 1, 64, {}, "1 to 64 letters, digits and _+=,.@-"};
constexpr std::array kRolePrefixes{std::string_view("arn:aws:iam::")};
constexpr Form kRoleArn{IsPrintable, 20, 256, kRolePrefixes, "the ARN of a role"};
constexpr Form kExternalId{IsPrintable, 2, 1224, {}, "2 to 1224 printable characters"};
constexpr Form kAccountId{IsDigit, 12, 12, {}, "a string of 12 digits"};

/// Reads one document; every message says where it is.
class StateReader {
 public:
  StateReader(const Json& json, std::span<const std::string> actions)
      : json_(json), actions_(actions) {}

  Result<AccountState> Read() {
    if (!json_.is_object()) return Bad("expected an object");
    PCW_TRY_OK(CheckKeys(json_, {"linked", "denied_actions", "revoked_keys", "keys", "roles"}, ""));
    if (const auto linked = json_.find("linked"); linked != json_.end()) {
      if (!linked->is_boolean()) return Bad("\"linked\": expected true or false");
      state_.is_linked = linked->get<bool>();
    }
    PCW_TRY_OK(ReadDenied());
    PCW_TRY_OK(ReadRevoked());
    PCW_TRY_OK(ReadKeys());
    PCW_TRY_OK(ReadRoles());
    return std::move(state_);
  }

 private:
  static Error Bad(std::string_view what) {
    return Error(ErrorCode::kInvalidRequest, fmt::format("account state: {}", what));
  }

  static Status CheckKeys(const Json& object, const std::vector<std::string>& known,
                          std::string_view where) {
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        return Bad(fmt::format("{}{}", where, UnknownName("key", key, known)));
      }
    }
    return Ok{};
  }

  /// The list of that name; nullptr if it is absent.
  Result<const Json*> List(const char* name, std::string_view of) const {
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    if (!found->is_array()) return Bad(fmt::format("\"{}\": expected a list of {}", name, of));
    return &*found;
  }

  Status ReadDenied() {
    PCW_TRY(const Json* list, List("denied_actions", "action names"));
    if (list == nullptr) return Ok{};
    for (const Json& item : *list) {
      if (!item.is_string()) return Bad("\"denied_actions\": expected strings");
      const auto& name = item.get_ref<const std::string&>();
      if (std::find(actions_.begin(), actions_.end(), name) == actions_.end()) {
        return Bad(fmt::format("\"denied_actions\": {}", UnknownName("action", name, actions_)));
      }
      state_.denied_actions.insert(name);
    }
    return Ok{};
  }

  Status ReadRevoked() {
    PCW_TRY(const Json* list, List("revoked_keys", "access key ids"));
    if (list == nullptr) return Ok{};
    for (const Json& item : *list) {
      if (!item.is_string() || !kRevocable.Fits(item.get_ref<const std::string&>())) {
        return Bad(fmt::format("\"revoked_keys\": expected {}", kRevocable.expected));
      }
      state_.revoked_keys.insert(item.get<std::string>());
    }
    return Ok{};
  }

  Status ReadKeys() {
    PCW_TRY(const Json* list, List("keys", "objects"));
    if (list == nullptr) return Ok{};
    if (list->size() > kMaxKeys) {
      return Bad(fmt::format("\"keys\": expected at most {}", kMaxKeys));
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      PCW_TRY(LongLivedKey key, ReadKey((*list)[i], fmt::format("key {}: ", i + 1)));
      state_.keys.push_back(std::move(key));
    }
    return Ok{};
  }

  Status ReadRoles() {
    PCW_TRY(const Json* list, List("roles", "objects"));
    if (list == nullptr) return Ok{};
    if (list->size() > kMaxKeys) {
      return Bad(fmt::format("\"roles\": expected at most {}", kMaxKeys));
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string where = fmt::format("role {}: ", i + 1);
      if (!(*list)[i].is_object()) return Bad(where + "expected an object");
      PCW_TRY_OK(CheckKeys((*list)[i], {"arn", "external_id"}, where));
      TrustedRole role;
      PCW_TRY(role.arn, Text((*list)[i], "arn", kRoleArn, {}, where));
      PCW_TRY(role.external_id, Text((*list)[i], "external_id", kExternalId, "", where));
      state_.roles.push_back(std::move(role));
    }
    return Ok{};
  }

  Result<LongLivedKey> ReadKey(const Json& json, const std::string& where) const {
    if (!json.is_object()) return Bad(where + "expected an object");
    PCW_TRY_OK(
        CheckKeys(json, {"access_key_id", "secret_access_key", "user", "account_id"}, where));
    LongLivedKey key;
    PCW_TRY(key.access_key_id, Text(json, "access_key_id", kKeyId, {}, where));
    PCW_TRY(key.secret, Text(json, "secret_access_key", kSecret, {}, where));
    PCW_TRY(key.user, Text(json, "user", kUserName, kUser, where));
    PCW_TRY(key.account, Text(json, "account_id", kAccountId, kAccount, where));
    const auto same = [&](const LongLivedKey& other) {
      return other.access_key_id == key.access_key_id;
    };
    if (key.access_key_id == kAccessKeyId ||
        std::any_of(state_.keys.begin(), state_.keys.end(), same)) {
      return Bad(fmt::format("{}\"access_key_id\": expected one that is not there yet", where));
    }
    return key;
  }

  /// A text member of the given form; `fallback` if it is absent, which is an error without one.
  static Result<std::string> Text(const Json& json, const char* name, const Form& form,
                                  std::optional<std::string_view> fallback,
                                  std::string_view where) {
    const auto found = json.find(name);
    if (found == json.end() && fallback) return std::string(*fallback);
    if (found == json.end() || !found->is_string() ||
        !form.Fits(found->get_ref<const std::string&>())) {
      return Bad(fmt::format("{}\"{}\": expected {}", where, name, form.expected));
    }
    return found->get<std::string>();
  }

  const Json& json_;
  const std::span<const std::string> actions_;
  AccountState state_;
};

}  // namespace

Result<AccountState> ParseAccountState(std::string_view text,
                                       std::span<const std::string> actions) {
  PCW_TRY(const Json json, ParseJson(text));
  return StateReader(json, actions).Read();
}

OrderedJson DescribeAccountState(const AccountState& state) {
  OrderedJson keys = OrderedJson::array();
  for (const LongLivedKey& key : state.keys) {
    keys.push_back(
        {{"access_key_id", key.access_key_id}, {"user", key.user}, {"account_id", key.account}});
  }
  OrderedJson roles = OrderedJson::array();
  for (const TrustedRole& role : state.roles) roles.push_back({{"arn", role.arn}});
  return {{"linked", state.is_linked},
          {"denied_actions", state.denied_actions},
          {"revoked_keys", state.revoked_keys},
          {"keys", keys},
          {"roles", roles}};
}

}  // namespace pcw::sim
