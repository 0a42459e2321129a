#include "pcw/base/json_pointer.h"

namespace pcw {

std::string PointerSegment(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> SplitPointer(std::string_view pointer) {
  std::vector<std::string> segments;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      segments.emplace_back();
    } else if (segments.empty()) {
      return segments;
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      segments.back() += pointer[++i] == '1' ? '/' : '~';
    } else {
      segments.back() += pointer[i];
    }
  }
  return segments;
}

}  // namespace pcw
