// What the simulated S3 answers, before transport faults; its errors in its XML.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/net/server/message.h"

namespace pcw::sim {

struct S3Answer {
  int status = 200;
  net::server::Headers headers;
  std::string body;
  std::string error;  ///< the error's code; empty for success
};

/// An error document. `details` are elements beside Code and Message (Key, BucketName ...); the
/// request's ids are put in where the answer is sent.
S3Answer S3Error(int status, std::string_view code, std::string_view message,
                 const std::vector<std::pair<std::string, std::string>>& details = {});

/// A document of S3's namespace: `<root xmlns=...>content</root>`.
S3Answer S3Document(std::string_view root, std::string_view content);

/// `<name>text</name>`, escaped.
std::string Element(std::string_view name, std::string_view text);

/// Puts the request's ids into an error document.
void FillIds(S3Answer& answer, std::string_view request_id, std::string_view host_id);

}  // namespace pcw::sim
