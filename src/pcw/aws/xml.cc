#include "pcw/aws/xml.h"

#include <memory>
#include <type_traits>

#include <expat.h>
#include <fmt/format.h>

namespace pcw::aws {
namespace {

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using ParserPtr = std::unique_ptr<std::remove_pointer_t<XML_Parser>, ParserDeleter>;

// The document as expat's callbacks see it. `open` is the path from the root to the element that is
// being read; the elements live in their parents' `children`, which grow only at their end.
struct Builder {
  const XmlLimits& limits;
  XML_Parser parser;
  XmlElement root{};
  std::vector<XmlElement> open{};
  std::size_t elements = 0;
  const char* refused = nullptr;  // why we, not expat, ended it

  void Refuse(const char* why) {
    refused = why;
    XML_StopParser(parser, XML_FALSE);
  }
};

void OnStart(void* context, const XML_Char* name, const XML_Char** /*attributes*/) {
  auto& builder = *static_cast<Builder*>(context);
  if (builder.open.size() >= builder.limits.max_depth) return builder.Refuse("too deep");
  if (++builder.elements > builder.limits.max_elements) return builder.Refuse("too many elements");
  XmlElement element;
  element.name = name;
  builder.open.push_back(std::move(element));
}

void OnEnd(void* context, const XML_Char* /*name*/) {
  auto& builder = *static_cast<Builder*>(context);
  if (builder.refused != nullptr) return;
  XmlElement element = std::move(builder.open.back());
  builder.open.pop_back();
  // Line breaks between children are layout.
  if (!element.children.empty()) element.text.clear();
  if (builder.open.empty()) {
    builder.root = std::move(element);
  } else {
    builder.open.back().children.push_back(std::move(element));
  }
}

void OnText(void* context, const XML_Char* text, int size) {
  auto& builder = *static_cast<Builder*>(context);
  if (!builder.open.empty()) builder.open.back().text.append(text, static_cast<std::size_t>(size));
}

void OnDoctype(void* context, const XML_Char* /*name*/, const XML_Char* /*system*/,
               const XML_Char* /*public_id*/, int /*has_internal_subset*/) {
  static_cast<Builder*>(context)->Refuse("a document type");
}

Error Malformed(std::string_view why) {
  return Error(ErrorCode::kUnavailable, fmt::format("the answer is not the XML of AWS: {}", why))
      .At(NetStep::kMalformed);
}

const XmlElement* FindAnywhere(const XmlElement& element, std::string_view name) {
  if (element.name == name) return &element;
  for (const XmlElement& child : element.children) {
    if (const XmlElement* found = FindAnywhere(child, name)) return found;
  }
  return nullptr;
}

}  // namespace

const XmlElement* XmlElement::Child(std::string_view child) const {
  for (const XmlElement& candidate : children) {
    if (candidate.name == child) return &candidate;
  }
  return nullptr;
}

const std::string& XmlElement::TextOf(std::string_view child) const {
  static const std::string kNone;
  const XmlElement* found = Child(child);
  return found != nullptr ? found->text : kNone;
}

Result<XmlElement> ParseXml(std::string_view xml, const XmlLimits& limits) {
  if (xml.size() > limits.max_bytes) return Malformed("larger than allowed");
  // S3 keeps a long call alive with white space, which no document may begin with.
  while (!xml.empty() &&
         (xml.front() == ' ' || xml.front() == '\n' || xml.front() == '\r' || xml.front() == '\t'))
    xml.remove_prefix(1);
  const ParserPtr parser(XML_ParserCreate("UTF-8"));
  if (!parser) return Error(ErrorCode::kInternal, "no memory for an XML parser");
  Builder builder{.limits = limits, .parser = parser.get()};
  XML_SetUserData(parser.get(), &builder);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
  const auto status = XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE);
  if (builder.refused != nullptr) return Malformed(builder.refused);
  if (status != XML_STATUS_OK)
    return Malformed(fmt::format("{} in line {}", XML_ErrorString(XML_GetErrorCode(parser.get())),
                                 XML_GetCurrentLineNumber(parser.get())));
  return std::move(builder.root);
}

std::optional<std::string> XmlText(std::string_view xml, std::string_view name) {
  const Result<XmlElement> root = ParseXml(xml);
  if (!root) return std::nullopt;
  const XmlElement* found = FindAnywhere(*root, name);
  if (found == nullptr || !found->children.empty()) return std::nullopt;
  return found->text;
}

}  // namespace pcw::aws
