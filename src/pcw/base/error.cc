#include "pcw/base/error.h"

#include <algorithm>

namespace pcw {

Error& Error::With(std::string key, std::string value) & {
  if (!Find(key)) context_.emplace_back(std::move(key), std::move(value));
  return *this;
}

Error Error::With(std::string key, std::string value) && {
  With(std::move(key), std::move(value));
  return std::move(*this);
}

std::optional<std::string_view> Error::Find(std::string_view key) const {
  const auto it = std::find_if(context_.begin(), context_.end(),
                               [key](const auto& pair) { return pair.first == key; });
  if (it == context_.end()) return std::nullopt;
  return it->second;
}

std::string Error::ToString() const {
  std::string text = message_;
  if (context_.empty()) return text;
  text += " (";
  bool first = true;
  for (const auto& [key, value] : context_) {
    if (!first) text += ", ";
    first = false;
    text += key;
    text += '=';
    text += value;
  }
  text += ')';
  return text;
}

}  // namespace pcw
