#include "pcw/sim/s3/answer.h"

#include <fmt/format.h>

#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

constexpr std::string_view kProlog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view kErrorEnd = "</Error>";

}  // namespace

std::string Element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, XmlText(text));
}

S3Answer S3Error(int status, std::string_view code, std::string_view message,
                 const std::vector<std::pair<std::string, std::string>>& details) {
  S3Answer answer{.status = status,
                  .headers = {{"Content-Type", "application/xml"}},
                  .body = std::string(kProlog),
                  .error = std::string(code)};
  answer.body += "<Error>" + Element("Code", code) + Element("Message", message);
  for (const auto& [name, value] : details) answer.body += Element(name, value);
  answer.body += kErrorEnd;
  return answer;
}

S3Answer S3Document(std::string_view root, std::string_view content) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/xml"}},
          .body = fmt::format("{0}<{1} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{2}</{1}>",
                              kProlog, root, content),
          .error = {}};
}

void FillIds(S3Answer& answer, std::string_view request_id, std::string_view host_id) {
  if (!answer.body.ends_with(kErrorEnd)) return;
  answer.body.insert(answer.body.size() - kErrorEnd.size(),
                     Element("RequestId", request_id) + Element("HostId", host_id));
}

}  // namespace pcw::sim
