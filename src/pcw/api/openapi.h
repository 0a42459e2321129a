// The OpenAPI 3.1 description, made of the table of routes.
#pragma once

#include <string>
#include <string_view>

namespace pcw::api {

/// The document as indented JSON. docs/openapi.json is the same for this version (tested).
std::string MakeOpenApi(std::string_view version);

}  // namespace pcw::api
