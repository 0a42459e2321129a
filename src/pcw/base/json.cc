#include "pcw/base/json.h"

#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/storable_text.h"

namespace pcw {
namespace {

// Builds the value while enforcing the limits, so that nothing unbounded is ever materialised.
class LimitedBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit LimitedBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    // Amounts must never pass through a double, and neither must integers beyond 64 bits (T20).
    return Add(text);
  }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return Fail("binary is not JSON"); }
  bool start_object(std::size_t /*size*/) override { return Open(Json::object()); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t /*size*/) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    if (stack_.back()->contains(name))
      return Fail(fmt::format("duplicate key \"{}\"", CutAtCharacter(name, 64)));
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*problem*/) override {
    return Fail(fmt::format("not valid JSON at byte {}", position));
  }

  Json TakeRoot() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  bool Fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return false;
  }

  Json* Place(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json& slot = parent[key_];
    slot = std::move(value);
    return &slot;
  }

  bool Add(Json value) {
    if (++values_ > limits_.max_values)
      return Fail(fmt::format("more than {} values", limits_.max_values));
    Place(std::move(value));
    return true;
  }

  bool Open(Json value) {
    if (stack_.size() >= limits_.max_depth)
      return Fail(fmt::format("nested deeper than {}", limits_.max_depth));
    if (++values_ > limits_.max_values)
      return Fail(fmt::format("more than {} values", limits_.max_values));
    stack_.push_back(Place(std::move(value)));
    return true;
  }

  bool Close() {
    stack_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> stack_;
  std::string key_;
  std::string problem_;
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("JSON of {} bytes is larger than {}", text.size(), limits.max_bytes));
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    return Error(ErrorCode::kInvalidRequest, "JSON starts with a byte order mark");
  }
  // nlohmann takes a NUL for the end of the text and would ignore what follows it.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Error(ErrorCode::kInvalidRequest, fmt::format("not valid JSON at byte {}", nul + 1));
  }
  LimitedBuilder builder(limits);
  try {
    if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
      return Error(ErrorCode::kInvalidRequest,
                   builder.problem().empty() ? "not valid JSON" : builder.problem());
    }
  } catch (const std::exception& problem) {
    return Error(ErrorCode::kInvalidRequest, fmt::format("not valid JSON: {}", problem.what()));
  }
  return builder.TakeRoot();
}

OrderedJson TextOrNull(std::string_view text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DumpJson(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string DumpJsonPretty(const OrderedJson& value) {
  return value.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace pcw
